"""The gradients against finite differences, Adam against the paper's steps, and what both keep."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gamesad.neural.model import Unusable
from gamesad.neural.network import Adam, Network


@pytest.mark.parametrize("sizes", [(10, 16, 8, 5), (8, 32, 16, 5), (8, 4, 2, 4, 8), (3, 2)])
def test_the_gradient_is_what_finite_differences_give(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    network = Network(sizes, batch=7, rng=rng)
    network.parameters += rng.standard_normal(network.parameters.size) * 0.1  # biases too
    inputs, towards = rng.standard_normal((6, sizes[0])), rng.standard_normal((6, sizes[-1]))

    def loss() -> float:
        return float(np.sum(network.forward(inputs) * towards))

    loss()
    gradient = network.backward(towards).copy()
    for i in range(network.parameters.size):
        kept, step = network.parameters[i], 1e-6
        network.parameters[i] = kept + step
        above = loss()
        network.parameters[i] = kept - step
        numeric = (above - loss()) / (2 * step)
        network.parameters[i] = kept
        assert gradient[i] == pytest.approx(numeric, rel=1e-5, abs=1e-7)


def test_fewer_rows_than_the_batch_are_not_mixed_with_older_ones() -> None:
    rng = np.random.default_rng(2)
    network = Network((4, 3, 2), batch=5, rng=rng)
    rows = rng.standard_normal((5, 4))
    network.forward(rows)
    network.backward(np.ones((5, 2)))
    alone = network.forward(rows[:1]).copy()
    gradient = network.backward(np.ones((1, 2))).copy()
    fresh = Network((4, 3, 2), batch=1, rng=rng)
    fresh.parameters[...] = network.parameters
    assert np.allclose(fresh.forward(rows[:1]), alone, rtol=1e-14)
    assert np.allclose(fresh.backward(np.ones((1, 2))), gradient, rtol=1e-14)


def test_an_output_that_begins_at_zero_does() -> None:
    network = Network((4, 3, 2), batch=1, rng=np.random.default_rng(3), output_zero=True)
    assert not network.forward(np.ones((1, 4))).any()
    assert network.backward(np.ones((1, 2))).any(), "and can leave it"


def test_adam_moves_as_the_paper_has_it() -> None:
    adam = Adam(1, rate=0.1, beta1=0.9, beta2=0.99, clip=None)
    value, mean, square, expected = np.array([1.0]), 0.0, 0.0, 1.0
    for step, slope in enumerate((2.0, -1.0, 0.5), start=1):
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        expected -= 0.1 * (mean / (1 - 0.9**step)) / (math.sqrt(square / (1 - 0.99**step)) + 1e-8)
        adam.step(value, np.array([slope]))
        assert value[0] == pytest.approx(expected, rel=1e-12)


def test_a_long_gradient_counts_as_one_of_length_clip() -> None:
    short, long = Adam(2, clip=1.0), Adam(2, clip=1.0)
    ours, theirs = np.zeros(2), np.zeros(2)
    for towards in ((0.6, 0.8), (0.8, -0.6)):
        short.step(ours, np.array(towards))
        long.step(theirs, np.array(towards) * 1e6)
    assert np.allclose(ours, theirs, rtol=1e-9)


def test_adam_goes_on_bit_by_bit_from_what_it_saved() -> None:
    rng = np.random.default_rng(4)
    adam, again = Adam(3), Adam(3)
    value = np.zeros(3)
    adam.step(value, rng.standard_normal(3))
    again.load(adam.state())
    twin, slope = value.copy(), rng.standard_normal(3)
    adam.step(value, slope)
    again.step(twin, slope)
    assert value.tobytes() == twin.tobytes()


@pytest.mark.parametrize(
    "damage",
    [
        {"mean": np.zeros(4)},
        {"mean": np.full(3, np.nan)},
        {"square": np.full(3, -1.0)},
        {"steps": np.array(np.inf)},
        {"steps": np.array("many")},
    ],
)
def test_adam_takes_up_nothing_that_it_cannot_have_saved(damage: dict[str, np.ndarray]) -> None:
    adam = Adam(3)
    with pytest.raises(Unusable, match="optimiser"):
        adam.load({**adam.state(), **damage})
    assert all(not value.any() for value in adam.state().values())
