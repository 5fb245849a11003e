"""The policy on simulated machines: it cannot harm them, whatever it believes, and a short schooling changes it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gamesad.config import load
from gamesad.neural.learner import Learner
from gamesad.neural.policy.agent import Policy, PolicyMode
from gamesad.neural.policy.learning import ACTIONS
from gamesad.pipeline import Pipeline
from gamesad.types import Action, Origin
from tests.bench.policy import School, Trainee
from tests.support.policy_bed import opened
from tests.support.policy_machines import intent


class Stubborn(Trainee):
    """Has a plan of its own."""

    chance = 0.0

    def __init__(self, *plan: Action) -> None:
        super().__init__(seed=0, mode=PolicyMode.ACT)
        self._plan = itertools.cycle(plan)

    def pick(self, values: np.ndarray) -> Action:
        return next(self._plan)


@pytest.mark.parametrize(
    "plan",
    [
        (Action.BOOST,),
        (Action.CONSERVATIVE, Action.BOOST),
        (Action.THROTTLE,) * 4 + (Action.BOOST,) * 4,
        (Action.NOOP,),
    ],
)
@pytest.mark.parametrize("machine", ["laptop/compile", "fanless/compile", "desktop/clogged-fan"])
def test_the_worst_advice_overheats_nothing(machine: str, plan: tuple[Action, ...]) -> None:
    with opened(machine, seed=0, wish=intent()) as bed:
        seen = bed.run(400.0, Stubborn(*plan))
    assert seen.failsafe == 0
    over = [over_c > 2.0 for over_c in seen.over_c]
    assert not any(one and other for one, other in itertools.pairwise(over)), "two degrees over for a second at most"


def test_a_boost_all_the_time_gets_about_as_much_work_done_as_the_rules() -> None:
    work = []
    for policy in (None, Stubborn(Action.BOOST)):
        with opened("laptop/compile", seed=0, wish=intent()) as bed:
            work.append(bed.run(400.0, policy).work)
    assert work[1] >= 0.97 * work[0]


def test_a_cool_machine_is_not_touched_in_shadow_mode() -> None:
    with opened("desktop/idle", seed=0, wish=intent()) as bed:
        assert bed.run(120.0, Policy(seed=0)).decisions == []


def test_in_shadow_mode_only_what_is_tried_at_random_is_the_policys() -> None:
    policy = Policy(seed=0)
    with opened("laptop/compile", seed=0, wish=intent()) as bed:
        seen = bed.run(600.0, policy)
    own = [decision for decision in seen.decisions if decision.source is Origin.POLICY]
    assert len(own) <= 2 * policy.explored
    said = ("tried at random", "is given time", "power is saved no longer")
    assert all(any(words in decision.reason for words in said) for decision in own)
    status = policy.status()
    assert status["Steps"] > 300
    assert status["Inputs"].keys() >= {"temperature headroom", "CPU", "power", "memory"}


def test_in_the_daemons_own_tick_a_proposal_says_what_it_would_have_set() -> None:
    settings = load(None, search=())
    learner = Learner(settings.neural)
    network = learner.policy.model.learner.online
    network.parameters[-len(ACTIONS) + ACTIONS.index(Action.REDUCE_POWER)] = 5.0
    with opened("laptop/idle", seed=0, wish=intent()) as bed:
        pipeline = Pipeline(bed.collector, bed.executor, settings, optimizer=learner)
        for _ in range(12):
            bed.now_s += 0.5
            tick = pipeline.tick(bed.now_s, intent())
            learner.learn(tick, bed.collector.sensors, 1e9 + bed.now_s)
    assert tick.decision.settings == {}, "nothing is done"
    would = learner.policy.model.status()["Proposals"][-1]["Would"]
    assert would.startswith(
        "constraint_0_power_limit_uw 65 → 55 W, energy_performance_preference balance_performance → "
    )


def test_a_short_school_on_one_machine_pays_there() -> None:
    """With the reward as it was set: near the limit it costs 0.2 a second, and less heat loses little work."""
    school = School(Trainee(seed=1, mode=PolicyMode.ACT), intent(), kinds=("fanless",), scenarios=("compile",))
    school.teach(1.5)
    pupil = Policy(seed=0, mode=PolicyMode.ACT)
    pupil.load(school.policy.state())
    runs = []
    for policy in (None, pupil):
        with opened("fanless/compile", seed=77, wish=intent()) as bed:
            runs.append(bed.run(900.0, policy))
    rules, own = runs
    assert own.worth > rules.worth + 0.02
    assert own.work > 0.9 * rules.work
