"""How rare something must be to be told, so that a machine with nothing wrong alarms as often as its user allows.

Block maxima: the highest score of each hour that was watched, the last four weeks of them. Their upper half is taken as
an exponential tail over its median u with mean excess b, so that h = u + b·ln(168 ÷ alarms per week) is passed
half as often as allowed. No hour counts with more than ten times the threshold's rarity, and no time while an episode
is on: a fault, however long, does not make the next one harder to see.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Arrays, Unusable

HOUR_S, WEEK_S = 3600.0, 7 * 86400.0
_KEPT = 4 * 168
_WARM = 24
_PRIOR_HOURS, _PRIOR_U, _PRIOR_B = 24, 3.0, 1.0
_EXTREME = 20.0
"""Told from the first hour on. First days of simulated machines without a fault reached 13, in their first game."""


class Budget:
    """``per_week``: false alarms a week. Each alarm beyond it in a running week asks for ten times rarer evidence."""

    def __init__(self, per_week: float) -> None:
        self.per_week = per_week
        self._maxima: deque[float] = deque(maxlen=_KEPT)
        self._told: deque[float] = deque(maxlen=64)
        self._highest, self._watched_s = 0.0, 0.0
        self._base = self._fit()

    @property
    def warm(self) -> bool:
        """Whether a day has been watched."""
        return len(self._maxima) >= _WARM

    def threshold(self, wall_s: float) -> float:
        beyond = sum(1 for told_s in self._told if 0.0 <= wall_s - told_s < WEEK_S) + 1.0 - max(self.per_week, 1.0)
        hours = max(len(self._maxima), 1)
        base = self._base * (1.0 + _WARM / hours) if self.warm else max(self._base, _EXTREME)
        return base + max(beyond, 0.0)

    def rate(self, wall_s: float) -> float:
        """Alarms a week over what was watched, at most four weeks, at least one."""
        weeks = max(len(self._maxima) / 168.0, 1.0)
        return sum(1 for told_s in self._told if 0.0 <= wall_s - told_s < weeks * WEEK_S) / weeks

    def watch(self, score: float, seconds: float, *, faulty: bool = False) -> None:
        """``score``: the highest of all charts now. While something is known to be wrong there is nothing to learn."""
        if faulty:
            return
        self._highest = max(self._highest, score)
        self._watched_s += seconds
        if self._watched_s >= HOUR_S:
            self._maxima.append(min(self._highest, self._base + 1.0))
            self._highest, self._watched_s = 0.0, 0.0
            self._base = self._fit()

    def tell(self, wall_s: float) -> None:
        """An alarm began."""
        self._told.append(wall_s)

    def _fit(self) -> float:
        maxima = np.sort(np.array([*self._maxima, *[_PRIOR_U] * (not self._maxima)]))
        upper = maxima[len(maxima) // 2 :]
        hours = len(self._maxima)
        u = (upper[0] * hours + _PRIOR_U * _PRIOR_HOURS) / (hours + _PRIOR_HOURS)
        above = float((upper - upper[0]).sum())
        b = (above + _PRIOR_B * _PRIOR_HOURS / 2) / (len(upper) + _PRIOR_HOURS / 2)
        return float(u + b * np.log(168.0 / self.per_week))

    def state(self) -> dict[str, NDArray[np.generic]]:
        now = [self._highest, self._watched_s]
        return {"maxima": np.array(self._maxima), "told": np.array(self._told), "now": np.array(now)}

    def load(self, state: Arrays) -> None:
        """Takes up a saved state. Unusable: missing, or not finite."""
        try:
            maxima, told, now = (np.array(state[name], float) for name in ("maxima", "told", "now"))
        except (KeyError, ValueError) as error:
            raise Unusable(f"a budget of alarms without usable {error}") from None
        if maxima.ndim != 1 or told.ndim != 1 or now.shape != (2,):
            raise Unusable("a budget of alarms of another shape")
        if not (np.isfinite(maxima).all() and np.isfinite(told).all() and np.isfinite(now).all()):
            raise Unusable("a budget of alarms with numbers that are not finite")
        self._maxima = deque(maxima.tolist(), maxlen=_KEPT)
        self._told = deque(told.tolist(), maxlen=64)
        self._highest, self._watched_s = now.tolist()
        self._base = self._fit()

    def sound(self) -> bool:
        return bool(np.isfinite(self._base))
