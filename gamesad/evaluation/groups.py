"""Scores of several recordings together, for those sensors that move and those that hardly do.

A trace is one sensor of one recording. Pooled: errors are summed over all traces, so that those which move much weigh
much; the mean is that of the traces' own skills.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gamesad.evaluation.crossing import Moments, together
from gamesad.evaluation.score import Group, Score, SensorScore
from gamesad.neural.model import Array

LEAST_SAMPLES = 250
"""Traces with fewer moments count in the pools, and not for what the worst is."""


@dataclass(frozen=True, slots=True)
class Trace:
    path: str
    sensor: SensorScore

    @property
    def worse_c(self) -> float:
        """By how much the models are more wrong than persistence, mean over the steps; negative: less."""
        errors = self.sensor.errors
        return float((errors.learnt - errors.persistence).mean())


@dataclass(frozen=True, slots=True)
class Pool:
    """One group. Skills by step, (STEPS,), and their mean; None where there is nothing to say it of."""

    group: Group
    traces: tuple[Trace, ...]
    skill: Array
    holt: Array
    damped: Array
    tuned: Array
    mean: float | None
    worst: Trace | None
    coverage: tuple[float, float, float] | None
    """Of the traces: the least, of all moments together, the most."""
    crossings: tuple[tuple[str, Moments], ...]
    """By where the limits are from."""

    @property
    def pooled(self) -> float | None:
        return None if np.isnan(self.skill).any() else float(self.skill.mean())

    @property
    def pooled_damped(self) -> float | None:
        return None if np.isnan(self.damped).any() else float(self.damped.mean())


def traces(scores: Sequence[Score]) -> list[Trace]:
    """All of them, none left out."""
    return [Trace(score.series.path, sensor) for score in scores for sensor in score.sensors]


def pools(scores: Sequence[Score]) -> list[Pool]:
    found = traces(scores)
    groups = {group: [trace for trace in found if trace.sensor.group is group] for group in Group}
    return [_pool(group, members) for group, members in groups.items() if members]


def _pool(group: Group, members: Sequence[Trace]) -> Pool:
    skills = [skill for trace in members if (skill := trace.sensor.errors.mean_skill()) is not None]
    long = [
        trace for trace in members if min(trace.sensor.errors.samples) >= LEAST_SAMPLES and group is not Group.STILL
    ]
    origins = dict.fromkeys(crossing.origin for trace in members for crossing in trace.sensor.crossings)
    return Pool(
        group,
        tuple(members),
        _skill(members, "persistence"),
        _skill(members, "holt"),
        _skill(members, "damped"),
        _skill(members, "tuned"),
        float(np.mean(skills)) if skills else None,
        min(long, key=_worth, default=None),
        _coverage(members),
        tuple((origin, _moments(members, origin)) for origin in origins),
    )


def _worth(trace: Trace) -> float:
    skill = trace.sensor.errors.mean_skill()
    return 0.0 if skill is None else skill


def _skill(members: Sequence[Trace], over: str) -> Array:
    def total(name: str) -> Array:
        sums = [np.nan_to_num(getattr(t.sensor.errors, name)) * np.array(t.sensor.errors.samples) for t in members]
        return np.asarray(np.sum(sums, axis=0), float)

    learnt, other = total("learnt"), total(over)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(other > 0, 1 - learnt / other, np.nan)


def _coverage(members: Sequence[Trace]) -> tuple[float, float, float] | None:
    each = [trace.sensor.coverage for trace in members if trace.sensor.bounds >= LEAST_SAMPLES]
    known = [coverage for coverage in each if coverage is not None]
    bounds = sum(trace.sensor.bounds for trace in members)
    if not known or not bounds:
        return None
    return min(known), sum(trace.sensor.covered for trace in members) / bounds, max(known)


def _moments(members: Sequence[Trace], origin: str) -> Moments:
    parts = [crossing.moments for t in members for crossing in t.sensor.crossings if crossing.origin == origin]
    return together(parts)
