"""A straight line per sensor and step with absolute errors: ridge regression, reweighted as it goes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, number
from gamesad.neural.thermal.lessons import WIDTH, Lessons
from gamesad.neural.thermal.window import INPUTS, STEPS

_FORGET, _ONE = number(0.998), number(1.0)
_SMALL = number(0.1)
"""Errors below this many scales count as squares, above it as absolute values."""
_WEIGHTS = INPUTS + 1
_PRIOR = np.array([1.0] * INPUTS + [11.0])


class Ridge(Kept):
    """Weights by iteratively reweighted least squares (Holland and Welsch, 1977), one pass a lesson, with forgetting.

    A lesson counts by the largest of its five errors: so all steps share their moments, and one solution is of all.
    """

    KEPT: ClassVar = ("weights", "_moments")
    WATCHED: ClassVar = ("weights",)

    def __init__(self, sensors: int) -> None:
        self.weights: Array = np.zeros((sensors, _WEIGHTS, STEPS))
        self._moments = np.zeros((sensors, _WEIGHTS, WIDTH))
        """Inputs by inputs and, last, by targets."""
        self._moments[..., :_WEIGHTS] = np.diag(_PRIOR)
        self._inputs = np.ones((sensors, 1, _WEIGHTS))

    def forecast(self, inputs: Array) -> Array:
        """(sensors, INPUTS) → (sensors, STEPS), in scales."""
        self._inputs[:, 0, :INPUTS] = inputs
        forecast: Array = np.matmul(self._inputs, self.weights)[:, 0]
        return forecast

    def learn(self, lessons: Lessons) -> None:
        """To be called once while ``lessons`` are renewed once."""
        newest = lessons.newest.astype(np.float64)
        inputs = newest[:, :, :_WEIGHTS]
        error = np.matmul(inputs, self.weights) - newest[:, :, _WEIGHTS:]
        error = np.maximum.reduce(np.abs(error), axis=2)
        keep = _FORGET ** np.add.reduce(inputs[:, :, INPUTS], axis=1)[:, None]
        weight = _SMALL / np.maximum(error, _SMALL)  # a lesson that is none has only zeros
        moments = self._moments
        moments *= keep[:, None]
        moments += np.matmul(inputs.transpose(0, 2, 1), newest * weight[:, :, None])
        diagonal = moments.reshape(-1, _WEIGHTS * WIDTH)[:, :: WIDTH + 1]
        diagonal += (_ONE - keep) * _PRIOR
        self.weights[...] = np.linalg.solve(moments[:, :, :_WEIGHTS], moments[:, :, _WEIGHTS:])
