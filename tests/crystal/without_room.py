"""``python -m tests.crystal.without_room FOLDER``: a tmpfs there runs full while the pool's keeper is at work.

Prints what the keeper said, and "right" when after each of it every block is what it was, for this process and for one
that recovers. Exits by a signal where memory was touched that is not there.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.layout import COLD, FROZEN, POOL
from gamesad.crystal.pool.pool import Block, OutOfSpace
from gamesad.crystal.pool.recovery import whole_blocks
from gamesad.crystal.tiering.tiers import Settings
from tests.crystal.kept import Kept, text

STEP = 192 << 10


class Small:
    def __init__(self, folder: Path) -> None:
        self._fill = folder / "fill"
        self.kept = Kept(folder, Settings(), pool_max=32 << 20)
        self.expected: dict[Block, bytes] = {}

    def store(self, data: bytes, tier: int = COLD, count: float = 0.0) -> None:
        self.expected[self.kept.allocate(data, tier=tier, count=count)] = data

    def leave(self, room: int) -> None:
        """Fills the tmpfs up to so many bytes."""
        self._fill.unlink(missing_ok=True)
        free = shutil.disk_usage(self._fill.parent).free
        with self._fill.open("wb") as file:
            if free > room:
                os.posix_fallocate(file.fileno(), 0, free - room)

    def take_all(self) -> None:
        """Stores blocks that stay as they are until there is no room for one of a byte."""
        chance, size = random.Random(2), 50_000
        while size:
            try:
                self.store(chance.randbytes(size), tier=1, count=50.0)
            except OutOfSpace:
                size //= 2

    def check(self) -> None:
        pool, made = self.kept.pool, self.kept.segments[-1]
        frozen = {block.id for block in pool.blocks() if block.tier == FROZEN}
        start, size = made.section(POOL)
        found = whole_blocks(memoryview(made.memory)[start : min(made.length, start + size)])
        assert not found.discarded
        assert {kept.id for kept in found.blocks} == {block.id for block in self.expected}
        for kept in found.blocks:
            data = next(data for block, data in self.expected.items() if block.id == kept.id)
            assert kept.id in frozen or bytes(kept.data) == data
        for block, data in self.expected.items():
            if block.tier != FROZEN:
                assert bytes(pool.stored(block)) == data

    def compact(self, room: int) -> str:
        """What came of a compaction while there were so many bytes left."""
        kept = self.kept
        self.leave(room)
        kept.said.clear()
        try:
            kept.keeper.compact()
            while kept.keeper.compacting:
                kept.keeper.maintain(kept.now_s, 0.0001)
        except CrystalFull as error:
            kept.said.append(f"not begun: {error}")
        self.check()
        assert sorted(file.name for file in self._fill.parent.iterdir()) == ["fill", "gamesad"]
        return kept.said[0].split(" more bytes")[0].rstrip("0123456789").split(":")[0]


def compactions(small: Small) -> None:
    chance = random.Random(1)
    for _ in range(30):
        small.store(chance.randbytes(chance.randrange(200_000)), tier=1, count=50.0)
    for block in list(small.expected)[::4]:
        small.kept.pool.free(block)
        del small.expected[block]
    outcomes = []
    for room in range(0, 64 * STEP, STEP):
        outcomes.append(small.compact(room))
        if outcomes[-1] == "compacted":
            break
    print(outcomes)


def freezes(small: Small) -> None:
    for _ in range(3):
        small.store(text(600_000))
    small.leave(0)
    small.take_all()
    small.kept.later(200)
    small.check()
    cold = [block for block in small.expected if block.tier == COLD]
    print(len(cold), small.kept.said)
    small.leave(2 << 20)
    small.kept.later(100)
    small.check()
    print([block.tier for block in cold], small.kept.said[1:], [len(small.kept.read(block)) for block in cold])


def thaws(small: Small) -> None:
    """A read of a frozen block for which there is no room is an error for the reader, and the block stays."""
    small.store(text(3_000_000))
    (block,) = small.expected  # the only one so far
    small.kept.later(200)
    small.leave(0)
    small.take_all()
    for _ in range(2):
        try:
            small.kept.read(block)
        except OutOfSpace as error:
            print(str(error).split(":")[0], block.tier)
    small.check()
    small.leave(4 << 20)
    print(small.kept.read(block) == text(3_000_000))


if __name__ == "__main__":
    what: dict[str, Callable[[Small], None]] = {"compactions": compactions, "freezes": freezes, "thaws": thaws}
    what[sys.argv[2]](Small(Path(sys.argv[1])))
    print("right")
