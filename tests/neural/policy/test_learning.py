"""Double Q-learning: that it finds known values, and its memory."""

from __future__ import annotations

import numpy as np
import pytest

from gamesad.neural.model import Unusable
from gamesad.neural.policy.learning import ACTIONS, BATCH, GAMMA, DoubleQ, Ring, discount


def test_a_discount_is_gamma_for_each_period() -> None:
    assert discount(5.0) == pytest.approx(GAMMA)
    assert discount(12.5) == pytest.approx(GAMMA**2.5)


def test_it_finds_the_values_of_a_small_world() -> None:
    """Two places: ``throttle`` leads to the good one, where ``noop`` earns 1 and stays; all else leads to the bad one.

    So noop is worth 1 / (1 − γ) = 20 in the good place, and throttle γ · 20 = 19 in the bad one.
    """
    rng = np.random.default_rng(3)
    learner = DoubleQ(rng, rate=3e-3)
    bad, good = np.zeros(8), np.ones(8)
    for _ in range(6000):
        here, action = (good, bad)[int(rng.integers(2))], int(rng.integers(len(ACTIONS)))
        stays, climbs = here is good and action == 0, action == 1
        learner.remember(here, action, float(stays), GAMMA, good if stays or climbs else bad)
        learner.learn(rng)
    assert learner.values(good)[0] == pytest.approx(20.0, abs=1.0)
    assert learner.values(bad)[1] == pytest.approx(19.0, abs=1.0)
    assert learner.values(good).argmax() == 0
    assert learner.values(bad).argmax() == 1


def test_what_lasts_longer_is_discounted_more() -> None:
    rng = np.random.default_rng(3)
    learner = DoubleQ(rng, rate=3e-3)
    place, end = np.zeros(8), np.ones(8)
    for step in range(3000):
        action = step % 2
        learner.remember(place, action, 0.0, discount(5.0 if action else 50.0), end)
        learner.remember(end, 0, 1.0, 0.0, end)
        learner.learn(rng)
    values = learner.values(place)
    assert values[1] == pytest.approx(discount(5.0), abs=0.08)
    assert values[0] == pytest.approx(discount(50.0), abs=0.08)


def test_a_few_transitions_teach_nothing() -> None:
    learner, rng = DoubleQ(np.random.default_rng(0)), np.random.default_rng(0)
    for _ in range(BATCH - 1):
        learner.remember(np.zeros(8), 0, 1.0, 0.9, np.zeros(8))
        learner.learn(rng)
    assert learner.steps == 0


def test_absurd_rewards_move_the_weights_a_little_only() -> None:
    learner, rng = DoubleQ(np.random.default_rng(0)), np.random.default_rng(0)
    for step in range(500):
        learner.remember(np.full(8, 5.0), step % 5, 1e6, 1.0, np.full(8, -5.0))
        learner.learn(rng)
    assert learner.sound()


def test_a_ring_keeps_the_newest_in_order_and_always_draws_the_last() -> None:
    ring, rng = Ring(4, 1), np.random.default_rng(0)
    for number in range(6):
        ring.put(float(number))
    assert ring.state().ravel().tolist() == [2.0, 3.0, 4.0, 5.0]
    assert ring.draw(rng, 3)[0] == 5.0
    again = Ring(4, 1)
    again.load(ring.state())
    again.put(6.0)
    assert again.state().ravel().tolist() == [3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize("name", ["online", "target", "memory", "learnt", "adam_mean"])
@pytest.mark.parametrize("damage", ["gone", "not finite", "short"])
def test_a_damaged_state_changes_nothing(name: str, damage: str) -> None:
    learner, rng = DoubleQ(np.random.default_rng(0)), np.random.default_rng(0)
    for step in range(40):
        learner.remember(np.full(8, step / 40), step % 5, 0.1, 0.9, np.zeros(8))
        learner.learn(rng)
    state, before = learner.state(), learner.state()
    match damage:
        case "gone":
            del state[name]
        case "not finite":
            state[name] = np.full_like(np.asarray(state[name], float), np.nan)
        case _:
            state[name] = np.zeros((3, 3))
    with pytest.raises(Unusable):
        learner.load(state)
    for key, value in learner.state().items():
        assert (value == before[key]).all()
