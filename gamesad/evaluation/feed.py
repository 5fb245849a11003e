"""A recording through the daemon's own learner, row after row: predict, see, learn."""

from __future__ import annotations

from dataclasses import dataclass
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
    Intent,
    Mode,
    Origin,
    Profile,
    Snapshot,
    Tick,
)

WEIGHED = 10
_NOTHING = Decision(Action.NOOP, {}, Origin.RULE, "a recording is only looked at")
_INTENT = Intent(Profile("recorded", "as it was", 0, "balanced"), chosen=False)


class Course(NamedTuple):
    """What was seen at each second of the grid, and what was foretold then; NaN: not seen, or not foretold.

    (seconds, sensors), with a last axis for the next STEPS or for the limits.
    """

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


@dataclass(frozen=True, slots=True)
class Fed:
    """``weights``: of ``members`` every WEIGHED steps, (times, temperatures, members), the means over the STEPS."""

    course: Course
    members: tuple[str, ...]
    weights: Array
    anomalies: tuple[Anomaly, ...]


def feed(series: Series, settings: NeuralConfig, limits_c: Array) -> Fed:
    """``limits_c``: (limits, temperatures), those whose crossings are to be foretold."""
    learner = Learner(settings, clock=lambda: 0.0)  # time stands still: no budget is ever used up
    grid, log = Grid(), _Log(series.temperatures, limits_c)
    found: list[Anomaly] = []
    for snapshot, at_s in zip(series.snapshots(), series.times_s.tolist(), strict=True):
        rows = grid.rows(snapshot, series.sensors, {})
        forecast = learner.forecast(snapshot, series.sensors, {})
        for row in rows[:-1]:
            log.put(row.temperatures, None, None)
        if rows:
            log.put(rows[-1].temperatures, forecast, learner)
        told = learner.learn(_tick(snapshot, forecast), series.sensors, at_s)
        found += [(at_s, one) for one in told if one.message is Message.ANOMALY]
    return log.fed(tuple(found))


class _Log:
    def __init__(self, names: tuple[str, ...], limits_c: Array) -> None:
        self._names, self._limits = names, limits_c
        self._trends, self._rises = Trends(len(names)), Rises(len(names))
        self._seconds: list[Course] = []
        self._members: tuple[str, ...] = ()
        self._weights: list[Array] = []
        self._nothing = np.full((len(names), STEPS), np.nan)
        self._never = np.full((len(names), len(limits_c)), np.nan)

    def put(self, seen: Array, forecast: Forecast | None, learner: Learner | None) -> None:
        expected, upper, crossing = self._nothing, self._nothing[:, 0], self._never
        prediction = learner.prediction if learner else None
        if learner and forecast and prediction:
            absent = (np.nan,) * STEPS
            expected = np.array([forecast.expected.get(name, absent) for name in self._names])
            upper = prediction.upper_of_maximum
            crossing = np.stack([learner.thermal.model.crossing(limits) for limits in self._limits], axis=1)
        trends, rises = self._trends.step(seen), self._rises.step(seen, self._limits)
        self._seconds.append(Course(seen, expected, upper, *trends, crossing, rises))
        if len(self._seconds) % WEIGHED == 1:
            self._weigh(learner)

    def _weigh(self, learner: Learner | None) -> None:
        table = learner.thermal.model.scores() if learner else {}
        weights = [list(table[name]["Members"].values()) if name in table else [] for name in self._names]
        if all(weights):
            self._members = tuple(table[self._names[0]]["Members"])
            self._weights.append(np.array(weights))
        elif self._weights:
            self._weights.append(self._weights[-1])

    def fed(self, anomalies: tuple[Anomaly, ...]) -> Fed:
        course = Course._make(np.stack(part) for part in zip(*self._seconds, strict=True))
        weights = np.array(self._weights).reshape(-1, len(self._names), len(self._members))
        return Fed(course, self._members, weights, anomalies)


def _tick(snapshot: Snapshot, forecast: Forecast | None) -> Tick:
    return Tick(snapshot, forecast, _NOTHING, Applied({}), _INTENT, {}, Mode.OBSERVE, 0.0)
