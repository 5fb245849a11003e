"""Members that compete per sensor and step, persistence always among them; and what became of every forecast."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, within
from gamesad.neural.thermal.window import STEPS

MEMBERS = ("persistence", "median5", "median15", "median29", "ridge", "network")
_COUNT = len(MEMBERS)
_MIXED, _FORECAST, _BASE, _SCALE = range(_COUNT, _COUNT + 4)
_STEPS = np.arange(STEPS)
_FORGET = 0.99
_REGRET_MOST = 6.0
_STEADY = 0.02
"""Credit, in scales, that persistence gets each second."""
_HEAD_START = 0.4
"""Weight that persistence has over what its record gives it."""
_EXPONENT_MOST = 50.0
_DOUBT_RATE, _DOUBT_WEIGHT = 0.2, 3.0


class Mixture(Kept):
    """Exponential weights by discounted, linearised regrets of the absolute error, with an own rate for each member:
    η = 1/√(1 + Σ regret²), weight ∝ η exp(η Σ regret), as in Wintenberger (2017) without its second-order term.

    A forecast is the weighted mean of the members, drawn towards persistence while it was lately worse than that, and
    rounded to the sensor's quantum. Lately is the last five or so: weights with their longer memory learn too late that
    a plateau has ended.
    """

    KEPT: ClassVar = ("_regret", "_square", "_due", "_doubt", "weights")
    WATCHED: ClassVar = ("weights", "_regret", "_doubt")
    UNKNOWN: ClassVar = frozenset(("_due",))

    def __init__(self, sensors: int) -> None:
        self._regret, self._square = np.zeros((2, sensors, STEPS, _COUNT))
        self._doubt = np.zeros(sensors)
        self._due = np.full((STEPS + 1, STEPS, sensors, _COUNT + 4), np.nan).transpose(2, 0, 1, 3)
        """(sensors, second it is due in, step, ...): the members, the mixture and the forecast above the base, and both
        the base and the scale of when it was made."""
        self.errors: Array = np.full((sensors, STEPS, 2), np.nan)
        """°C, reading - forecast, of the forecasts due in this second, and of persistence; NaN where none were."""
        self.scale: Array = np.ones((sensors, STEPS))
        """Those forecasts' scales."""
        self.weights: Array = np.ones((sensors, STEPS, _COUNT))
        """Of the members; their sum is 1."""
        self._mixed = np.zeros((sensors, STEPS))
        self._weigh()

    def judge(self, tick: int, reading: Array) -> None:
        """Learns from what was due in this second; ``reading`` (sensors,), NaN where there is none."""
        due = self._due[:, tick % (STEPS + 1)]
        members, mixed = due[..., :_COUNT], due[..., _MIXED]
        self.scale = scale = due[..., _SCALE]
        change = np.subtract(reading[:, None], due[..., _BASE], out=self.errors[..., 1])
        np.subtract(change, due[..., _FORECAST], out=self.errors[..., 0])
        known = ~np.isnan(change / scale)
        worse = (np.abs(mixed - change) - np.abs(change)) / scale
        within(worse, -_REGRET_MOST, _REGRET_MOST, out=worse)
        np.copyto(worse, 0.0, where=~known)
        self._doubt += _DOUBT_RATE * (np.add.reduce(worse, axis=1) / STEPS - self._doubt)
        now = np.einsum("shm,shm->sh", self.weights, members)
        regret = (np.sign(now - change) / scale)[..., None] * (now[..., None] - members)
        within(regret, -_REGRET_MOST, _REGRET_MOST, out=regret)
        regret[..., 0] += _STEADY
        np.copyto(regret, 0.0, where=~known[..., None])
        keep = np.where(known, _FORGET, 1.0)[..., None]
        self._regret *= keep
        self._regret += regret
        self._square *= keep
        self._square += np.multiply(regret, regret, out=regret)
        self._weigh()

    def _weigh(self) -> None:
        rate = 1 / np.sqrt(1 + self._square)
        weights = np.multiply(rate, self._regret, out=self.weights)
        np.minimum(weights, _EXPONENT_MOST, out=weights)
        np.exp(weights, out=weights)
        weights *= rate
        weights[..., 0] += _HEAD_START
        weights /= np.add.reduce(weights, axis=2, keepdims=True)

    def forecast(self, members: Array, quantum: Array) -> Array:
        """``members`` (sensors, STEPS, members) above the newest reading, °C → forecasts (sensors, STEPS), likewise."""
        self._mixed = np.einsum("shm,shm->sh", self.weights, members)
        trust = within(1 - _DOUBT_WEIGHT * self._doubt, 0.0, 1.0)
        quantum = quantum[:, None]
        forecast: Array = np.rint(self._mixed * (trust[:, None] / quantum))
        forecast *= quantum
        return forecast

    def put(self, tick: int, members: Array, forecast: Array, base: Array, scale: Array) -> None:
        """Keeps what was forecast until it is due. ``base`` NaN: nothing was; ``scale`` NaN: it teaches nothing."""
        places = (tick + 1 + _STEPS) % (STEPS + 1)
        rows = np.empty((*forecast.shape, _COUNT + 4))
        rows[..., :_COUNT] = members
        rows[..., _MIXED] = self._mixed
        rows[..., _FORECAST] = forecast
        rows[..., _BASE] = base[:, None]
        rows[..., _SCALE] = scale[:, None]
        self._due[:, places, _STEPS] = rows
