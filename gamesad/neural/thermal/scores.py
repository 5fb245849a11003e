"""What became of the forecasts: running means per sensor, for whoever asks whether they are worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept
from gamesad.neural.thermal.lessons import STEPS
from gamesad.neural.thermal.mixture import MEMBERS

_FORGET = 1 - 1 / 7200
"""Means are over the last hours."""
_RESIDUAL_RATE = 0.02


@dataclass(frozen=True, slots=True)
class Score:
    """Of one sensor, mean over the five steps; None while nothing is known."""

    samples: int
    """Seconds in which forecasts of it came due, since its learning began."""
    error_c: float | None
    """Mean absolute error of the last hours, °C."""
    persistence_c: float | None
    """The same of the forecast that nothing changes."""
    skill: float | None
    """1 - error ÷ persistence's; None, too, where nothing ever changed."""
    coverage: float | None
    """The part of the bounds of the maximum that were kept."""
    weights: dict[str, float]
    """Of the members, mean over the steps."""


class Scores(Kept):
    KEPT: ClassVar = ("_samples", "_sums", "_kept", "_deviation")

    def __init__(self, sensors: int) -> None:
        self._samples = np.zeros(sensors, np.int64)
        self._sums = np.zeros((sensors, 2, STEPS, 2))
        """Fading sums of the learnt and of persistence's absolute errors by step, with their weight."""
        self._kept = np.zeros((sensors, 2))
        self._deviation = np.zeros(sensors)

    def judge(self, error: Array, change: Array, kept: Array) -> Array:
        """``error`` and ``change`` (sensors, STEPS), ``kept`` (sensors,) 1, 0 or NaN → the residual (sensors,)."""
        size = np.abs(error[:, 0])
        residual = error[:, 0] / self._deviation
        known = ~np.isnan(error)
        self._sums *= np.where(known, _FORGET, 1.0)[:, None, :, None]
        self._sums[:, 0, :, 0] += np.where(known, np.abs(error), 0.0)
        self._sums[:, 1, :, 0] += np.where(known, np.abs(change), 0.0)
        self._sums[:, :, :, 1] += known[:, None]
        self._samples += known.any(axis=1)
        gain = np.maximum(_RESIDUAL_RATE, 1 / np.maximum(self._samples, 1))
        spread = np.sqrt(self._deviation**2 + gain * (size**2 - self._deviation**2))
        np.copyto(self._deviation, spread, where=~np.isnan(spread))
        seen = ~np.isnan(kept)
        self._kept *= np.where(seen, _FORGET, 1.0)[:, None]
        self._kept[:, 0] += np.where(seen, kept, 0.0)
        self._kept[:, 1] += seen
        return np.where(np.isfinite(residual), residual, np.nan)

    def table(self, names: Sequence[str], weights: Array) -> dict[str, Score]:
        with np.errstate(invalid="ignore"):
            means = (self._sums[..., 0] / self._sums[..., 1]).mean(axis=2)
            coverage = self._kept[:, 0] / self._kept[:, 1]
        return {
            name: Score(
                samples=int(self._samples[place]),
                error_c=_known(means[place, 0]),
                persistence_c=_known(means[place, 1]),
                skill=_known(1 - means[place, 0] / means[place, 1]) if means[place, 1] > 0 else None,
                coverage=_known(coverage[place]),
                weights=dict(zip(MEMBERS, weights[place].mean(axis=0).tolist(), strict=True)),
            )
            for place, name in enumerate(names)
        }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
