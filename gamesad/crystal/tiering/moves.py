"""Moving one block to another tier in steps: what takes long is done beside the pool, what is done to it takes none."""

from __future__ import annotations

from gamesad.crystal.layout import FROZEN
from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.tiering.freezer import LARGEST, Clock, Freezing, Thawing


class Move:
    """``block`` to ``tier``. It comes to nothing where the block is written, freed or moved meanwhile."""

    def __init__(self, pool: Pool, block: Block, tier: int, *, wasted: bool = False) -> None:
        """``wasted``: it takes back what was thawed for nothing."""
        self.block, self.tier, self.wasted = block, tier, wasted
        self.done = False
        """Whether the block is in ``tier`` now; after ``step`` said that it ended."""
        self.cpu_s = 0.0
        self._pool = pool
        self.version = block.generation
        self._offset = block.offset
        self._work: Freezing | Thawing | None = None

    def step(self, until_s: float, clock: Clock) -> bool:
        """True: it ended. Damaged: the frozen block is not whole. OutOfSpace: it stays as it is."""
        block, began_s = self.block, clock()
        try:
            if not block.units or (block.generation, block.offset) != (self.version, self._offset):
                return True
            if FROZEN not in (self.tier, block.tier):
                self._pool.set_tier(block, self.tier)
            elif not self._compute(until_s, clock):
                return False
            self.done = block.tier == self.tier
            return True
        finally:
            self.cpu_s += clock() - began_s

    def _compute(self, until_s: float, clock: Clock) -> bool:
        block, pool = self.block, self._pool
        if self._work is None:
            stored = pool.stored(block)
            self._work = Freezing(stored) if self.tier == FROZEN else Thawing(stored, block.size)
        if not self._work.step(until_s, clock):
            return False
        if isinstance(self._work, Thawing):
            pool.thaw(block, self._work.data)
            if self.tier != block.tier:
                pool.set_tier(block, self.tier)
        elif self._work.frozen:
            pool.freeze(block, self._work.frozen)
        return True


def may_freeze(block: Block) -> bool:
    return block.generation > 0 and block.tier != FROZEN and block.size <= LARGEST
