"""What the models say for the world: forecasts by name, events, and the status that clients show."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.neural.budget import Effort
from gamesad.neural.findings import Finding
from gamesad.types import Forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gamesad.neural.anomaly.episodes import Episode
    from gamesad.neural.learner import Learner
    from gamesad.neural.thermal.predictor import Prediction

HORIZONS_S = (1.0, 2.0, 3.0, 4.0, 5.0)
CONFIDENCE = 0.9


def forecast_of(names: Sequence[str], prediction: Prediction | None) -> Forecast | None:
    """By name, what is finite; None when nothing is."""
    if prediction is None:
        return None
    expected: dict[str, tuple[float, ...]] = {}
    upper: dict[str, tuple[float, ...]] = {}
    for name, values, bounds in zip(names, prediction.expected.tolist(), prediction.upper.tolist(), strict=True):
        if all(map(isfinite, values)) and all(map(isfinite, bounds)):
            expected[name], upper[name] = tuple(values), tuple(bounds)
    if not expected:
        return None
    chances = zip(names, prediction.crossing.tolist(), strict=True)
    crossing = {name: chance for name, chance in chances if 0.0 <= chance <= 1.0 and name in expected}
    return Forecast(HORIZONS_S, expected, upper, CONFIDENCE, crossing)


def anomaly_finding(episode: Episode) -> Finding:
    """An episode that begins, or that is over."""
    fields = Fields(
        sensor=episode.sensor,
        label=episode.label,
        score=episode.score,
        threshold=episode.threshold,
        since_s=episode.began_s,
    )
    if episode.ended_s is None:
        return Finding(Message.ANOMALY, episode.sentence, fields)
    fields["until_s"] = episode.ended_s
    fields["duration_s"] = episode.ended_s - episode.began_s
    lasted = f"{fields['duration_s']:.0f} s"
    return Finding(Message.ANOMALY_END, f"{episode.label} is as usual again after {lasted}: {episode.sentence}", fields)


def status(learner: Learner) -> dict[str, Any]:
    """Plain values; None is unknown."""
    header, budget = learner.header, learner.budget
    states = {ward.name: ward.problem or "learning" for ward in learner.wards}
    shelf = learner.shelf
    return {
        "State": "learning",
        "Since": header.since_s,
        "Seed": header.seed,
        "Machine": header.machine,
        "Forecast": {
            "State": states["forecast"],
            "Horizons": [int(at_s) for at_s in HORIZONS_S],
            "Confidence": CONFIDENCE,
            "Sensors": _sensors(learner),
        },
        "Policy": {"State": states["policy"], **learner.policy.work(lambda policy: policy.status(), {})},
        "Anomalies": {"State": states["anomaly"], **learner.anomaly.work(lambda detector: detector.status(), {})},
        "Life": {
            "Checkpoint": shelf.saved_s if shelf else None,
            "Checkpoints": shelf.checkpoints if shelf else 0,
            "Rollbacks": sum(ward.rollbacks for ward in learner.wards),
            "SetAside": shelf.set_aside if shelf else 0,
            "TickMs": round(budget.spent_s * 1e3, 3),
            "BudgetMs": budget.limit_s * 1e3,
            "Yielded": {
                "training": budget.yielded[Effort.TRAINING],
                "mixture": budget.yielded[Effort.MIXTURE],
            },
            "Memory": sum(ward.size for ward in learner.wards),
        },
    }


def _sensors(learner: Learner) -> list[dict[str, Any]]:
    nothing: dict[str, dict[str, Any]] = {}
    scores = learner.thermal.work(lambda thermal: thermal.scores(), nothing)
    return [
        {"Sensor": name, "Label": learner.sensors[name].label if name in learner.sensors else name, **score}
        for name, score in scores.items()
    ]
