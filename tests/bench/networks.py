"""The three networks' second ÷ the same in C: forecast 16-16-8-5 (10 readings, 6 of what heats), policy, autoencoder.

A second is, of each, the output for one row and a step of Adam on a batch: 16 lessons of one sensor; 32 transitions,
with double Q's two more passes; 16 states. Nothing around it counts: no drawing, scaling or choosing.
"""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import ClassVar

import numpy as np

from gamesad.neural.model import Array
from gamesad.neural.network import Adam, Network
from gamesad.neural.thermal.networks import Networks
from gamesad.neural.thermal.window import INPUTS
from tests.bench import floors
from tests.bench.harness import Effort, Measurement, Row, each_us, interleave, median

_SECONDS = (((INPUTS, 16, 8, 5), 16, 0), ((8, 32, 16, 5), 32, 2), ((8, 4, 2, 4, 8), 16, 0))
"""Sizes, batch, further passes."""


def networks(effort: Effort) -> Iterator[Row]:
    times = effort.of(400, 50)
    floor = _Floor()
    ours, theirs = interleave(effort.of(30, 8), each_us(_ours(), times), floor.measure(times))
    yield Row("the three networks' second", median(ours), "µs", floor=median(theirs), must=3.5, aim=2.0)


def _ours() -> Callable[[], object]:
    rng = np.random.default_rng(0)
    thermal, fresh = Networks([rng]), np.ones(1, bool)
    thermal.lessons[...] = rng.standard_normal(thermal.lessons.shape)
    thermal.lessons[:, :, INPUTS] = 1.0
    now = rng.standard_normal((1, INPUTS))
    others = [_second(sizes, batch, extra, rng) for sizes, batch, extra in _SECONDS[1:]]

    def second() -> None:
        thermal.forecast_and_learn(now, 1, fresh)
        for other in others:
            other()

    return second


def _second(sizes: tuple[int, ...], batch: int, extra: int, rng: np.random.Generator) -> Callable[[], object]:
    network = Network(sizes, batch=batch, rng=rng)
    adam = Adam(network.parameters.size)
    inputs, wanted = rng.standard_normal((batch, sizes[0])), rng.standard_normal((batch, sizes[-1]))
    error: Array = np.zeros_like(wanted)

    def second() -> None:
        network.forward(inputs[:1])
        for _ in range(extra):
            network.forward(inputs)
        np.subtract(network.forward(inputs), wanted, out=error)
        np.minimum(np.maximum(error, -0.1, out=error), 0.1, out=error)
        adam.step(network.parameters, network.backward(error))

    return second


class _Network(ctypes.Structure):
    _fields_: ClassVar = [
        ("layers", ctypes.c_int),
        ("size", ctypes.c_int * 5),
        ("steps", ctypes.c_int),
        *((name, ctypes.c_double * 2048) for name in ("weight", "gradient", "mean", "square")),
        *((name, ctypes.c_double * (5 * 32 * 32)) for name in ("value", "error")),
    ]


class _Floor:
    """c/networks.c with random weights."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self._second = floors.library("networks", folder, "-lm").floor_networks
        self._second.restype = ctypes.c_int64
        rng = np.random.default_rng(0)
        self._calls = []
        for sizes, batch, extra in _SECONDS:
            net = _Network(layers=len(sizes) - 1, size=(ctypes.c_int * 5)(*sizes))
            count = sum((n + 1) * m for n, m in pairwise(sizes))
            net.weight[:count] = (rng.standard_normal(count) * 0.2).tolist()
            inputs, wanted = (
                (ctypes.c_double * (batch * size))(*rng.standard_normal(batch * size)) for size in (sizes[0], sizes[-1])
            )
            self._calls.append((ctypes.byref(net), inputs, wanted, batch, extra, count))

    def measure(self, times: int) -> Measurement:
        def measured() -> float:
            return sum(self._second(*call) for _ in range(times) for call in self._calls) / 1e3 / times

        return measured
