"""What scores say: as aligned tables for people, and as one JSON document for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gamesad.evaluation.baselines import STEPS
from gamesad.evaluation.crossing import Moments
from gamesad.evaluation.groups import Pool, pools
from gamesad.evaluation.score import Group, Score, SensorScore
from gamesad.neural.model import Array

_LABEL = 28
_NOTHING = "-"
_FORECASTS = (
    "SENSOR",
    "GROUP",
    "SKILL",
    *(f"{step}" for step in range(1, STEPS + 1)),
    "HOLT",
    "DAMPED",
    "TUNED",
    "ERROR",
    "PERSIST",
    "BOUND",
)
_CROSSINGS = ("SENSOR", "LIMIT", "FROM", "MOMENTS", "CAME", "AP", "PERSIST", "PRECISION", "RECALL", "LEAD")
_POOLS = (
    "GROUP",
    "TRACES",
    "SKILL",
    *(f"{step}" for step in range(1, STEPS + 1)),
    "HOLT",
    "DAMPED",
    "TUNED",
    "MEAN",
    "WORST",
    "BOUND",
)
_LEGEND = (
    "SKILL: in %, how much less wrong than persistence (the value stays as it is), on the mean and 1 to 5 steps ahead.",
    "HOLT, DAMPED, TUNED: the same against Holt's trend, the damped one, and the latter with what was best so far.",
    "ERROR, PERSIST: mean errors in °C. BOUND: how often the 90 % bound of the next 5 steps held.",
    "AP: average precision of crossings foretold; PERSIST: that of persistence. PRECISION, RECALL: where the chance is",
    "50 % or more. LEAD: in steps.",
)


def lines(scores: Sequence[Score]) -> Iterator[str]:
    for score in scores:
        yield from _one(score)
        yield ""
    found = pools(scores)
    yield from _table(_POOLS, [_pool_row(pool) for pool in found])
    moving = [pool for pool in found if pool.group is not Group.STILL]
    if rows := [_pooled_crossing(pool, origin, moments) for pool in moving for origin, moments in pool.crossings]:
        yield ""
        yield from _table(("GROUP", *_CROSSINGS[2:]), rows)
    yield ""
    yield from _LEGEND


def document(scores: Sequence[Score], failed: Sequence[tuple[str, str]]) -> str:
    """The keys stand in docs/neural.md; null is unknown."""
    told = {
        "Files": [_file(score) for score in scores],
        "Groups": {pool.group.value: _group(pool) for pool in pools(scores)},
        "Failed": [{"File": path, "Error": error} for path, error in failed],
    }
    return json.dumps(_plain(told), ensure_ascii=False, allow_nan=False)


def _one(score: Score) -> Iterator[str]:
    series = score.series
    seconds, count = float(series.times_s[-1]), len(score.sensors)
    temperatures = f"{count} temperature" + "s" * (count != 1)
    yield f"{series.path}: {series.format}, {len(series.times_s)} rows over {seconds:.0f} s, {temperatures}"
    yield from (f"  {note}" for note in series.notes)
    yield from _table(_FORECASTS, [_forecast_row(sensor) for sensor in score.sensors])
    crossings = [
        _crossing_row(sensor, crossing.limit_c, crossing.origin, crossing.moments)
        for sensor in score.sensors
        for crossing in sensor.crossings
        if sensor.group is not Group.STILL
    ]
    if crossings:
        yield ""
        yield from _table(_CROSSINGS, crossings)
    if still := [sensor.label for sensor in score.sensors if sensor.group is Group.STILL]:
        yield f"never moved: {', '.join(still)}"
    for at_s, finding in score.fed.anomalies:
        yield f"odd at {at_s:.0f} s: {finding.text}"


def _forecast_row(sensor: SensorScore) -> list[str]:
    errors = sensor.errors
    return [
        _label(sensor.label),
        sensor.group.value,
        _percent(errors.mean_skill()),
        *(_percent(skill) for skill in errors.skill().tolist()),
        *(_percent(errors.mean_skill(over)) for over in ("holt", "damped", "tuned")),
        _number(float(errors.learnt.mean()), 3),
        _number(float(errors.persistence.mean()), 3),
        _number(sensor.coverage, 3),
    ]


def _crossing_row(sensor: SensorScore, limit_c: float, origin: str, moments: Moments) -> list[str]:
    return [_label(sensor.label), f"{limit_c:.1f}", origin, str(len(moments.came)), *_foretold(moments)]


def _pooled_crossing(pool: Pool, origin: str, moments: Moments) -> list[str]:
    return [pool.group.value, origin, str(len(moments.came)), *_foretold(moments)]


def _foretold(moments: Moments) -> list[str]:
    found = (moments.average_precision, moments.average_precision_of_rises, moments.precision, moments.recall)
    return [str(int(moments.came.sum())), *(_number(one, 2) for one in found), _number(moments.lead, 1)]


def _pool_row(pool: Pool) -> list[str]:
    worst = pool.worst.sensor.errors.mean_skill() if pool.worst else None
    return [
        pool.group.value,
        str(len(pool.traces)),
        _percent(pool.pooled),
        *(_percent(skill) for skill in pool.skill.tolist()),
        _percent(_mean(pool.holt)),
        _percent(_mean(pool.damped)),
        _percent(_mean(pool.tuned)),
        _percent(pool.mean),
        _percent(worst),
        _number(pool.coverage[1], 3) if pool.coverage else _NOTHING,
    ]


def _file(score: Score) -> dict[str, Any]:
    series = score.series
    return {
        "File": series.path,
        "Format": series.format,
        "Period": series.period_s,
        "Rows": len(series.times_s),
        "Seconds": float(series.times_s[-1]),
        "Notes": series.notes,
        "Sensors": [
            {**_sensor(sensor), "Members": _members(score, place)} for place, sensor in enumerate(score.sensors)
        ],
        "Anomalies": [
            {"Time": at_s, "Text": finding.text, **dict(finding.fields)} for at_s, finding in score.fed.anomalies
        ],
    }


def _sensor(sensor: SensorScore) -> dict[str, Any]:
    errors = sensor.errors
    return {
        "Sensor": sensor.name,
        "Label": sensor.label,
        "Heat": sensor.heat.value,
        "Group": sensor.group.value,
        "Samples": errors.samples,
        "Error": errors.learnt,
        "Persistence": errors.persistence,
        "Holt": errors.holt,
        "DampedHolt": errors.damped,
        "TunedHolt": errors.tuned,
        "Skill": errors.skill(),
        "MeanSkill": errors.mean_skill(),
        "AgainstHolt": errors.mean_skill("holt"),
        "AgainstDampedHolt": errors.mean_skill("damped"),
        "AgainstTunedHolt": errors.mean_skill("tuned"),
        "Coverage": sensor.coverage,
        "Bounds": sensor.bounds,
        "Crossings": [
            {"Limit": crossing.limit_c, "From": crossing.origin, **_crossing(crossing.moments)}
            for crossing in sensor.crossings
        ],
    }


def _members(score: Score, place: int) -> dict[str, Any]:
    """Each member's weight, mean over the recording."""
    means = score.fed.weights[:, place].mean(axis=0) if len(score.fed.weights) else ()
    return dict(zip(score.fed.members, np.asarray(means).tolist(), strict=False))


def _crossing(moments: Moments) -> dict[str, Any]:
    return {
        "Moments": len(moments.came),
        "Came": int(moments.came.sum()),
        "AveragePrecision": moments.average_precision,
        "PersistenceAveragePrecision": moments.average_precision_of_rises,
        "Precision": moments.precision,
        "Recall": moments.recall,
        "Lead": moments.lead,
    }


def _group(pool: Pool) -> dict[str, Any]:
    return {
        "Traces": [{"File": trace.path, "Sensor": trace.sensor.name} for trace in pool.traces],
        "Skill": pool.skill,
        "PooledSkill": pool.pooled,
        "MeanSkill": pool.mean,
        "AgainstHolt": _mean(pool.holt),
        "AgainstDampedHolt": _mean(pool.damped),
        "AgainstTunedHolt": _mean(pool.tuned),
        "Worst": None if pool.worst is None else {
            "File": pool.worst.path, "Sensor": pool.worst.sensor.name,
            "MeanSkill": pool.worst.sensor.errors.mean_skill(), "Worse": pool.worst.worse_c,
        },
        "Coverage": None if pool.coverage is None else dict(zip(("Least", "All", "Most"), pool.coverage, strict=True)),
        "Crossings": {origin: _crossing(moments) for origin, moments in pool.crossings},
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """For JSON: arrays as lists, what is not finite as null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(one) for one in (value.tolist() if isinstance(value, np.ndarray) else value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _mean(skill: Array) -> float | None:
    return None if np.isnan(skill).any() else float(skill.mean())


def _percent(value: float | None) -> str:
    return _number(None if value is None else 100 * value, 1)


def _number(value: float | None, digits: int) -> str:
    if value is None or not math.isfinite(value):
        return _NOTHING
    return f"{value:.{digits}f}"


def _label(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return shown if len(shown) <= _LABEL else shown[: _LABEL - 1] + "…"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first column to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    for row in (header, *rows):
        first, *rest = (
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *rest)).rstrip()
