"""decide: what is held back and given back, when, and what it says of it."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Callable, Mapping

import pytest

from gamesad.config import ControlConfig
from gamesad.policy.decide import Regulation, decide
from gamesad.types import Absence, Action, Controls, Decision, Forecast, Heat, Intent, Limit, Origin, Rejection, Value
from tests.support.policy_machines import (
    CPU,
    EPP,
    GOVERNOR,
    MAX,
    NO_TURBO,
    PL1,
    POWER,
    PROFILES,
    Block,
    intent,
    limit,
    snapshot,
    tunables,
)

LIMITS = {CPU: limit()}


@dataclasses.dataclass
class Story:
    """What happened over a run: the highest and the settled temperatures, and every decision that changed something."""

    highest_c: float
    settled_c: list[float]
    changed: list[tuple[float, Decision]]
    last: Mapping[str, Value]


def run(block: Block, *, periods: tuple[float, float] = (0.5, 0.5), load_s: float = 300.0, rapl: bool = False) -> Story:
    """Idle for 20 s, full load for ``load_s``, idle again for 130 s. Settled: the last minute of the load."""
    controls, ticks = tunables(rapl=rapl), random.Random(1)
    state, settings, now_s = Regulation(), dict[str, Value](), 0.0
    story = Story(-math.inf, [], [], settings)
    while now_s < 20.0 + load_s + 130.0:
        now_s += ticks.uniform(*periods)
        loaded = 20.0 < now_s < 20.0 + load_s
        block.load = 1.0 if loaded else 0.1
        shown_c = block.advance(now_s, controls, story.last)
        decision, state = decide(state, snapshot(now_s, {CPU: shown_c}), None, intent(), LIMITS, controls)
        story.last = decision.settings
        if decision.action is not Action.NOOP:
            story.changed.append((now_s, decision))
        if loaded:
            story.highest_c = max(story.highest_c, block.true_c)
        if load_s - 60.0 < now_s - 20.0 < load_s:
            story.settled_c.append(block.true_c)
    return story


PLANTS = [(tau, over) for tau, over in itertools.product((3.0, 6.0, 15.0, 60.0), (5.0, 20.0, 60.0)) if over / tau < 15]


@pytest.mark.parametrize(("tau_s", "over_c"), PLANTS)
@pytest.mark.parametrize("sensor", ["fresh", "whole degrees once a second"])
def test_holds_the_limit_after_a_load_step_and_gives_everything_back(tau_s: float, over_c: float, sensor: str) -> None:
    block = Block(tau_s, 95.0 + over_c, held=sensor != "fresh")
    story = run(block, load_s=240.0 + 3 * tau_s)
    assert story.highest_c < 97.0
    assert max(story.settled_c) - min(story.settled_c) < 2.0
    assert 85.0 < sum(story.settled_c) / len(story.settled_c) < 95.5, "as fast as the limit allows"
    assert len(story.changed) < 70
    assert story.last == {}, "all is given back once the load is over"


@pytest.mark.parametrize("tau_s", [6.0, 20.0, 60.0])
def test_holds_the_limit_with_ticks_of_any_length(tau_s: float) -> None:
    story = run(Block(tau_s, 125.0), periods=(0.2, 2.0))
    assert story.highest_c < 97.0
    assert max(story.settled_c) - min(story.settled_c) < 2.0
    assert story.last == {}


@pytest.mark.parametrize("exponent", [1.5, 2.5])
def test_holds_the_limit_where_power_grows_faster_than_frequency(exponent: float) -> None:
    story = run(Block(15.0, 120.0, exponent=exponent))
    assert story.highest_c < 97.0
    assert max(story.settled_c) - min(story.settled_c) < 2.0


def test_gives_back_in_steps_at_least_the_dwell_apart() -> None:
    story = run(Block(15.0, 130.0))
    boosts = [at_s for at_s, decision in story.changed if decision.action is Action.BOOST]
    gaps = [later - earlier for earlier, later in itertools.pairwise(boosts)]
    assert len(boosts) > 3
    assert min(gaps) >= 5.0


def test_acts_on_a_crossing_within_a_second() -> None:
    state, settings = Regulation(), {}
    readings = [60.0] * 6 + [97.0] * 2
    controls = tunables()
    for tick, temp_c in enumerate(readings):
        decision, state = decide(state, snapshot(tick * 0.5, {CPU: temp_c}), None, intent(), LIMITS, controls)
        settings = decision.settings
    assert settings[MAX] < 4_800_000


def test_acts_before_the_limit_when_the_rate_says_it_will_be_crossed() -> None:
    decisions = _feed(lambda at_s: 70.0 + 4.0 * at_s, seconds=5.0)
    first = next(decision for decision in decisions if decision.action is Action.THROTTLE)
    at = decisions.index(first) * 0.5
    assert 70.0 + 4.0 * at < 95.0
    assert first.source is Origin.RULE


def test_says_what_it_does_with_the_numbers_in_it() -> None:
    decisions = _feed(lambda at_s: 90.0 + 0.8 * at_s, seconds=5.0, controls=tunables(rapl=False))
    texts = [decision.reason for decision in decisions if decision.action is Action.THROTTLE]
    assert texts
    assert texts[-1].startswith("throttle: CPU package ")
    for words in ("°C under its limit of 95 °C and rising 0.", "°C/s; scaling_max_freq ", " → ", " GHz"):
        assert words in texts[-1]


def test_leaves_a_cool_machine_as_found_and_says_why() -> None:
    decision = _feed(lambda _at_s: 62.0, seconds=20.0)[-1]
    assert decision.action is Action.NOOP
    assert decision.settings == {}
    assert decision.reason == "noop: CPU package 62.0 °C, 33 °C under its limit; profile balanced, left as found"


def test_keeps_the_last_settings_when_nothing_changes() -> None:
    decisions = _feed(lambda _at_s: 50.0, seconds=3.0, wish=intent("power-saver", chosen=True))
    assert decisions[0].action is Action.REDUCE_POWER
    assert all(decision.action is Action.NOOP for decision in decisions[1:])
    assert all(decision.settings is decisions[0].settings for decision in decisions[1:])


def test_a_lower_ranked_profile_reduces_power_and_a_higher_one_boosts() -> None:
    controls, state, told = tunables(), Regulation(), []
    for tick, name in enumerate(["balanced", "quiet", "performance", "gaming", "power-saver"]):
        now = snapshot(float(tick), {CPU: 50.0})
        decision, state = decide(state, now, None, intent(name, chosen=True), LIMITS, controls)
        told.append((str(decision.action), str(decision.source)))
    assert told[0][0] == "noop"
    assert told[1:] == [("reduce_power", "user"), ("boost", "user"), ("boost", "user"), ("reduce_power", "user")]


def test_a_profile_that_nobody_chose_changes_nothing() -> None:
    decisions = _feed(lambda _at_s: 50.0, seconds=3.0, wish=intent("power-saver"))
    assert all(decision.settings == {} for decision in decisions)


def test_heat_takes_from_what_the_profile_gives() -> None:
    wish = intent("power-saver", chosen=True)
    decisions = _feed(lambda at_s: 80.0 + 2.0 * at_s, seconds=9.0, wish=wish)
    assert decisions[-1].settings[MAX] < decisions[0].settings[MAX]
    assert decisions[-1].settings[NO_TURBO] == "1"


def test_least_loss_of_work_comes_first() -> None:
    """Power limit and energy preference give way before the frequency."""
    decisions = _feed(lambda at_s: 92.0 + 0.15 * at_s, seconds=30.0, more={POWER: 40.0})
    throttles = [decision.settings for decision in decisions if decision.action is Action.THROTTLE]
    assert throttles[0][PL1] < 45_000_000
    assert MAX not in throttles[0]
    assert throttles[-1][MAX] < 4_800_000


def test_a_power_limit_that_means_none_falls_from_what_is_drawn() -> None:
    controls = tunables()
    rated = dataclasses.replace(controls.tunables[PL1], maximum=4_095_000_000, default=None)
    controls = Controls({**controls.tunables, PL1: rated}, {**controls.found, PL1: 4_095_000_000})
    decisions = _feed(lambda at_s: 92.0 + 0.3 * at_s, seconds=20.0, more={POWER: 80.0}, controls=controls)
    first = next(decision for decision in decisions if decision.action is Action.THROTTLE)
    assert first.settings[PL1] <= 88_000_000


def test_with_governor_performance_the_energy_preference_is_left_alone() -> None:
    wish = intent("performance", chosen=True)
    decisions = _feed(lambda at_s: 90.0 + 1.0 * at_s, seconds=20.0, wish=wish)
    assert decisions[-1].settings[GOVERNOR] == "performance"
    assert decisions[-1].settings[EPP] == "performance"
    assert decisions[-1].settings[MAX] < 4_800_000


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_finite_number_is_not_acted_on(bad: float) -> None:
    decisions = _feed(lambda at_s: bad if at_s > 2.0 else 60.0, seconds=6.0)
    assert all(decision.settings == {} for decision in decisions)


def test_a_rejected_or_absent_reading_is_not_acted_on() -> None:
    controls, state = tunables(), Regulation()
    for tick in range(20):
        now = snapshot(tick * 0.5, {}, rejected={CPU: Rejection(216.0, "impossible")})
        decision, state = decide(state, now, None, intent(), LIMITS, controls)
        assert decision.settings == {}


def test_nothing_is_given_back_while_a_critical_sensor_is_absent() -> None:
    limits = {CPU: limit(), "other": limit("other", critical=False)}
    state, controls, held = Regulation(), tunables(), dict[str, Value]()
    for tick in range(40):
        now = snapshot(tick * 0.5, {CPU: 85.0 + tick, "other": 50.0})
        decision, state = decide(state, now, None, intent(), limits, controls)
        held = dict(decision.settings)
    for tick in range(40, 140):
        now = snapshot(tick * 0.5, {"other": 50.0}, absent={CPU: Absence("EIO", 20.0)})
        decision, state = decide(state, now, None, intent(), limits, controls)
        assert decision.settings == held
    for tick in range(140, 400):
        decision, state = decide(
            state, snapshot(tick * 0.5, {CPU: 50.0, "other": 50.0}), None, intent(), limits, controls
        )
    assert decision.settings == {}


def test_a_machine_that_nothing_can_be_set_on_is_only_watched() -> None:
    decisions = _feed(lambda at_s: 90.0 + at_s, seconds=10.0, controls=Controls({}, {}))
    assert all(decision.action is Action.NOOP and decision.settings == {} for decision in decisions)


def test_without_any_known_limit_it_says_so() -> None:
    decision, _state = decide(Regulation(), snapshot(0.0, {}), None, intent(), {}, tunables())
    assert "no temperature with a known limit" in decision.reason


def test_a_disk_is_not_regulated() -> None:
    limits = {"disk": limit("disk", heat=Heat.OTHER, critical=False)}
    decision, _state = decide(Regulation(), snapshot(0.0, {"disk": 120.0}), None, intent(), limits, tunables())
    assert decision.settings == {}


def test_a_users_power_limit_is_set_and_held() -> None:
    """The measured power obeys the frequency alone, as on a machine whose firmware ignores the power limit."""
    controls, state, settings = tunables(), Regulation(), dict[str, Value]()
    wish = intent(power_limits_w={POWER: 20.0})
    powers, decisions = [], []
    for tick in range(400):
        power_w = 45.0 * int(settings.get(MAX, 4_800_000)) / 4_800_000
        now = snapshot(tick * 0.5, {CPU: 60.0, POWER: power_w})
        decision, state = decide(state, now, None, wish, LIMITS, controls)
        settings = dict(decision.settings)
        decisions.append(decision)
        powers.append(power_w)
    assert decisions[0].settings[PL1] == 20_000_000
    assert decisions[0].action is Action.REDUCE_POWER
    assert decisions[0].source is Origin.USER
    assert all(17.0 < power_w <= 20.5 for power_w in powers[-100:])
    texts = [decision.reason for decision in decisions if "over the limit of 20 W set by a user" in decision.reason]
    assert texts and all(text.startswith("reduce_power: ") for text in texts)


def test_everything_comes_back_when_a_users_power_limit_is_cleared() -> None:
    controls, state = tunables(), Regulation()
    for tick in range(100):
        now = snapshot(tick * 0.5, {CPU: 60.0, POWER: 45.0})
        decision, state = decide(state, now, None, intent(power_limits_w={POWER: 20.0}), LIMITS, controls)
    assert decision.settings
    for tick in range(100, 300):
        decision, state = decide(state, snapshot(tick * 0.5, {CPU: 60.0}), None, intent(), LIMITS, controls)
    assert decision.settings == {}


def test_overrides_are_in_the_settings_and_heat_still_lowers_them() -> None:
    wish = intent(overrides={MAX: 4_000_000})
    decisions = _feed(lambda at_s: 50.0 if at_s < 2.0 else 90.0 + at_s, seconds=15.0, wish=wish)
    assert decisions[0].settings == {MAX: 4_000_000}
    assert decisions[-1].settings[MAX] < 4_000_000


def test_pausing_puts_everything_back_and_resuming_starts_afresh() -> None:
    controls, state = tunables(), Regulation()
    wish = intent("power-saver", chosen=True)
    paused = dataclasses.replace(wish, paused=True)
    decision, state = decide(state, snapshot(0.0, {CPU: 50.0}), None, wish, LIMITS, controls)
    assert decision.settings
    decision, state = decide(state, snapshot(1.0, {CPU: 50.0}), None, paused, LIMITS, controls)
    assert (decision.settings, decision.action, decision.source) == ({}, Action.BOOST, Origin.USER)
    decision, state = decide(state, snapshot(2.0, {CPU: 99.0}), None, paused, LIMITS, controls)
    assert (decision.settings, decision.action) == ({}, Action.NOOP)
    decision, state = decide(state, snapshot(3.0, {CPU: 50.0}), None, wish, LIMITS, controls)
    assert decision.settings


def test_a_forecast_makes_it_give_way_early_but_never_far() -> None:
    forecast = Forecast((5.0,), {CPU: (96.0,)}, {CPU: (99.0,)}, 0.9, {CPU: 0.6})
    decisions = _feed(lambda _at_s: 90.0, seconds=300.0, forecast=forecast, controls=tunables(rapl=False))
    throttles = [decision for decision in decisions if decision.action is Action.THROTTLE]
    assert throttles[0].source is Origin.FORECAST
    assert "forecast" in throttles[0].reason
    assert decisions[-1].settings[MAX] > 3_300_000, "a model that is wrong costs little"


@pytest.mark.parametrize("chance", [0.0, 0.09, math.nan, None])
def test_a_bound_over_the_limit_that_will_hardly_be_reached_asks_for_nothing(chance: float | None) -> None:
    chances = {} if chance is None else {CPU: chance}
    forecast = Forecast((5.0,), {CPU: (90.0,)}, {CPU: (99.0,)}, 0.9, chances)
    assert all(decision.settings == {} for decision in _feed(lambda _at_s: 90.0, seconds=20.0, forecast=forecast))


@pytest.mark.parametrize("bound", [math.nan, math.inf])
def test_a_forecast_that_is_not_a_number_is_ignored(bound: float) -> None:
    forecast = Forecast((5.0,), {CPU: (bound,)}, {CPU: (bound,)}, 0.9, {CPU: 1.0})
    assert all(decision.settings == {} for decision in _feed(lambda _at_s: 90.0, seconds=20.0, forecast=forecast))


def test_the_tuning_is_the_configured_one() -> None:
    slow = _feed(
        lambda at_s: 60.0 if at_s > 10.0 else 85.0 + at_s, seconds=90.0, tuning=ControlConfig(release_dwell_s=60.0)
    )
    assert sum(decision.action is Action.BOOST for decision in slow) == 1


def test_a_clock_that_stands_still_or_goes_back_changes_nothing() -> None:
    controls, state = tunables(), Regulation()
    for at_s in (10.0, 10.0, 5.0, 5.0, 11.0):
        decision, state = decide(state, snapshot(at_s, {CPU: 80.0}), None, intent(), LIMITS, controls)
        assert decision.settings == {}


def _feed(
    temp_c: Callable[[float], float],
    *,
    seconds: float,
    wish: Intent | None = None,
    more: Mapping[str, float] | None = None,
    controls: Controls | None = None,
    forecast: Forecast | None = None,
    limits: Mapping[str, Limit] = LIMITS,
    tuning: ControlConfig | None = None,
) -> list[Decision]:
    """Decisions every 0.5 s for a temperature that does not react."""
    state = Regulation(tuning=tuning or ControlConfig())
    made, controls, wish = [], controls or tunables(), wish or intent()
    for tick in range(int(seconds * 2) + 1):
        at_s = tick * 0.5
        now = snapshot(at_s, {CPU: temp_c(at_s), **(more or {})})
        decision, state = decide(state, now, forecast, wish, limits, controls)
        made.append(decision)
    return made


def test_every_built_in_profile_settles_at_once() -> None:
    for name in PROFILES:
        decisions = _feed(lambda _at_s: 50.0, seconds=3.0, wish=intent(name, chosen=True))
        assert all(decision.settings == decisions[0].settings for decision in decisions)
