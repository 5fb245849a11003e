"""A recording through the daemon's own learner, row after row: predict, see, learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gamesad.config import NeuralConfig
from gamesad.evaluation.baselines import STEPS, Rises, Trends
from gamesad.evaluation.series import Series
from gamesad.messages import Message
from gamesad.neural.findings import Finding
from gamesad.neural.grid import Grid
from gamesad.neural.learner import Learner
from gamesad.neural.model import Array
from gamesad.types import (
    Action,
    Applied,
    Decision,
    Forecast,
    Heat,
    Intent,
    Limit,
    Mode,
    Origin,
    Profile,
    Snapshot,
    Tick,
)

_MARGIN_C = 10.0
_NOTHING = Decision(Action.NOOP, {}, Origin.RULE, "a recording is only looked at")
_INTENT = Intent(Profile("recorded", "as it was", 0, "balanced"), chosen=False)


class Course(NamedTuple):
    """What was seen at each second of the grid, and what was foretold then; (seconds, sensors) and, of the next steps,
    (seconds, sensors, STEPS). NaN: not seen, or not foretold."""

    seen: Array
    expected: Array
    upper: Array
    """Of the highest of the next STEPS."""
    holt: Array
    damped: Array
    tuned: Array
    crossing: Array
    rises: Array


Anomaly = tuple[float, Finding]
"""When, in seconds of the recording, and what."""


def course(
    series: Series, settings: NeuralConfig, limits_c: Mapping[str, float], *, anomalies: bool
) -> tuple[Course, list[Anomaly]]:
    """``limits_c``: the limit of each temperature whose crossings are to be foretold."""
    limits = {name: _limit(series, name, limit_c) for name, limit_c in limits_c.items()}
    learner = Learner(settings, clock=lambda: 0.0)  # time stands still: no budget is ever used up
    grid, log = Grid(), _Log(series.temperatures, limits_c)
    found: list[Anomaly] = []
    for snapshot, at_s in zip(series.snapshots(), series.times_s.tolist(), strict=True):
        rows = grid.rows(snapshot, series.sensors, limits)
        forecast = learner.forecast(snapshot, series.sensors, limits)
        for row in rows[:-1]:
            log.put(row.temperatures, None, None)
        if rows:
            log.put(rows[-1].temperatures, forecast, learner)
        if anomalies:
            told = learner.learn(_tick(snapshot, forecast, limits), series.sensors, at_s)
            found += [(at_s, one) for one in told if one.message is Message.ANOMALY]
    return log.course(), found


class _Log:
    def __init__(self, names: tuple[str, ...], limits_c: Mapping[str, float]) -> None:
        self._names = names
        self._limits = np.array([limits_c.get(name, np.nan) for name in names])
        self._trends, self._rises = Trends(len(names)), Rises(len(names))
        self._seconds: list[Course] = []
        self._nothing = np.full((len(names), STEPS), np.nan)

    def put(self, seen: Array, forecast: Forecast | None, learner: Learner | None) -> None:
        expected, upper = self._nothing, self._nothing[:, 0]
        crossing = upper
        if forecast is not None:
            absent = (np.nan,) * STEPS
            expected = np.array([forecast.expected.get(name, absent) for name in self._names])
            crossing = np.array([forecast.crossing.get(name, np.nan) for name in self._names])
            prediction = getattr(learner, "prediction", None)
            upper = prediction.upper_of_maximum if prediction is not None else upper
        trends, rises = self._trends.step(seen), self._rises.step(seen, self._limits)
        self._seconds.append(Course(seen, expected, upper, *trends, crossing, rises))

    def course(self) -> Course:
        return Course._make(np.stack(part) for part in zip(*self._seconds, strict=True))


def _limit(series: Series, name: str, limit_c: float) -> Limit:
    sensor = series.sensors[name]
    heat = sensor.heat or Heat.OTHER
    return Limit(name, sensor.label, heat, sensor.critical, limit_c, limit_c, limit_c + _MARGIN_C, "evaluation")


def _tick(snapshot: Snapshot, forecast: Forecast | None, limits: Mapping[str, Limit]) -> Tick:
    return Tick(snapshot, forecast, _NOTHING, Applied({}), _INTENT, limits, Mode.OBSERVE, 0.0)
