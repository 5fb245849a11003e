"""A small fully connected network and Adam, over preallocated buffers: what the policy and the autoencoder share."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gamesad.neural.model import Array, Arrays, Unusable


class Network:
    """Layers of ``sizes``, leaky ReLU between them, linear at the end; at most ``batch`` rows at once.

    Weights begin as He, Zhang, Ren and Sun (2015) have it, the last layer's at zero if ``output_zero``; biases at zero.
    """

    def __init__(
        self,
        sizes: tuple[int, ...],
        *,
        batch: int,
        rng: np.random.Generator,
        output_zero: bool = False,
        slope: float = 0.1,
    ) -> None:
        pairs = list(pairwise(sizes))
        self.slope = slope
        self.parameters: Array = np.zeros(sum((n + 1) * m for n, m in pairs))
        self._gradient = np.zeros_like(self.parameters)
        self._weights, self._by_weight = _layers(self.parameters, pairs), _layers(self._gradient, pairs)
        for weight in self._weights[: -1 if output_zero else None]:
            scale = np.sqrt(2 / (1 + slope**2) / (len(weight) - 1))
            weight[:-1] = rng.standard_normal(weight[:-1].shape) * scale
        self._values = [np.ones((batch, size + 1)) for size in sizes]
        self._errors = [np.zeros((batch, size)) for size in sizes[1:]]
        self._flat = [np.zeros((batch, size), bool) for size in sizes[1:-1]]
        self._rows = 0

    def forward(self, inputs: Array) -> Array:
        """(n, sizes[0]) → (n, sizes[-1]), n ≤ batch: a view of an own buffer, overwritten by the next call."""
        n = self._rows = len(inputs)
        value = self._values[0][:n]
        value[:, :-1] = inputs
        last = len(self._weights) - 1
        for i, weight in enumerate(self._weights):
            following = self._values[i + 1][:n]
            output = np.matmul(value, weight, out=following[:, :-1])
            if i < last:
                np.maximum(output, np.multiply(output, self.slope, out=self._errors[i][:n]), out=output)
            value = following
        return output

    def backward(self, gradient: Array) -> Array:
        """Loss by output (n, sizes[-1]), of the last ``forward`` → loss by ``parameters``, in an own buffer."""
        n, error = self._rows, gradient
        for i in range(len(self._weights) - 1, -1, -1):
            np.matmul(self._values[i][:n].T, error, out=self._by_weight[i])
            if i:
                error = np.matmul(error, self._weights[i][:-1].T, out=self._errors[i - 1][:n])
                flat = np.less_equal(self._values[i][:n, :-1], 0, out=self._flat[i - 1][:n])
                np.multiply(error, self.slope, out=error, where=flat)
        return self._gradient


class Adam:
    """Kingma and Ba (2015), with both moments' bias corrected; a gradient longer than ``clip`` is shortened to it."""

    def __init__(
        self,
        count: int,
        *,
        rate: float = 3e-3,
        beta1: float = 0.9,
        beta2: float = 0.997,
        clip: float | None = 1.0,
    ) -> None:
        self.rate, self.beta1, self.beta2, self.clip = rate, beta1, beta2, clip
        self._mean, self._square = np.zeros((2, count))
        self._scratch = np.zeros(count)
        self._steps = 0

    def step(self, parameters: Array, gradient: Array) -> None:
        """Moves ``parameters`` in place against ``gradient``, which it leaves as it is."""
        scale = 1.0
        if self.clip is not None and (length := float(np.sqrt(gradient @ gradient))) > self.clip:
            scale = self.clip / length
        self._steps += 1
        scratch = self._scratch
        self._mean *= self.beta1
        self._mean += np.multiply(gradient, scale * (1 - self.beta1), out=scratch)
        np.multiply(gradient, gradient, out=scratch)
        self._square *= self.beta2
        self._square += np.multiply(scratch, scale * scale * (1 - self.beta2), out=scratch)
        unbiased = np.sqrt(1 - self.beta2**self._steps)
        np.sqrt(self._square, out=scratch)
        scratch += 1e-8 * unbiased
        np.divide(self._mean, scratch, out=scratch)
        scratch *= self.rate * unbiased / (1 - self.beta1**self._steps)
        parameters -= scratch

    def state(self) -> dict[str, np.ndarray]:
        """Copies of the moments and the number of steps."""
        return {"mean": self._mean.copy(), "square": self._square.copy(), "steps": np.array(self._steps)}

    def load(self, state: Arrays) -> None:
        """Takes up what ``state`` gave. Unusable: of another size, not finite, or not there."""
        try:
            mean, square, steps = (np.asarray(state[name], float) for name in ("mean", "square", "steps"))
        except (KeyError, ValueError) as error:
            raise Unusable(f"an optimiser's state without usable {error}") from None
        if mean.shape != self._mean.shape or square.shape != mean.shape or steps.shape != ():
            raise Unusable(f"an optimiser's state of {mean.size} parameters, not {self._mean.size}")
        if not (np.isfinite(mean).all() and np.isfinite(square).all() and (square >= 0).all() and 0 <= steps < np.inf):
            raise Unusable("an optimiser's state that is not finite")
        self._mean[...], self._square[...], self._steps = mean, square, int(steps)


def _layers(flat: Array, pairs: list[tuple[int, int]]) -> list[Array]:
    """Each layer's weights and, as their last row, biases: views into ``flat``, one after the other."""
    layers, at = [], 0
    for n, m in pairs:
        layers.append(flat[at : at + (n + 1) * m].reshape(n + 1, m))
        at += (n + 1) * m
    return layers
