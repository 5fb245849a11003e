"""Snapshots, whenever they come, as one row a second: what every learnt model sees of the machine.

A second's row is made of the readings at its first tick, so that no forecast is a second late. A reading stands in one
row only, and in none if it was read more than a second ago; a second without a tick has nothing. Missing is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.sources import Sources
from gamesad.types import Limit, Sensor, Snapshot

MISSED_MOST = 6
"""So many rows of nothing stand for a longer gap: no model pairs readings that are further apart."""
GAP_S = 60
"""What an interruption of unknown length counts as."""
_OLDEST_S = 1.0
_SAME_S = 1e-3


def fresh(snapshot: Snapshot) -> Mapping[str, float]:
    """The readings that were taken within the last second."""
    readings, ages_s = snapshot.readings, snapshot.ages_s
    if not ages_s:
        return readings
    return {name: value for name, value in readings.items() if ages_s.get(name, 0.0) < _OLDEST_S}


@dataclass(frozen=True, slots=True)
class Row:
    """One second. The arrays are (sensors,) in the order of ``Grid.names``."""

    second: int
    """Counts up; only after a gap by more than one."""
    temperatures: Array
    """°C; NaN = missing."""
    power: Array
    """W of what heats each sensor's place; NaN = unknown."""
    load: Array
    """0..1, of the same; NaN = unknown."""
    limits: Array
    """Target °C; NaN = none."""


class Grid:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        """The temperatures, in the order that the machine declares them."""
        self._sensors: Mapping[str, Sensor] | None = None
        self._sources = Sources({})
        self._limits_for: Mapping[str, Limit] | None = None
        self._limits: Array = np.zeros(0)
        self._read_s: Array = np.zeros(0)
        self._ahead = 0
        self._second: int | None = None
        self._now_s = -math.inf
        self._broken = False
        """What comes next does not go on from what was."""

    def interrupt(self) -> None:
        """The machine slept, and CLOCK_MONOTONIC with it; or what was is that of an earlier run."""
        self._broken = True

    def rows(self, snapshot: Snapshot, sensors: Mapping[str, Sensor], limits: Mapping[str, Limit]) -> list[Row]:
        """The rows that this snapshot completes, oldest first: none within a second, and before one after a gap the
        missing ones."""
        self._know(sensors, limits)
        now_s = snapshot.monotonic_s
        before = self._second
        if before is None and self._broken:
            before = math.floor(now_s) - GAP_S
        elif before is not None and (self._broken or now_s < self._now_s):
            self._ahead = before + GAP_S - math.floor(now_s)
            self._read_s[:] = -math.inf
        self._broken, self._now_s = False, now_s
        second = math.floor(now_s) + self._ahead
        if second == before:
            return []
        self._second = second
        missed = 0 if before is None else min(second - before - 1, MISSED_MOST)
        return [*(self._nothing(second - ago) for ago in range(missed, 0, -1)), self._row(second, snapshot)]

    def second_of(self, snapshot: Snapshot) -> int:
        """The second that a snapshot belongs to which gives no rows."""
        return math.floor(snapshot.monotonic_s) + self._ahead

    def _know(self, sensors: Mapping[str, Sensor], limits: Mapping[str, Limit]) -> None:
        if sensors is not self._sensors:
            self._sensors, self._limits_for = sensors, None
            read_s = dict(zip(self.names, self._read_s, strict=True))
            self._sources = Sources(sensors)
            self.names = self._sources.temperatures
            self._read_s = np.array([read_s.get(name, -math.inf) for name in self.names])
        if limits is not self._limits_for:
            self._limits_for = limits
            self._limits = np.array(
                [limits[name].target_c if name in limits else math.nan for name in self.names], float
            )

    def _row(self, second: int, snapshot: Snapshot) -> Row:
        readings, ages_s, unknown = snapshot.readings, snapshot.ages_s, math.nan
        temperatures = np.array([readings.get(name, unknown) for name in self.names], float)
        feeding = {name: readings.get(name, unknown) for name in self._sources.feeding}
        if ages_s:
            feeding |= {name: unknown for name in feeding if ages_s.get(name, 0.0) >= _OLDEST_S}
            age_s = np.array([ages_s.get(name, 0.0) for name in self.names])
            read_s = snapshot.monotonic_s - age_s
            temperatures[(age_s >= _OLDEST_S) | (read_s < self._read_s + _SAME_S)] = unknown
            np.copyto(self._read_s, read_s, where=np.isfinite(temperatures))
        else:
            self._read_s[:] = snapshot.monotonic_s
        temperatures[~np.isfinite(temperatures)] = unknown
        power, load = self._sources.feed(feeding)
        return Row(second, temperatures, power, load, self._limits)

    def _nothing(self, second: int) -> Row:
        nothing = np.full(len(self.names), math.nan)
        return Row(second, nothing, nothing, nothing, self._limits)
