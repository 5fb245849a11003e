"""A straight line per sensor and step with absolute errors: ridge regression, reweighted as it goes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept
from gamesad.neural.thermal.lessons import NEWEST, Lessons
from gamesad.neural.thermal.window import INPUTS, STEPS

_FORGET = 0.998
_SMALL = 0.1
"""Errors below this many scales count as squares, above it as absolute values."""
_WEIGHTS = INPUTS + 1
_KEEP = _FORGET ** np.arange(NEWEST + 1)
_PRIOR = np.array([1.0] * INPUTS + [11.0])


class Ridge(Kept):
    """Weights by iteratively reweighted least squares (Holland and Welsch, 1977), one pass a lesson, with forgetting.

    One step of five is solved for at a time, from the lessons since it was last.
    """

    KEPT: ClassVar = ("weights", "_moments")
    WATCHED: ClassVar = ("weights",)

    def __init__(self, sensors: int) -> None:
        self.weights: Array = np.zeros((sensors, STEPS, _WEIGHTS))
        self._moments = np.zeros((STEPS, sensors, _WEIGHTS, _WEIGHTS + 1)).swapaxes(0, 1)
        """Inputs by inputs and, last, by target; the steps lie apart, as each is worked on alone."""
        self._moments[..., :_WEIGHTS] = np.diag(_PRIOR)
        self._weighted = np.zeros((sensors, NEWEST, _WEIGHTS + 1))
        self._inputs = np.ones((sensors, _WEIGHTS, 1))

    def forecast(self, inputs: Array) -> Array:
        """(sensors, INPUTS) → (sensors, STEPS), in scales."""
        self._inputs[:, :INPUTS, 0] = inputs
        forecast: Array = np.matmul(self.weights, self._inputs)[:, :, 0]
        return forecast

    def learn(self, step: int, lessons: Lessons) -> None:
        """``step``, from 0, is to be each in turn, while ``lessons`` are renewed once."""
        inputs, target = lessons.newest[:, :, :_WEIGHTS], lessons.newest[:, :, _WEIGHTS + step]
        error = np.matmul(inputs, self.weights[:, step, :, None])[:, :, 0] - target
        weight = _SMALL / np.maximum(np.abs(error), _SMALL)  # a lesson that is not valid has only zeros
        np.multiply(inputs, weight[:, :, None], out=self._weighted[:, :, :_WEIGHTS])
        np.multiply(target, weight, out=self._weighted[:, :, _WEIGHTS])
        keep = _KEEP[np.add.reduce(lessons.valid, axis=1)]
        moments = self._moments[:, step]
        moments *= keep[:, None, None]
        moments += np.matmul(inputs.transpose(0, 2, 1), self._weighted)
        diagonal = moments.reshape(-1, _WEIGHTS * (_WEIGHTS + 1))[:, :: _WEIGHTS + 2]
        diagonal += (1 - keep)[:, None] * _PRIOR
        self.weights[:, step] = np.linalg.solve(moments[:, :, :_WEIGHTS], moments[:, :, _WEIGHTS:])[:, :, 0]
