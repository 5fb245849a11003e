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
from gamesad.neural.thermal.window import INPUTS, LONGEST, STEPS, Window

NOTHING = np.full((1, 2), np.nan)


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
        lessons.valid[0, tick % NEWEST] = True
        if tick % 2 == 0:
            ridge.learn(tick // 2 % STEPS, lessons)
    assert np.abs(ridge.weights[0, :, :INPUTS] - truth).max() < 0.05


@pytest.mark.parametrize("quantum", [0.0625, 0.1, 0.5, 1.0, 1.8])
def test_the_quantum_is_the_smallest_change_and_is_forgotten(quantum: float) -> None:
    rng = np.random.default_rng(2)
    window = Window(1)
    for tick in range(1, 100):
        window.take(tick, np.array([40 + quantum * rng.integers(0, 9)]), NOTHING)
    assert window.quantum[0] == pytest.approx(quantum)
    window.take(100, window.readings[:, -1] + quantum / 16, NOTHING)
    assert window.quantum[0] == pytest.approx(quantum / 16)
    for tick in range(101, 1401):
        window.take(tick, np.array([40 + quantum * rng.integers(0, 9)]), NOTHING)
    assert window.quantum[0] == pytest.approx(quantum)


def test_a_window_bridges_two_missing_readings_and_not_three() -> None:
    window = Window(1)
    usable = []
    for tick in range(1, 46):
        reading = np.nan if tick in {20, 21, 32, 33, 34} else 40.0 + tick % 3
        window.take(tick, np.array([reading]), NOTHING)
        usable.append(bool(window.usable[0]))
    never = [tick for tick, can in enumerate(usable, 1) if not can]
    assert never == [*range(1, 8), 20, 21, *range(32, 42)]


def test_a_lesson_is_what_was_seen_and_what_came() -> None:
    window, lessons = Window(1), Lessons(np.zeros(1))
    readings = 40.0 + np.array([0, 1, 3, 2, 5, 4, 4, 6, 5, 7, 8, 6, 9, 9, 7, 8, 6, 5], float)
    seen = []
    for tick, reading in enumerate(readings, 1):
        window.take(tick, np.array([reading]), NOTHING)
        seen.append((window.inputs.copy(), float(window.scale[0])))
        lessons.learn(tick, window)
    inputs, scale = seen[-1 - STEPS]
    lesson = lessons.store[0, lessons.count[0] - 1]
    assert lessons.count[0] == len(readings) - 8 + 1 - STEPS
    assert np.allclose(lesson[:INPUTS], inputs[0], rtol=1e-6)
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
    mixture, rng = Mixture(1), np.random.default_rng(3)
    reading = 50.0
    right = MEMBERS.index("ridge")
    for tick in range(1, 400):
        mixture.judge(tick, np.array([reading]))
        step = float(rng.choice([-1.0, 1.0])) if tick < 300 else 0.0
        members = np.zeros((1, STEPS, len(MEMBERS)))
        members[:, :, right] = step if tick < 300 else 3.0
        mixture.put(tick, members, mixture.forecast(members, np.ones(1)), np.array([reading]), np.ones(1))
        reading += step
        if tick == 299:
            assert mixture.weights[0, 0, right] > 0.8
    assert mixture.weights[0, 0, 0] > 0.5
    assert mixture.weights.sum(axis=2) == pytest.approx(np.ones((1, STEPS)))


def test_a_bound_keeps_its_promise_when_the_noise_grows() -> None:
    window, bounds, rng = Window(1), Bounds(1), np.random.default_rng(4)
    kept = []
    for tick in range(1, 3000):
        spread = 0.5 if tick < 1500 else 4.0
        window.take(tick, np.array([60 + rng.normal() * spread]), NOTHING)
        bounds.judge(tick, window, np.full((1, STEPS), np.nan))
        kept.append(bounds.outcome[0])
        bounds.upper(tick, np.zeros((1, STEPS)), window.readings[:, LONGEST - 1], window)
    assert np.nanmean(kept[100:1500]) == pytest.approx(0.9, abs=0.02)
    assert np.nanmean(kept[1500:]) == pytest.approx(0.9, abs=0.02)
