"""What a forecast has to beat: persistence, Holt's trend (1957) and the damped one of Gardner and McKenzie (1985).

Both trends have the usual fixed parameters. The damped one is also had with those, of a grid, whose forecasts of steps
1 to 5 were the least wrong on this sensor up to then: harder to beat, and still nothing is known in advance.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from gamesad.neural.model import Array

STEPS = 5
_LEVELS = (1.0, 0.8, 0.5, 0.2)
_TRENDS = (0.05, 0.1, 0.3)
_DAMPINGS = (1.0, 0.9, 0.8)
"""1: Holt's own."""
_FIXED_LEVEL, _FIXED_TREND, _FIXED_DAMPING = 0.8, 0.1, 0.9
_ERRORS = 1000
"""So many past errors are the distribution of the next."""


class Trends:
    """Both trends over all sensors at once; state is (settings, sensors)."""

    def __init__(self, sensors: int) -> None:
        settings = np.array(list(product(_DAMPINGS, _LEVELS, _TRENDS)))
        self._damping, self._alpha, self._beta = (column[:, None] for column in settings.T)
        fixed = [(damping, _FIXED_LEVEL, _FIXED_TREND) for damping in (1.0, _FIXED_DAMPING)]
        self._fixed = [settings.tolist().index(list(one)) for one in fixed]
        self._reach = np.cumsum(self._damping ** np.arange(1, STEPS + 1), axis=1)
        self._level, self._trend = np.full((2, len(settings), sensors), np.nan)
        self._loss = np.zeros((len(settings), sensors))
        self._past: list[tuple[Array, Array]] = []
        self._missed = np.zeros(sensors)
        self._columns = np.arange(sensors)

    def step(self, seen: Array) -> tuple[Array, Array, Array]:
        """(sensors,) °C, NaN = missing → Holt's, the damped and the best damped forecasts, (sensors, STEPS) each."""
        known = np.isfinite(seen)
        for ahead, (level, trend) in enumerate(self._past, 1):
            error = np.abs(level + self._reach[:, ahead - 1 : ahead] * trend - seen)
            self._loss += np.where(np.isfinite(error), error, 0.0)
        self._learn(seen, known)
        self._past = [(self._level, self._trend), *self._past[: STEPS - 1]]
        holt, damped = (self._ahead(np.full(len(seen), fixed)) for fixed in self._fixed)
        return holt, damped, self._ahead(np.argmin(self._loss, axis=0))

    def _learn(self, seen: Array, known: Array) -> None:
        expected = self._level + self._damping * self._trend
        level = np.where(known, expected + self._alpha * (seen - expected), expected)
        trend = self._damping * self._trend
        trend = np.where(known, trend + self._beta * (level - self._level - trend), trend)
        afresh = known & (np.isnan(expected).any(axis=0) | (self._missed > STEPS))
        self._missed = np.where(known, 0, self._missed + 1)
        self._level = np.where(afresh, seen, level)
        self._trend = np.where(afresh, 0.0, trend)

    def _ahead(self, chosen: Array) -> Array:
        level, trend = (state[chosen, self._columns] for state in (self._level, self._trend))
        forecast: Array = level[:, None] + self._reach[chosen] * trend[:, None]
        return forecast


class Rises:
    """The chance that a limit is reached if the next seconds rise as often, and as far, as those before did."""

    def __init__(self, sensors: int) -> None:
        self._rises = np.full((_ERRORS, sensors), np.nan)
        self._count = 0
        self._past: list[Array] = []

    def step(self, seen: Array, limits: Array) -> Array:
        """(sensors,) and (limits, sensors) °C → (sensors, limits) 0..1; NaN before anything is known."""
        self._past = [*self._past[-STEPS:], seen]
        if len(self._past) > STEPS:
            self._rises[self._count % _ERRORS] = np.max(self._past[1:], axis=0) - self._past[0]
            self._count += 1
        rises = self._rises[: min(self._count, _ERRORS)]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack([self._chance(rises, limit - seen) for limit in limits], axis=1)

    def _chance(self, rises: Array, left: Array) -> Array:
        return np.where(np.isfinite(left), (rises >= left).sum(axis=0) / np.isfinite(rises).sum(axis=0), np.nan)
