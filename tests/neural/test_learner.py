"""The learner as a whole: deterministic, saved and taken up, put back when poisoned, and never a danger to the tick."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.config import NeuralConfig
from gamesad.messages import Message
from gamesad.neural.learner import Learner
from gamesad.neural.policy.agent import PolicyMode
from gamesad.neural.policy.estimate import Pending
from gamesad.neural.policy.learning import DoubleQ
from gamesad.neural.ward import COPY_S
from tests.neural.feeding import BOARD, CARD, CPU, SENSORS, UNLIMITED, WITH_CARD, Fed, fed, finite
from tests.neural.poison import poison


def test_it_forecasts_every_temperature_and_says_how_likely_the_limit_is_reached() -> None:
    forecast = fed().run(0, 120)
    assert forecast is not None
    assert set(forecast.expected) == set(forecast.upper) == {CPU, BOARD}
    assert forecast.horizon_s == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert set(forecast.crossing) == {CPU}, "the board has no limit"
    assert finite(forecast)


def test_the_same_seed_and_readings_give_the_same_bits_and_another_seed_others() -> None:
    first, second, other = fed(), fed(), fed(seed=1)
    same = [list(one.seconds(0, 200)) for one in (first, second, other)]
    assert same[0] == same[1]
    assert same[0] != same[2]


def test_what_a_tick_is_told_of_the_wall_clock_changes_no_forecast() -> None:
    first, second = fed(), fed()
    for number in range(150):
        jumped = 1e9 + number + (3600.0 if number > 50 else 0.0) - (86400.0 if number > 100 else 0.0)
        assert first.tick(float(number)) == second.tick(float(number), wall_s=jumped)


def test_between_two_seconds_the_forecast_stays_and_then_it_is_none() -> None:
    one = fed()
    forecast = one.run(0, 60)
    assert one.tick(59.3) is forecast
    assert one.tick(59.9) is forecast
    one.tick(60.0)
    assert one.tick(60.5) is not None


def test_saved_and_taken_up_it_goes_on_bit_by_bit(tmp_path: Path) -> None:
    first = fed(folder=str(tmp_path))
    first.run(0, 200)
    first.learner.close()
    first.learner.interrupt()
    second = fed(folder=str(tmp_path))
    for number in range(1000, 1100):
        assert first.tick(float(number)) == second.tick(float(number))
    assert second.learner.header.since_s == first.learner.header.since_s
    assert [found.message for found in second.found] == []


@pytest.mark.parametrize("broken", ["forecast", "policy", "anomaly"])
def test_one_saved_model_that_cannot_be_taken_up_costs_that_one_and_is_told(broken: str, tmp_path: Path) -> None:
    first = fed(folder=str(tmp_path))
    first.run(0, 100)
    ward = next(ward for ward in first.learner.wards if ward.name == broken)
    state = ward.model.state()
    first_float = next(name for name, array in state.items() if array.dtype.kind == "f" and array.size)
    ward.model.state = lambda: state | {first_float: np.full((3, 1, 4), np.nan)}  # type: ignore[method-assign]
    first.learner.close()
    second = fed(folder=str(tmp_path))
    second.run(1000, 1020)
    (found,) = second.found
    assert found.message is Message.MODELS_SET_ASIDE
    assert f"{tmp_path}/models.npz" in found.text
    assert f"{broken}:" in found.text
    assert {file.name for file in tmp_path.iterdir()} == {"models.npz.set-aside"}
    assert second.learner.thermal.model.names == (CPU, BOARD)


@pytest.mark.parametrize("name", ["forecast", "policy", "anomaly"])
def test_a_poisoned_model_is_put_back_within_the_tick_and_told_once(name: str) -> None:
    one = fed()
    one.run(0, COPY_S + 20)
    ward = next(ward for ward in one.learner.wards if ward.name == name)
    poison(ward.model)
    for second in range(COPY_S + 20, COPY_S + 120):
        assert finite(one.tick(float(second)))
        assert ward.model.sound()
    assert ward.rollbacks == 1
    (found,) = [found for found in one.found if found.message is Message.MODELS_ROLLED_BACK]
    assert found.fields["model"] == name
    assert one.learner.status()["Life"]["Rollbacks"] == 1
    assert one.tick(COPY_S + 120.0) is not None


def test_weights_that_go_wrong_cost_no_lesson() -> None:
    """The copy to go back to does without lessons of its own, which are two thirds of it."""
    one = fed()
    one.run(0, 3 * COPY_S)
    thermal = one.learner.thermal
    lessons = thermal.model._lessons
    assert thermal._copy is not None
    assert thermal._copy["lessons/store"] is lessons.store
    assert not np.shares_memory(thermal.model.state()["lessons/store"], lessons.store)
    thermal.model._networks.parameters.fill(np.nan)
    one.tick(3.0 * COPY_S)
    assert thermal.problem.endswith("goes on from what it was a minute ago")
    assert (thermal.model._lessons.count >= lessons.count - COPY_S).all()
    assert np.array_equal(thermal.model._lessons.store, lessons.store)
    assert finite(one.run(3 * COPY_S + 1, 3 * COPY_S + 30))


@pytest.mark.parametrize("name", ["forecast", "policy", "anomaly"])
def test_a_model_that_always_fails_takes_the_others_and_the_tick_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = fed()

    def step(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("a bug")

    for ward in one.learner.wards:
        if ward.name == name:
            monkeypatch.setattr(type(ward.model), "step", step)
    last = one.run(0, 90)
    assert (last is None) is (name == "forecast")
    told = [found for found in one.found if found.message is Message.MODELS_ROLLED_BACK]
    assert [found.fields["model"] for found in told] == [name]
    states = one.learner.status()
    section = {"forecast": "Forecast", "policy": "Policy", "anomaly": "Anomalies"}[name]
    assert "a bug" in states[section]["State"]


def test_sensors_come_and_go_and_what_is_known_of_the_others_stays() -> None:
    one, same = fed(), fed()
    one.run(0, 150)
    same.run(0, 150)
    one.sensors = WITH_CARD
    forecast = one.run(150, 200)
    alone = same.run(150, 200)
    assert forecast is not None
    assert alone is not None
    assert set(forecast.expected) == {CPU, BOARD, CARD}
    assert forecast.expected[CPU] == alone.expected[CPU], "each sensor learns by itself"
    one.sensors = {CARD: WITH_CARD[CARD]}
    forecast = one.run(200, 220)
    assert forecast is not None
    assert set(forecast.expected) == {CARD}
    one.sensors = {}
    assert one.run(220, 230) is None


def test_a_suspend_is_a_gap_although_the_clock_stood_still() -> None:
    one = fed()
    one.run(0, 100)
    one.learner.interrupt()
    seen = list(one.seconds(100, 103))
    assert all(finite(forecast) for forecast in seen)
    assert one.learner._second == 99 + 60 + 2


def test_at_slow_ticks_it_rests_and_a_faster_one_wakes_it() -> None:
    one = fed()
    one.run(0, 60)
    before = one.learner.thermal.model.state()
    seen = [one.tick(60.0 + 2.0 * number) for number in range(60)]
    assert seen[10:] == [None] * 50
    after = one.learner.thermal.model.state()
    spent = sum(
        not np.array_equal(before[name], after[name], equal_nan=after[name].dtype.kind == "f") for name in after
    )
    assert spent, "the first slow ticks are no rest yet"
    at_rest = one.learner.thermal.model.state()
    one.tick(180.0)
    assert all(np.array_equal(at_rest[n], v, equal_nan=v.dtype.kind == "f") for n, v in after.items())
    forecast = [one.tick(181.0 + number) for number in range(20)][-1]
    assert forecast is not None
    assert finite(forecast)


def test_while_it_rests_what_is_odd_is_still_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    one = fed()
    for number in range(20):
        one.tick(2.0 * number)
    seen: list[float] = []
    step = type(one.learner.anomaly.model).step

    def watched(self: object, moment: object) -> object:
        seen.append(moment.second)  # type: ignore[attr-defined]
        return step(self, moment)  # type: ignore[arg-type]

    monkeypatch.setattr(type(one.learner.anomaly.model), "step", watched)
    for number in range(20, 80):
        one.tick(2.0 * number)
    assert 3 <= len(seen) <= 5
    assert all(after - before == 30 for before, after in pairwise(seen))


def test_a_reset_forgets_on_disk_too_and_keeps_the_mode(tmp_path: Path) -> None:
    one = fed(folder=str(tmp_path))
    one.run(0, 100)
    one.learner.mode("advise")
    one.learner.reset("all")
    one.learner.close()
    status = one.learner.status()
    assert status["Policy"]["Mode"] == "advise"
    assert {row["Samples"] for row in status["Forecast"]["Sensors"]} <= {0}
    second = fed(folder=str(tmp_path))
    second.run(1000, 1002)
    assert all(row["Samples"] <= 2 for row in second.learner.status()["Forecast"]["Sensors"])


def test_a_reset_of_one_leaves_the_others() -> None:
    one = fed()
    one.run(0, 100)
    policy = one.learner.policy.model
    one.learner.reset("forecast")
    assert one.learner.policy.model is policy
    assert {row["Samples"] for row in one.learner.status()["Forecast"]["Sensors"]} <= {0}


def test_a_configuration_counts_at_once_but_for_the_seed() -> None:
    one = fed()
    one.run(0, 30)
    one.learner.configure(
        NeuralConfig(policy="act", false_alarms_per_week=7.0, tick_budget_ms=3.0, checkpoint_minutes=1, seed=9)
    )
    one.tick(30.0)
    status = one.learner.status()
    assert (status["Policy"]["Mode"], status["Anomalies"]["Budget"]) == ("act", 7.0)
    assert (status["Life"]["BudgetMs"], status["Seed"]) == (3.0, 0)
    (found,) = [found for found in one.found if found.message is Message.POLICY_MODE]
    assert found.fields["mode"] == PolicyMode.ACT
    one.learner.reset("policy")
    assert one.learner.policy.model.mode is PolicyMode.ACT


def test_checkpoints_are_written_every_so_many_minutes(tmp_path: Path) -> None:
    one = Fed(Learner(replace(UNLIMITED, checkpoint_minutes=1), folder=str(tmp_path), machine="m", wall=lambda: 1e9))
    one.run(0, 200)
    shelf = one.learner.shelf
    assert shelf is not None
    shelf.tend(10.0)
    assert shelf.checkpoints == 3
    one.learner.configure(replace(UNLIMITED, checkpoint_minutes=0))
    one.run(200, 400)
    assert shelf.checkpoints == 3


def test_where_nothing_is_kept_a_checkpoint_says_why() -> None:
    said: list[str] = []
    fed().learner.checkpoint(said.append)
    assert "not kept" in said[0]


def test_over_its_budget_training_yields_and_there_is_a_forecast_all_the_same() -> None:
    now_s = [0.0]

    def clock() -> float:
        now_s[0] += 0.004
        return now_s[0]

    one = Fed(Learner(NeuralConfig(tick_budget_ms=2.0), machine="m", clock=clock))
    last = one.run(0, 60)
    yielded = one.learner.status()["Life"]["Yielded"]
    assert yielded["training"] > 40
    assert last is not None
    assert set(last.expected) == {CPU, BOARD}


@pytest.mark.parametrize(("limit_s", "some"), [(1e9, True), (1e-9, False)])
def test_the_policys_training_yields_as_the_forecasts_does(
    limit_s: float, some: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, steps = fed(), []
    monkeypatch.setattr(DoubleQ, "learn", lambda *_: steps.append(1))
    one.learner.budget.limit_s = limit_s
    one.run(0, 100)
    steps.clear()
    one.run(100, 200)
    assert len(steps) == 100 if some else len(steps) < 10  # now and then it is tried


def test_a_suspend_is_credited_to_no_action() -> None:
    """CLOCK_MONOTONIC stands still meanwhile: nothing in the ticks tells the policy that seconds are missing."""
    one = fed()
    one.run(0, 30)
    policy = one.learner.policy.model
    policy._force = (29, 0, np.zeros(8))
    policy.judge.decided(Pending(29, 0, 0, (0.0,) * 8))
    one.learner.interrupt()
    assert policy._force is None
    assert not policy.judge._pending
    assert policy._advice is None


NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 1e300, -1e300, 5e-324, 1e9, -273.15])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from([*WITH_CARD]), NUMBERS),
            st.sampled_from([SENSORS, WITH_CARD, {}]),
            st.floats(-3.0, 70.0) | st.just(1.0),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_whatever_it_is_fed_what_comes_out_is_finite(steps: list[tuple[dict[str, float], dict, float, bool]]) -> None:
    """Missing, absurd, infinite, in any rhythm, with sensors that come and go, and suspended in between."""
    one, now_s = fed(), 100.0
    one.run(90, 100)
    for values, sensors, step_s, slept in steps:
        now_s += step_s
        one.sensors = sensors
        if slept:
            one.learner.interrupt()
        assert finite(one.tick(now_s, values))
        assert all(ward.model.sound() for ward in one.learner.wards)
    one.sensors = SENSORS
    assert finite([one.tick(now_s + 100.0 + second) for second in range(15)][-1])
    assert [ward.rollbacks for ward in one.learner.wards] == [0, 0, 0], "nothing of it even needed to be put back"
