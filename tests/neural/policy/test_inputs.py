"""The eight inputs: what they are read from, what counts as unknown, and what as strange."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from gamesad.neural.policy.inputs import INPUTS, Reader, Reading, Scene, Usual
from gamesad.types import Controls
from tests.support.policy_machines import CPU, POWER, intent
from tests.support.policy_scenes import (
    BUSY,
    CARD_W,
    GPU,
    LOAD,
    MEMORY,
    PRESSURE,
    forecast,
    scene,
    wild_scenes,
)
from tests.support.sequences import quick

HEADROOM, _CPU, _GPU, _POWER, FRAMES, LATENCY, _MEMORY, FORECAST = range(len(INPUTS))


def read(*arguments: Any, **more: Any) -> Reading:
    return Reader().read(scene(1.0, *arguments, **more))


def test_each_input_is_read_where_it_is_measured() -> None:
    reading = read(forecast=forecast(88.0))
    assert reading.values[[HEADROOM, _CPU, _GPU]].tolist() == [35.0, 0.3, 0.4], "the least headroom of both"
    assert reading.values[[LATENCY, _MEMORY, FORECAST]].tolist() == [0.02, 0.5, 7.0]
    assert reading.power_part == pytest.approx(20.0 / 45.0)
    assert math.isnan(reading.frame_rate)
    assert reading.unknown == 1


def test_latency_is_the_frame_time_while_there_is_a_game() -> None:
    playing, idle = read(frame_rate=80.0), read()
    assert playing.values[[FRAMES, LATENCY]].tolist() == [80.0, 12.5]
    assert idle.values[LATENCY] == 0.02
    assert playing.kinds[LATENCY] != idle.kinds[LATENCY], "each has a mean of its own"


def test_without_a_load_of_the_card_its_power_stands_for_it() -> None:
    assert read({BUSY: math.nan}).values[_GPU] == 40.0


def test_power_is_in_watts_where_no_limit_is_known_and_is_then_no_part_of_one() -> None:
    bare = Controls({}, {})
    reading = read(controls=bare)
    assert reading.values[_POWER] == 20.0
    assert math.isnan(reading.power_part)
    assert math.isnan(read({POWER: math.nan}).values[_POWER])


def test_a_users_power_limit_counts_where_it_is_lower() -> None:
    assert read(wish=intent(power_limits_w={POWER: 25.0})).power_part == pytest.approx(0.8)


@pytest.mark.parametrize("impossible", [65261.8, -273.1, math.inf, math.nan])
def test_what_cannot_be_true_is_unknown(impossible: float) -> None:
    assert math.isnan(read({CPU: impossible, GPU: math.nan}).values[HEADROOM])


def test_what_is_unknown_takes_its_mean() -> None:
    usual = Usual()
    for second in range(50):
        usual.learn(read({LOAD: 0.3 + 0.01 * (second % 7)}))
    normal = usual.normal(read({LOAD: math.nan}))
    assert normal[_CPU] == 0.0
    assert usual.normal(read({LOAD: 0.6}))[_CPU] > 1.0


def test_a_mean_and_deviation_are_those_of_what_was_read() -> None:
    usual, rng = Usual(), np.random.default_rng(1)
    loads = rng.uniform(0.2, 0.8, 500)
    for load in loads:
        usual.learn(read({LOAD: float(load)}))
    assert usual.means[1] == pytest.approx(loads.mean())
    assert math.sqrt(usual.squares[1]) == pytest.approx(loads.std())


def test_strange_is_what_leaves_the_range_seen_or_was_hardly_ever_seen() -> None:
    usual = Usual()
    for _ in range(300):
        usual.learn(read({CPU: 70.0}))
    assert usual.stranger(read({CPU: 69.0})) == ""
    assert usual.stranger(read({CPU: 90.0})) == "temperature headroom 5, seen so far 25 to 25"
    assert usual.stranger(read({CPU: 70.0}, frame_rate=60.0)) == "frame rate 60, never seen so far"
    for _ in range(10):
        usual.learn(read({CPU: 70.0}, frame_rate=60.0))
    assert usual.stranger(read({CPU: 70.0}, frame_rate=60.0)) == "frame rate 60, seen so far 60 to 60", "hardly ever"


@quick
@given(wild_scenes())
def test_the_network_sees_finite_numbers_whatever_is_read(scenes: list[Scene]) -> None:
    usual, reader = Usual(), Reader()
    for each in scenes:
        reading = reader.read(each)
        usual.learn(reading)
        assert np.abs(usual.normal(reading)).max() <= 5.0
        assert np.isfinite(usual.squares).all()


def test_the_names_in_this_machine_are_the_ones_that_are_read() -> None:
    gone = {CPU: math.nan, GPU: math.nan, CARD_W: math.nan, BUSY: math.nan, POWER: math.nan}
    assert read(gone | {LOAD: math.nan, PRESSURE: math.nan, MEMORY: math.nan}).unknown == len(INPUTS)
