"""What was learnt as blocks of the shared memory: what a gamesad that was killed had learnt since its last checkpoint.

Three, each checked as a file is: ``model`` (weights), ``episode`` (what is learnt from again and again) and
``calibration`` (what bounds, scores and thresholds rest on). They count together, and only if they are of one moment.
"""

from __future__ import annotations

from collections.abc import Mapping

from gamesad.neural import checkpoint
from gamesad.neural.checkpoint import Header, Models
from gamesad.neural.model import Arrays, Unusable

OWNERS = ("model", "episode", "calibration")
_EPISODES = (
    "forecast/lessons/",
    "policy/memory",
    "policy/outcomes",
    "policy/pending",
    "anomaly/rows",
    "anomaly/habit.past",
)
_CALIBRATION = (
    "forecast/bounds/", "forecast/scores/", "forecast/window/", "policy/usual", "policy/robust", "policy/modelled",
    "policy/rewards", "anomaly/budget.", "anomaly/charts.", "anomaly/episodes.",
)  # fmt: skip


def split(header: Header, models: Models) -> dict[str, bytes]:
    """The contents by owner."""
    parts: dict[str, dict[str, Arrays]] = {owner: {} for owner in OWNERS}
    for model, state in models.items():
        for owner in OWNERS:
            parts[owner][model] = {name: array for name, array in state.items() if _owner(f"{model}/{name}") == owner}
    return {owner: checkpoint.pack(header, part) for owner, part in parts.items()}


def join(blocks: Mapping[str, bytes], *, machine: str) -> tuple[Header, Models]:
    """What ``split`` was given. Unusable: not all there, damaged, of another machine, or not of one moment."""
    if missing := [owner for owner in OWNERS if owner not in blocks]:
        raise Unusable(f"there is no block {missing[0]}")
    parts = [checkpoint.unpack(blocks[owner], machine=machine) for owner in OWNERS]
    header = parts[0][0]
    if any(other != header for other, _ in parts):
        raise Unusable("the blocks are not of one moment")
    models: dict[str, Arrays] = {}
    for _, part in parts:
        for model, state in part.items():
            models[model] = {**models.get(model, {}), **state}
    return header, models


def _owner(name: str) -> str:
    if name.startswith(_EPISODES):
        return "episode"
    return "calibration" if name.startswith(_CALIBRATION) else "model"
