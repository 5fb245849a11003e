"""A pool in a file system that gets full at each step of its growth. ``python -m tests.crystal.filling FOLDER MIB``.

FOLDER is a tmpfs of so many MiB. Prints what was refused, and how often; ends with a traceback, or by SIGBUS, where the
pool does not bear it.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections import Counter

from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.layout import POOL
from gamesad.crystal.pool.chain import STEP, OutOfSpace
from gamesad.crystal.pool.pool import Block, Pool
from tests.crystal import publishing

POOL_MAX = 64 * STEP


class Filling:
    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.filler = os.open(f"{folder}/filler", os.O_RDWR | os.O_CREAT, 0o600)
        self.segment = publishing.segment(f"{folder}/segment", pool_max=POOL_MAX)
        self.segment.ensure(self.segment.section(POOL)[0])
        self.pool = Pool(self.segment)
        self.contents: dict[Block, bytes] = {}
        self.refused: Counter[str] = Counter()

    def leave(self, room: int) -> None:
        """Fills the file system up to so many bytes."""
        os.ftruncate(self.filler, 0)
        found = os.statvfs(self.folder)
        if found.f_bavail * found.f_bsize > room:
            os.posix_fallocate(self.filler, 0, found.f_bavail * found.f_bsize - room)

    def put(self, size: int) -> None:
        block = self.pool.allocate(size)
        self.contents[block] = bytes([block.id % 251]) * size
        self.pool.write(block, self.contents[block])

    def until_refused(self, sizes: list[int]) -> None:
        """Blocks of these sizes until one finds no room; that changes nothing."""
        for size in sizes * 1000:
            before = self.pool.statistics()
            try:
                self.put(size)
            except OutOfSpace as error:
                assert "the pool cannot grow" in str(error), error
                assert self.pool.statistics() == before
                self.refused["allocate"] += 1
                return
        raise AssertionError("the file system never got full")

    def rewrite_all(self) -> None:
        """Where there is no room for both versions the old one stays."""
        for block, old in self.contents.items():
            new = bytes(byte ^ 0xFF for byte in old[:1]) * len(old)
            try:
                self.pool.write(block, new)
                self.contents[block] = new
            except OutOfSpace:
                self.refused["write"] += 1

    def freeze_and_thaw(self) -> None:
        for block in list(self.contents):
            try:
                self.pool.freeze(block)
            except OutOfSpace:
                self.refused["freeze"] += 1
        self.check()
        for block in self.contents:
            try:
                self.pool.thaw(block)
            except OutOfSpace:
                self.refused["thaw"] += 1

    def move(self) -> None:
        """Another segment beside this one, for which there is no room."""
        try:
            fresh = self.segment.replace()
        except CrystalFull:
            self.refused["segment"] += 1
            return
        try:
            self.pool.move_to(fresh, self.pool.blocks())
        except CrystalFull:
            self.refused["move"] += 1
            fresh.close(unlink=False)
            return
        fresh.publish()
        self.segment.close(unlink=False)
        self.segment = fresh

    def check(self) -> None:
        """Every byte of the pool can be touched, and every block is as it was last written."""
        length, allocated = self.segment.length, os.stat(self.segment.path)
        assert allocated.st_size == length
        assert allocated.st_blocks * 512 >= length, "a hole"
        zlib.crc32(memoryview(self.segment.memory)[:length])
        for block, expected in self.contents.items():
            if block.stored == block.size:
                assert self.pool.stored(block) == expected, block

    def steps(self, mib: int) -> None:
        for step in range(mib):
            self.leave(step * STEP + 4096 * (step % 3))
            self.until_refused([[300_000], [1000, 50_000], [2_500_000]][step % 3])
            self.check()
            self.rewrite_all()
            self.check()
            self.freeze_and_thaw()
            self.check()
            self.move()
            self.check()
            self.leave(8 * STEP)
            self.put(2 * STEP)
            self.check()
            for block in list(self.contents)[:: 2 if step % 2 else 1]:
                self.pool.free(block)
                del self.contents[block]


if __name__ == "__main__":
    one = Filling(sys.argv[1])
    one.steps(int(sys.argv[2]))
    print(json.dumps(one.refused))
