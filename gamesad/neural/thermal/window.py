"""From readings to what is learnt from: the last half minute of every sensor, its scale, its quantum, its inputs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, number, span, within

LONGEST = 30
"""Readings kept; the slowest member looks back this far."""
LAGS = 10
INPUTS = LAGS + 6
STEPS = 5
"""Seconds ahead."""
READING, _POWER, _LOAD, WORTH, SAID = range(5)
"""Rows of ``Window.history``."""
_MISSING_MOST = 2
"""Of the last ``LAGS`` readings; with more there is no forecast but persistence."""
_SAME = number(1e-6)
"""Two readings nearer than this are one."""
_ABSURD = span(-1e6, 1e6)
_INPUT_SPAN = span(-6.0, 6.0)
_SETTLED = 60
"""After so many seconds in which the same was known nothing changes any more that depends on that alone."""
_LEVEL_RATE = 1 / _SETTLED
_RATES = np.array([[0.02], [_LEVEL_RATE], [_LEVEL_RATE]])
"""Of the variances of temperature, power and load."""
_OUTLIER = 10.0
"""A change of more scales than this counts as one of so many for the scale and the level."""
_QUANTUM_PART = 0.2
_TINY = 1e-150
"""So that a power that never changed has a deviation."""
_EPOCH = 600
_LAST = np.arange(STEPS)
_CHANNELS = np.array([READING] * LAGS + [_POWER, _LOAD] * 3)
"""What each input is relative to: the deviation of temperature, power or load."""


class Window(Kept):
    """The inputs of the models, (INPUTS, sensors): nine lags and the level of a minute, relative to the newest reading
    in scales; power and load, each as level and one- and two-second change in running deviations; all clipped.

    ``scale``, °C, is the running deviation of one second's change and a part of the ``quantum``, the smallest change
    seen in the last ten to twenty minutes. A missing reading is bridged by the one before it and marked: it is an
    input's neighbour, never something to learn. An unknown power or load takes its mean. Units do not matter: but for
    ``_SAME`` and ``_ABSURD`` all is relative to what was seen.
    """

    SENSORS: ClassVar = -1
    KEPT: ClassVar = ("ring", "known", "count", "_deviation", "_variance", "_level", "_low", "_lower")
    WATCHED: ClassVar = ("_deviation", "_variance", "_level")
    UNKNOWN: ClassVar = frozenset(("_low", "_lower"))

    def __init__(self, sensors: int) -> None:
        self.ring: Array = np.zeros((2 * LONGEST, 5, sensors))
        """Every second twice, so that the last ``LONGEST`` always lie side by side."""
        self.known = np.zeros((LAGS, sensors), bool)
        self.count = np.zeros((3, sensors), np.int64)
        """Readings of temperature, power and load, up to ``_SETTLED``."""
        self._deviation, self._variance, self._level = np.zeros((3, 3, sensors))
        self._low, self._lower = np.full((2, sensors), np.nan)
        self._pattern = self._lows = b""
        self._settled = 0
        self._missing: NDArray[np.bool_] | None = None
        self._now = np.zeros((5, sensors))
        self._away, self._gain, self._level_gain = np.zeros((3, 3, sensors))
        self._reach, self._teaches, self._silence = np.zeros((3, sensors))
        self._grain = np.full((3, sensors), _TINY)
        self.inputs: Array = np.zeros((INPUTS, sensors))
        self.history: Array = self.ring[:LONGEST]
        """(LONGEST, rows, sensors), the newest last: the reading; ``WORTH``, 1 ÷ scale, 0 where nothing can be learnt
        from that second; ``SAID``, 1 where there was a reading."""
        self.scale: Array = self._deviation[READING]
        self._deviation[READING] = 1.0
        self.quantum: Array = np.ones(sensors)
        self._moved: NDArray[np.bool_] = np.zeros(sensors, bool)
        self.whole: NDArray[np.bool_] = np.zeros(sensors, bool)
        """The last ``STEPS`` readings were really read."""
        self.usable: NDArray[np.bool_] = np.zeros(sensors, bool)
        """Enough is known for a forecast other than persistence."""

    @property
    def readings(self) -> Array:
        """(sensors, LONGEST) °C, the newest last."""
        return self.history[:, READING].T

    @property
    def newest(self) -> Array:
        """(sensors,) °C; NaN where there is no reading."""
        newest: Array = self._now[READING] + self._silence
        return newest

    @property
    def present(self) -> Array:
        """(sensors,) 1 where there is a reading, else 0."""
        present: Array = self._now[SAID]
        return present

    @property
    def unit(self) -> Array:
        """``scale``, but NaN until a change was seen: a quantum of 1 °C is assumed before, and nothing learnt by it."""
        return np.where(self._moved, self.scale, np.nan)

    def take(self, tick: int, temperatures: Array, power: Array, load: Array) -> None:
        """(sensors,) each; NaN is missing."""
        now, heard = self._now, self._now[:3]
        past = self.ring[(tick - 1) % LONGEST + 1 :][:LONGEST]
        now[READING], now[_POWER], now[_LOAD] = temperatures, power, load
        known = np.isfinite(heard)
        within(heard, *_ABSURD, out=heard)
        if (pattern := known.tobytes()) != self._pattern:
            self._pattern, self._settled = pattern, 0
            self._missing = None if known.all() else ~known
            np.copyto(self.ring[:, :3], heard, where=known & (self.count == 0))
        if self._missing is not None:
            np.copyto(heard, past[-1, :3], where=self._missing)
        size = self._look_back(tick, past)
        if self._settled < _SETTLED:
            self._settle(tick, known)
        self._measure(size)
        np.divide(self._teaches, self.scale, out=now[WORTH])
        place = tick % LONGEST
        self.ring[place] = self.ring[place + LONGEST] = now
        self.history = self.ring[place + 1 : place + 1 + LONGEST]

    def _look_back(self, tick: int, past: Array) -> Array:
        """The raw inputs, but for the levels; the quantum; gives the size of the last change."""
        heard, inputs = self._now[:3], self.inputs
        np.subtract(past[:-LAGS:-1, READING], heard[READING], out=inputs[: LAGS - 1])
        np.subtract(heard[1:], past[:-3:-1, 1:3], out=inputs[LAGS + 2 :].reshape(2, 2, -1))
        if tick % _EPOCH == 0:
            np.copyto(self._lower, self._low, where=~np.isnan(self._low))
            self._low.fill(np.nan)
        size: Array = np.abs(inputs[0])
        np.fmin(self._low, size, out=self._low, where=size > _SAME)
        if (lows := self._low.tobytes()) != self._lows:
            self._lows, self._settled = lows, 0
            quantum = np.fmin(self._low, self._lower)
            self._moved = ~np.isnan(quantum)
            np.copyto(self.quantum, quantum, where=self._moved)
            np.multiply(self.quantum, _QUANTUM_PART, out=self._grain[READING])
        return size

    def _settle(self, tick: int, known: NDArray[np.bool_]) -> None:
        """What depends only on what is known, and on whether there is a quantum."""
        self._settled += 1
        self.known[tick % LAGS] = present = known[READING]
        np.minimum(self.count + known, _SETTLED, out=self.count)
        seen = 1 / np.maximum(self.count, 1)
        np.multiply(np.maximum(seen, _LEVEL_RATE), known, out=self._level_gain)
        np.multiply(np.maximum(seen, _RATES), known, out=self._gain)
        self._gain[READING, self.count[READING] < 2] = 0.0  # one reading is no change
        self._reach = np.where(self.count[READING] > LAGS, _OUTLIER, np.inf)
        self.whole = np.logical_and.reduce(self.known[(tick - _LAST) % LAGS], axis=0)
        self.usable = present & self._moved & (np.add.reduce(self.known, axis=0) >= LAGS - _MISSING_MOST)
        self._teaches = (present & self._moved).astype(float)
        self._now[SAID] = present
        self._silence = np.where(present, 0.0, np.nan)

    def _measure(self, size: Array) -> None:
        """The levels, the deviations, and the inputs by them."""
        heard, inputs, level, variance = self._now[:3], self.inputs, self._level, self._variance
        most = self._reach * self.scale
        away = np.subtract(heard, level, out=self._away)
        within(away[READING], -most, most, out=away[READING])
        away *= self._level_gain
        level += away
        levels = np.subtract(level, heard, out=inputs[LAGS - 1 : LAGS + 2])
        if self._missing is not None:
            np.copyto(levels[1:], 0.0, where=self._missing[1:])
        np.minimum(size, most, out=away[READING])
        away[1:] = levels[1:]
        away *= away
        away -= variance
        away *= self._gain
        variance += away
        np.sqrt(variance, out=self._deviation)
        self._deviation += self._grain
        inputs /= self._deviation.take(_CHANNELS, axis=0)
        within(inputs, *_INPUT_SPAN, out=inputs)
