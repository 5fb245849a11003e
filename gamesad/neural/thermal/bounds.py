"""Upper bounds that are kept at 90 %, whatever comes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, Mask, number, span, where, within
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
_FORGET = number(0.997)
_KEEP = number(1 - 1 / 3600)
_GAIN, _LOSS = number(0.04), number(0.04 * (1 - MISS))
"""Of the level that is asked for: by a bound that was kept, and by any."""
_MISSES, _SURE, _INSIDE = span(-0.5, 1.5), span(0.0, 0.98), span(0.0, 1.0)
_SIZE_RATE, _SIZE_LEAST, _SIZE_MOST = number(0.02), number(0.02), number(20.0)
_STEP_RATE, _PASSED = number(0.2), number(MISS)
_ZERO, _ONE = number(0.0), number(1.0)


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
        """Bounds of the maximum that were kept, and all, of every other second of the last hours."""

    def judge(self, tick: int, window: Window, mixture: Mixture) -> None:
        """Learns from the bounds and forecasts that were due in this second; of the single steps' in even ones only."""
        slot, history = tick % STEPS, window.history
        over = np.maximum.reduce(history[-STEPS:, READING], axis=0) - self._highest[slot]
        worth = history[-STEPS - 1, WORTH]
        excess = over * worth
        known = window.whole & ((worth > _ZERO) | (over == _ZERO))  # nothing is the same in every scale
        kept = (excess <= self._bounds[slot]) & known
        np.multiply(self._record, _FORGET, out=self._record, where=where(known))
        self._record[np.searchsorted(_EDGES, excess), self._all] += known
        self._miss += _GAIN * kept - _LOSS * known
        within(self._miss, *_MISSES, out=self._miss)
        if tick % 2 == 0:
            self.kept *= _KEEP
            self.kept += kept, known
            self._follow(mixture.errors[0] * mixture.worth, mixture.known)

    def _follow(self, errors: Array, known: Mask) -> None:
        """``errors`` (STEPS, sensors), in scales."""
        size = np.minimum(np.abs(errors), _SIZE_MOST)
        size -= self._size
        size *= _SIZE_RATE
        np.add(self._size, size, out=self._size, where=known)
        step = (errors > self._above) - _PASSED
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
        aim = within(_ONE - self._miss, *_SURE) * reached[-1]
        place = np.minimum(np.add.reduce(reached < aim, axis=0), len(_LOW) - 1)
        inside = self._record[place, self._all]
        part = (aim - reached[place, self._all] + inside) / np.maximum(inside, 1e-12)
        np.add(_LOW[place], within(part, *_INSIDE) * _SIZE[place], out=self._bound)
