"""A recording as every format gives it: sensors, and what they showed when; and as the snapshots that the daemon's
models are fed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gamesad.errors import Failed
from gamesad.evaluation.tally import Tally
from gamesad.neural.grid import GAP_S
from gamesad.neural.model import Array
from gamesad.types import Quantity, Sensor, Snapshot

GRID_S = 1.0
MOST_CELLS = 4_000_000
"""Readings of temperatures that are looked at: a day of forty sensors at one a second."""
_FASTER_S = 0.9
_JITTER_S = 1.0
"""Rows that come this little too early have inexact times; more is another session, or a clock set back."""
_FOLLOWED = 0.2
_DIVERGED_C = (-60.0, 250.0)
"""No sensor of a computer means a temperature outside of these: an open or shorted thermistor does."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a parser found, in the order of the file. ``times_s``: any clock; a row has a number for each sensor.

    ``lines`` says where in the file each row stands.
    """

    sensors: Sequence[Sensor]
    times_s: Sequence[float]
    rows: Sequence[Sequence[float]]
    lines: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One recording, put in order. ``notes``: a sentence for each thing that was left out, mended or assumed."""

    path: str
    format: str
    period_s: float
    """One step of the grid: a second, or of a recording with fewer readings the usual time between two."""
    times_s: Array
    """(rows,), from 0, ascending."""
    sensors: Mapping[str, Sensor]
    values: Array
    """(rows, sensors) in the sensors' units; NaN = not known."""
    notes: tuple[str, ...] = field(default=())

    @property
    def temperatures(self) -> tuple[str, ...]:
        return tuple(name for name, sensor in self.sensors.items() if sensor.quantity is Quantity.TEMPERATURE)

    def snapshots(self) -> Iterator[Snapshot]:
        """One for each row, at times on which a step of the grid is a second: the models know nothing else."""
        names = list(self.sensors)
        faster = float(np.median(np.diff(self.times_s))) < _FASTER_S
        times = self.times_s.tolist() if faster else _steps(self.times_s, self.period_s)
        for number, (at, row) in enumerate(zip(times, self.values, strict=True), 1):
            known = np.flatnonzero(np.isfinite(row)).tolist()
            yield Snapshot(number, at, dict(zip([names[i] for i in known], row[known].tolist(), strict=True)))


def build(path: str, form: str, table: Table, tally: Tally) -> Series:
    """Raises Failed: there is no temperature in it, or too little of one."""
    if not any(sensor.quantity is Quantity.TEMPERATURE for sensor in table.sensors):
        raise Failed(f"{path}: no column of it is a temperature ({form}); record temperatures too")
    if len(table.rows) < 2:
        raise Failed(f"{path}: {len(table.rows) or 'no'} row with readings ({form}); record for longer")
    values = np.array(table.rows, float)
    times_s, kept = _in_order(table, tally)
    values = values[kept]
    sensors = _named(table.sensors)
    hot = np.array([sensor.quantity is Quantity.TEMPERATURE for sensor in sensors])
    _reject(values, hot, tally)
    some = np.isfinite(values).any(axis=0)
    if not (some & hot).any():
        known = "; ".join([form, *list(tally.sentences())[:1]])
        raise Failed(f"{path}: its temperatures have no readings ({known}); is the sensor's driver loaded?")
    for sensor in (sensor for sensor, seen in zip(sensors, some, strict=True) if not seen):
        tally.count("columns without any reading", where=sensor.label)
    if len(times_s) < 2:
        raise Failed(f"{path}: all rows have the same time ({form}); is its column of times the right one?")
    if len(times_s) > (most := max(2, MOST_CELLS // int((some & hot).sum()))):
        tally.note(f"only the first {most} of {len(times_s)} rows are used, so that it fits into memory")
        times_s, values = times_s[:most], values[:most]
    period_s = float(np.median(np.diff(times_s)))
    if period_s < _FASTER_S:
        tally.note(f"a reading every {period_s:.3g} s; the models take the first of each second, as in the daemon")
        period_s = GRID_S
    elif abs(period_s - GRID_S) > 0.1 * GRID_S:
        tally.note(f"a reading every {period_s:.3g} s, which is one step here; 5 steps are {5 * period_s:.3g} s")
    found = {sensor.name: sensor for sensor, seen in zip(sensors, some, strict=True) if seen}
    return Series(path, form, period_s, times_s, found, values[:, some], tuple(tally.sentences()))


def _steps(times_s: Array, period_s: float) -> list[float]:
    """Each row's step, at least one after the one before; a gap is as long as it was. Rows are due once a period, and
    when is followed slowly: one that is early or late costs no other its place."""
    steps, due_s = [0.0], 0.0
    for at_s in times_s[1:].tolist():
        count = max(1, round((at_s - due_s) / period_s))
        due_s += count * period_s
        due_s += _FOLLOWED * (at_s - due_s)
        steps.append(steps[-1] + count)
    return steps


def _in_order(table: Table, tally: Tally) -> tuple[Array, list[int]]:
    """Times from 0, ascending, and which rows they are of."""
    times_s: list[float] = []
    kept: list[int] = []
    ahead_s = 0.0
    for row, at_s in enumerate(table.times_s):
        line = table.lines[row] if row < len(table.lines) else row + 1
        moment_s = at_s + ahead_s
        if times_s and times_s[-1] - _JITTER_S < moment_s <= times_s[-1]:
            tally.count("rows no later than the one before left out", line)
            continue
        if times_s and moment_s < times_s[-1]:
            ahead_s += times_s[-1] + GAP_S - moment_s
            moment_s = at_s + ahead_s
            tally.count("times go backwards (what follows counts as after a gap)", line)
        times_s.append(moment_s)
        kept.append(row)
    return np.array(times_s) - times_s[0], kept


def _named(sensors: Sequence[Sensor]) -> list[Sensor]:
    """With names that differ: logs give the same to several columns."""
    seen: dict[str, int] = {}
    named = []
    for sensor in sensors:
        count = seen[sensor.name] = seen.get(sensor.name, 0) + 1
        mark = f" #{count}" if count > 1 else ""
        named.append(replace(sensor, name=sensor.name + mark, label=sensor.label + mark) if mark else sensor)
    return named


def _reject(values: Array, hot: NDArray[np.bool_], tally: Tally) -> None:
    values[~np.isfinite(values)] = np.nan
    low_c, high_c = _DIVERGED_C
    impossible = ((values <= low_c) | (values >= high_c)) & hot
    if count := int(impossible.sum()):
        first = float(values[impossible][0])
        tally.note(f"readings that cannot be true left out: {count}, the first: {first:g} °C")
        values[impossible] = np.nan
