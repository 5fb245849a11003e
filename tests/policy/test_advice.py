"""What the learnt policy advises: followed where the rules leave a choice, never past them or the envelope."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gamesad.config import ControlConfig
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.regulator import Level, heed, regulate
from gamesad.policy.scale import CEILED, ceiling, floor
from gamesad.types import Action, Advice, Controls, Decision, Heat, Intent, Origin, Role, Snapshot, Tunable, Value
from tests.support.policy_machines import CPU, EPP, MAX, NO_TURBO, PL1, intent, limit, snapshot, tunables
from tests.support.sequences import SENSORS, limits_of, quick, steps

CONTROLS = tunables(policies=2)
LIMITS = limits_of()
ADVICE = st.none() | st.builds(Advice, st.sampled_from(Action), st.text(max_size=20), st.floats())
WISHES = st.sampled_from(
    [intent(), intent("gaming", chosen=True), intent("power-saver", chosen=True), intent(overrides={PL1: 30_000_000})]
)


def power(settings: Mapping[str, Value], name: str) -> float:
    """Where a tunable stands; one that is not named counts as found."""
    value = CONTROLS.tunables[name].power(settings.get(name, CONTROLS.found[name]))
    assert value is not None
    return value


def follow(
    history: Sequence[Snapshot], advised: Sequence[Advice | None], wish: Intent
) -> tuple[Decision, Regulation, Envelope]:
    """Through all snapshots with the advice in turn; the last decision before the envelope."""
    state, envelope, decision = Regulation(), Envelope(), Decision(Action.NOOP, {}, Origin.RULE, "")
    for now, advice in zip(history, advised, strict=False):
        decision, state = decide(state, now, None, wish, LIMITS, CONTROLS, advice)
        _lawful, envelope = enforce(envelope, decision, now, LIMITS, CONTROLS)
    return decision, state, envelope


@st.composite
def near(draw: st.DrawFn) -> list[Snapshot]:
    """Temperatures around the limits, read often: where rules and advice meet."""
    at_s, cpu_c, made = 0.0, draw(st.floats(85.0, 98.0)), []
    for number in range(draw(st.integers(3, 12))):
        at_s += draw(st.sampled_from([0.5, 1.0, 3.0]))
        cpu_c = min(99.0, max(80.0, cpu_c + draw(st.floats(-3.0, 3.0))))
        made.append(Snapshot(number, at_s, {CPU: cpu_c, "core": cpu_c - 8.0, "gpu": draw(st.floats(60.0, 86.0))}))
    return made


@quick
@given(
    near() | steps(),
    st.lists(ADVICE, min_size=12, max_size=12),
    WISHES,
    st.sampled_from(SENSORS),
    st.floats(0.0, 3.0) | st.floats(0.0, 60.0),
)
def test_hotter_never_means_more_power_whatever_is_advised(
    history: list[Snapshot], advised: list[Advice | None], wish: Intent, name: str, hotter_c: float
) -> None:
    now, advice = history[-1], advised[len(history) - 1]
    assume(math.isfinite(now.readings.get(name, math.nan)))
    hot = Snapshot(
        now.number,
        now.monotonic_s,
        {**now.readings, name: now.readings[name] + hotter_c},
        rejected=now.rejected,
        absent=now.absent,
        ages_s=now.ages_s,
    )
    _decision, state, envelope = follow(history[:-1], advised, wish)
    settings = []
    for each in (now, hot):
        decision, _state = decide(state, each, None, wish, LIMITS, CONTROLS, advice)
        lawful, _envelope = enforce(envelope, decision, each, LIMITS, CONTROLS)
        settings += [(decision.settings, lawful.settings)]
    for tunable in CONTROLS.tunables:
        for cool, warm in zip(*settings, strict=True):
            assert power(warm, tunable) <= power(cool, tunable), tunable


@quick
@given(steps(), st.lists(ADVICE, min_size=12, max_size=12), WISHES)
def test_what_leaves_is_lawful_whatever_is_advised(
    history: list[Snapshot], advised: list[Advice | None], wish: Intent
) -> None:
    decision, _state, _envelope = follow(history, advised, wish)
    for name, value in decision.settings.items():
        tunable, found = CONTROLS.tunables[name], CONTROLS.found[name]
        assert tunable.allows(value)
        if tunable.role in CEILED:
            assert power(decision.settings, name) <= power({name: ceiling(tunable, found)}, name)
        if tunable.role in {Role.FREQUENCY_MAXIMUM, Role.POWER_LIMIT} and wish.profile.name == "balanced":
            assert power(decision.settings, name) >= power({name: floor(tunable, found)}, name)


@quick
@given(steps(), st.lists(ADVICE, min_size=12, max_size=12), WISHES)
def test_the_same_advice_gives_the_same_decisions(
    history: list[Snapshot], advised: list[Advice | None], wish: Intent
) -> None:
    assert repr(follow(history, advised, wish)) == repr(follow(history, advised, wish)), "NaN is not equal to itself"


@quick
@given(steps(), st.lists(ADVICE, min_size=12, max_size=12), st.sampled_from(Action))
def test_nothing_is_given_while_something_is_too_hot_or_unseen(
    history: list[Snapshot], advised: list[Advice | None], action: Action
) -> None:
    _decision, state, _envelope = follow(history[:-1], advised, intent())
    now = history[-1]
    cpu_c = now.readings.get(CPU, math.nan)
    asleep = CPU in now.absent and now.absent[CPU].cause == "asleep"
    assume(cpu_c > LIMITS[CPU].target_c or not (math.isfinite(cpu_c) or asleep))
    _decision, after = decide(state, now, None, intent(), LIMITS, CONTROLS, Advice(action, "for a test"))
    before = state.levels.get(Heat.CPU, Level()).value
    assert after.levels.get(Heat.CPU, Level()).value <= before
    assert after.saving >= state.saving


def at(level: float, temp_c: float, action: Action | None, *, controls: Controls = CONTROLS) -> Decision:
    """The decision at a steady temperature, with a level that was reached 7 s ago in force."""
    state = Regulation(levels={Heat.CPU: Level(level, -3.0)})
    _first, state = decide(state, snapshot(0.0, {CPU: temp_c}), None, intent(), {CPU: limit()}, controls)
    advice = None if action is None else Advice(action, "worth 0.012 a second more than noop")
    return decide(state, snapshot(4.0, {CPU: temp_c}), None, intent(), {CPU: limit()}, controls, advice)[0]


RANK = [Action.CONSERVATIVE, Action.THROTTLE, Action.NOOP, Action.BOOST]


def test_within_the_dead_band_each_action_does_what_its_name_says() -> None:
    rapl_free = tunables(rapl=False)
    khz = [at(0.8, 93.0, action, controls=rapl_free).settings[MAX] for action in RANK]
    assert khz == sorted(set(khz)), "each gives more than the one before"
    assert khz[2] == at(0.8, 93.0, None, controls=rapl_free).settings[MAX]


def test_a_boost_is_given_at_once_up_to_full_where_there_is_room() -> None:
    decision = at(0.6, 60.0, Action.BOOST)
    assert decision.settings == {}
    assert decision.source is Origin.POLICY


def test_noop_holds_what_the_rules_would_give_back() -> None:
    assert at(0.5, 60.0, None).action is Action.BOOST
    held = at(0.5, 60.0, Action.NOOP)
    assert (held.action, held.source) == (Action.NOOP, Origin.POLICY)
    assert held.reason.endswith("held at 50% between floor and full; worth 0.012 a second more than noop")
    assert held.settings == at(0.5, 93.0, None).settings


def test_power_is_saved_at_least_loss_of_work_and_given_back_with_the_next_boost() -> None:
    state, seen = Regulation(), []
    for second, action in enumerate([Action.REDUCE_POWER, Action.NOOP, Action.BOOST]):
        now = snapshot(float(second), {CPU: 60.0})
        advice = Advice(action, "worth 0.012 a second more than noop")
        decision, state = decide(state, now, None, intent(), {CPU: limit()}, CONTROLS, advice)
        seen.append(decision)
    assert seen[0].settings == {
        PL1: 38_000_000,
        EPP: "balance_power",
        EPP.replace("policy0", "policy1"): "balance_power",
    }
    assert seen[1].settings == seen[0].settings
    assert seen[2].settings == {}
    assert [decision.source for decision in seen] == [Origin.POLICY, Origin.RULE, Origin.POLICY]


def test_where_the_advice_ends_so_does_the_saving_and_it_is_said() -> None:
    advice = Advice(Action.REDUCE_POWER, "for a test")
    first, state = decide(Regulation(), snapshot(0.0, {CPU: 60.0}), None, intent(), {CPU: limit()}, CONTROLS, advice)
    ended, state = decide(state, snapshot(1.0, {CPU: 60.0}), None, intent(), {CPU: limit()}, CONTROLS)
    assert ended.settings == {} != first.settings
    assert ended.reason.startswith("boost: power is saved no longer; constraint_0_power_limit_uw 38 → 45 W")


def test_what_a_user_set_is_not_saved_on() -> None:
    wish = intent(overrides={PL1: 30_000_000, EPP: "performance"})
    advice = Advice(Action.REDUCE_POWER, "for a test")
    decision, _state = decide(Regulation(), snapshot(0.0, {CPU: 60.0}), None, wish, {CPU: limit()}, CONTROLS, advice)
    assert decision.settings[PL1] == 30_000_000
    assert decision.settings[EPP] == "performance"


def test_without_preference_or_power_limit_saving_is_no_boost() -> None:
    bare = tunables(rapl=False)
    left = {name: tunable for name, tunable in bare.tunables.items() if tunable.role is not Role.EPP}
    bare = Controls(left, {name: bare.found[name] for name in left})
    advice = Advice(Action.REDUCE_POWER, "for a test")
    decision, _state = decide(Regulation(), snapshot(0.0, {CPU: 60.0}), None, intent(), {CPU: limit()}, bare, advice)
    assert decision.settings == {NO_TURBO: "1"}


def test_a_rules_cut_comes_at_once_after_what_was_advised() -> None:
    tuning = ControlConfig()
    cut = regulate(Level(), 0.0, 3.0, -3.0, tuning)
    taken = heed(cut, cut, 10.0, Action.THROTTLE, excess_c=0.0, spare_c=1.0)
    assert cut.value - taken.value == pytest.approx(1 / 16)
    assert regulate(taken, 10.5, 3.0, -3.0, tuning).value < taken.value


def test_what_is_taken_step_by_step_on_advice_alone_ends_at_seven_tenths() -> None:
    level = Level()
    for tick in range(40):
        level = heed(level, level, tick * 2.0, Action.THROTTLE, excess_c=0.0, spare_c=1.0)
    assert level.value == pytest.approx(0.7)
    held = Level(0.5)
    assert heed(held, held, 10.0, Action.THROTTLE, excess_c=0.0, spare_c=1.0) == held


def test_a_small_cut_by_the_rules_does_not_spare_it_the_step_that_is_advised() -> None:
    ruled = regulate(Level(), 10.0, 0.1, -0.1, ControlConfig())
    assert ruled.value > 1.0 - 1 / 16
    assert heed(Level(), ruled, 10.0, Action.THROTTLE, excess_c=0.1, spare_c=-0.1).value == pytest.approx(1.0 - 1 / 16)


def test_advice_takes_one_step_for_each_answer_however_often_it_is_repeated() -> None:
    level = Level()
    for tick in range(5):
        level = heed(level, level, tick * 0.5, Action.THROTTLE, excess_c=0.0, spare_c=1.0)
    assert level.value == pytest.approx(1.0 - 2 / 16), "at 0 s and at 2 s"


@pytest.mark.parametrize(("excess_c", "spare_c"), [(0.5, 3.0), (0.0, -1.0), (0.0, None)])
def test_a_boost_gives_nothing_while_it_is_or_will_be_too_hot_or_nobody_knows(
    excess_c: float, spare_c: float | None
) -> None:
    level = Level(0.5, 0.0)
    assert heed(level, level, 10.0, Action.BOOST, excess_c=excess_c, spare_c=spare_c) == level


def test_far_from_every_limit_throttling_takes_nothing() -> None:
    assert heed(Level(), Level(), 10.0, Action.THROTTLE, excess_c=0.0, spare_c=20.0) == Level()


def test_where_a_rule_cuts_one_domain_its_sentence_is_told_not_the_advice() -> None:
    readings, limits = {CPU: 96.0, "gpu": 80.0}, {CPU: limit(), "gpu": limit("gpu", 85.0, heat=Heat.GPU)}
    card = Tunable("gpu.max", Role.FREQUENCY_MAXIMUM, "gpu", "/g", heat=Heat.GPU, unit="MHz", maximum=2000)
    controls = Controls({**CONTROLS.tunables, card.name: card}, {**CONTROLS.found, card.name: 2000})
    cool = snapshot(0.0, {CPU: 60.0, "gpu": 80.0})
    _first, state = decide(Regulation(), cool, None, intent(), limits, controls)
    advice = Advice(Action.THROTTLE, "for a test")
    decision, state = decide(state, snapshot(4.0, readings), None, intent(), limits, controls, advice)
    assert (decision.action, decision.source) == (Action.THROTTLE, Origin.RULE)
    assert state.levels[Heat.GPU].value < 1.0


@pytest.mark.parametrize("action", [Action.THROTTLE, Action.BOOST, Action.CONSERVATIVE])
def test_the_sentence_says_whose_advice_it_was_with_the_numbers(action: Action) -> None:
    decision = at(0.8, 92.0, action, controls=tunables(rapl=False))
    assert (decision.action, decision.source) == (action, Origin.POLICY)
    assert decision.reason.startswith(f"{action}: worth 0.012 a second more than noop; CPU package 92.0 °C, ")
    assert " GHz" in decision.reason


def test_the_rules_cut_first_whatever_is_advised() -> None:
    hot = at(0.5, 97.0, None)
    assert hot.action is Action.THROTTLE
    assert at(0.5, 97.0, Action.BOOST) == hot
    assert at(0.5, 97.0, Action.NOOP) == hot
