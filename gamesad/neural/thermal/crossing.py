"""The chance that the next seconds reach a limit: one logistic line for all limits, learnt from made-up ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, number, span, within
from gamesad.neural.thermal.window import LONGEST, READING, STEPS, Window

_AHEAD = (0.5, 1.0, 2.0, 4.0)
"""Limits so many scales above the reading are learnt from, one a second in turn: each was reached, or it was not."""
_SPANS = 60
"""Of ``STEPS`` seconds each, whose highest readings are remembered."""
_TIMES = (10, LONGEST, _SPANS)
_COUNTS = [np.arange(most + 1) for most in _TIMES]
_ODDS = np.concatenate([np.log((count + 0.5) / (count[::-1] + 0.5)) / 2 for count in _COUNTS])
"""Half the log odds of something that came so often of 10, 30, 60 times."""
_ODDS_OF = np.array([0, 11, LONGEST + 12])[:, None, None]
_FEATURES = 6 + len(_TIMES)
_AHEAD_SPAN, _SIGN_SPAN, _SCORE_SPAN = span(0.0, 12.0), span(-6.0, 6.0), span(-30.0, 30.0)
_SPREAD = 0.05
"""The variance of a weight of which nothing is known."""
_FADING, _FADES_EVERY = 1e-4, 16
_SURE_LEAST = number(0.1)


class Crossing(Kept):
    """Distribution regression (Foresi and Peracchi, 1995), a second-order step a second: the Bayesian logistic update
    of Spiegelhalter and Lauritzen (1990), whose covariance goes back to where it began in some hours.

    Features of a limit: 1; how far ahead it is, the highest forecast, the medians of 5 and 15 and the last change, all
    in scales relative to the reading; and the log odds of its having been reached by one of the last 10 readings, of
    30, and within one of the last 60 spans of five seconds.
    """

    SENSORS: ClassVar = -1
    KEPT: ClassVar = ("_weights", "_covariance", "_lessons", "_limits", "_past")
    WATCHED: ClassVar = ("_weights", "_covariance")
    UNKNOWN: ClassVar = frozenset(("_limits", "_past"))

    def __init__(self, sensors: int) -> None:
        self._weights = np.zeros((_FEATURES, sensors))
        self._weights[:2] = [[1.0], [-1.0]]
        self._covariance = np.zeros((_FEATURES, _FEATURES, sensors))
        self._variances = self._covariance.reshape(_FEATURES**2, sensors)[:: _FEATURES + 1]
        self._variances[...] = _SPREAD
        self._limits = np.full((STEPS, sensors), np.nan)
        """Those that are learnt from when ``STEPS`` seconds have passed; NaN: nothing is."""
        self._lessons = np.zeros((STEPS, _FEATURES, sensors))
        """Their features."""
        self._past = np.full((_SPANS, sensors), np.nan)
        self._signs = np.zeros((4, sensors))

    def judge(self, tick: int, window: Window) -> None:
        """Learns whether the limit of ``STEPS`` seconds ago was reached since."""
        slot, covariance = tick % STEPS, self._covariance
        highest = np.maximum.reduce(window.history[LONGEST - STEPS :, READING], axis=0)
        if slot == 0:
            self._past[tick // STEPS % _SPANS] = highest
        limits = self._limits[slot]
        lesson = self._lessons[slot] * (window.whole & ~np.isnan(limits))  # one of zeros teaches nothing
        chance = self._chance(lesson)
        sure = np.maximum(chance - chance * chance, _SURE_LEAST)
        spread = np.add.reduce(covariance * lesson, axis=1)
        gain = spread / (1 / sure + np.add.reduce(spread * lesson, axis=0))
        covariance -= spread[:, None] * gain
        if tick % _FADES_EVERY == 0:
            covariance *= 1 - _FADES_EVERY * _FADING
            self._variances += _FADES_EVERY * _FADING * _SPREAD
        gain *= ((highest >= limits) - chance) / sure
        self._weights += gain

    def put(self, tick: int, forecast: Array, medians: Array, limits: Array, window: Window) -> Array:
        """Keeps what there is to go by now: ``forecast`` and ``medians`` (..., sensors) above the reading, °C. Gives
        ``chance`` of ``limits``."""
        signs, readings = self._signs, window.history[:, READING]
        np.maximum.reduce(forecast, axis=0, out=signs[0])
        signs[1:3] = medians[:2]
        np.subtract(readings[-1], readings[-2], out=signs[3])
        signs /= window.scale
        within(signs, *_SIGN_SPAN, out=signs)
        slot, both = tick % STEPS, np.empty((2, len(limits)))
        np.add(window.newest, _AHEAD[(tick + STEPS) % len(_AHEAD)] * window.unit, out=both[0])
        both[1] = limits
        self._limits[slot] = both[0]
        features = self._of(both, window)
        self._lessons[slot] = features[:, 0]
        return self._certain(limits, features[:, 1], window)

    def chance(self, limits: Array, window: Window) -> Array:
        """(sensors,) 0..1; NaN: no limit, or no reading. A limit that is passed already: 1."""
        return self._certain(limits, self._of(limits[None], window)[:, 0], window)

    def _certain(self, limits: Array, features: Array, window: Window) -> Array:
        ahead = limits - window.newest
        return np.where(ahead > 0, self._chance(features), np.where(np.isnan(ahead), np.nan, 1.0))

    def _of(self, limits: Array, window: Window) -> Array:
        """(n, sensors) °C → (_FEATURES, n, sensors)."""
        readings = window.history[:, READING]
        features = np.ones((_FEATURES, *limits.shape))
        ahead = np.divide(limits - readings[-1], window.scale, out=features[1])
        within(ahead, *_AHEAD_SPAN, out=ahead)
        np.copyto(ahead, 0.0, where=np.isnan(ahead))
        features[2:6] = self._signs[:, None]
        times = np.empty((len(_TIMES), *limits.shape), np.int64)
        reached = readings[:, None] >= limits
        np.add.reduce(reached[LONGEST - 10 :], axis=0, out=times[0])
        np.add.reduce(reached, axis=0, out=times[1])
        np.add.reduce(self._past[:, None] >= limits, axis=0, out=times[2])
        _ODDS.take(times + _ODDS_OF, out=features[6:], mode="clip")
        return features

    def _chance(self, features: Array) -> Array:
        score = np.add.reduce(self._weights * features, axis=0)
        return 1 / (1 + np.exp(-within(score, *_SCORE_SPAN, out=score)))
