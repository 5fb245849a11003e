"""Members that compete per sensor and step, persistence always among them; and what became of every forecast."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept
from gamesad.neural.thermal.lessons import STEPS

MEMBERS = ("persistence", "median5", "median15", "median30", "ridge", "network")
_COUNT = len(MEMBERS)
_MIXED, _FORECAST, _BASE, _SCALE = range(_COUNT, _COUNT + 4)
_FORGET = 0.99
_REGRET_MOST = 6.0
_STEADY = 0.01
"""Credit, in scales, that persistence gets each second."""
_HEAD_START = 0.2
"""Weight that persistence has over what its record gives it."""
_EXPONENT_MOST = 50.0


class Mixture(Kept):
    """Exponential weights by discounted linearised regrets of the absolute error, with a rate of its own for each member:
    η = min(1, 1/√(1 + Σ regret²)), weight ∝ η exp(η Σ regret), as in Wintenberger (2017) without its second-order term.

    A forecast is the weighted mean of the members, rounded to the sensor's quantum.
    """

    KEPT: ClassVar = ("_regret", "_square", "_due")
    UNKNOWN: ClassVar = frozenset(("_due",))

    def __init__(self, sensors: int) -> None:
        self._regret, self._square = np.zeros((2, sensors, STEPS, _COUNT))
        self._due = np.full((STEPS + 1, STEPS, sensors, _COUNT + 4), np.nan).transpose(2, 0, 1, 3)
        """(sensors, second it is due in, step, ...): the members, the mixture and the forecast above the base, and both
        the base and the scale of when it was made."""
        self.error: Array = np.full((sensors, STEPS), np.nan)
        """°C, reading - forecast, of the forecasts that were due in this second; NaN where there were none."""
        self.change: Array = np.full((sensors, STEPS), np.nan)
        """The same of persistence."""
        self.scale: Array = np.ones((sensors, STEPS))
        """Those forecasts' scales."""

    @property
    def weights(self) -> Array:
        """(sensors, STEPS, members); their sum is 1."""
        rate = 1 / np.sqrt(1 + self._square)
        weights = rate * np.exp(np.minimum(rate * self._regret, _EXPONENT_MOST))
        weights[..., 0] += _HEAD_START
        weights /= weights.sum(axis=2, keepdims=True)
        return weights

    def judge(self, tick: int, reading: Array, present: NDArray[np.bool_]) -> None:
        """Learns from what was due in this second."""
        due = self._due[:, tick % (STEPS + 1)]
        self.scale = due[..., _SCALE]
        self.change = np.where(present[:, None], reading[:, None] - due[..., _BASE], np.nan)
        self.error = self.change - due[..., _FORECAST]
        over = due[..., _MIXED] - self.change
        known = ~np.isnan(over)[..., None]
        regret = (np.sign(over) / self.scale)[..., None] * (due[..., _MIXED, None] - due[..., :_COUNT])
        np.clip(regret, -_REGRET_MOST, _REGRET_MOST, out=regret)
        regret[..., 0] += _STEADY
        np.copyto(regret, 0.0, where=~known)
        keep = np.where(known, _FORGET, 1.0)
        self._regret *= keep
        self._regret += regret
        self._square *= keep
        self._square += np.multiply(regret, regret, out=regret)

    def forecast(self, members: Array, quantum: Array) -> Array:
        """``members`` (sensors, STEPS, members) above the newest reading, °C → the forecast (sensors, STEPS), likewise."""
        self._mixed = np.einsum("shm,shm->sh", self.weights, members)
        quantum = quantum[:, None]
        return np.rint(self._mixed / quantum) * quantum

    def put(self, tick: int, members: Array, forecast: Array, base: Array, scale: Array) -> None:
        """Keeps what was forecast until it is due; ``base`` NaN: nothing was."""
        places = (tick + 1 + np.arange(STEPS)) % (STEPS + 1)
        rows = np.empty((*forecast.shape, _COUNT + 4))
        rows[..., :_COUNT] = members
        rows[..., _MIXED] = self._mixed
        rows[..., _FORECAST] = forecast
        rows[..., _BASE] = base[:, None]
        rows[..., _SCALE] = scale[:, None]
        self._due[:, places, np.arange(STEPS)] = rows
