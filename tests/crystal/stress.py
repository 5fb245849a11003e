"""A process that does all that a writer can do to a segment, as fast as it can, until it is killed.

``python -m tests.crystal.stress FOLDER SEED VARIANT``. What it does and has done stands in FOLDER/ledger, which is no
part of the segment: ``Ledger``. A block's contents say which block and version they are of.
"""

from __future__ import annotations

import mmap
import os
import random
import sys
from collections.abc import Callable
from struct import Struct

from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.history.history import History
from gamesad.crystal.layout import FROZEN
from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from gamesad.crystal.tiering.keeper import Keeper
from gamesad.crystal.tiering.tiers import Rules, Settings
from tests.crystal import publishing

PHASES = (
    "begin", "idle", "latest", "decision", "history", "allocate", "first write", "growth", "rewrite", "free", "freeze",
    "thaw", "seal", "keeper", "compaction",
)  # fmt: skip
POOL_MAX = 8 << 20
IDS = 1 << 20
MOST_BLOCKS = 80
_HEAD = Struct("<QI")
_SECOND_US = 1_000_000


class Ledger:
    """Words in a file: a place in PHASES, the id at hand (0: none) and the last one given, what was done; from IDS_AT
    the version of each block."""

    PHASE, BLOCK, LAST_ID, OPERATIONS, TICK, DECISION, SAMPLES, IDS_AT = range(8)

    def __init__(self, folder: str, *, make: bool = False) -> None:
        handle = os.open(f"{folder}/ledger", os.O_RDWR | os.O_CREAT, 0o600)
        if make:
            os.ftruncate(handle, 8 * (self.IDS_AT + IDS))
        self.words = memoryview(mmap.mmap(handle, 8 * (self.IDS_AT + IDS))).cast("Q")
        os.close(handle)

    def versions(self) -> dict[int, int]:
        found = self.words[self.IDS_AT : self.IDS_AT + self.words[self.LAST_ID] + 1].tolist()
        return {identity: version for identity, version in enumerate(found) if version}


def contents(identity: int, version: int, size: int) -> bytes:
    """Half of them can be made smaller."""
    head = _HEAD.pack(identity, version)
    if identity % 2:
        return (head * (size // len(head) + 1))[:size]
    return (head + random.Random(identity << 20 | version).randbytes(size))[:size]


def version_of(data: bytes | memoryview) -> tuple[int, int]:
    """Block and version that these contents say they are of."""
    identity, version = _HEAD.unpack_from(data)
    return identity, version


def segment(folder: str) -> Segment:
    return publishing.segment(f"{folder}/segment", pool_max=POOL_MAX)


class Stress:
    def __init__(self, folder: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.ledger = Ledger(folder).words
        self.enter("begin")
        made = segment(folder)
        self.telemetry, self.history, self.pool = Telemetry(made), History(made), Pool(made)
        self.telemetry.directory(*publishing.directory())
        self.history.grow()
        made.publish()
        rules = Rules(promote_above=4.0, demote_below=1.0, half_life_s=30.0, dwell_s=10.0)
        self.keeper = Keeper(self.pool, Settings(rules), replaced=self.replaced)
        self.now_s = 0.0

    def enter(self, phase: str, block: Block | None = None) -> None:
        self.ledger[Ledger.BLOCK] = block.id if block else 0
        self.ledger[Ledger.PHASE] = PHASES.index(phase)

    def done(self, block: Block | None = None, version: int = 0) -> None:
        """``version`` of ``block`` is what there is now."""
        if block:
            self.ledger[Ledger.IDS_AT + block.id] = version
        self.enter("idle")

    def replaced(self, segment: Segment) -> None:
        self.telemetry = Telemetry(segment)
        self.history.move(segment)

    def run(self) -> None:
        """Until killed, or as many blocks as the ledger holds."""
        actions: list[Callable[[], None]] = (
            [self.allocate] * 6 + [self.rewrite] * 6 + [self.free] * 3 + [self.freeze] * 2 + [self.thaw]
        )
        actions += [self.tick, self.seal, self.keep, self.keep, self.grow]
        while self.ledger[Ledger.LAST_ID] < IDS - 2:
            self.ledger[Ledger.OPERATIONS] += 1
            if self.ledger[Ledger.OPERATIONS] % 40 == 0:
                self.compact()
            try:
                self.random.choice(actions)()
            except CrystalFull:
                self.free()
            self.done()

    def some(self) -> Block | None:
        blocks = self.pool.blocks()
        return self.random.choice(blocks) if blocks else None

    def tick(self) -> None:
        number = self.ledger[Ledger.TICK] + 1
        self.enter("latest")
        publishing.tick(self.telemetry, number)
        self.ledger[Ledger.TICK] = number
        self.enter("decision")
        self.telemetry.decision(float(number), "throttle", "rule", b"s\tReason\tnumber %d\n" % number)
        self.ledger[Ledger.DECISION] = number
        self.enter("history")
        self.history.push(number * _SECOND_US, [float(number)] * publishing.COLUMNS)
        self.ledger[Ledger.SAMPLES] = number

    def allocate(self, phase: str = "allocate", largest: int = 20_000) -> None:
        self.enter(phase)
        if len(self.pool.blocks()) >= MOST_BLOCKS:
            self.free()
        block = self.pool.allocate(self.random.randint(_HEAD.size, largest), self.random.randrange(FROZEN), "stress")
        data = contents(block.id, 1, block.size)
        self.ledger[Ledger.LAST_ID] = block.id
        self.enter("first write", block)
        self.pool.write(block, data)
        self.done(block, 1)

    def grow(self) -> None:
        self.allocate("growth", 300_000)

    def rewrite(self) -> None:
        if not (block := self.some()):
            return
        version = self.ledger[Ledger.IDS_AT + block.id] + 1
        data = contents(block.id, version, block.size)
        self.enter("rewrite", block)
        self.pool.write(block, data)
        self.done(block, version)

    def free(self) -> None:
        if block := self.some():
            self.enter("free", block)
            self.pool.free(block)
            self.done(block)

    def freeze(self) -> None:
        if block := self.some():
            self.enter("freeze")
            self.pool.freeze(block)

    def thaw(self) -> None:
        if block := self.some():
            self.enter("thaw")
            self.pool.read(block)

    def seal(self) -> None:
        self.enter("seal")
        self.pool.seal(0.01)

    def keep(self) -> None:
        self.enter("keeper")
        self.now_s += 1.0
        self.keeper.maintain(self.now_s, 0.0005)

    def compact(self) -> None:
        self.enter("compaction")
        self.keeper.compact()
        while self.keeper.compacting:
            self.now_s += 1.0
            self.keeper.maintain(self.now_s, 0.0005)


def overwrite(self: Pool, block: Block, data: bytes, tier: int) -> None:
    """A broken pool: a block stays where it is, and is slow to write."""
    offset, units = block.offset, block.units
    block.tier = tier
    block.generation += 1
    if len(data) + 127 >> 6 == units:
        for at in range(0, len(data), 64):
            self._chain.bytes[offset + 64 + at : offset + 64 + min(at + 64, len(data))] = data[at : at + 64]
        self._place(block, offset >> 6, data)
    else:
        self._place(block, self._chain.take(len(data) + 127 >> 6), data)
        self._chain.give(offset >> 6, units)


if __name__ == "__main__":
    if sys.argv[3] == "in place":
        Pool._replace = overwrite  # type: ignore[method-assign]
    one = Stress(sys.argv[1], int(sys.argv[2]))
    print("running", flush=True)
    one.run()
