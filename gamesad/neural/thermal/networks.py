"""One 16-8-5 network per sensor behind its inputs, all trained in the same few calls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, where
from gamesad.neural.thermal.lessons import WIDTH
from gamesad.neural.thermal.window import INPUTS, STEPS

Floats = NDArray[np.float32]
_SIZES = (INPUTS, 16, 8, STEPS)
BATCH = 16
_ZERO, _SLOPE, _REST = (np.array(value, np.float32) for value in (0.0, 0.1, 0.9))  # see ``kept.number``
_RATE, _MEAN, _SQUARE = 3e-3, 0.9, 0.997
_STEEP, _LEAST, _MOST, _CLIP = (np.array(value, np.float32) for value in (10 / BATCH, -1 / BATCH, 1 / BATCH, 1.0))
_UPDATES = np.arange(1, 5000)
_SCALE = (1 - _MEAN) / np.sqrt(1 - _SQUARE)
_RATES = _RATE * _SCALE * np.sqrt(1 - _SQUARE**_UPDATES) / (1 - _MEAN**_UPDATES)
_RATES = np.concatenate(([0.0], _RATES)).astype(np.float32)
"""By the number of updates, both moments' bias corrected."""
_LAST_RATE = np.array(len(_RATES) - 1)
_FADE = np.array([[[_MEAN]], [[_SQUARE]]], np.float32)
_GRAIN = np.array(1e-8 / np.sqrt(1 - _SQUARE), np.float32)


class Networks(Kept):
    """Leaky ReLU, an output layer that begins at zero, absolute error smoothed within 0.1 scales (Huber, 1964), Adam.

    Each layer's inputs have a one at their end, so that a bias is a row of its weights. float32.
    """

    KEPT: ClassVar = ("parameters", "_slopes_seen", "_squares_seen", "_updates")
    WATCHED: ClassVar = ("parameters", "_squares_seen")
    MOST: ClassVar[float] = 1e4

    def __init__(self, generators: Sequence[np.random.Generator]) -> None:
        sensors = len(generators)
        counts = [(n + 1) * m for n, m in pairwise(_SIZES)]
        self.parameters = np.zeros((sensors, sum(counts)), np.float32)
        self._moments, self._more = np.zeros((2, 2, sensors, sum(counts)), np.float32)
        """Fading sums of gradients and of their squares, and what is added to them next."""
        self._slopes_seen, self._squares_seen = self._moments
        self._updates = np.zeros(sensors, np.int64)
        self._weights, self._by_weight = self._layers(self.parameters), self._layers(self._more[0])
        for weight in self._weights[:-1]:
            for of_one, generator in zip(weight, generators, strict=True):
                of_one[:-1] = generator.standard_normal(of_one[:-1].shape) * np.sqrt(2 / len(of_one))
        rows = 1 + BATCH
        self.lessons = np.zeros((sensors, rows, WIDTH), np.float32)
        """To be learnt from next, from the second row on; the first is that of the forecast."""
        self._values = [self.lessons[:, :, : INPUTS + 1]]
        self._values += [np.ones((sensors, rows, size + 1), np.float32) for size in _SIZES[1:-1]]
        self._one = [self.lessons[:, :1, : INPUTS + 1]]
        self._one += [np.ones((sensors, 1, size + 1), np.float32) for size in _SIZES[1:-1]]
        """Each layer's inputs; and those of the forecast alone."""
        self._errors = [np.zeros((sensors, rows, size + 1), np.float32) for size in _SIZES[1:-1]]
        self._last_error = np.zeros((sensors, rows, STEPS), np.float32)

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
        return self._forward(self._one)[:, 0]

    def forecast_and_learn(self, inputs: Array, tick: int, fresh: NDArray[np.bool_]) -> NDArray[Any]:
        """The same, in one pass with a step of training on ``lessons`` of the sensors in ``fresh``."""
        self.lessons[:, 0, :INPUTS] = inputs
        error = self._last_error
        outputs = self._forward(self._values)
        np.subtract(outputs, self.lessons[:, :, INPUTS + 1 :], out=error)
        error *= _STEEP
        np.minimum(np.maximum(error, _LEAST, out=error), _MOST, out=error)
        error[:, 0] = 0.0
        if where(fresh) is not True:
            error[~fresh] = 0.0
        self._backward()
        self._update(tick, fresh)
        return outputs[:, 0]

    def _forward(self, values: list[Floats]) -> Floats:
        for weight, value, following in zip(self._weights, values, values[1:], strict=False):
            np.matmul(value, weight, out=following[:, :, :-1])
            # with the ones, which stay what they are: whole arrays are done three times as quickly
            np.maximum(following, following * _SLOPE, out=following)
        outputs: Floats = np.matmul(values[-1], self._weights[-1])
        return outputs

    def _backward(self) -> None:
        error = self._last_error
        for i in range(len(self._weights) - 1, -1, -1):
            np.matmul(self._values[i].transpose(0, 2, 1), error, out=self._by_weight[i])
            if i:
                slope = (self._values[i] > _ZERO).astype(np.float32)
                slope *= _REST
                slope += _SLOPE
                slope *= np.matmul(error, self._weights[i].transpose(0, 2, 1), out=self._errors[i - 1])
                error = slope[:, :, :-1]

    def _update(self, tick: int, fresh: NDArray[np.bool_]) -> None:
        """Adam (Kingma and Ba, 2015), each sensor's gradient shortened to ``_CLIP`` if it is longer.

        The moments lack their factors 1 - decay; ``_RATES`` and ``_GRAIN`` make up for them.
        """
        gradient, square = self._more
        length = np.sqrt(np.matmul(gradient[:, None], gradient[:, :, None])[:, 0])
        gradient *= _CLIP / np.maximum(length, _CLIP)
        np.multiply(gradient, gradient, out=square)
        self._moments *= _FADE
        self._moments += self._more
        if tick % 256 == 0:  # what fades for hours would become denormal, and slow
            self._moments += np.float32(1e-17)
        step = np.sqrt(self._moments[1], out=square)
        step += _GRAIN
        np.divide(self._moments[0], step, out=step)
        self._updates += fresh
        step *= (_RATES[np.minimum(self._updates, _LAST_RATE)] * fresh)[:, None]
        self.parameters -= step
