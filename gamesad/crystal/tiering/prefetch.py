"""What is read next: an n-gram model over block accesses, and the bets that it is allowed to make.

Prediction by partial matching with back-off (Cleary and Witten 1984; for prefetching: Vitter and Krishnan 1996): of the
last three, two and one accesses, the longest sequence that was seen often enough speaks. ``Predictor`` learns and is
bounded in memory; ``Prefetch`` keeps the score and the budget, and knows nothing of where blocks lie.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ORDER = 3
FOLLOWERS = 4
"""Remembered of each sequence; a rarer one takes the place of the rarest."""
_AGED_AT = 32
"""Counts are halved here, so that what was learned long ago does not outvote what happens now."""


class _Context:
    """What followed one sequence: how often it was seen, and how often each follower."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.total, self.counts = 0, dict[int, int]()

    def add(self, block: int) -> None:
        counts = self.counts
        if block not in counts and len(counts) == FOLLOWERS:
            del counts[min(counts, key=counts.__getitem__)]
        counts[block] = counts.get(block, 0) + 1
        self.total += 1
        if self.total >= _AGED_AT:
            self.total //= 2
            self.counts = {key: count // 2 for key, count in counts.items() if count > 1}


class Predictor:
    """Learns one access at a time. At most ``contexts`` sequences are kept; the one not met for longest goes first."""

    def __init__(self, contexts: int = 4096) -> None:
        self._most = contexts
        self._contexts: dict[tuple[int, ...], _Context] = {}
        self._last: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self._contexts)

    def learn(self, block: int) -> None:
        for length in range(1, len(self._last) + 1):
            key = self._last[-length:]
            context = self._contexts.pop(key, None) or _Context()
            context.add(block)
            self._contexts[key] = context
        while len(self._contexts) > self._most:
            del self._contexts[next(iter(self._contexts))]
        self._last = (*self._last, block)[-ORDER:]

    def likely(self, most: int, least: float) -> list[int]:
        """Up to ``most`` blocks that follow now, soonest first, while the whole way there is likelier than ``least``.

        A likelihood is count / (total + 1): a sequence seen once proves nothing (1/2).
        """
        found: dict[int, None] = {}
        last, chance = self._last, 1.0
        for _ in range(most):
            block, part = self._next(last)
            chance *= part
            if chance <= least:
                break
            found[block] = None
            last = (*last, block)[-ORDER:]
        return list(found)

    def pairs(self) -> Iterator[tuple[int, int, int]]:
        """What is read together: a block, one that followed it, and how often lately."""
        for key, context in self._contexts.items():
            if len(key) == 1:
                for block, count in context.counts.items():
                    yield key[0], block, count

    def _next(self, last: tuple[int, ...]) -> tuple[int, float]:
        for length in range(len(last), 0, -1):
            context = self._contexts.get(last[-length:])
            if context is not None and context.total > 1 and context.counts:
                block = max(context.counts, key=context.counts.__getitem__)
                return block, context.counts[block] / (context.total + 1)
        return 0, 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What prediction may spend: bytes thawed ahead and not yet read, and a share of one core's time."""

    resident_bytes: int = 8 << 20
    cpu_share: float = 0.02
    burst_s: float = 0.1
    """CPU seconds that may be saved up, for what comes at once after a quiet time."""


@dataclass(slots=True)
class Counts:
    """``hits``: read after it was thawed ahead. ``misses``: read while frozen. ``wasted``: thawed ahead, not read."""

    hits: int = 0
    misses: int = 0
    wasted: int = 0
    thawed: int = 0
    cpu_s: float = 0.0
    switched_on: int = 0
    switched_off: int = 0


class Prefetch:
    """Bets on frozen blocks, and keeps score.

    A bet says that a block is read within the next ``WINDOW`` accesses. It is won or lost whether or not the block is
    thawed for it, so the score tells at no cost what thawing would bring: ``on`` only while enough bets are won, off at
    the start and while it loses, and on again when the bets would have been won.
    """

    DEPTH, WINDOW = 8, 16
    LEAST = 0.5
    ON_ABOVE, OFF_BELOW = 0.6, 0.4
    MEMORY = 16.0
    """Bets over which the score is a mean."""
    HOLD_S = 900.0
    """What was thawed ahead may wait so long for its read, however few accesses there are."""

    def __init__(self, budget: Budget, is_frozen: Callable[[int], bool], contexts: int = 4096) -> None:
        self.budget, self.predictor, self.counts = budget, Predictor(contexts), Counts()
        self.on, self.score = False, 0.0
        self._is_frozen = is_frozen
        self._accesses = 0
        self._bets: dict[int, int] = {}  # block → the access by which it must be read, in that order
        self._ahead: dict[int, tuple[int, float]] = {}  # block → bytes, and until when; thawed and not yet read
        self._lost: deque[int] = deque()
        self._allowance_s, self._now_s = budget.burst_s, 0.0

    @property
    def resident(self) -> int:
        """Bytes thawed ahead and not yet read."""
        return sum(size for size, _ in self._ahead.values())

    def holds(self, block: int) -> bool:
        """Whether ``block`` waits to be read, thawed ahead, so that it is not to be frozen."""
        return block in self._ahead and self._now_s < self._ahead[block][1]

    def accessed(self, block: int, *, was_frozen: bool) -> None:
        """Settles the bets and makes new ones; ``was_frozen``: it had to be thawed for this access."""
        self._accesses += 1
        if self._bets.pop(block, None) is not None:
            self._settle(won=True)
        if self._ahead.pop(block, None) is not None and not was_frozen:
            self.counts.hits += 1
        elif was_frozen:
            self.counts.misses += 1
        while self._bets and next(iter(self._bets.values())) < self._accesses:
            self._lose(next(iter(self._bets)))
        self.predictor.learn(block)
        for next_block in self.predictor.likely(self.DEPTH, self.LEAST):
            if next_block not in self._bets and self._is_frozen(next_block):
                self._bets[next_block] = self._accesses + self.WINDOW

    def wanted(self, now_s: float, size_of: Callable[[int], int]) -> int | None:
        """The block to thaw next, if there is one and its ``size_of`` and the time spent leave room for it."""
        self._allowance_s += max(0.0, now_s - self._now_s) * self.budget.cpu_share
        self._allowance_s = min(self._allowance_s, self.budget.burst_s)
        self._now_s = max(now_s, self._now_s)
        if not self.on or self._allowance_s <= 0:
            return None
        room = self.budget.resident_bytes - self.resident
        return next((block for block in self._bets if self._is_frozen(block) and size_of(block) <= room), None)

    def thawed(self, block: int, size: int, cpu_s: float) -> None:
        """``block`` is thawed now, ahead of its read; it took ``cpu_s``."""
        self._ahead[block] = size, self._now_s + self.HOLD_S
        self.counts.thawed += 1
        self.spent(cpu_s)

    def spent(self, cpu_s: float) -> None:
        """CPU time that prediction caused: thawing, and freezing again what was thawed for nothing."""
        self.counts.cpu_s += cpu_s
        self._allowance_s -= cpu_s

    def gone(self, block: int) -> None:
        """``block`` was frozen again, or freed: the bet on it is lost."""
        if self._bets.pop(block, None) is not None:
            self._settle(won=False)
        if self._ahead.pop(block, None) is not None:
            self.counts.wasted += 1

    def lost(self) -> int | None:
        """The next block that was thawed for nothing and may be frozen again."""
        return self._lost.popleft() if self._lost else None

    def _lose(self, block: int) -> None:
        del self._bets[block]
        self._settle(won=False)
        if self._ahead.pop(block, None) is not None:
            self.counts.wasted += 1
            self._lost.append(block)

    def _settle(self, *, won: bool) -> None:
        self.score += (won - self.score) / self.MEMORY
        if not self.on and self.score > self.ON_ABOVE:
            self.on, self.counts.switched_on = True, self.counts.switched_on + 1
        elif self.on and self.score < self.OFF_BELOW:
            self.on, self.counts.switched_off = False, self.counts.switched_off + 1
