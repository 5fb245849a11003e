"""How much of a tick learning may take: training yields first, then the mixture, and each comes back when it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from gamesad.neural.thermal.predictor import Effort

__all__ = ["Budget", "Effort"]

_SMOOTH = 0.1
_HICCUP = 3.0
"""A second in which others had the processor counts as so many budgets at most: one does not make anything yield."""
_FORGET = 0.99
"""By second: what is not tried is remembered as ever cheaper, so that it is tried again."""


class Budget:
    """The effort that fits, by what each has cost lately. ``limit_s`` may be changed at any time."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = perf_counter) -> None:
        self.limit_s = limit_s
        self.yielded = dict.fromkeys(Effort, 0)
        """Seconds in which each would have been made, had it fitted."""
        self.effort = Effort.TRAINING
        """What may be done in this second."""
        self.spent_s = 0.0
        """Lately, by second."""
        self._clock = clock
        self._costs_s = dict.fromkeys(Effort, 0.0)
        self._second_s = 0.0

    def begin(self) -> Effort:
        """A new second: what may be done in it."""
        self._settle()
        for effort in (Effort.TRAINING, Effort.MIXTURE):
            if self._costs_s[effort] <= self.limit_s:
                break
            self.yielded[effort] += 1
            self._costs_s[effort] *= _FORGET
        else:
            effort = Effort.PERSISTENCE
        self.effort = effort
        return effort

    @contextmanager
    def spending(self) -> Iterator[None]:
        """What is done within counts for this second."""
        began_s = self._clock()
        try:
            yield
        finally:
            self._second_s += self._clock() - began_s

    def _settle(self) -> None:
        took_s, self._second_s = min(self._second_s, _HICCUP * self.limit_s), 0.0
        self.spent_s += _SMOOTH * (took_s - self.spent_s)
        self._costs_s[self.effort] += _SMOOTH * (took_s - self._costs_s[self.effort])
