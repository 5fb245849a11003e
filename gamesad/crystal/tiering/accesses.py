"""What is known of each block beside what its header says: its warmth, how long it is in its tier, what comes next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from gamesad.crystal.layout import FROZEN, HOT
from gamesad.crystal.pool.pool import Block, NoSuchBlock, Pool
from gamesad.crystal.tiering.compaction import Stored
from gamesad.crystal.tiering.prefetch import Budget, Prefetch
from gamesad.crystal.tiering.tiers import Heat
from gamesad.crystal.tiering.trial import Meter

HINTS = 256
"""Hints that are taken in a second; the rest is dropped."""
_INFLATE_S = 1 / 250e6
"""What a client needs for each byte of a frozen block that it inflates itself, about."""


class Known(Heat):
    """``tier`` as last seen; ``stays``: the version of the block that cannot be frozen, or not thawed."""

    __slots__ = ("block", "stays", "tier")

    def __init__(self, block: Block, now_s: float) -> None:
        super().__init__(block.heat, now_s)
        self.block, self.tier, self.stays = block, block.tier, -1


class Accesses:
    def __init__(self, pool: Pool, budget: Budget | None, window_s: float) -> None:
        self.known: dict[int, Known] = {}
        self.hot: set[Block] = set()
        self.meter = Meter(window_s)
        self.prefetch = Prefetch(budget or Budget(0), self._can_be_thawed)
        self.now_s = 0.0
        self._pool = pool
        self._hints: deque[int] = deque()
        self._hinted, self._hinted_until_s = 0, 0.0
        self._waited_s = 0.0

    def hint(self, addresses: Iterable[int]) -> int:
        """Takes what clients say they read, as far as there is room; how many."""
        if self.now_s >= self._hinted_until_s:
            self._hinted, self._hinted_until_s = 0, self.now_s + 1.0
        taken = [address for _, address in zip(range(HINTS - self._hinted), addresses, strict=False)]
        self._hints.extend(taken)
        self._hinted += len(taken)
        return len(taken)

    def look(self, block: Block) -> Known:
        """What is known of ``block``, whose tier anybody may have changed."""
        known = self.known.get(block.id)
        if known is None:
            known = self.known[block.id] = Known(block, self.now_s)
        elif known.tier == block.tier:
            return known
        known.tier, known.since_s = block.tier, self.now_s
        (self.hot.add if block.tier == HOT else self.hot.discard)(block)
        return known

    def count(self, half_life_s: float, more: Callable[[], bool]) -> None:
        """Accesses since the last time, one by one while there is ``more`` time."""
        self.meter.add(0, self._pool.waited_s - self._waited_s)
        self._waited_s = self._pool.waited_s
        touched = self._pool.touched
        if self._hints:
            by_address = {block.address: block.id for block in self._pool.blocks()}
            touched.extend(by_address[address] for address in self._hints if address in by_address)
            self._hints.clear()
        while touched and more():
            try:
                block = self._pool.by_id(touched.popleft())
            except NoSuchBlock:
                continue
            seen = self.known.get(block.id)
            was_frozen = seen is not None and seen.tier == FROZEN
            self.look(block).touch(self.now_s, half_life_s)
            self.meter.add(1, block.size * _INFLATE_S if block.tier == FROZEN else 0.0)
            self.prefetch.accessed(block.id, was_frozen=was_frozen)

    def forget(self, blocks: Iterable[Block]) -> None:
        """Everything but these ``blocks`` is gone from the pool."""
        for identity in self.known.keys() - {block.id for block in blocks}:
            self.hot.discard(self.known.pop(identity).block)
            self.prefetch.gone(identity)

    def stored(self, half_life_s: float) -> list[Stored]:
        """Every block as an adviser sees it."""
        found = []
        for block in self._pool.blocks():
            known = self.look(block)
            heat = known.now(self.now_s, half_life_s)
            found.append(Stored(block.id, block.size, block.tier, heat, self.now_s - known.since_s))
        return found

    def _can_be_thawed(self, block: int) -> bool:
        known = self.known.get(block)
        return known is not None and known.block.tier == FROZEN and known.stays != known.block.generation
