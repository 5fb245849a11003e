"""Upper bounds that are kept at 90 %, whatever comes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, within
from gamesad.neural.thermal.window import LONGEST, STEPS, Window

MISS = 0.1
"""The part of the bounds that may be passed."""
_EDGES = np.sinh(np.linspace(np.arcsinh(-50.0), np.arcsinh(250.0), 65)) * 0.15
"""Bins of excess, in scales: -7.5 to 37.5, fine around zero."""
_LOW = np.concatenate(([_EDGES[0] - 1], _EDGES))
_SIZE = np.diff(np.concatenate((_LOW, [_EDGES[-1] + 10])))
_PRIOR = np.exp(-np.abs(_LOW)) * _SIZE
_PRIOR[[0, -1]] = 0.0
_PRIOR *= 5 / _PRIOR.sum()
_STEPS = np.arange(STEPS)
_FORGET = 0.997
_RATE = 0.04
_SURE_MOST = 0.98
_STEP_RATE = 0.2


class Bounds(Kept):
    """Adaptive conformal inference (Gibbs and Candès, 2021) for the highest reading of the next ``STEPS`` seconds.

    Excess is that reading over the highest forecast, in scales; its distribution is a fading histogram, and the level
    asked of it moves with every bound that was passed or kept. The bounds of the single steps follow their quantile
    directly, in steps of the mean excess (as Angelopoulos, Candès and Tibshirani, 2023, track it).
    """

    KEPT: ClassVar = ("_record", "_miss", "_above", "_size", "_base", "_scale", "_bound", "_issued")
    WATCHED: ClassVar = ("_record", "_miss", "_above")
    UNKNOWN: ClassVar = frozenset(("_base", "_scale"))

    def __init__(self, sensors: int) -> None:
        self._record: Array = np.tile(_PRIOR, (sensors, 1))
        self._miss = np.full(sensors, MISS)
        self._above, self._size = np.ones((2, sensors, STEPS))
        self._base = np.full((sensors, STEPS), np.nan)
        self._scale, self._bound = np.ones((2, sensors, STEPS))
        self._issued = np.ones((sensors, STEPS + 1, STEPS))
        self._all = np.arange(sensors)
        self.outcome: Array = np.full(sensors, np.nan)
        """1 where the bound of the maximum that ended in this second was kept, 0 where not, NaN where none did."""

    def judge(self, tick: int, window: Window, errors: Array) -> None:
        """``errors`` (sensors, STEPS), in scales, of the forecasts due now; NaN where there are none."""
        slot = tick % STEPS
        over = np.maximum.reduce(window.readings[:, LONGEST - STEPS :], axis=1) - self._base[:, slot]
        excess = np.where(over == 0, 0.0, over / self._scale[:, slot])
        known = window.whole & ~np.isnan(excess)
        place = np.searchsorted(_EDGES, np.where(known, excess, 0.0))
        self._record *= np.where(known, _FORGET, 1.0)[:, None]
        self._record[self._all, place] += known
        kept = excess <= self._bound[:, slot]
        self.outcome = np.where(known, kept, np.nan)
        self._miss += np.where(known, _RATE * (MISS - ~kept), 0.0)
        within(self._miss, -0.5, 1.5, out=self._miss)
        seen = ~np.isnan(errors)
        size = np.minimum(np.abs(errors), 20.0)
        np.copyto(self._size, self._size + 0.02 * (size - self._size), where=seen)
        passed = errors > self._issued[:, tick % (STEPS + 1)]
        step = _STEP_RATE * np.maximum(self._size, 0.02) * (passed - MISS)
        np.copyto(self._above, self._above + step, where=seen)

    def upper(self, tick: int, forecast: Array, base: Array, window: Window) -> tuple[Array, Array]:
        """Bounds of the steps (sensors, STEPS) and of the maximum (sensors,), °C; ``forecast`` above ``base``."""
        slot = tick % STEPS
        places = (tick + 1 + _STEPS) % (STEPS + 1)
        self._issued[:, places, _STEPS] = self._above
        reached = np.add.accumulate(self._record, axis=1)
        aim = within(1 - self._miss, 0.0, _SURE_MOST) * reached[:, -1]
        place = np.minimum(np.add.reduce(reached < aim[:, None], axis=1), len(_LOW) - 1)
        inside = self._record[self._all, place]
        part = (aim - reached[self._all, place] + inside) / np.maximum(inside, 1e-12)
        self._bound[:, slot] = bound = _LOW[place] + within(part, 0.0, 1.0) * _SIZE[place]
        self._scale[:, slot] = window.unit
        self._base[:, slot] = highest = base + np.maximum.reduce(forecast, axis=1)
        steps = base[:, None] + forecast + self._above * window.scale[:, None]
        return steps, highest + bound * window.scale
