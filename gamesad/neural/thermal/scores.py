"""What became of the forecasts: running means per sensor, for whoever asks whether they are worth it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, number
from gamesad.neural.thermal.mixture import MEMBERS, Mixture
from gamesad.neural.thermal.window import STEPS

_FORGET = number(1 - 1 / 7200)
"""Means are over the last hours."""
_RESIDUAL_RATE, _ONE = number(0.02), number(1.0)


class Scores(Kept):
    """``_sums`` (4, STEPS, sensors): absolute errors of the forecasts, of the members' weighted means and of
    persistence, and their weight."""

    SENSORS: ClassVar = -1
    KEPT: ClassVar = ("_samples", "_sums", "_variance")
    WATCHED: ClassVar = ("_sums", "_variance")

    def __init__(self, sensors: int) -> None:
        self._samples, self._variance = np.zeros((2, sensors))
        self._sums = np.zeros((4, STEPS, sensors))

    def judge(self, mixture: Mixture) -> Array:
        """What has become known in this second → the residual (sensors,), NaN if unknown."""
        self._sums *= _FORGET
        self._sums += mixture.sizes * mixture.seen
        last, seen = mixture.errors[0, 0], mixture.seen[0]
        residual: Array = last / (np.sqrt(self._variance) * seen)
        np.copyto(residual, np.nan, where=np.isinf(residual))
        self._samples += seen
        gain = np.maximum(_RESIDUAL_RATE, _ONE / np.maximum(self._samples, _ONE))
        self._variance += seen * gain * (last * last - self._variance)
        return residual

    def table(self, names: Sequence[str], weights: Array, kept: Array) -> dict[str, dict[str, Any]]:
        """By name: ``Samples``, seconds in which a forecast came due; ``Error`` and ``Persistence``, mean absolute, °C;
        ``Skill``, 1 - their ratio; ``Coverage`` of the bounds of the maximum; ``Members``, their mean weights. Means
        are over the steps and the last hours; what is not known is not there."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (self._sums[:3] / self._sums[3]).mean(axis=1)
            values = {
                "Skill": np.where(means[2] > 0, 1 - means[0] / means[2], np.nan),
                "Coverage": kept[0] / kept[1],
                "Error": means[0],
                "Persistence": means[2],
            }
        return {
            name: {
                **{key: float(value[place]) for key, value in values.items() if np.isfinite(value[place])},
                "Samples": int(self._samples[place]),
                "Members": dict(zip(MEMBERS, weights[..., place].mean(axis=1).tolist(), strict=True)),
            }
            for place, name in enumerate(names)
        }
