"""From a moment of the daemon to the segment: which sensor has which column, its value there, and the words."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import repeat
from math import inf, isnan, nan
from typing import TYPE_CHECKING

from gamesad.crystal import layout
from gamesad.crystal.directory import NAME_SIZE, Column, TunableRow
from gamesad.crystal.telemetry import NO_FORECAST, Forecast, pack_forecast
from gamesad.crystal.texts import NOT_IN_COLUMNS, decision_text
from gamesad.types import Controls, Limit, Quantity, Sensor, Snapshot, Tunable
from gamesad.types import Forecast as ForecastOfTick

if TYPE_CHECKING:
    from gamesad.crystal.history.history import History
    from gamesad.crystal.telemetry import Telemetry
    from gamesad.crystal.texts import StatusText
    from gamesad.report import Moment
    from gamesad.telemetry.history import Record

KEPT_FREE = 8
"""Columns for what is plugged in later, which former sensors do not get."""
POWER_PERIOD_S = 0.99
"""A power changes at most once a second, the jitter of the ticks apart."""


class NoColumn(Exception):
    """There are more sensors or tunables than the segment has places; nothing was published."""


class Publisher:
    """Writes the telemetry region. Belongs to the thread that ticks."""

    def __init__(self, telemetry: Telemetry, history: History, text: StatusText, *, tunables: int) -> None:
        """``tunables``: how many the segment has places for."""
        self._telemetry, self._history, self._text = telemetry, history, text
        self._tunables = tunables
        self.columns: dict[str, int] = {}
        """Where each sensor's number stands, for as long as the segment lives."""
        self.values = self._unused = array("d", [nan] * telemetry.columns)
        """The values of the last tick, by column; replaced, never changed."""
        self.sensors: Mapping[str, Sensor] = {}
        self._controls: Controls | None = None
        self._names: list[str] = []
        self._powers: list[int] = []
        self._power_s = -POWER_PERIOD_S
        self._limits_of: Mapping[str, Limit] | None = None
        self._limits = array("d")
        self._forecast_of: ForecastOfTick | None = None
        self._packed = NO_FORECAST
        self._troubles: tuple[object, ...] = ()
        self._states = bytearray()
        self._no_ages = array("f", bytes(4 * telemetry.columns))

    def publish(self, moment: Moment, decided: Record | None) -> None:
        """One tick. NoColumn: nothing was published, and a larger segment is needed."""
        tick = moment.tick
        snapshot = tick.snapshot
        if moment.sensors is not self.sensors or moment.controls is not self._controls:
            self.describe(moment.sensors, moment.controls)
        if decided is not None:
            decision = decided.decision
            text = decision_text(decided)
            self._telemetry.decision(decided.since_s, str(decision.action), str(decision.source), text)
        self.values = self._read(snapshot)
        if tick.limits is not self._limits_of:
            self._limits_of = tick.limits
            targets_c = {
                self.columns[name]: limit.target_c for name, limit in tick.limits.items() if name in self.columns
            }
            self._limits = array("d", [targets_c.get(place, nan) for place in range(self._telemetry.columns)])
        self._telemetry.latest(
            tick=snapshot.number,
            monotonic_ns=round(snapshot.monotonic_s * 1e9),
            wall_ns=round(moment.wall_s * 1e9),
            duration_s=tick.duration_s,
            uptime_s=moment.uptime_s,
            thermal_state=str(moment.thermal_state),
            mode=str(tick.mode),
            action=str(tick.decision.action),
            source=str(tick.decision.source),
            values=self.values,
            limits=self._limits,
            ages_s=self._ages(snapshot.ages_s),
            states=self._judged(snapshot),
            text=self._text.of(moment),
            forecast=self._forecast(tick.forecast),
        )
        self._history.push(round(moment.wall_s * 1e6), self.values)

    def describe(self, sensors: Mapping[str, Sensor], controls: Controls, *, former: Sequence[str] = ()) -> None:
        """A sensor that is gone keeps its column, one that is new takes the next. NoColumn.

        ``former`` sensors, of the segment before, get those that are left, so that their history is not lost.
        """
        present = with_column(sensors)
        columns = {**self.columns}
        for name in present:
            columns.setdefault(name, len(columns))
        room = self._telemetry.columns - len(columns) - KEPT_FREE
        for name in [name for name in former if name not in columns][: max(0, room)]:
            columns.setdefault(name, len(columns))
        if len(columns) > self._telemetry.columns or len(controls.tunables) > self._tunables:
            raise NoColumn(f"{len(columns)} sensors, {len(controls.tunables)} tunables")
        rows = [column(name, present.get(name) or self.sensors.get(name), in_use=name in present) for name in columns]
        self._telemetry.directory(rows, [tunable_row(tunable) for tunable in controls.tunables.values()])
        self.sensors, self._controls, self.columns = sensors, controls, columns
        self._names = [name if name in present else "" for name in columns]
        self._unused = array("d", [nan] * (self._telemetry.columns - len(columns)))
        self._powers = [columns[name] for name, sensor in present.items() if sensor.quantity is Quantity.POWER]
        self._limits_of, self._forecast_of, self._packed, self._troubles = None, None, NO_FORECAST, ()

    def move(self, telemetry: Telemetry) -> Telemetry:
        """To another segment of the same size; the next tick describes everything there."""
        self._telemetry = telemetry
        self._controls = None
        return telemetry

    def _read(self, snapshot: Snapshot) -> array[float]:
        """The readings by column; a power as it was until a second has passed."""
        reading, last = snapshot.readings.get, self.values
        values = array("d", map(reading, self._names, repeat(nan)))
        values.extend(self._unused)
        holds = snapshot.monotonic_s < self._power_s + POWER_PERIOD_S
        if not holds:
            self._power_s = snapshot.monotonic_s
        for place in self._powers:
            held = holds and not isnan(last[place]) and not isnan(values[place])
            values[place] = last[place] if held else round(values[place], 1)
        return values

    def _judged(self, snapshot: Snapshot) -> bytearray:
        """The state of each column; made again only when what is wrong has changed."""
        troubles = (snapshot.rejected, snapshot.absent)
        if troubles != self._troubles:
            self._troubles = troubles
            self._states = bytearray(self._telemetry.columns)
            for place, name in enumerate(self._names):
                self._states[place] = _state(name, snapshot) if name else layout.UNUSED
        return self._states

    def _ages(self, ages_s: Mapping[str, float]) -> array[float]:
        if not ages_s:
            return self._no_ages
        ages = self._no_ages[:]
        for name, age_s in ages_s.items():
            if (place := self.columns.get(name)) is not None:
                ages[place] = age_s
        return ages

    def _forecast(self, forecast: ForecastOfTick | None) -> Forecast:
        """Of the sensors with the least headroom, where there are more than places. Packed once: ticks share them."""
        if forecast is not self._forecast_of:
            self._forecast_of = forecast
            self._packed = NO_FORECAST if forecast is None else self._pack(forecast)
        return self._packed

    def _pack(self, forecast: ForecastOfTick) -> Forecast:
        named = {name: self.columns[name] for name in forecast.expected if name in self.columns}
        nearest = sorted(named, key=lambda name: self._headroom(named[name]))
        expected = {named[name]: forecast.expected[name] for name in nearest}
        upper = {named[name]: forecast.upper[name] for name in nearest}
        crossing = {named[name]: forecast.crossing[name] for name in nearest if name in forecast.crossing}
        return pack_forecast(forecast.confidence, forecast.horizon_s, expected, upper, crossing)

    def _headroom(self, place: int) -> float:
        """In °C; infinite where there is no limit or no reading."""
        headroom = self._limits[place] - self.values[place]
        return inf if isnan(headroom) else headroom


def with_column(sensors: Mapping[str, Sensor]) -> dict[str, Sensor]:
    """Those that are numbers, and whose name fits."""
    return {
        name: sensor
        for name, sensor in sensors.items()
        if sensor.quantity not in NOT_IN_COLUMNS and len(name.encode(errors="replace")) <= NAME_SIZE
    }


def _state(name: str, snapshot: Snapshot) -> int:
    if name in snapshot.rejected:
        return layout.REJECTED
    if (absence := snapshot.absent.get(name)) is not None:
        return layout.FAULT if absence.is_fault else layout.ABSENT
    return layout.OK if name in snapshot.readings else layout.ABSENT


def column(name: str, sensor: Sensor | None, *, in_use: bool) -> Column:
    """``sensor`` None: all that is known of a sensor that has gone is its name."""
    if sensor is None:
        return Column(name, in_use=False)
    limits = sensor.limits
    return Column(
        name, label=sensor.label, unit=sensor.quantity.unit, quantity=str(sensor.quantity), driver=sensor.driver,
        heat=str(sensor.heat or ""), critical=sensor.critical, in_use=in_use, minimum=limits.minimum,
        maximum=limits.maximum, critical_limit=limits.critical, emergency=limits.emergency, passive=limits.passive,
        hot=limits.hot,
    )  # fmt: skip


def tunable_row(tunable: Tunable) -> TunableRow:
    return TunableRow(
        tunable.name,
        role=str(tunable.role),
        unit=tunable.unit,
        choices=tunable.choices,
        minimum=tunable.minimum,
        maximum=tunable.maximum,
    )
