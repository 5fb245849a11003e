"""The judge: intervals that hold what they promise, and an estimate that does not believe its own network."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gamesad.neural.policy.estimate import FUTURE_S, SPELL_S, Judge, Pending, Spells
from gamesad.neural.policy.learning import ACTIONS, GAMMA

NOOP, THROTTLE = 0, 1
HERE = tuple([0.5] * 8)


def test_an_interval_covers_the_truth_about_nine_times_in_ten() -> None:
    rng, covered = np.random.default_rng(5), 0
    for _ in range(400):
        spells = Spells()
        for number in range(8):
            level = rng.normal(0.1, 0.3)  # decisions of one spell share their luck
            for at in range(20):
                spells.add(number * SPELL_S + at * 10, level + rng.normal(0.0, 0.1))
        interval = spells.interval()
        assert interval is not None
        covered += interval.low <= 0.1 <= interval.high
    assert 0.86 <= covered / 400 <= 0.94


def test_there_is_no_interval_from_a_few_spells() -> None:
    spells = Spells()
    for second in range(5 * SPELL_S):
        spells.add(second, 1.0)
    assert spells.interval() is None


def world(gain: float, *, seed: int = 0, biased: float = 0.0, hours: int = 10) -> Judge:
    """A steady machine: throttling adds ``gain`` to the reward of the 100 s that follow; chosen at random, 1 in 20.

    ``biased``: what the judge's network wrongly believes of throttling from the start, and never unlearns.
    """
    rng = np.random.default_rng(seed)
    judge, chance, boosted = Judge(rng), 0.05, -1
    judge.outcome.parameters[-len(ACTIONS) + THROTTLE] = biased
    for second in range(hours * 3600):
        judge.passed(second, 0.2 + rng.normal(0.0, 0.1) + (gain if second <= boosted else 0.0))
        if second % 5 == 0:
            throttled = rng.random() < chance
            done, taken = (THROTTLE, chance) if throttled else (NOOP, 1.0 - chance)
            boosted = second + 100 if throttled else boosted
            judge.decided(Pending(second, done, THROTTLE, HERE, taken, 1.0 - chance, random=True))
            if biased == 0.0 and second % 20 == 0:
                judge.learn(rng)
    return judge


@pytest.mark.parametrize("gain", [-0.3, 0.0, 0.3])
@pytest.mark.parametrize("biased", [0.0, 3.0])
def test_the_estimate_is_right_even_where_the_network_is_wrong(gain: float, biased: float) -> None:
    interval = world(gain, biased=biased).robust.interval()
    assert interval is not None
    worth = gain * (1.0 - GAMMA) * sum(GAMMA ** (s / 5.0) / 5.0 for s in range(100))
    worth *= 0.95**20 + (1.0 - 0.95**20) * 0.5  # others throttle within those 100 s as well, and it is on already
    assert interval.low - 0.1 <= worth <= interval.high + 0.1
    if gain:
        assert math.copysign(1.0, interval.mean) == math.copysign(1.0, gain)


def test_a_network_that_has_learnt_narrows_the_interval() -> None:
    learnt, wrong = world(0.3).robust.interval(), world(0.3, biased=3.0).robust.interval()
    assert learnt is not None
    assert wrong is not None
    assert learnt.high - learnt.low < wrong.high - wrong.low


def test_a_decision_is_judged_by_the_discounted_rewards_of_its_future() -> None:
    judge = Judge(np.random.default_rng(0))
    judge.decided(Pending(10, NOOP, NOOP, HERE))
    for second in range(11, 11 + FUTURE_S):
        judge.passed(second, 1.0 if second == 11 else 0.0)
    assert judge.memory.state()[0, 9] == pytest.approx(1.0 / 5.0)
    assert judge.rules_value == pytest.approx((1.0 - GAMMA) / 5.0)


def test_a_future_with_a_gap_in_it_is_not_judged() -> None:
    judge = Judge(np.random.default_rng(0))
    judge.decided(Pending(10, NOOP, NOOP, HERE))
    judge.broken()
    for second in range(5000, 5000 + 2 * FUTURE_S):
        judge.passed(second, 1.0)
    assert judge.memory.filled == 0


def test_its_own_decisions_are_compared_with_what_the_rules_would_have_earned() -> None:
    judge = Judge(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for second in range(4 * 3600):  # the rules earn 0.3 a second
        judge.passed(second, 0.3)
        if second % 5 == 0:
            judge.decided(Pending(second, NOOP, NOOP, HERE))
            judge.learn(rng)
    for second in range(4 * 3600, 8 * 3600):  # then the policy 0.1
        judge.passed(second, 0.1)
        if second % 5 == 0:
            judge.decided(Pending(second, THROTTLE, THROTTLE, HERE, own=True))
    interval = judge.modelled.interval()
    assert interval is not None
    assert interval.high < 0.0
    assert interval.mean == pytest.approx(-0.2, abs=0.04)
