"""Upper bounds that are kept at 90 %, whatever comes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, within
from gamesad.neural.thermal.mixture import Mixture
from gamesad.neural.thermal.window import READING, STEPS, WORTH, Window

MISS = 0.1
"""The part of the bounds that may be passed."""
_EDGES = np.sinh(np.linspace(np.arcsinh(-50.0), np.arcsinh(250.0), 65)) * 0.15
"""Bins of excess, in scales: -7.5 to 37.5, fine around zero."""
_LOW = np.concatenate(([_EDGES[0] - 1], _EDGES))
_SIZE = np.diff(np.concatenate((_LOW, [_EDGES[-1] + 10])))
_PRIOR = np.exp(-np.abs(_LOW)) * _SIZE
_PRIOR[[0, -1]] = 0.0
_PRIOR *= 5 / _PRIOR.sum()
_FORGET = 0.997
_KEEP = 1 - 1 / 3600
_RATE = 0.04
_SURE_MOST = 0.98
_STEP_RATE = 0.2
_SIZE_RATE, _SIZE_LEAST, _SIZE_MOST = 0.02, 0.02, 20.0


class Bounds(Kept):
    """Adaptive conformal inference (Gibbs and Candès, 2021) for the highest reading of the next ``STEPS`` seconds.

    Excess is that reading over the highest forecast, in scales; its distribution is a fading histogram, and the level
    asked of it moves with every bound that was passed or kept. The bounds of the single steps follow their quantile
    directly, in steps of the mean excess (as Angelopoulos, Candès and Tibshirani, 2023, track it).
    """

    SENSORS: ClassVar = -1
    KEPT: ClassVar = ("_record", "_miss", "_above", "_size", "_highest", "_bounds", "_bound", "kept")
    WATCHED: ClassVar = ("_record", "_miss", "_above")
    UNKNOWN: ClassVar = frozenset(("_highest",))

    def __init__(self, sensors: int) -> None:
        self._record: Array = np.repeat(_PRIOR[:, None], sensors, axis=1)
        self._miss = np.full(sensors, MISS)
        self._above, self._size = np.ones((2, STEPS, sensors))
        self._highest = np.full((STEPS, sensors), np.nan)
        self._bounds = np.ones((STEPS, sensors))
        self._bound = np.ones(sensors)
        self._all = np.arange(sensors)
        self.kept: Array = np.zeros((2, sensors))
        """Bounds of the maximum that were kept, and that were judged, over the last hours."""

    def judge(self, tick: int, window: Window, mixture: Mixture) -> None:
        """Learns from the bounds and forecasts that were due in this second. Stretches of five seconds overlap: every
        other one tells nearly as much."""
        slot, history = tick % STEPS, window.history
        over = np.maximum.reduce(history[-STEPS:, READING], axis=0) - self._highest[slot]
        worth = history[-STEPS - 1, WORTH]
        excess = over * worth
        known = window.whole & ((worth > 0) | (over == 0))  # nothing is the same in every scale
        kept = (excess <= self._bounds[slot]) & known
        np.multiply(self._record, _FORGET, out=self._record, where=known)
        self._record[np.searchsorted(_EDGES, excess), self._all] += known
        self.kept *= _KEEP
        self.kept += kept, known
        self._miss += _RATE * (kept - (1 - MISS) * known)
        within(self._miss, -0.5, 1.5, out=self._miss)
        self._follow(mixture.errors[0] * mixture.worth, mixture.worth > 0)

    def _follow(self, errors: Array, known: NDArray[np.bool_]) -> None:
        """``errors`` (STEPS, sensors), in scales."""
        size = np.minimum(np.abs(errors), _SIZE_MOST)
        size -= self._size
        size *= _SIZE_RATE
        np.add(self._size, size, out=self._size, where=known)
        step = (errors > self._above) - MISS
        step *= _STEP_RATE * np.maximum(self._size, _SIZE_LEAST)
        np.add(self._above, step, out=self._above, where=known)

    def upper(self, tick: int, forecast: Array, base: Array, window: Window) -> tuple[Array, Array]:
        """Bounds of the steps (STEPS, sensors) and of the maximum (sensors,), °C; ``forecast`` above ``base``."""
        slot, scale = tick % STEPS, window.scale
        self._bounds[slot] = self._bound
        highest = np.add(base, np.maximum.reduce(forecast, axis=0), out=self._highest[slot])
        return base + forecast + self._above * scale, highest + self._bound * scale

    def settle(self) -> None:
        """The bound of the next seconds: a quantile of the excesses."""
        reached = np.add.accumulate(self._record, axis=0)
        aim = within(1 - self._miss, 0.0, _SURE_MOST) * reached[-1]
        place = np.minimum(np.add.reduce(reached < aim, axis=0), len(_LOW) - 1)
        inside = self._record[place, self._all]
        part = (aim - reached[place, self._all] + inside) / np.maximum(inside, 1e-12)
        np.add(_LOW[place], within(part, 0.0, 1.0) * _SIZE[place], out=self._bound)
