"""The policy as a whole: what it does in each mode, when it steps back, and its life."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from gamesad.messages import Message
from gamesad.neural.findings import Finding
from gamesad.neural.model import Unusable
from gamesad.neural.policy import agent
from gamesad.neural.policy.agent import CALM_S, EXPLORED, LEAST_CHOICES, Policy, PolicyMode, Scene
from gamesad.neural.policy.estimate import SPELL_S
from gamesad.neural.policy.learning import ACTIONS
from gamesad.types import Action, Advice, Decision, Mode, Origin
from tests.support.policy_machines import CPU, intent
from tests.support.policy_scenes import BUSY, CARD_W, GPU, LOAD, MEMORY, POWER, PRESSURE, scene, wild_scenes

HELD = Decision(Action.NOOP, {}, Origin.RULE, "noop: for a test")
CUT = Decision(Action.THROTTLE, {}, Origin.RULE, "throttle: for a test")


def feed(policy: Policy, seconds: int, *, cpu_c: float = 70.0, start: int = 0, **more: Any) -> list[Advice | None]:
    """One scene a second; what was advised in each. Findings are kept in ``policy.told``."""
    advised = []
    for second in range(start, start + seconds):
        advised.append(policy.step(scene(float(second), {CPU: cpu_c + second % 3}, wall_s=float(second), **more)))
        told(policy).extend(policy.note(HELD))
    return advised


def frozen(policy: Policy) -> Policy:
    """It chooses as ever and learns nothing: for long runs."""
    policy.learner.learn = policy.judge.learn = lambda _rng: None
    return policy


_TOLD: dict[int, list[Finding]] = {}


def told(policy: Policy) -> list[Finding]:
    return _TOLD.setdefault(id(policy), [])


@pytest.fixture(autouse=True)
def _nothing_told() -> None:
    _TOLD.clear()


def prefers(policy: Policy, action: Action, by: float = 5.0) -> None:
    """Makes it believe, for as long as it does not learn otherwise."""
    for network in (policy.learner.online, policy.learner.target):
        network.parameters[...] = 0.0
        network.parameters[-len(ACTIONS) + ACTIONS.index(action)] = by
    policy.learner._adam.rate = 0.0


def acting(action: Action = Action.THROTTLE) -> Policy:
    """One that has seen enough to act, and does."""
    policy = frozen(Policy(seed=0, mode=PolicyMode.ACT))
    policy.choices = LEAST_CHOICES
    prefers(policy, action)
    feed(policy, 1000)
    assert policy.status()["State"] == "acts"
    return policy


def test_in_advise_mode_people_are_told_what_it_proposes_and_why_once_it_knows() -> None:
    policy = Policy(seed=0, mode=PolicyMode.ADVISE)
    assert policy.advised == ""
    prefers(policy, Action.THROTTLE)
    feed(policy, 1000)
    assert policy.advised == f"nothing (learns first: 200 of {LEAST_CHOICES} decisions seen)"
    policy.choices = LEAST_CHOICES
    assert set(feed(policy, 300, start=1000)) == {None}
    assert policy.status()["State"] == "advises"
    assert policy.advised == "throttle: worth +0.250 a second against doing nothing"
    feed(policy, 1, start=1300, anomaly=True)
    assert policy.advised.startswith("nothing (an anomaly is on")
    feed(policy, CALM_S - 1, start=1301)
    assert policy.advised == "nothing (steps back until nothing has been strange or odd for 10 minutes)"
    feed(policy, 2, start=1300 + CALM_S)
    assert policy.advised.startswith("throttle: ")
    policy.ask(PolicyMode.SHADOW)
    assert (policy.advised, policy.status()["State"]) == ("", "learning")


@pytest.mark.parametrize("mode", [PolicyMode.SHADOW, PolicyMode.ADVISE])
def test_it_proposes_and_the_rules_act(mode: PolicyMode) -> None:
    policy = Policy(seed=0, mode=mode)
    policy.choices = LEAST_CHOICES
    prefers(policy, Action.THROTTLE)
    assert set(feed(policy, 1000)) == {None}
    status = policy.status()
    assert (status["Proposed"], status["State"]) == ("throttle", str(mode) + "s" if mode == "advise" else "proposes")
    assert status["Reason"] == "worth +0.250 a second against doing nothing"
    last = status["Proposals"][-1]
    assert (last["Action"], last["InForce"]) == ("throttle", "noop")


def test_a_proposal_says_what_it_would_have_set() -> None:
    policy = Policy(seed=0)
    prefers(policy, Action.REDUCE_POWER)
    feed(policy, 10, would=lambda advice: f"{advice.action} would set 38 W")
    assert policy.status()["Proposals"][-1]["Would"] == "reduce_power would set 38 W"


def test_asked_to_act_it_chooses_every_five_seconds_and_holds_in_between() -> None:
    advised = feed(acting(), 20, start=1000)
    actions = [advice.action if advice else None for advice in advised]
    assert actions == ([Action.THROTTLE] + [Action.NOOP] * 4) * 4
    assert advised[0] == Advice(Action.THROTTLE, "worth +0.250 a second against doing nothing")


def test_it_learns_first_even_when_asked_to_act() -> None:
    policy = Policy(seed=0, mode=PolicyMode.ACT)
    prefers(policy, Action.THROTTLE)
    assert set(feed(policy, 1000)) == {None}
    assert policy.status()["State"] == f"learns first: 200 of {LEAST_CHOICES} decisions seen"


def test_of_what_is_about_as_good_it_chooses_what_costs_the_least_work() -> None:
    values = np.zeros(5)
    policy = Policy(seed=0)
    assert policy.pick(values) is Action.BOOST
    values[ACTIONS.index(Action.THROTTLE)] = 0.05
    assert policy.pick(values) is Action.BOOST
    values[ACTIONS.index(Action.THROTTLE)] = 0.5
    values[ACTIONS.index(Action.CONSERVATIVE)] = 1.3
    assert policy.pick(values) is Action.THROTTLE


def test_the_failsafe_settings_are_proposed_only_over_the_hardwares_own_limit() -> None:
    policy = Policy(seed=0)
    prefers(policy, Action.CONSERVATIVE)
    feed(policy, 10, cpu_c=93.0)
    assert policy.status()["Proposed"] != "conservative"
    feed(policy, 10, cpu_c=97.0, start=10)
    assert policy.status()["Proposed"] == "conservative"


# Chance


def test_it_tries_at_random_within_the_dead_band_only_with_the_chance_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "EPSILON", 0.4)  # as is, 1 in 20, but a quicker test
    policy = frozen(Policy(seed=0))
    assert {advice for advice in feed(policy, 1000, cpu_c=80.0) if advice} == set(), "far from the limit"
    tried = [advice for advice in feed(policy, 2000, cpu_c=91.8, start=1000) if advice is not None]
    first = [advice for advice in tried if advice.action is not Action.NOOP]
    expected = 400 * 0.4 * (1 - 1 / len(EXPLORED))
    assert abs(len(first) - expected) < 4.0 * math.sqrt(expected)
    assert {advice.probability for advice in first} == {0.4 / len(EXPLORED)}
    assert {advice.action for advice in first} == set(EXPLORED) - {Action.NOOP}
    assert policy.explored == len(first)


@pytest.mark.parametrize("mode", [PolicyMode.ADVISE, PolicyMode.ACT])
def test_outside_shadow_mode_nothing_is_left_to_chance(mode: PolicyMode) -> None:
    policy = frozen(Policy(seed=0, mode=mode))
    assert set(feed(policy, 1500, cpu_c=91.8)) == {None}
    assert policy.explored == 0


@pytest.mark.parametrize("what", ["anomaly", "blind", "failsafe", "paused"])
def test_nothing_is_tried_while_something_is_wrong(what: str) -> None:
    policy = frozen(Policy(seed=0))
    for second in range(1500):
        readings = {CPU: math.nan, GPU: 88.0} if what == "blind" else {CPU: 92.0}
        wish = intent(paused=what == "paused")
        assert policy.step(scene(float(second), readings, wish=wish, anomaly=what == "anomaly")) is None
        policy.note(HELD, Mode.FAILSAFE if what == "failsafe" else Mode.ACTIVE)


def test_what_a_rule_cut_short_is_no_sample() -> None:
    policy = frozen(Policy(seed=0))
    for second in range(2000):
        policy.step(scene(float(second), {CPU: 92.0}))
        policy.note(CUT)
    assert policy.judge.robust.sums == type(policy.judge.robust.sums)()
    assert set(policy.judge.memory.state()[:, 8].tolist()) == {float(ACTIONS.index(Action.THROTTLE))}


@pytest.mark.parametrize(("wanted", "judged"), [(Action.THROTTLE, True), (Action.CONSERVATIVE, False)])
def test_what_is_never_tried_at_random_is_not_judged_by_chance(
    wanted: Action, judged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = frozen(Policy(seed=0))
    prefers(policy, wanted)
    monkeypatch.setattr(agent, "_OVER_C", math.inf)  # as if it were over the hardware's limit
    feed(policy, 700, cpu_c=91.8)
    assert bool(policy.judge.robust.sums) is judged
    assert policy.judge.memory.filled > 0


# Stepping back


def test_an_anomaly_ends_its_say_at_once_and_it_comes_back_ten_minutes_after() -> None:
    policy = acting()
    assert set(feed(policy, 10, start=1000, anomaly=True)) == {None}
    assert [finding.message for finding in told(policy)] == [Message.POLICY_DEMOTED], "told once"
    assert told(policy)[0].text.startswith("the policy steps back: an anomaly is on; it acts again when")
    assert set(feed(policy, CALM_S - 5, start=1010)) == {None}
    assert any(feed(policy, 10, start=1010 + CALM_S - 5))


def test_it_steps_back_where_it_has_never_been() -> None:
    policy = acting()
    assert set(feed(policy, 5, start=1000, cpu_c=90.0)) == {None}
    assert "it does not know this: temperature headroom 4, seen so far 23 to 25" in told(policy)[0].text


def test_a_clock_that_starts_anew_neither_frees_nor_binds_it() -> None:
    policy = acting()
    feed(policy, 10, start=1000, anomaly=True)
    assert set(feed(policy, CALM_S - 5, start=0)) == {None}, "what was to wait, waits"
    assert any(feed(policy, 10, start=CALM_S - 5))
    assert any(feed(policy, 10, start=3)), "and what was not, does not"


def unsure() -> Policy:
    """Its estimate is below the rules, and may as well be above."""
    policy = acting()
    for spell in range(8):
        policy.judge.modelled.add(spell * SPELL_S, -0.01 + 0.2 * (-1) ** spell)
    assert any(feed(policy, 20, start=1000))
    return policy


def test_an_estimate_against_it_ends_its_say_until_somebody_asks_again() -> None:
    policy = acting()
    for spell in range(8):
        policy.judge.modelled.add(spell * SPELL_S, -0.2 + 0.01 * (spell % 2))
    assert set(feed(policy, 700, start=1000)) == {None}
    text = told(policy)[0].text
    assert text.startswith("the policy steps back: it is worth 0.195 a second less than the rules (90 %: 0.1")
    assert len(told(policy)) == 1
    assert not any("worth" in finding.text for finding in told(unsure()))
    policy.ask(PolicyMode.ACT)
    assert any(feed(policy, 20, start=1700))


def test_with_more_than_three_unknown_inputs_it_only_watches() -> None:
    policy = acting()
    dark = {BUSY: math.nan, CARD_W: math.nan, POWER: math.nan, LOAD: math.nan, MEMORY: math.nan, PRESSURE: math.nan}
    for second in range(1000, 1050):
        assert policy.step(scene(float(second), dark)) is None
        policy.note(HELD)
    assert policy.status()["State"].startswith("watches: ")


# What it learns from


def test_an_action_is_credited_with_what_came_while_it_was_in_force() -> None:
    policy = Policy(seed=0)
    for second in range(21):
        policy.step(scene(float(second), {CPU: 91.0 if second <= 10 else 60.0}))
        policy.note(CUT if second == 10 else HELD)
    rows = policy.learner.memory.state()
    assert rows[:, 8].tolist() == [0.0, 0.0, 1.0, 0.0], "held, held, the rules' cut, held"
    assert rows[0, 9] == pytest.approx(sum((0.1 - 0.2) * 0.95 ** (s / 5) / 5 for s in range(5)))
    assert rows[2, 9] == pytest.approx(sum((0.1 + 0.3) * 0.95 ** (s / 5) / 5 for s in range(5)))
    assert rows[:, 10].tolist() == pytest.approx([0.95] * 4)


def test_what_was_not_written_is_credited_to_nothing() -> None:
    policy = Policy(seed=0)
    for second in range(100):
        policy.step(scene(float(second)))
        policy.note(HELD, Mode.OBSERVE)
    assert policy.learner.memory.filled == 0


def test_a_gap_is_credited_to_nothing() -> None:
    policy = Policy(seed=0)
    for second in (0, 1, 2, 500, 501):
        policy.step(scene(float(second)))
        policy.note(HELD)
    assert policy.learner.memory.filled == 0


# Life


@settings(max_examples=30, deadline=None)
@given(wild_scenes())
def test_it_stays_sound_whatever_it_sees(scenes: list[Scene]) -> None:
    policy = Policy(seed=0, mode=PolicyMode.ACT)
    policy.choices = LEAST_CHOICES
    for each in scenes:
        policy.step(each)
        policy.note(CUT)
        assert policy.sound()
    for array in policy.state().values():
        assert array.dtype.kind in "fiu"
    assert np.isfinite(policy.learner.memory.state()).all()


def test_the_same_seed_and_scenes_give_the_same_bits_and_so_does_a_saved_state() -> None:
    one, two = Policy(seed=4), Policy(seed=4)
    assert feed(one, 503, cpu_c=91.8) == feed(two, 503, cpu_c=91.8)
    three = Policy(seed=99)
    three.load(one.state())
    assert feed(one, 400, start=503, cpu_c=91.8) == feed(three, 400, start=503, cpu_c=91.8)
    for (name, left), right in zip(one.state().items(), three.state().values(), strict=True):
        assert left.tobytes() == right.tobytes(), name
    other = Policy(seed=5)
    feed(other, 503, cpu_c=91.8)
    assert other.state()["online"].tobytes() != two.state()["online"].tobytes()


def test_a_damaged_state_changes_nothing() -> None:
    policy = Policy(seed=0)
    feed(policy, 400, cpu_c=91.8)
    saved = policy.state()
    for name, damage in itertools.product(saved, ("gone", "not finite", "short")):
        state = dict(saved)
        if damage == "gone":
            del state[name]
        elif damage == "short":
            state[name] = np.zeros((2, 2))
        else:
            state[name] = np.full_like(np.asarray(saved[name], float), np.nan)
            if name == "rules_value" or not saved[name].size:
                continue
        with pytest.raises(Unusable):
            policy.load(state)
            pytest.fail(f"{name} {damage} was taken up")
        for key, value in policy.state().items():
            assert value.tobytes() == saved[key].tobytes()


def test_its_memory_does_not_grow() -> None:
    policy = frozen(Policy(seed=0))
    policy.learner.memory, policy.judge.memory = type(policy.learner.memory)(64, 19), type(policy.judge.memory)(64, 10)
    feed(policy, 1000, cpu_c=91.8)
    sizes = {name: array.nbytes for name, array in policy.state().items() if name not in ("robust", "chance")}
    feed(policy, 1000, start=1000, cpu_c=91.8)
    after = {name: array.nbytes for name, array in policy.state().items() if name not in ("robust", "chance")}
    assert after == sizes
    assert len(policy.proposals) == 64
