"""A pool with its keeper, on a clock that is made up."""

from __future__ import annotations

from pathlib import Path

from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.segment import Segment
from gamesad.crystal.tiering.keeper import REVIEW_S, Keeper
from gamesad.crystal.tiering.tiers import Settings
from tests.crystal.segments import segment


class Kept:
    def __init__(self, folder: Path, settings: Settings | None = None, pool_max: int = 64 << 20) -> None:
        self.segments: list[Segment] = [segment(folder, pool_max)]
        self.pool = Pool(self.segments[0])
        self.said: list[str] = []
        self.now_s = 0.0
        self.keeper = Keeper(self.pool, settings or Settings(), tell=self.said.append, replaced=self.segments.append)

    def allocate(self, data: bytes, *, count: float = 0.0, tier: int = 1) -> Block:
        """A block with ``data``; ``count`` accesses a moment ago."""
        block = self.pool.allocate(len(data), tier, "test")
        self.pool.write(block, data)
        block.heat = count
        return block

    def later(self, seconds: float, budget_s: float = 1.0) -> None:
        """So much time passes, and the keeper does all there is to do."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(end_s, self.now_s + REVIEW_S)
            self.keeper.maintain(self.now_s, budget_s)

    def read(self, block: Block, times: int = 1) -> bytes:
        for _ in range(times):
            data = bytes(self.pool.read(block))
        return data

    def close(self) -> None:
        self.segments[-1].close()


def text(size: int) -> bytes:
    """What a recording looks like: a tenth of it when frozen."""
    line = b'{"t": 1234.5, "hwmon.k10temp-pci-00c3.temp1": 61.5, "power": 44.1}\n'
    return (line * (size // len(line) + 1))[:size]
