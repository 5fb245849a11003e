"""What the forecasts of a recording are worth: by sensor and step, on the same moments for every method.

Skill = 1 - mean absolute error / that of persistence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gamesad.config import NeuralConfig
from gamesad.evaluation.baselines import STEPS
from gamesad.evaluation.crossing import Moments, following, moments
from gamesad.evaluation.feed import Course, Fed, feed
from gamesad.evaluation.series import Series
from gamesad.neural.model import Array
from gamesad.types import Heat

PERCENTILES = (90, 97)
"""Of a sensor's own readings: the limits whose crossings are looked at unless others are asked for."""
MOVING_C = 0.25
"""A sensor moves if persistence is wrong by so much, on the mean over steps 1 to 5."""


class Group(StrEnum):
    MOVING = "moving"
    QUIET = "quiet"
    STILL = "still"
    """It never changed: every method is right, and skill has no meaning."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Mean absolute errors in °C, (STEPS,) each, over ``samples`` moments of each step."""

    samples: tuple[int, ...]
    learnt: Array
    persistence: Array
    holt: Array
    damped: Array
    tuned: Array

    def skill(self, over: str = "persistence") -> Array:
        """(STEPS,) against one of the others; NaN where that makes no error."""
        other: Array = getattr(self, over)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(other > 0, 1 - self.learnt / other, np.nan)

    def mean_skill(self, over: str = "persistence") -> float | None:
        skill = self.skill(over)
        return None if np.isnan(skill).any() else float(skill.mean())


@dataclass(frozen=True, slots=True)
class Crossing:
    """One limit of one sensor. ``origin`` says where the limit is from."""

    limit_c: float
    origin: str
    moments: Moments


@dataclass(frozen=True, slots=True)
class SensorScore:
    """``covered`` of ``bounds`` moments the 90 % bound was not passed in the next five steps."""

    name: str
    label: str
    heat: Heat
    group: Group
    errors: Errors
    covered: int
    bounds: int
    crossings: tuple[Crossing, ...]

    @property
    def coverage(self) -> float | None:
        return self.covered / self.bounds if self.bounds else None


@dataclass(frozen=True, slots=True)
class Score:
    """One recording; every temperature of it."""

    series: Series
    fed: Fed
    sensors: tuple[SensorScore, ...]


def score(series: Series, settings: NeuralConfig, limit_c: float | None = None) -> Score:
    """``limit_c``: for every temperature, instead of its own PERCENTILES."""
    origins, limits_c = _limits(series, limit_c)
    fed = feed(series, settings, limits_c)
    course = fed.course
    ahead = following(course.seen)
    sensors = []
    for place in range(len(series.temperatures)):
        seen = course.seen[:, place]
        crossings = tuple(
            Crossing(limit, origin, moments(seen, course.crossing[:, place, i], course.rises[:, place, i], limit))
            for i, (origin, limit) in enumerate(zip(origins, limits_c[:, place].tolist(), strict=True))
        )
        sensors.append(_sensor(series, course, place, ahead[:, :, place], crossings))
    return Score(series, fed, tuple(sensors))


def _limits(series: Series, limit_c: float | None) -> tuple[list[str], Array]:
    """Where they are from, and (limits, temperatures)."""
    if limit_c is not None:
        return ["asked for"], np.full((1, len(series.temperatures)), limit_c)
    places = [list(series.sensors).index(name) for name in series.temperatures]
    limits: Array = np.nanpercentile(series.values[:, places], PERCENTILES, axis=0)
    return [f"{percent}th percentile" for percent in PERCENTILES], limits


def _sensor(series: Series, course: Course, place: int, ahead: Array, crossings: tuple[Crossing, ...]) -> SensorScore:
    name = series.temperatures[place]
    sensor, seen = series.sensors[name], course.seen[:, place]
    methods = (
        course.expected[:, place],
        np.repeat(seen[:, None], STEPS, 1),
        course.holt[:, place],
        course.damped[:, place],
        course.tuned[:, place],
    )
    counts = np.isfinite(ahead) & np.all([np.isfinite(method) for method in methods], axis=0)
    samples = counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [np.where(counts, np.abs(method - ahead), 0).sum(axis=0, dtype=float) / samples for method in methods]
    errors = Errors(tuple(samples.tolist()), *means)
    highest, upper = ahead.max(axis=1), course.upper[:, place]
    bound = np.isfinite(highest) & np.isfinite(upper)
    known = seen[np.isfinite(seen)]
    return SensorScore(
        name, sensor.label, sensor.heat or Heat.OTHER, _group(known, errors), errors,
        int((highest <= upper)[bound].sum()), int(bound.sum()), crossings,
    )  # fmt: skip


def _group(known: Array, errors: Errors) -> Group:
    if not (known != known[:1]).any():
        return Group.STILL
    mean_c = float(errors.persistence.mean())
    return Group.MOVING if math.isfinite(mean_c) and mean_c >= MOVING_C else Group.QUIET
