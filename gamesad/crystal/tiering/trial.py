"""Whether a layout plan made things better: what reads waited and what memory was held, before and after."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

WORSE = 1.1
"""Cost after ÷ before at which a plan is taken back: it is a tenth worse."""
SLACK_S = 20e-6
"""Added to both latencies: what a read costs anyway; a difference far below it is noise."""
_MARKS = 16


@dataclass(frozen=True, slots=True)
class Measure:
    """Means over a time: ``wait_s`` per access for thawing, ``resident`` bytes that the blocks took."""

    accesses: int
    wait_s: float
    resident: float

    def cost(self, before: Measure) -> float:
        """Read latency and memory, each as a ratio to what it was, multiplied: one may pay for the other."""
        latency = (self.wait_s + SLACK_S) / (before.wait_s + SLACK_S)
        return latency * max(self.resident, 1.0) / max(before.resident, 1.0)

    def __str__(self) -> str:
        return f"{self.wait_s * 1e6:.0f} µs per read of {self.accesses}, {self.resident / 1024:.0f} KiB held"


class Meter:
    """Sums of what ``Measure`` is made of; remembers them at some moments of the last ``window_s``."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._sums = [0.0, 0.0, 0.0, 0.0]  # time in s, accesses, seconds waited, bytes x seconds
        self._marks: deque[tuple[float, ...]] = deque([(0.0,) * 4], maxlen=_MARKS + 1)

    def add(self, accesses: int, waited_s: float) -> None:
        self._sums[1] += accesses
        self._sums[2] += waited_s

    def hold(self, passed_s: float, resident: int) -> None:
        """``resident`` bytes were held for ``passed_s``."""
        self._sums[0] += passed_s
        self._sums[3] += resident * passed_s
        if self._sums[0] >= self._marks[-1][0] + self._window_s / _MARKS:
            self._marks.append(tuple(self._sums))

    def begin(self) -> None:
        """Forgets what was before: from here on another layout is measured."""
        self._marks.clear()
        self._marks.append(tuple(self._sums))

    @property
    def measured_s(self) -> float:
        """Since ``begin``, or the window."""
        return self._sums[0] - self._marks[0][0]

    def measure(self) -> Measure:
        time_s, accesses, waited_s, held = (now - then for now, then in zip(self._sums, self._marks[0], strict=True))
        return Measure(int(accesses), waited_s / accesses if accesses else 0.0, held / time_s if time_s else 0.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """A plan that was applied and is measured: the tiers to go back to, and what it is compared with."""

    tiers: Mapping[int, int]
    order: tuple[int, ...]
    """How the blocks lay; () where the plan says nothing about that."""
    before: Measure

    def verdict(self, after: Measure) -> tuple[bool, str]:
        """Whether it is kept, and one line with the numbers."""
        cost = after.cost(self.before)
        kept = cost <= WORSE
        said = "kept" if kept else "taken back"
        return kept, f"{said}: cost {cost:.2f} times that before ({self.before}; then {after})"
