"""The autoencoder learns which states go together, and names the number that does not."""

from __future__ import annotations

import numpy as np
import pytest

from gamesad.neural.anomaly.habit import INPUTS, STATE, Habit
from gamesad.neural.model import Array, Unusable


def state(load: float, dice: np.random.Generator) -> Array:
    """All eight follow the load."""
    clean = [35 + 50 * load, load, 0.2 + 0.5 * load, 10 + 90 * load, 600 + 2000 * load, 1e9 + 3e9 * load]
    clean += [0.3 + 0.1 * load, 0.2 * load]
    return np.array(clean) * (1.0 + 0.01 * dice.normal(size=INPUTS))


def taught(steps: int = 6000, seed: int = 0) -> tuple[Habit, np.random.Generator]:
    habit, dice = Habit(seed=seed), np.random.default_rng(2)
    for _ in range(steps):
        habit.step(state(dice.uniform(), dice), learn=True)
    return habit, dice


def test_states_that_go_together_are_told_from_one_that_does_not() -> None:
    habit, dice = taught()
    usual = [habit.step(state(load, dice), learn=False) for load in np.linspace(0.1, 0.9, 40)]
    odd = state(0.1, dice)
    odd[3] = 95.0
    error = habit.step(odd, learn=False)
    assert error > max(usual) + 0.5
    assert STATE[int(habit.strangeness.argmax())][0] == "power"
    assert habit.expected[3] < 70.0


def test_an_unknown_input_is_not_held_against_the_rest() -> None:
    habit, dice = taught()
    known = state(0.5, dice)
    known[[2, 4]] = np.nan
    error = habit.step(known, learn=False)
    assert np.isfinite(error)
    assert habit.strangeness[[2, 4]].tolist() == [0.0, 0.0]


def test_nothing_is_said_while_it_is_young_or_knows_less_than_half() -> None:
    habit, dice = taught(500)
    assert np.isnan(habit.step(state(0.5, dice), learn=True))
    old, dice = taught(600)
    assert np.isnan(old.step(np.array([50.0, *[np.nan] * 7]), learn=False))


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    one, two, three = (taught(700, seed)[0].state()["parameters"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()


def test_saved_and_taken_up_it_goes_on_bit_by_bit() -> None:
    habit, dice = taught(700)
    other = Habit(seed=9)
    other.load(habit.state())
    for _ in range(50):
        now = state(dice.uniform(), dice)
        assert habit.step(now, learn=True) == other.step(now, learn=True)


@pytest.mark.parametrize("damage", ["missing", "shape", "not finite", "dice"])
def test_a_damaged_state_is_refused(damage: str) -> None:
    habit, _ = taught(50)
    saved = habit.state()
    match damage:
        case "missing":
            del saved["normal"]
        case "shape":
            saved["parameters"] = saved["parameters"][:-1]
        case "not finite":
            saved["past"][3, 3] = np.inf
        case _:
            saved["dice"] = saved["dice"][:2]
    with pytest.raises(Unusable):
        Habit(seed=0).load(saved)


def test_weights_that_explode_are_noticed() -> None:
    habit, _ = taught(50)
    assert habit.sound()
    habit._network.parameters[0] = np.nan
    assert not habit.sound()
