"""A model that fails or turns unsound is put back within the tick, told once, and left alone if that does not help."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gamesad.neural.model import Arrays, Unusable
from gamesad.neural.ward import COPY_S, REST_S, SETTLED_S, Ward


class Counter:
    """Counts; unsound from NaN on."""

    made = 0

    def __init__(self) -> None:
        Counter.made += 1
        self.value = np.zeros(1)

    def count(self) -> float:
        self.value += 1.0
        return float(self.value[0])

    def poison(self) -> float:
        self.value[:] = np.nan
        return float(self.value[0])

    def state(self) -> dict[str, np.ndarray]:
        return {"value": self.value.copy()}

    copy = state

    def load(self, state: Arrays) -> None:
        if np.shape(state["value"]) != (1,):
            raise Unusable("another shape")
        self.value[:] = state["value"]

    def sound(self) -> bool:
        return bool(np.isfinite(self.value).all())


def loaded(state: Arrays) -> Counter:
    model = Counter()
    model.load(state)
    return model


def ward(make: Callable[[], Counter] = Counter) -> tuple[Ward[Counter], list[str]]:
    told: list[str] = []
    return Ward("forecast", make, loaded, lambda _name, problem: told.append(problem)), told


def seconds(one: Ward[Counter], count: int) -> float:
    for _ in range(count):
        value = one.work(Counter.count, -1.0)
        one.second()
    return value


def fail(_model: Counter) -> float:
    raise ZeroDivisionError("a bug")


def test_poisoned_weights_are_put_back_within_the_same_call() -> None:
    one, told = ward()
    seconds(one, COPY_S + 5)
    assert one.work(Counter.poison, -1.0) == -1.0
    assert (one.model.value[0], one.rollbacks) == (COPY_S, 1)
    assert told == ["its numbers have left what can be learnt; it goes on from what it was a minute ago"]
    assert seconds(one, 3) == COPY_S + 3


def test_an_exception_is_put_back_too_and_named() -> None:
    one, told = ward()
    seconds(one, COPY_S)
    assert one.work(fail, -1.0) == -1.0
    assert told == ["ZeroDivisionError: a bug; it goes on from what it was a minute ago"]


def test_before_there_is_a_copy_it_begins_anew() -> None:
    one, told = ward()
    seconds(one, 7)
    one.work(fail, -1.0)
    assert one.model.value[0] == 0.0
    assert told == ["ZeroDivisionError: a bug; it begins anew"]


def test_what_fails_again_at_once_does_not_go_back_to_the_same_copy() -> None:
    one, told = ward()
    seconds(one, COPY_S)
    one.work(fail, -1.0)
    one.second()
    one.work(fail, -1.0)
    assert one.model.value[0] == 0.0
    assert len(told) == 1, "a row of failures is told once"


def test_one_that_fails_every_second_is_left_alone_and_tried_again() -> None:
    one, told = ward()
    before = Counter.made
    for _ in range(10 * REST_S):
        one.work(fail, -1.0)
        one.second()
    assert len(told) == 1
    assert Counter.made - before <= 40, "it is not made anew every second"
    assert one.rollbacks > 3
    assert seconds(one, REST_S + 1) > 0.0


def test_its_end_is_told_once_when_it_has_been_well_for_long() -> None:
    one, told = ward()
    one.work(fail, -1.0)
    seconds(one, SETTLED_S - 1)
    assert len(told) == 1
    seconds(one, 2)
    assert told[1:] == [""]
    assert one.problem == ""


def test_a_copy_that_cannot_be_taken_up_ends_in_a_fresh_model() -> None:
    one, told = ward()
    seconds(one, COPY_S)
    one._copy = {"value": np.array([np.inf])}
    one.work(Counter.poison, -1.0)
    assert one.model.value[0] == 0.0
    assert told == ["its numbers have left what can be learnt; it begins anew"]


def test_a_saved_state_that_is_unusable_changes_nothing() -> None:
    one, _told = ward()
    seconds(one, 5)
    for bad in ({"value": np.array([np.nan])}, {"value": np.zeros(3)}, {}):
        try:
            one.take_up(bad)
        except Unusable:
            continue
        raise AssertionError(bad)
    assert one.model.value[0] == 5.0
