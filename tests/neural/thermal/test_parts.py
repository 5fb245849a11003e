"""The parts against plain counterparts: stacked networks, ridge, quantum, lessons, mixture, the record of bounds."""

from __future__ import annotations

import numpy as np
import pytest

from gamesad.neural.network import Adam, Network
from gamesad.neural.thermal.bounds import Bounds
from gamesad.neural.thermal.lessons import NEWEST, STORED, WIDTH, Lessons
from gamesad.neural.thermal.mixture import MEMBERS, Mixture
from gamesad.neural.thermal.networks import BATCH, Networks
from gamesad.neural.thermal.ridge import Ridge
from gamesad.neural.thermal.window import INPUTS, STEPS, Window

NOTHING = np.full(1, np.nan)


def test_stacked_networks_learn_as_each_would_alone() -> None:
    rng = np.random.default_rng(0)
    stacked = Networks([np.random.default_rng(place) for place in range(3)])
    stacked.parameters += rng.normal(size=stacked.parameters.shape).astype(np.float32) * 0.1
    alone = [Network((INPUTS, 16, 8, STEPS), batch=1 + BATCH, rng=rng) for _ in range(3)]
    adams = [Adam(network.parameters.size) for network in alone]
    for place, network in enumerate(alone):
        network.parameters[...] = stacked.parameters[place]
    for tick in range(20):
        stacked.lessons[...] = rng.normal(size=stacked.lessons.shape)
        stacked.lessons[:, :, INPUTS] = 1.0
        now = rng.normal(size=(3, INPUTS))
        said = stacked.forecast_and_learn(now, tick + 1, np.array([True, True, False])).copy()
        for place, (network, adam) in enumerate(zip(alone, adams, strict=True)):
            assert np.allclose(network.forward(now[place : place + 1])[0], said[place], atol=1e-4)
            if place < 2:
                lessons = stacked.lessons[place, 1:].astype(float)
                error = network.forward(lessons[:, :INPUTS]) - lessons[:, INPUTS + 1 :]
                adam.step(network.parameters, network.backward(np.clip(10 * error, -1, 1) / BATCH))
            assert np.allclose(stacked.parameters[place], network.parameters, atol=2e-4)


def test_the_ridge_finds_a_line_and_takes_no_notice_of_outliers() -> None:
    rng = np.random.default_rng(1)
    ridge, lessons = Ridge(1), Lessons(np.zeros(1))
    truth = rng.normal(size=INPUTS) * 0.3
    for tick in range(3000):
        inputs = rng.normal(size=INPUTS)
        target = inputs @ truth + (40.0 if rng.random() < 0.05 else 0.0)
        lessons.newest[0, tick % NEWEST] = [*inputs, 1.0, *[target] * STEPS]
        if tick % NEWEST == 0:
            ridge.learn(lessons)
    assert np.abs(ridge.weights[0, :INPUTS].T - truth).max() < 0.05


@pytest.mark.parametrize("quantum", [0.0625, 0.1, 0.5, 1.0, 1.8])
def test_the_quantum_is_the_smallest_change_and_is_forgotten(quantum: float) -> None:
    rng = np.random.default_rng(2)
    window = Window(1)
    for tick in range(1, 100):
        window.take(tick, np.array([40 + quantum * rng.integers(0, 9)]), NOTHING, NOTHING)
    assert window.quantum[0] == pytest.approx(quantum)
    window.take(100, window.readings[:, -1] + quantum / 16, NOTHING, NOTHING)
    assert window.quantum[0] == pytest.approx(quantum / 16)
    for tick in range(101, 1401):
        window.take(tick, np.array([40 + quantum * rng.integers(0, 9)]), NOTHING, NOTHING)
    assert window.quantum[0] == pytest.approx(quantum)


def test_a_window_bridges_two_missing_readings_and_not_three() -> None:
    window = Window(1)
    usable = []
    for tick in range(1, 46):
        reading = np.nan if tick in {20, 21, 32, 33, 34} else 40.0 + tick % 3
        window.take(tick, np.array([reading]), NOTHING, NOTHING)
        usable.append(bool(window.usable[0]))
    never = [tick for tick, can in enumerate(usable, 1) if not can]
    assert never == [*range(1, 8), 20, 21, *range(32, 42)]


def test_a_lesson_is_what_was_seen_and_what_came() -> None:
    window, lessons = Window(1), Lessons(np.zeros(1))
    readings = 40.0 + np.array([0, 1, 3, 2, 5, 4, 4, 6, 5, 7, 8, 6, 9, 9, 7, 8, 6, 5], float)
    seen = []
    for tick, reading in enumerate(readings, 1):
        window.take(tick, np.array([reading]), NOTHING, NOTHING)
        seen.append((window.inputs[:, 0].copy(), float(window.scale[0])))
        lessons.learn(tick, window)
    inputs, scale = seen[-1 - STEPS]
    lesson = lessons.store[0, lessons.count[0] - 1]
    assert lessons.count[0] == len(readings) - 8 + 1 - STEPS
    assert np.allclose(lesson[:INPUTS], inputs, rtol=1e-6)
    assert np.allclose(lesson[INPUTS + 1 :], (readings[-STEPS:] - readings[-STEPS - 1]) / scale, rtol=1e-6)


def test_draws_are_of_what_there_is_and_come_to_all_of_it() -> None:
    lessons = Lessons(np.array([0.3, 0.7]))
    lessons.store[:, :, 0] = np.arange(STORED)
    lessons.count[...] = [40, 5000]
    into = np.zeros((2, 17, WIDTH), np.float32)
    drawn: list[set[float]] = [set(), set()]
    for tick in range(200):
        lessons.draw(tick, into)
        assert into[0, 1, 0] == 39
        for place in range(2):
            drawn[place] |= set(into[place, 2:, 0].tolist())
    assert drawn[0] == set(range(40))
    assert len(drawn[1]) > 0.99 * STORED


def test_the_mixture_follows_who_is_right_and_returns_to_persistence() -> None:
    mixture, window, rng = Mixture(1), Window(1), np.random.default_rng(3)
    reading = 50.0
    right = MEMBERS.index("ridge")
    for tick in range(1, 400):
        window.take(tick, np.array([reading]), NOTHING, NOTHING)
        mixture.judge(tick, window)
        step = float(rng.choice([-1.0, 1.0])) if tick < 300 else 0.0
        mixture.members[right] = step if tick < 300 else 3.0
        mixture.forecast(tick, window.quantum)
        reading += step
        if tick == 299:
            assert mixture.weights[right, 0, 0] > 0.8
    assert mixture.weights[0, 0, 0] > 0.5
    assert mixture.weights.sum(axis=0) == pytest.approx(np.ones((STEPS, 1)))


def test_forecasts_are_judged_when_they_are_due() -> None:
    """Each step of every second says another number, and each of them is what the reading of then is compared with."""
    mixture, window, rng = Mixture(2), Window(2), np.random.default_rng(5)
    readings, said = np.rint(50 + rng.normal(size=(40, 2)) * 3), []
    for tick, now in enumerate(readings, 1):
        window.take(tick, now, np.full(2, np.nan), np.full(2, np.nan))
        mixture.judge(tick, window)
        for step in range(min(STEPS, len(said))):
            assert np.array_equal(mixture.errors[2:, step], now - said[-1 - step][:, step])
        mixture.members[1:] = rng.integers(-9, 9, mixture.members[1:].shape)
        said.append(now + mixture.members)
        mixture.forecast(tick, window.quantum)


def test_a_bound_keeps_its_promise_when_the_noise_grows() -> None:
    window, mixture, bounds, rng = Window(1), Mixture(1), Bounds(1), np.random.default_rng(4)
    nothing, kept, upper = np.zeros((STEPS, 1)), [], [np.full(1, np.inf)]
    for tick in range(1, 3000):
        spread = 0.5 if tick < 1500 else 4.0
        window.take(tick, np.array([60 + rng.normal() * spread]), NOTHING, NOTHING)
        kept.append(window.readings[0, -STEPS:].max() <= upper[-STEPS:][0][0])
        bounds.judge(tick, window, mixture)
        if tick % 4 == 1:
            bounds.settle()
        upper.append(bounds.upper(tick, nothing, window.readings[:, -1], window)[1])
    assert np.mean(kept[100:1500]) == pytest.approx(0.9, abs=0.02)
    assert np.mean(kept[1500:]) == pytest.approx(0.9, abs=0.02)
