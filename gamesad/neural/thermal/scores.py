"""What became of the forecasts: running means per sensor, for whoever asks whether they are worth it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept
from gamesad.neural.thermal.mixture import MEMBERS
from gamesad.neural.thermal.window import STEPS

_FORGET = 1 - 1 / 7200
"""Means are over the last hours."""
_RESIDUAL_RATE = 0.02


class Scores(Kept):
    """``_sums`` (sensors, STEPS, 3): absolute errors of the forecasts and of persistence, and their weight."""

    KEPT: ClassVar = ("_samples", "_sums", "_kept", "_variance")
    WATCHED: ClassVar = ("_sums", "_variance")

    def __init__(self, sensors: int) -> None:
        self._samples = np.zeros(sensors, np.int64)
        self._sums = np.zeros((sensors, STEPS, 3))
        self._kept = np.zeros((sensors, 2))
        self._variance = np.zeros(sensors)

    def judge(self, errors: Array, kept: Array) -> Array:
        """``errors`` (sensors, STEPS, 2), ``kept`` (sensors,) 1, 0 or NaN → the residual (sensors,), NaN if unknown."""
        known, seen = ~np.isnan(errors[..., 0]), ~np.isnan(kept)
        self._sums *= np.where(known, _FORGET, 1.0)[..., None]
        self._sums[..., :2] += np.where(known[..., None], np.abs(errors), 0.0)
        self._sums[..., 2] += known
        self._kept *= np.where(seen, _FORGET, 1.0)[:, None]
        self._kept[:, 0] += np.where(seen, kept, 0.0)
        self._kept[:, 1] += seen
        last, known = errors[:, 0, 0], known[:, 0]
        residual = last / np.sqrt(self._variance)
        self._samples += known
        gain = np.maximum(_RESIDUAL_RATE, 1 / np.maximum(self._samples, 1))
        np.copyto(self._variance, self._variance + gain * (last * last - self._variance), where=known)
        return np.where(np.isfinite(residual), residual, np.nan)

    def table(self, names: Sequence[str], weights: Array) -> dict[str, dict[str, Any]]:
        """By name: ``Samples``, seconds in which a forecast came due; ``Error`` and ``Persistence``, mean absolute, °C;
        ``Skill``, 1 - their ratio; ``Coverage`` of the bounds of the maximum; ``Members``, their mean weights. Means
        are over the steps and the last hours; what is not known is not there."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (self._sums[..., :2] / self._sums[..., 2:]).mean(axis=1)
            values = {
                "Skill": np.where(means[:, 1] > 0, 1 - means[:, 0] / means[:, 1], np.nan),
                "Coverage": self._kept[:, 0] / self._kept[:, 1],
                "Error": means[:, 0],
                "Persistence": means[:, 1],
            }
        return {
            name: {
                **{key: float(value[place]) for key, value in values.items() if np.isfinite(value[place])},
                "Samples": int(self._samples[place]),
                "Members": dict(zip(MEMBERS, weights[place].mean(axis=0).tolist(), strict=True)),
            }
            for place, name in enumerate(names)
        }
