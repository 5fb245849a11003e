"""A relation learns what is usual, is not led astray by a fault, and makes nothing of what it has never seen."""

from __future__ import annotations

import numpy as np
import pytest

from gamesad.neural.anomaly.relation import Relation
from gamesad.neural.model import Array, Unusable

FREE = np.zeros(2, bool)


def temperatures(power: float, fan: float, dice: np.random.Generator) -> Array:
    return np.array([30.0 + 40.0 * power - 10.0 * fan, 25.0 + 10.0 * power]) + dice.normal(scale=0.3, size=2)


def taught(steps: int = 3000, reach: float = 1.0) -> tuple[Relation, np.random.Generator]:
    relation, dice = Relation(3, np.full(2, 0.5)), np.random.default_rng(1)
    for _ in range(steps):
        power, fan = dice.uniform(0.0, reach, 2)
        relation.step(np.array([1.0, power, fan]), temperatures(power, fan, dice), FREE)
    return relation, dice


def test_what_is_usual_is_learnt_for_every_target() -> None:
    relation, _ = taught()
    expected, scaled = relation.step(np.array([1.0, 0.8, 0.5]), np.array([57.0, 33.0]), FREE)
    np.testing.assert_allclose(expected, [57.0, 33.0], atol=0.3)
    assert (np.abs(scaled) < 1.0).all()


def test_a_reading_far_from_what_is_usual_is_many_spreads_away() -> None:
    relation, _ = taught()
    _, scaled = relation.step(np.array([1.0, 0.8, 0.5]), np.array([71.0, 33.0]), FREE)
    assert scaled[0] > 15.0
    assert abs(scaled[1]) < 1.0


def test_the_same_distance_says_little_in_a_state_unlike_any_before() -> None:
    """Only idle was seen: what a game does to the temperature cannot be odd yet."""
    relation, _ = taught(reach=0.05)
    _, usual = relation.step(np.array([1.0, 0.03, 0.03]), np.array([45.0, 25.0]), FREE)
    _, unseen = relation.step(np.array([1.0, 1.0, 0.5]), np.array([79.0, 35.0]), FREE)
    assert usual[0] > 20.0
    assert abs(unseen[0]) < 5.0


def test_an_hour_of_a_fault_hardly_moves_what_is_usual() -> None:
    relation, dice = taught()
    for _ in range(720):
        power, fan = dice.uniform(0.0, 1.0, 2)
        relation.step(np.array([1.0, power, fan]), temperatures(power, fan, dice) + np.array([20.0, 0.0]), FREE)
    expected, _ = relation.step(np.array([1.0, 0.8, 0.5]), np.array([57.0, 33.0]), FREE)
    np.testing.assert_allclose(expected, [57.0, 33.0], atol=2.0)


def test_a_frozen_target_is_judged_and_not_learnt() -> None:
    relation, _ = taught()
    before = relation.state()
    for _ in range(200):
        _, scaled = relation.step(np.array([1.0, 0.5, 0.5]), np.array([90.0, 30.0]), np.array([True, True]))
    assert scaled[0] > 20.0
    assert all((relation.state()[name] == value).all() for name, value in before.items())


def test_what_one_target_is_kept_from_learning_is_a_state_unlike_any_before_to_it_afterwards() -> None:
    """Else its expectation would be drawn out to states that it never learnt from, and be believed there."""
    relation, dice = taught(reach=0.05)
    for _ in range(400):
        power, fan = dice.uniform(0.5, 1.0, 2)
        relation.step(np.array([1.0, power, fan]), temperatures(power, fan, dice), np.array([True, False]))
    _, unseen = relation.step(np.array([1.0, 1.0, 0.5]), np.array([79.0, 35.0]), FREE)
    assert abs(unseen[0]) < 5.0


def test_a_missing_target_is_expected_and_not_judged() -> None:
    relation, _ = taught()
    expected, scaled = relation.step(np.array([1.0, 0.8, 0.5]), np.array([np.nan, 33.0]), FREE)
    assert np.isfinite(expected).all()
    assert np.isnan(scaled[0])
    assert np.isfinite(scaled[1])


def test_it_stays_sound_when_nothing_moves_for_a_month() -> None:
    """520000 steps of the same: what nothing excites must not grow without bound."""
    relation = Relation(3, np.full(2, 0.5))
    x, y = np.array([1.0, 0.1, 0.1]), np.array([40.0, 30.0])
    for _ in range(20000):
        relation.step(x, y, FREE)
    assert relation.sound()
    eigenvalues = np.linalg.eigvalsh(relation.state()["inverse"])
    assert eigenvalues.min() > 0.0
    assert eigenvalues.max() <= 1.0001e4


def test_targets_that_stay_keep_what_they_learnt() -> None:
    relation, _ = taught()
    grown = relation.choose([1, None], np.full(2, 0.5))
    expected, scaled = grown.step(np.array([1.0, 0.8, 0.5]), np.array([33.0, 50.0]), FREE)
    assert abs(expected[0] - 33.0) < 0.3
    assert np.isnan(scaled[1]), "nobody knows yet what is usual for the new one"


def test_saved_and_taken_up_it_goes_on_bit_by_bit() -> None:
    relation, _ = taught(500)
    other = Relation(3, np.full(2, 0.5))
    other.load(relation.state())
    for power in np.linspace(0.0, 1.0, 50):
        x, y = np.array([1.0, power, 0.3]), np.array([30.0 + 50.0 * power, 30.0])
        for ours, theirs in zip(relation.step(x, y, FREE), other.step(x, y, FREE), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("damage", ["gram", "weights", "spread"])
def test_a_damaged_state_is_refused(damage: str) -> None:
    relation, _ = taught(200)
    state = relation.state()
    state[damage] = np.full_like(state[damage], np.nan)
    with pytest.raises(Unusable, match=damage):
        relation.load(state)
