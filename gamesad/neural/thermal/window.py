"""From readings to what is learnt from: the last half minute of every sensor, its scale, its quantum, its inputs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, within

LONGEST = 30
"""Readings kept; the slowest member looks back this far."""
LAGS = 10
INPUTS = LAGS + 6
STEPS = 5
"""Seconds ahead."""
_MISSING_MOST = 2
"""Of the last ``LAGS`` readings; with more there is no forecast but persistence."""
_SAME = 1e-6
"""Two readings nearer than this are one."""
_ABSURD = 1e6
_INPUT_MOST = 6.0
_SCALE_RATE = 0.02
_LEVEL_RATE = 1 / 60
_OUTLIER = 10.0
"""A change of more scales than this counts as one of so many for the scale and the level."""
_QUANTUM_PART = 0.2
_EPOCH = 600
_LAST = (np.arange(LAGS)[:, None] - np.arange(STEPS)) % LAGS


class Window(Kept):
    """The inputs of the models, (sensors, INPUTS): nine lags and the level of a minute, relative to the newest reading
    in scales; power and load, each as level and one- and two-second change in running deviations; all clipped.

    ``scale``, °C, is the running deviation of one second's change and a part of the ``quantum``, the smallest change
    seen in the last ten to twenty minutes. A missing reading is bridged by the one before it and marked: it is an
    input's neighbour, never something to learn. An unknown power or load takes its mean. Units do not matter: but for
    ``_SAME`` and ``_ABSURD`` all is relative to what was seen.
    """

    KEPT: ClassVar = (
        *("ring", "known", "count", "scale", "quantum", "_variance", "_level", "_low", "_lower"),
        *("_heat_level", "_heat_variance", "_heat_before"),
    )
    WATCHED: ClassVar = ("scale", "_variance", "_level", "_heat_variance")
    UNKNOWN: ClassVar = frozenset(("ring", "_low", "_lower", "_heat_level", "_heat_before"))

    def __init__(self, sensors: int) -> None:
        self.ring: Array = np.full((sensors, 2 * LONGEST), np.nan)
        """Every reading twice, so that the last ``LONGEST`` always lie side by side."""
        self.known = np.zeros((sensors, LAGS), bool)
        self.count = np.zeros(sensors, np.int64)
        self.scale: Array = np.ones(sensors)
        self.quantum: Array = np.ones(sensors)
        self._variance, self._level = np.zeros((2, sensors))
        self._low, self._lower, self._smallest = np.full((3, sensors), np.nan)
        self._heat_level = np.full((sensors, 2), np.nan)
        self._heat_variance = np.zeros((sensors, 2))
        self._heat_before = np.full((sensors, 2, 2), np.nan)
        self.inputs: Array = np.zeros((sensors, INPUTS))
        self.readings: Array = self.ring[:, :LONGEST]
        """(sensors, LONGEST), the newest last."""
        self.present: NDArray[np.bool_] = np.zeros(sensors, bool)
        self.unit: Array = np.full(sensors, np.nan)
        """``scale``, but NaN until a change was seen: a quantum of 1 °C is assumed before, and nothing learnt by it."""
        self.whole: NDArray[np.bool_] = np.zeros(sensors, bool)
        """The last ``STEPS`` readings were really read."""
        self.usable: NDArray[np.bool_] = np.zeros(sensors, bool)
        """Enough is known for a forecast other than persistence."""

    def take(self, tick: int, temperatures: Array, heat: Array) -> None:
        """``temperatures`` (sensors,); ``heat`` (sensors, 2), power and load; NaN is missing."""
        before = self.ring[:, (tick - 1) % LONGEST + LONGEST]
        self.present = present = np.isfinite(temperatures)
        value = np.where(present, within(temperatures, -_ABSURD, _ABSURD), before)
        first = present & (self.count == 0)
        if first.any():
            self.ring[first] = value[first, None]
            self._level[first] = value[first]
        place = tick % LONGEST
        self.ring[:, place] = self.ring[:, place + LONGEST] = value
        self.readings = self.ring[:, place + 1 : place + 1 + LONGEST]
        self.known[:, tick % LAGS] = present
        self.whole = np.logical_and.reduce(self.known[:, _LAST[tick % LAGS]], axis=1)
        self.count += present
        self._measure(tick, value - before, value, present & ~first)
        self._look_back(value)
        self._feel(heat)
        enough = np.add.reduce(self.known, axis=1) >= LAGS - _MISSING_MOST
        self.unit = np.where(np.isnan(self._smallest), np.nan, self.scale)
        self.usable = present & enough & ~np.isnan(self.unit)

    def _measure(self, tick: int, change: Array, value: Array, moved: NDArray[np.bool_]) -> None:
        if tick % _EPOCH == 0:
            np.copyto(self._lower, self._low, where=~np.isnan(self._low))
            self._low.fill(np.nan)
        size = np.abs(change)
        np.fmin(self._low, size, out=self._low, where=moved & (size > _SAME))
        self._smallest = np.fmin(self._low, self._lower)
        np.copyto(self.quantum, self._smallest, where=~np.isnan(self._smallest))
        seen = 1 / np.maximum(self.count, 1)
        most = np.where(self.count > LAGS, _OUTLIER * self.scale, np.inf)
        size = np.minimum(size, most)
        gain = np.maximum(seen, _SCALE_RATE)
        np.copyto(self._variance, self._variance + gain * (size * size - self._variance), where=moved)
        self.scale[...] = np.sqrt(self._variance) + _QUANTUM_PART * self.quantum
        away = within(value - self._level, -most, most)
        np.copyto(self._level, self._level + np.maximum(seen, _LEVEL_RATE) * away, where=moved)

    def _look_back(self, value: Array) -> None:
        lags = self.inputs[:, :LAGS]
        np.subtract(self.readings[:, -2 : -LAGS - 1 : -1], value[:, None], out=lags[:, : LAGS - 1])
        np.subtract(self._level, value, out=lags[:, LAGS - 1])
        lags /= self.scale[:, None]

    def _feel(self, heat: Array) -> None:
        heat = within(heat, -_ABSURD, _ABSURD)
        level, known = self._heat_level, np.isfinite(heat)
        gain = np.maximum(1 / np.maximum(self.count, 1), _LEVEL_RATE)[:, None]
        np.copyto(level, heat, where=known & np.isnan(level))
        np.copyto(level, level + gain * (heat - level), where=known)
        away = heat - level
        np.copyto(self._heat_variance, self._heat_variance + gain * (away * away - self._heat_variance), where=known)
        deviation = np.sqrt(self._heat_variance)
        felt = self.inputs[:, LAGS:].reshape(-1, 3, 2)
        felt[:, 0] = away
        np.subtract(heat[:, None], self._heat_before, out=felt[:, 1:])
        felt /= deviation[:, None]
        self._heat_before[:, 1] = self._heat_before[:, 0]
        self._heat_before[:, 0] = heat
        np.copyto(self.inputs, 0.0, where=np.isnan(self.inputs))
        within(self.inputs, -_INPUT_MOST, _INPUT_MOST, out=self.inputs)
