"""One 16-8-5 network per sensor behind its inputs, all trained in the same few calls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept
from gamesad.neural.thermal.lessons import WIDTH
from gamesad.neural.thermal.window import INPUTS, STEPS

Floats = NDArray[np.float32]
_SIZES = (INPUTS, 16, 8, STEPS)
BATCH = 16
_SLOPE = np.float32(0.1)
_RATE, _MEAN, _SQUARE = 3e-3, 0.9, 0.997
_STEEP = np.float32(10.0)
_CLIP = 1.0
_UPDATES = np.arange(1, 5000)
_RATES = np.concatenate(([0.0], _RATE * np.sqrt(1 - _SQUARE**_UPDATES) / (1 - _MEAN**_UPDATES))).astype(np.float32)
"""By the number of updates, both moments' bias corrected."""


class Networks(Kept):
    """Leaky ReLU, an output layer that begins at zero, absolute error smoothed within 0.1 scales (Huber, 1964), Adam.

    Each layer's inputs have a one at their end, so that a bias is a row of its weights. float32.
    """

    KEPT: ClassVar = ("parameters", "_mean", "_square", "_updates")
    WATCHED: ClassVar = ("parameters", "_square")
    MOST: ClassVar[float] = 1e4

    def __init__(self, generators: Sequence[np.random.Generator]) -> None:
        sensors = len(generators)
        counts = [(n + 1) * m for n, m in pairwise(_SIZES)]
        self.parameters = np.zeros((sensors, sum(counts)), np.float32)
        self._gradient, self._mean, self._square, self._scratch = np.zeros((4, sensors, sum(counts)), np.float32)
        self._updates = np.zeros(sensors, np.int64)
        self._weights, self._by_weight = self._layers(self.parameters), self._layers(self._gradient)
        for weight in self._weights[:-1]:
            for of_one, generator in zip(weight, generators, strict=True):
                of_one[:-1] = generator.standard_normal(of_one[:-1].shape) * np.sqrt(2 / len(of_one))
        rows = 1 + BATCH
        self.lessons = np.zeros((sensors, rows, WIDTH), np.float32)
        """To be learnt from next, from the second row on; the first is that of the forecast."""
        self._values = [self.lessons[:, :, : INPUTS + 1]]
        self._values += [np.ones((sensors, rows, size + 1), np.float32) for size in _SIZES[1:-1]]
        self._outputs = np.zeros((sensors, rows, STEPS), np.float32)
        self._errors = [np.zeros((sensors, rows, size), np.float32) for size in _SIZES[1:]]
        self._slopes = [np.zeros((sensors, rows, size), np.float32) for size in _SIZES[1:-1]]

    @staticmethod
    def _layers(flat: Floats) -> list[Floats]:
        """(sensors, inputs + 1, outputs) of each layer: views."""
        layers, at = [], 0
        for n, m in pairwise(_SIZES):
            layers.append(flat[:, at : at + (n + 1) * m].reshape(-1, n + 1, m))
            at += (n + 1) * m
        return layers

    def forecast(self, inputs: Array) -> NDArray[Any]:
        """(sensors, INPUTS) → (sensors, STEPS), in scales."""
        self.lessons[:, 0, :INPUTS] = inputs
        self.lessons[:, 0, INPUTS] = 1.0
        return self._forward(1)[:, 0]

    def forecast_and_learn(self, inputs: Array, tick: int, fresh: NDArray[np.bool_]) -> NDArray[Any]:
        """The same, in one pass with a step of training on ``lessons`` of the sensors in ``fresh``."""
        self.lessons[:, 0, :INPUTS] = inputs
        error = self._errors[-1]
        outputs = self._forward(1 + BATCH)
        np.subtract(outputs, self.lessons[:, :, INPUTS + 1 :], out=error)
        error *= _STEEP
        np.minimum(np.maximum(error, -1, out=error), 1, out=error)
        error *= (fresh / np.float32(BATCH)).astype(np.float32)[:, None, None]
        error[:, 0] = 0.0
        self._backward()
        self._update(tick, fresh)
        return outputs[:, 0]

    def _forward(self, rows: int) -> Floats:
        for i, weight in enumerate(self._weights[:-1]):
            value = self._values[i + 1][:, :rows, :-1]
            np.matmul(self._values[i][:, :rows], weight, out=value)
            slope = self._slopes[i][:, :rows]
            np.multiply(value, _SLOPE, out=slope)
            np.maximum(value, slope, out=value)
        return np.matmul(self._values[-1][:, :rows], self._weights[-1], out=self._outputs[:, :rows])

    def _backward(self) -> None:
        error = self._errors[-1]
        for i in range(len(self._weights) - 1, -1, -1):
            np.matmul(self._values[i].transpose(0, 2, 1), error, out=self._by_weight[i])
            if i:
                slope = self._slopes[i - 1]
                np.greater(self._values[i][:, :, :-1], 0, out=slope)
                slope *= 1 - _SLOPE
                slope += _SLOPE
                error = np.matmul(error, self._weights[i][:, :-1].transpose(0, 2, 1), out=self._errors[i - 1])
                error *= slope

    def _update(self, tick: int, fresh: NDArray[np.bool_]) -> None:
        """Adam (Kingma and Ba, 2015), each sensor's gradient shortened to ``_CLIP`` if it is longer."""
        gradient, scratch = self._gradient, self._scratch
        length = np.sqrt(np.einsum("sp,sp->s", gradient, gradient))
        gradient *= (_CLIP / np.maximum(length, _CLIP))[:, None]
        self._mean *= np.float32(_MEAN)
        self._mean += np.multiply(gradient, np.float32(1 - _MEAN), out=scratch)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= np.float32(1 - _SQUARE)
        self._square *= np.float32(_SQUARE)
        self._square += scratch
        if tick % 256 == 0:  # what fades for hours would become denormal, and slow
            self._square += np.float32(1e-20)
            self._mean += np.float32(1e-20)
        np.sqrt(self._square, out=scratch)
        scratch += np.float32(1e-8)
        np.divide(self._mean, scratch, out=scratch)
        self._updates += fresh
        scratch *= (_RATES[np.minimum(self._updates, len(_RATES) - 1)] * fresh)[:, None]
        self.parameters -= scratch
