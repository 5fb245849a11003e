"""Members that compete per sensor and step, persistence always among them; and what became of every forecast."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, Mask, number, span, where, within
from gamesad.neural.thermal.window import READING, STEPS, WORTH, Window

MEMBERS = ("persistence", "median5", "median15", "median29", "ridge", "network")
_COUNT = len(MEMBERS)
_FORECAST, _MIXED, _PERSISTENCE = range(3)
_ROWS = _PERSISTENCE + _COUNT
_FORGET = number(0.99)
_REGRETS = span(-6.0, 6.0)
_STEADY = number(0.02)
"""Credit, in scales, that persistence gets each second."""
_HEAD_START = number(0.4)
"""Weight that persistence has over what its record gives it."""
_DOUBT_RATE, _DOUBT_KEEP, _DOUBT_WEIGHT = number(0.2 / STEPS), number(0.8), number(3.0)
_TRUST = span(0.0, 1.0)
_ZERO, _ONE = number(0.0), number(1.0)


class Mixture(Kept):
    """Exponential weights by discounted, linearised regrets of the absolute error, with an own rate for each member:
    η = 1/√(1 + Σ regret²), weight ∝ η exp(η Σ regret), as in Wintenberger (2017) without its second-order term.

    A forecast is the weighted mean of the members, drawn towards persistence while it was lately worse than that, and
    rounded to the sensor's quantum. Lately is the last five or so: weights with their longer memory learn too late that
    a plateau has ended.
    """

    SENSORS: ClassVar = -1
    KEPT: ClassVar = ("_regrets", "_issued", "_doubt", "weights")
    WATCHED: ClassVar = ("weights", "_regrets", "_doubt")

    def __init__(self, sensors: int) -> None:
        self._regrets = np.zeros((2, _COUNT, STEPS, sensors))
        """Sums of regrets and of their squares."""
        self._more = np.zeros((2, _COUNT, STEPS, sensors))
        self._doubt = np.zeros(sensors)
        self._issued = np.zeros((_ROWS, 2 * STEPS * STEPS, sensors))
        """The ``rows`` of the last seconds, all twice, so that those that are due in a second are a slice."""
        self.rows: Array = np.zeros((_ROWS, STEPS, sensors))
        """The forecast, the members' weighted mean and the members, above the newest reading, °C."""
        self.members: Array = self.rows[_PERSISTENCE:]
        """(members, STEPS, sensors); that of persistence stays 0."""
        self.errors: Array = np.zeros((_ROWS, STEPS, sensors))
        """°C, reading - forecast, of those due in this second, in the order of ``rows``."""
        self.sizes: Array = np.ones((4, STEPS, sensors))
        """Absolute errors of the forecasts, of the weighted means and of persistence, and a one."""
        self.worth, self.seen = self._due = np.zeros((2, STEPS, sensors))
        """1 ÷ those forecasts' scales, 0 where nothing can be learnt; 1 where there was one, and is a reading."""
        self.known: Mask = True
        """Which of them can be learnt from, as ``where`` has it."""
        self.weights: Array = np.ones((_COUNT, STEPS, sensors))
        """Of the members; their sum is 1."""
        self._weigh()

    def judge(self, tick: int, window: Window) -> None:
        """Learns from what was due in this second."""
        then = window.history[-2 : -STEPS - 2 : -1]
        change = window.history[-1, READING] - then[:, READING]
        newest = ((tick - 1) % STEPS + STEPS) * STEPS  # one step further lies in the second before that
        errors = np.subtract(change, self._issued[:, newest :: 1 - STEPS][:, :STEPS], out=self.errors)
        np.multiply(then[:, WORTH:].swapaxes(0, 1), window.present, out=self._due)
        sizes = np.abs(errors[:3], out=self.sizes[:3])
        worse = sizes[_MIXED] - sizes[_PERSISTENCE]
        worse *= self.worth
        within(worse, *_REGRETS, out=worse)
        self._doubt *= _DOUBT_KEEP
        self._doubt += np.add.reduce(worse, axis=0) * _DOUBT_RATE
        self.known = where(self.worth > _ZERO)
        self._compare(errors[_PERSISTENCE:])
        if tick % 2 == 0:
            self._weigh()

    def _compare(self, errors: Array) -> None:
        """``errors`` (members, STEPS, sensors)."""
        regrets, more, known = self._regrets, self._more, self.known
        mean = np.add.reduce(np.multiply(self.weights, errors, out=more[0]), axis=0)
        regret = np.subtract(mean, errors, out=more[0])
        regret *= np.copysign(self.worth, mean)
        within(regret, *_REGRETS, out=regret)
        np.add(regret[0], _STEADY, out=regret[0], where=known)
        np.multiply(regret, regret, out=more[1])
        np.multiply(regrets, _FORGET, out=regrets, where=known)
        regrets += more

    def _weigh(self) -> None:
        slowness = np.sqrt(self._regrets[1] + _ONE)
        weights = np.divide(self._regrets[0], slowness, out=self.weights)
        np.exp(weights, out=weights)  # of 10 at most, as Cauchy and Schwarz have it: (Σ λ r)² ≤ 100 Σ λ r²
        weights /= slowness
        weights[0] += _HEAD_START
        weights /= np.add.reduce(weights, axis=0)

    def forecast(self, tick: int, quantum: Array) -> Array:
        """Of ``members`` → (STEPS, sensors) likewise, and kept until it is due."""
        rows = self.rows
        mixed = np.add.reduce(self.weights * self.members, axis=0, out=rows[_MIXED])
        trust = within(_ONE - _DOUBT_WEIGHT * self._doubt, *_TRUST)
        forecast: Array = np.rint(mixed * (trust / quantum), out=rows[_FORECAST])
        forecast *= quantum
        first, again = tick % STEPS * STEPS, (tick % STEPS + STEPS) * STEPS
        self._issued[:, first : first + STEPS] = self._issued[:, again : again + STEPS] = rows
        return forecast
