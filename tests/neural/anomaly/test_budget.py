"""The threshold follows from the hours before it and from how many alarms the user puts up with."""

from __future__ import annotations

import numpy as np
import pytest

from gamesad.neural.anomaly.budget import HOUR_S, WEEK_S, Budget
from gamesad.neural.model import Unusable


def hours(budget: Budget, maxima: list[float]) -> None:
    for highest in maxima:
        budget.watch(highest, HOUR_S)


def normal(count: int, seed: int = 0) -> list[float]:
    return (2.0 + np.random.default_rng(seed).exponential(0.7, count)).tolist()


def test_the_first_day_only_the_extreme_is_told() -> None:
    budget = Budget(1.0)
    hours(budget, normal(23))
    assert not budget.warm
    assert budget.threshold(0.0) >= 20.0
    hours(budget, normal(1))
    assert budget.warm
    second_day = budget.threshold(0.0)
    assert second_day < 20.0
    hours(budget, normal(300))
    assert budget.threshold(0.0) < 0.75 * second_day


@pytest.mark.parametrize("per_week", [0.25, 1.0, 10.0])
def test_on_what_is_normal_alarms_come_no_more_often_than_allowed(per_week: float) -> None:
    """Twenty weeks of hours whose maxima have an exponential tail, after four to learn from."""
    told = 0
    for seed in range(10):
        budget = Budget(per_week)
        hours(budget, normal(672, seed))
        told += sum(highest >= budget.threshold(0.0) for highest in normal(336, seed + 100))
    assert told / 20.0 <= per_week * 1.1
    assert per_week < 1.0 or told > 0, "nor so seldom that nothing would ever be found"


def test_a_larger_budget_asks_for_less() -> None:
    thresholds = []
    for per_week in (0.1, 1.0, 10.0):
        budget = Budget(per_week)
        hours(budget, normal(300))
        thresholds.append(budget.threshold(0.0))
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > thresholds[2] + 1.0


def test_each_alarm_beyond_the_budget_asks_for_ten_times_rarer_evidence_for_a_week() -> None:
    budget = Budget(2.0)
    hours(budget, normal(300))
    quiet = budget.threshold(0.0)
    budget.tell(0.0)
    assert budget.threshold(1.0) == quiet
    budget.tell(2.0)
    assert budget.threshold(3.0) == quiet + 1.0
    budget.tell(4.0)
    assert budget.threshold(5.0) == quiet + 2.0
    assert budget.threshold(WEEK_S + 10.0) == quiet


def test_a_fault_of_days_does_not_make_the_next_one_harder_to_see() -> None:
    budget = Budget(1.0)
    hours(budget, normal(300))
    before = budget.threshold(0.0)
    for _ in range(48):
        budget.watch(40.0, HOUR_S, faulty=True)
    assert budget.threshold(10 * WEEK_S) <= before + 0.5


def test_the_rate_is_of_what_was_watched() -> None:
    budget = Budget(1.0)
    hours(budget, normal(336))
    budget.tell(100.0)
    assert budget.rate(200.0) == 0.5


def test_saved_and_taken_up_it_is_the_same() -> None:
    budget, other = Budget(1.0), Budget(1.0)
    hours(budget, normal(40))
    budget.watch(5.0, 100.0)
    budget.tell(10.0)
    other.load(budget.state())
    assert other.threshold(20.0) == budget.threshold(20.0)
    hours(budget, [3.0])
    hours(other, [3.0])
    assert other.threshold(20.0) == budget.threshold(20.0)


@pytest.mark.parametrize("damage", ["missing", "not finite", "shape"])
def test_a_damaged_state_is_refused(damage: str) -> None:
    state = Budget(1.0).state()
    match damage:
        case "missing":
            del state["maxima"]
        case "not finite":
            state["told"] = np.array([np.nan])
        case _:
            state["now"] = np.zeros(3)
    with pytest.raises(Unusable):
        Budget(1.0).load(state)
