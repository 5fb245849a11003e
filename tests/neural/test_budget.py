"""The budget is kept by measured time: training yields first, then the mixture; both come back when there is room."""

from __future__ import annotations

import pytest

from gamesad.neural.budget import Budget, Effort

LIMIT_S = 0.002


class Machine:
    """A clock that only work moves; what each effort costs can be changed."""

    def __init__(self, persistence: float, mixture: float, training: float) -> None:
        self.now_s = 0.0
        self.costs_s = {
            Effort.PERSISTENCE: persistence * LIMIT_S,
            Effort.MIXTURE: mixture * LIMIT_S,
            Effort.TRAINING: training * LIMIT_S,
        }
        self.budget = Budget(LIMIT_S, lambda: self.now_s)

    def seconds(self, count: int) -> list[Effort]:
        done = []
        for _ in range(count):
            effort = self.budget.begin()
            with self.budget.spending():
                self.now_s += self.costs_s[effort] / 2
            with self.budget.spending():
                self.now_s += self.costs_s[effort] / 2
            done.append(effort)
        return done


def part(done: list[Effort], effort: Effort) -> float:
    return done.count(effort) / len(done)


def test_what_fits_is_always_done() -> None:
    machine = Machine(0.05, 0.4, 0.9)
    assert part(machine.seconds(500), Effort.TRAINING) == 1.0
    assert not any(machine.budget.yielded.values())
    assert machine.budget.spent_s == pytest.approx(0.9 * LIMIT_S)


def test_training_yields_first_and_the_mixture_goes_on() -> None:
    machine = Machine(0.05, 0.4, 3.0)
    done = machine.seconds(1000)
    assert part(done[30:], Effort.MIXTURE) > 0.9
    assert Effort.PERSISTENCE not in done
    assert machine.budget.yielded[Effort.TRAINING] == done.count(Effort.MIXTURE)
    assert machine.budget.yielded[Effort.MIXTURE] == 0


def test_then_the_mixture_falls_back_and_persistence_is_left() -> None:
    machine = Machine(0.05, 2.0, 3.0)
    done = machine.seconds(1000)
    assert part(done[60:], Effort.PERSISTENCE) > 0.8
    assert machine.budget.yielded[Effort.MIXTURE] > 0


def test_on_average_the_budget_is_kept() -> None:
    machine = Machine(0.05, 0.4, 3.0)
    machine.seconds(60)
    before_s = machine.now_s
    machine.seconds(3000)
    assert (machine.now_s - before_s) / 3000 <= LIMIT_S


def test_both_come_back_when_there_is_room() -> None:
    machine = Machine(0.05, 2.0, 3.0)
    machine.seconds(300)
    machine.costs_s[Effort.MIXTURE], machine.costs_s[Effort.TRAINING] = 0.4 * LIMIT_S, 0.9 * LIMIT_S
    assert part(machine.seconds(400)[200:], Effort.TRAINING) == 1.0


def test_one_second_in_which_others_had_the_processor_makes_nothing_yield() -> None:
    machine = Machine(0.05, 0.4, 0.6)
    machine.seconds(100)
    machine.now_s += 0.0
    with machine.budget.spending():
        machine.now_s += 1000 * LIMIT_S
    assert machine.seconds(1) == [Effort.TRAINING]


def test_another_limit_is_in_force_at_once() -> None:
    machine = Machine(0.05, 0.4, 0.9)
    machine.seconds(100)
    machine.budget.limit_s = 0.5 * LIMIT_S
    assert machine.seconds(1) == [Effort.MIXTURE]
