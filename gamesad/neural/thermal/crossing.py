"""The chance that the next seconds reach a limit: one logistic line for all limits, learnt from made-up ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, within
from gamesad.neural.thermal.window import LONGEST, STEPS, Window

_AHEAD = (0.5, 1.0, 2.0, 4.0)
"""Limits so many scales above the reading are learnt from, one a second in turn: each was reached, or it was not."""
_SIGNS = 5
_FEATURES = 4 + 2 * _SIGNS
_MOST = 12.0
_RATE = 0.06


class Crossing(Kept):
    """Distribution regression (Foresi and Peracchi, 1995) by AdaGrad (Duchi, Hazan and Singer, 2011).

    Features of a limit ``ahead``, in scales: 1, ahead, its root and logarithm, and the signs, as they are and over
    ahead: the highest forecast, the medians of 5 and 15, the highest of 10, each relative to the reading, and the last
    change.
    """

    KEPT: ClassVar = ("_weights", "_squares", "_signs", "_base", "_unit")
    WATCHED: ClassVar = ("_weights", "_squares")
    UNKNOWN: ClassVar = frozenset(("_base", "_unit"))

    def __init__(self, sensors: int) -> None:
        self._weights = np.zeros((sensors, _FEATURES))
        self._weights[:, :2] = 1.0, -1.0
        self._squares = np.ones((sensors, _FEATURES))
        self._signs = np.zeros((sensors, STEPS, _SIGNS))
        self._base, self._unit = np.full((2, sensors, STEPS), np.nan)
        self._features = np.zeros((sensors, _FEATURES))

    def judge(self, tick: int, window: Window) -> None:
        """Learns whether the limit of this turn was reached from ``STEPS`` seconds ago on."""
        slot = tick % STEPS
        ahead = _AHEAD[tick % len(_AHEAD)]
        rise = np.maximum.reduce(window.readings[:, LONGEST - STEPS :], axis=1) - self._base[:, slot]
        reached = rise >= ahead * self._unit[:, slot]
        known = window.whole & ~np.isnan(rise / self._unit[:, slot])
        features = self._of(self._signs[:, slot], np.full(len(rise), ahead))
        slope = np.where(known, self._chance(features) - reached, 0.0)[:, None] * features
        self._squares += slope * slope
        self._weights -= _RATE * slope / np.sqrt(self._squares)

    def put(self, tick: int, forecast: Array, medians: Array, base: Array, window: Window) -> None:
        """Keeps what there is to go by now: ``forecast`` and ``medians`` (sensors, ...) above ``base``, °C."""
        slot = tick % STEPS
        signs, readings = self._signs[:, slot], window.readings
        np.maximum.reduce(forecast, axis=1, out=signs[:, 0])
        signs[:, 1:3] = medians[:, :2]
        np.subtract(np.maximum.reduce(readings[:, LONGEST - 10 :], axis=1), readings[:, -1], out=signs[:, 3])
        np.subtract(readings[:, -1], readings[:, -2], out=signs[:, 4])
        signs /= window.scale[:, None]
        within(signs, -_MOST / 2, _MOST / 2, out=signs)
        np.copyto(signs, 0.0, where=np.isnan(signs))
        self._base[:, slot], self._unit[:, slot] = base, window.unit

    def chance(self, tick: int, limits: Array, window: Window) -> Array:
        """(sensors,) 0..1; NaN: no limit, or no reading. A limit that is passed already: 1."""
        slot = tick % STEPS
        ahead = (limits - self._base[:, slot]) / window.scale
        chance = np.where(ahead > 0, self._chance(self._of(self._signs[:, slot], np.where(ahead > 0, ahead, 0.0))), 1.0)
        return np.where(np.isnan(ahead), np.nan, chance)

    def _of(self, signs: Array, ahead: Array) -> Array:
        features = self._features
        ahead = np.minimum(ahead, _MOST)
        features[:, 0] = 1.0
        features[:, 1] = ahead
        np.sqrt(ahead, out=features[:, 2])
        np.log(np.maximum(ahead, 0.1), out=features[:, 3])
        features[:, 4 : 4 + _SIGNS] = signs
        np.divide(signs, np.maximum(ahead, 0.5)[:, None], out=features[:, 4 + _SIGNS :])
        return features

    def _chance(self, features: Array) -> Array:
        score = np.einsum("sf,sf->s", self._weights, features)
        return 1 / (1 + np.exp(-within(score, -30.0, 30.0, out=score)))
