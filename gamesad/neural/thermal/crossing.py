"""The chance that the next seconds reach a limit: one logistic line for all limits, learnt from made-up ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, within
from gamesad.neural.thermal.window import LONGEST, STEPS, Window

_AHEAD = (0.5, 1.0, 2.0, 4.0)
"""Limits so many scales above the reading are learnt from, one a second in turn: each was reached, or it was not."""
_PAST = 300
_OFTEN = np.array([10, LONGEST, _PAST])
_FEATURES = 6 + len(_OFTEN)
_AHEAD_MOST, _SIGN_MOST = 12.0, 6.0
_SPREAD = 0.05
"""The variance of a weight of which nothing is known."""
_FADING = 1e-4
_SURE_LEAST = 0.1


class Crossing(Kept):
    """Distribution regression (Foresi and Peracchi, 1995), a second-order step a second: the Bayesian logistic update
    of Spiegelhalter and Lauritzen (1990), whose covariance goes back to where it began in some hours.

    Features of a limit: 1; how far ahead it is, the highest forecast, the medians of 5 and 15 and the last change, all
    in scales relative to the reading; and the log odds of a reading of the last 10, 30 and 300 seconds reaching it.
    """

    KEPT: ClassVar = ("_weights", "_covariance", "_lessons", "_base", "_unit", "_past")
    SHARED: ClassVar = frozenset(("_past",))
    WATCHED: ClassVar = ("_weights", "_covariance")
    UNKNOWN: ClassVar = frozenset(("_base", "_unit", "_past"))

    def __init__(self, sensors: int) -> None:
        self._weights = np.zeros((sensors, _FEATURES))
        self._weights[:, :2] = 1.0, -1.0
        self._covariance = np.tile(_SPREAD * np.eye(_FEATURES), (sensors, 1, 1))
        self._lessons = np.zeros((sensors, STEPS, _FEATURES))
        """Features of the limits that are learnt from when ``STEPS`` seconds have passed."""
        self._base, self._unit = np.full((2, sensors, STEPS), np.nan)
        self._past = np.full((sensors, _PAST), np.nan)
        self._features = np.ones((sensors, _FEATURES))

    def judge(self, tick: int, window: Window) -> None:
        """Learns whether the limit of ``STEPS`` seconds ago was reached since."""
        slot = tick % STEPS
        unit = self._unit[:, slot]
        rise = np.maximum.reduce(window.readings[:, LONGEST - STEPS :], axis=1) - self._base[:, slot]
        known = window.whole & ~np.isnan(rise / unit)
        lesson = np.where(known[:, None], self._lessons[:, slot], 0.0)  # a lesson of zeros teaches nothing
        chance = self._chance(lesson)
        sure = np.maximum(chance * (1 - chance), _SURE_LEAST)
        spread = np.matmul(self._covariance, lesson[:, :, None])[:, :, 0]
        gain = spread / (1 / sure + np.einsum("sf,sf->s", spread, lesson))[:, None]
        self._covariance -= spread[:, :, None] * gain[:, None]
        self._covariance *= 1 - _FADING
        self._covariance.reshape(-1, _FEATURES**2)[:, :: _FEATURES + 1] += _FADING * _SPREAD
        self._weights += gain * (((rise >= _ahead(tick) * unit) - chance) / sure)[:, None]

    def put(self, tick: int, forecast: Array, medians: Array, base: Array, window: Window) -> None:
        """Keeps what there is to go by now: ``forecast`` and ``medians`` (sensors, ...) above ``base``, °C."""
        slot, readings = tick % STEPS, window.readings
        self._past[:, tick % _PAST] = readings[:, -1]
        self._base[:, slot], self._unit[:, slot] = base, window.unit
        signs = self._features[:, 2:6]
        np.maximum.reduce(forecast, axis=1, out=signs[:, 0])
        signs[:, 1:3] = medians[:, :2]
        np.subtract(readings[:, -1], readings[:, -2], out=signs[:, 3])
        signs /= window.scale[:, None]
        within(signs, -_SIGN_MOST, _SIGN_MOST, out=signs)
        np.copyto(signs, 0.0, where=np.isnan(signs))
        ahead = _ahead(tick + STEPS)
        self._lessons[:, slot] = self._of(ahead, base + ahead * window.scale, readings)

    def chance(self, tick: int, limits: Array, window: Window) -> Array:
        """(sensors,) 0..1; NaN: no limit, or no reading. A limit that is passed already: 1."""
        ahead = (limits - self._base[:, tick % STEPS]) / window.scale
        chance = self._chance(self._of(np.fmax(ahead, 0.0), limits, window.readings))
        return np.where(ahead > 0, chance, np.where(np.isnan(ahead), np.nan, 1.0))

    def _of(self, ahead: Array | float, limits: Array, readings: Array) -> Array:
        """(sensors, _FEATURES) of limits, as scales above the reading and in °C."""
        features = self._features
        features[:, 1] = np.minimum(ahead, _AHEAD_MOST)
        often = features[:, 6:]
        reached = readings >= limits[:, None]
        np.add.reduce(reached[:, LONGEST - 10 :], axis=1, out=often[:, 0])
        np.add.reduce(reached, axis=1, out=often[:, 1])
        np.add.reduce(self._past >= limits[:, None], axis=1, out=often[:, 2])
        often[...] = np.log((often + 0.5) / (_OFTEN + 0.5 - often)) / 2
        return features

    def _chance(self, features: Array) -> Array:
        score = np.einsum("sf,sf->s", self._weights, features)
        return 1 / (1 + np.exp(-within(score, -30.0, 30.0, out=score)))


def _ahead(tick: int) -> float:
    return _AHEAD[tick % len(_AHEAD)]
