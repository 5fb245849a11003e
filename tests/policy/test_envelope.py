"""The envelope's properties, on made-up machines: whatever is wanted and whatever is read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.scale import CEILED, ceiling, floor
from gamesad.types import Absence, Action, Controls, Decision, Heat, Origin, Rejection, Role, Snapshot, Tunable, Value
from tests.support.policy_machines import (
    CPU,
    DISK,
    EPP,
    GOVERNOR,
    MAX,
    MIN,
    NO_TURBO,
    PL1,
    PLATFORM,
    limit,
    snapshot,
    tunables,
)
from tests.support.sequences import SENSORS, decisions, limits_of, quick, steps

_TWO = tunables(policies=2)
CONTROLS = Controls(_TWO.tunables, {**_TWO.found, "cpufreq.policy1.scaling_min_freq": 2_000_000})
"""Somebody had raised one policy's minimum."""
LIMITS = limits_of()
NOTHING = Decision(Action.NOOP, {}, Origin.RULE, "noop: as found")


def power(controls: Controls, settings: Mapping[str, Value], name: str) -> float:
    """Where a tunable stands; one that is not named counts as found."""
    value = controls.tunables[name].power(settings.get(name, controls.found[name]))
    assert value is not None
    return value


def reached(history: list[Snapshot], wanted: Decision = NOTHING, controls: Controls = CONTROLS) -> Envelope:
    state = Envelope()
    for now in history:
        _decision, state = enforce(state, wanted, now, LIMITS, controls)
    return state


@quick
@given(steps(), decisions(CONTROLS), st.sampled_from(SENSORS), st.floats(0.0, 60.0))
def test_hotter_never_means_more_power(history: list[Snapshot], wanted: Decision, name: str, hotter_c: float) -> None:
    state, now = reached(history[:-1], wanted), history[-1]
    if name not in now.readings or not math.isfinite(now.readings[name]):
        return
    hot = Snapshot(
        now.number,
        now.monotonic_s,
        {**now.readings, name: now.readings[name] + hotter_c},
        rejected=now.rejected,
        absent=now.absent,
        ages_s=now.ages_s,
    )
    cool_settings = enforce(state, wanted, now, LIMITS, CONTROLS)[0].settings
    hot_settings = enforce(state, wanted, hot, LIMITS, CONTROLS)[0].settings
    for tunable in CONTROLS.tunables:
        assert power(CONTROLS, hot_settings, tunable) <= power(CONTROLS, cool_settings, tunable), tunable


@quick
@given(steps(), st.lists(decisions(CONTROLS), min_size=1, max_size=5))
def test_what_leaves_is_known_inside_its_tunable_and_under_its_ceiling(
    history: list[Snapshot], wishes: list[Decision]
) -> None:
    state = Envelope()
    for number, now in enumerate(history):
        decision, state = enforce(state, wishes[number % len(wishes)], now, LIMITS, CONTROLS)
        for name, value in decision.settings.items():
            tunable, found = CONTROLS.tunables[name], CONTROLS.found[name]
            assert tunable.allows(value)
            if tunable.role in CEILED:
                most = tunable.power(ceiling(tunable, found))
                assert most is not None
                assert power(CONTROLS, decision.settings, name) <= most
        for policy in ("policy0", "policy1"):
            low, high = f"cpufreq.{policy}.scaling_min_freq", f"cpufreq.{policy}.scaling_max_freq"
            assert power(CONTROLS, decision.settings, low) <= power(CONTROLS, decision.settings, high)


@quick
@given(steps(), decisions(CONTROLS), st.sampled_from([CPU, "core"]))
def test_a_temperature_at_its_failsafe_limit_means_the_failsafe_settings(
    history: list[Snapshot], wanted: Decision, hot: str
) -> None:
    state = reached(history[:-1], wanted)
    last = history[-1]
    now = Snapshot(1, last.monotonic_s, {**dict.fromkeys(SENSORS, 50.0), hot: LIMITS[hot].failsafe_c})
    decision, after = enforce(state, wanted, now, LIMITS, CONTROLS)
    assert after.failsafe
    assert decision.action is Action.CONSERVATIVE
    _assert_failsafe(decision)


@quick
@given(steps(), st.lists(decisions(CONTROLS), min_size=1, max_size=5))
def test_a_lost_critical_sensor_means_the_failsafe_settings(history: list[Snapshot], wishes: list[Decision]) -> None:
    state, valid_s = Envelope(), history[0].monotonic_s
    for number, now in enumerate(history):
        decision, state = enforce(state, wishes[number % len(wishes)], now, LIMITS, CONTROLS)
        if math.isfinite(now.readings.get(CPU, math.nan)):
            valid_s = max(valid_s, now.monotonic_s - now.ages_s.get(CPU, 0.0))
        elif CPU in now.absent and now.absent[CPU].cause == "asleep":
            valid_s = now.monotonic_s
        if now.monotonic_s - valid_s >= 3.0:
            assert state.failsafe
            assert (decision.action, decision.source) == (Action.CONSERVATIVE, Origin.SAFETY)
            _assert_failsafe(decision)


@quick
@given(steps(), decisions(CONTROLS), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_reading_that_is_no_number_counts_as_none(history: list[Snapshot], wanted: Decision, bad: float) -> None:
    state, now = reached(history[:-1], wanted), history[-1]
    rest = {name: value for name, value in now.readings.items() if name != CPU}
    ages_s = {name: age for name, age in now.ages_s.items() if name != CPU}
    with_bad = Snapshot(1, now.monotonic_s, {**rest, CPU: bad}, ages_s=ages_s)
    without = Snapshot(1, now.monotonic_s, rest, ages_s=ages_s, absent={CPU: Absence("EIO", 0.0)})
    assert enforce(state, wanted, with_bad, LIMITS, CONTROLS) == enforce(state, wanted, without, LIMITS, CONTROLS)


@quick
@given(steps(), decisions(CONTROLS), st.floats(-1e300, 1e300))
def test_a_rejected_reading_is_never_acted_on(history: list[Snapshot], wanted: Decision, value: float) -> None:
    state, now = reached(history[:-1], wanted), history[-1]
    rest = {name: reading for name, reading in now.readings.items() if name != CPU}
    rejected = Snapshot(1, now.monotonic_s, rest, rejected={CPU: Rejection(value, "impossible")})
    absent = Snapshot(1, now.monotonic_s, rest, absent={CPU: Absence("EIO", 0.0)})
    assert enforce(state, wanted, rejected, LIMITS, CONTROLS) == enforce(state, wanted, absent, LIMITS, CONTROLS)


@quick
@given(steps(), decisions(CONTROLS))
def test_it_is_pure(history: list[Snapshot], wanted: Decision) -> None:
    state = reached(history[:-1], wanted)
    first = enforce(state, wanted, history[-1], LIMITS, CONTROLS)
    assert enforce(state, wanted, history[-1], LIMITS, CONTROLS) == first


@quick
@given(steps(), st.lists(decisions(CONTROLS), min_size=2, max_size=4))
def test_what_was_wanted_before_does_not_matter(history: list[Snapshot], wishes: list[Decision]) -> None:
    one, other = Envelope(), Envelope()
    for number, now in enumerate(history):
        last = wishes[number % len(wishes)]
        _decision, one = enforce(one, NOTHING, now, LIMITS, CONTROLS)
        _decision, other = enforce(other, last, now, LIMITS, CONTROLS)
        after_nothing = enforce(one, wishes[0], now, LIMITS, CONTROLS)[0]
        assert enforce(other, wishes[0], now, LIMITS, CONTROLS)[0].settings == after_nothing.settings


def test_a_minimum_stays_under_a_lowered_maximum() -> None:
    maximum, minimum = "cpufreq.policy1.scaling_max_freq", "cpufreq.policy1.scaling_min_freq"
    wanted = Decision(Action.THROTTLE, {maximum: 1_500_000}, Origin.RULE, "throttle: for a test")
    decision, _state = enforce(Envelope(), wanted, snapshot(0.0, {CPU: 50.0, "gpu": 40.0}), LIMITS, CONTROLS)
    assert decision.settings == {maximum: 1_500_000, minimum: 1_500_000}


@quick
@given(st.floats(20.0, 96.0), st.floats(20.0, 86.0))
def test_what_is_lawful_and_cool_passes_untouched(cpu_c: float, gpu_c: float) -> None:
    wanted = Decision(Action.THROTTLE, {MAX: 3_000_000, EPP: "power"}, Origin.RULE, "throttle: for a test")
    now = snapshot(0.0, {CPU: cpu_c, "gpu": gpu_c, DISK: 400.0})
    assert enforce(Envelope(), wanted, now, LIMITS, CONTROLS)[0] is wanted


def test_above_the_envelope_power_falls_with_each_degree() -> None:
    frequencies = []
    for over_c in (0.0, 1.0, 2.0, 3.0):
        now = snapshot(0.0, {CPU: LIMITS[CPU].envelope_c + over_c, "gpu": 40.0})
        decision, state = enforce(Envelope(), NOTHING, now, LIMITS, CONTROLS)
        frequencies.append(decision.settings[MAX])
        assert decision.source is Origin.SAFETY
    assert frequencies == sorted(set(frequencies), reverse=True)
    assert frequencies[-1] == 1_200_000
    assert state.failsafe


def test_a_temperature_that_stays_above_the_envelope_takes_more_and_more() -> None:
    """Some sensors saturate at the critical temperature and never show more."""
    state = Envelope()
    for second in range(10):
        now = snapshot(float(second), {CPU: LIMITS[CPU].envelope_c, "gpu": 40.0})
        decision, state = enforce(state, NOTHING, now, LIMITS, CONTROLS)
    assert decision.action is Action.CONSERVATIVE


def test_power_comes_back_in_steps_after_a_calm_and_does_not_flap() -> None:
    state, levels = Envelope(), []
    for tick in range(400):
        temp_c = 104.0 if tick == 0 else LIMITS[CPU].envelope_c - (1.0 if tick % 2 else 3.0) if tick < 100 else 60.0
        decision, state = enforce(state, NOTHING, snapshot(tick * 0.5, {CPU: temp_c, "gpu": 40.0}), LIMITS, CONTROLS)
        levels.append(decision.settings.get(MAX, 4_800_000))
    assert set(levels[:100]) == {1_200_000}, "trembling just under the limit gives nothing back"
    assert levels == sorted(levels)
    assert levels[-1] == 4_800_000
    changes = sum(one != other for one, other in itertools.pairwise(levels))
    assert changes <= 8


def test_a_lost_sensor_is_forgiven_only_after_it_has_been_valid_for_a_while() -> None:
    state, modes = Envelope(), []
    for tick in range(60):
        there = tick < 10 or tick >= 30
        absent = {} if there else {CPU: Absence("ENXIO", 5.0)}
        readings = {CPU: 60.0, "gpu": 50.0} if there else {"gpu": 50.0}
        decision, state = enforce(state, NOTHING, snapshot(tick * 0.5, readings, absent=absent), LIMITS, CONTROLS)
        modes.append(state.failsafe)
    assert modes.index(True) == 15, "3 s after the last valid value, at tick 9"
    assert modes[30:40] == [True] * 10
    assert modes[40:] == [False] * 20
    assert decision.settings == {}


def test_the_failsafe_says_which_sensor_is_lost() -> None:
    state = Envelope()
    for second in range(5):
        now = snapshot(float(second), {"gpu": 50.0}, absent={CPU: Absence("EIO", 0.0)})
        decision, state = enforce(state, NOTHING, now, LIMITS, CONTROLS)
    assert decision.reason.startswith("conservative: critical sensor CPU package gives no value; failsafe settings")
    assert "scaling_max_freq 4.8 → 1.2 GHz" in decision.reason


def test_an_asleep_critical_sensor_is_not_lost() -> None:
    state = Envelope()
    for second in range(60):
        now = snapshot(float(second), {"gpu": 50.0}, absent={CPU: Absence("asleep", 0.0)})
        decision, state = enforce(state, NOTHING, now, LIMITS, CONTROLS)
    assert not state.failsafe
    assert decision.settings == {}


def test_a_value_that_is_too_old_is_no_value() -> None:
    state = Envelope()
    for second in range(8):
        now = snapshot(float(second), {CPU: 60.0, "gpu": 50.0}, ages_s={CPU: float(second)})
        _decision, state = enforce(state, NOTHING, now, LIMITS, CONTROLS)
    assert state.failsafe


def test_a_machine_without_critical_sensors_runs() -> None:
    state = Envelope()
    for second in range(10):
        decision, state = enforce(state, NOTHING, snapshot(float(second), {}), {}, CONTROLS)
    assert decision is NOTHING
    assert not state.failsafe


def test_no_temperature_at_all_keeps_what_was_taken() -> None:
    limits = {CPU: limit(critical=False)}
    _decision, state = enforce(Envelope(), NOTHING, snapshot(0.0, {CPU: 120.0}), limits, CONTROLS)
    for second in range(1, 60):
        now = snapshot(float(second), {}, absent={CPU: Absence("EIO", 1.0)})
        decision, state = enforce(state, NOTHING, now, limits, CONTROLS)
    assert decision.settings[MAX] == 1_200_000


def test_the_heat_of_one_domain_leaves_the_other_alone() -> None:
    hot_gpu = snapshot(0.0, {CPU: 50.0, "gpu": 150.0})
    clock = Tunable("gpu.max", Role.FREQUENCY_MAXIMUM, "gpu", "/g", Heat.GPU, unit="MHz", minimum=300, maximum=2000)
    controls = Controls({**CONTROLS.tunables, "gpu.max": clock}, {**CONTROLS.found, "gpu.max": 2000})
    decision, _state = enforce(Envelope(), NOTHING, hot_gpu, LIMITS, controls)
    assert decision.settings == {"gpu.max": 500}
    decision, state = enforce(Envelope(), NOTHING, hot_gpu, LIMITS, CONTROLS)
    assert decision is NOTHING, "nothing can be set that would cool it"
    assert not state.failsafe


def test_failsafe_settings_are_usable_and_leave_the_fans_alone() -> None:
    decision, _state = enforce(Envelope(), NOTHING, snapshot(0.0, {CPU: 130.0}), LIMITS, tunables())
    settings = decision.settings
    assert (settings[MAX], settings[PL1], settings[EPP], settings[NO_TURBO]) == (1_200_000, 11_250_000, "power", "1")
    assert PLATFORM not in settings, "quiet would slow the fans"
    assert MIN not in settings, "is at its least already"


def test_the_failsafe_does_not_pin_the_minimum_where_powersave_would() -> None:
    controls = tunables(governors=("powersave", "conservative", "schedutil", "performance"))
    controls = Controls(controls.tunables, {**controls.found, GOVERNOR: "performance"})
    decision, _state = enforce(Envelope(), NOTHING, snapshot(0.0, {CPU: 130.0}), LIMITS, controls)
    assert decision.settings[GOVERNOR] == "conservative"


def test_a_wish_that_is_not_lawful_is_mended_and_told() -> None:
    wanted = Decision(Action.BOOST, {"nonsense": 1, MAX: 9_000_000, EPP: "turbo"}, Origin.USER, "boost: for a test")
    decision, _state = enforce(Envelope(), wanted, snapshot(0.0, {CPU: 50.0, "gpu": 40.0}), LIMITS, CONTROLS)
    assert decision.settings == {MAX: 4_800_000}
    assert decision.action is Action.BOOST
    assert "'nonsense' cannot be set here" in decision.reason
    assert f"{MAX} becomes 4800000" in decision.reason
    assert f"{EPP} is left alone" in decision.reason


@pytest.mark.parametrize("role", [Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT])
def test_a_power_limit_near_nothing_is_raised_to_the_floor(role: Role) -> None:
    tunable = Tunable("w", role, "package-0", "/w", unit="µW", minimum=0, maximum=45_000_000)
    controls = Controls({"w": tunable}, {"w": 45_000_000})
    wanted = Decision(Action.REDUCE_POWER, {"w": 0}, Origin.USER, "")
    decision, _state = enforce(Envelope(), wanted, snapshot(0.0, {CPU: 50.0}), LIMITS, controls)
    assert decision.settings["w"] == floor(tunable, 45_000_000) == 11_250_000


def _assert_failsafe(decision: Decision) -> None:
    for tunable in CONTROLS.tunables.values():
        lowest = tunable.power(floor(tunable, CONTROLS.found[tunable.name]))
        assert lowest is not None
        assert power(CONTROLS, decision.settings, tunable.name) <= lowest, tunable.name
