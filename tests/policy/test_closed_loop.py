"""decide and enforce on the simulated machines, through the real collector and executor, against the bare machine."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean

import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.config import LimitsConfig
from gamesad.hardware import ACTUATORS, hwmon, powercap
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.limits import derive
from gamesad.simulation import open_machine
from gamesad.simulation.scenarios import SCENARIOS
from gamesad.telemetry.collector import Collector
from gamesad.types import Action, Decision, Forecast, Intent, Limit, Sensor, Snapshot, Value
from tests.support.policy_machines import intent

TICK_S = 0.5
COMPILE_S = (20.0, 180.0)
"""Of each 190 s, when every core has been busy for a while."""


@dataclasses.dataclass
class Run:
    """``over_c``: when, and how far the hottest critical sensor was over its target."""

    changed: list[Decision] = dataclasses.field(default_factory=list)
    writes: int = 0
    over_c: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    failsafe: list[float] = dataclasses.field(default_factory=list)
    last: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    work: float = 0.0

    def late(self, *, busy: bool = False) -> list[float]:
        """The last 300 s, if asked only while every core compiles."""
        end_s = self.over_c[-1][0]
        low_s, high_s = COMPILE_S if busy else (0.0, 190.0)
        return [over_c for at_s, over_c in self.over_c if at_s > end_s - 300.0 and low_s <= at_s % 190.0 < high_s]


def run(
    name: str,
    seconds: float,
    wish: Intent,
    folder: Path,
    *,
    idle_from_s: float = math.inf,
    forecast: Callable[[Snapshot, Mapping[str, Sensor], Mapping[str, Limit]], Forecast | None] | None = None,
) -> Run:
    """Made-up time; from ``idle_from_s`` on nobody is at the machine."""
    clock = [0.0]
    machine = open_machine(name, seed=0, clock=lambda: clock[0])
    collector = Collector(machine.sysfs, (hwmon.probe_sources, powercap.probe_sources), clock=lambda: clock[0])
    collector.rescan()
    actuators = [actuator for probe in ACTUATORS for actuator in probe(machine.sysfs)]
    executor = Executor(actuators, Baseline(str(folder), str(folder), boot="one"), clock=lambda: clock[0])
    limits = derive(collector.sensors, wish, LimitsConfig())
    targets_c = {name: limit.target_c for name, limit in limits.items() if limit.critical}
    regulation, envelope, seen = Regulation(), Envelope(), Run()
    while clock[0] < seconds:
        clock[0] += TICK_S
        if clock[0] == idle_from_s:
            machine.plant.scenario = SCENARIOS["idle"]
        now = collector.sample(clock[0], everything=clock[0] % 1.0 == 0.0)
        foreseen = forecast(now, collector.sensors, limits) if forecast else None
        wanted, regulation = decide(regulation, now, foreseen, wish, limits, executor.controls)
        decision, envelope = enforce(envelope, wanted, now, limits, executor.controls)
        seen.writes += bool(executor.apply(decision.settings).settings)
        seen.last = decision.settings
        if decision.action is not Action.NOOP:
            seen.changed.append(decision)
        if envelope.failsafe:
            seen.failsafe.append(clock[0])
        overs_c = [now.readings[name] - target_c for name, target_c in targets_c.items() if name in now.readings]
        seen.over_c.append((clock[0], max(overs_c, default=-100.0)))
    seen.work = machine.work_done
    executor.restore()
    collector.close()
    return seen


def unregulated_work(name: str, seconds: float) -> float:
    """What the hardware's own throttle gets done alone, a degree or two hotter."""
    machine = open_machine(name, seed=0, clock=lambda: 0.0)
    machine.advance(seconds)
    return machine.work_done


@pytest.mark.parametrize(
    ("machine", "settled_within_c"),
    [
        ("laptop/compile", 5.0),
        ("desktop/compile", 5.0),
        ("small-form-factor/heat-wave", 5.0),
        ("fanless/compile", 6.0),  # between its P-states of 10.8 and 17.3 W lie 4.2 °C, and noise
        ("server/compile", 5.0),
    ],
)
def test_a_hot_machine_is_held_at_its_limit_calmly_and_fast(
    machine: str, settled_within_c: float, tmp_path: Path
) -> None:
    seen = run(machine, 600.0, intent(), tmp_path)
    assert {Action.THROTTLE, Action.BOOST} <= {decision.action for decision in seen.changed}
    assert longest_over(seen.over_c, 2.0) <= 1.0
    assert -4.0 < fmean(seen.late()) < 0.5
    busy = seen.late(busy=True)
    assert max(busy) - min(busy) <= settled_within_c
    assert seen.writes <= 40
    assert seen.failsafe == [], "the envelope is never needed"
    assert seen.work >= 0.95 * unregulated_work(machine, 600.0)


@pytest.mark.parametrize("machine", ["laptop/clogged-fan", "fanless/compile"])
def test_everything_is_given_back_after_the_load(machine: str, tmp_path: Path) -> None:
    seen = run(machine, 320.0, intent(), tmp_path, idle_from_s=220.0)
    assert Action.THROTTLE in {decision.action for decision in seen.changed}
    assert seen.last == {}


@pytest.mark.full
@pytest.mark.parametrize("kind", ["laptop", "desktop", "small-form-factor", "fanless", "server"])
@pytest.mark.parametrize("scenario", ["bursty-game", "clogged-fan"])
def test_a_load_that_comes_and_goes_never_gets_far_over(kind: str, scenario: str, tmp_path: Path) -> None:
    machine = f"{kind}/{scenario}"
    seen = run(machine, 600.0, intent(), tmp_path)
    assert longest_over(seen.over_c, 2.0) <= 1.0
    assert seen.failsafe == []
    assert seen.work >= 0.9 * unregulated_work(machine, 600.0)


def test_a_cool_machine_is_never_touched(tmp_path: Path) -> None:
    assert run("desktop/idle", 60.0, intent(), tmp_path).changed == []


def test_a_failing_sensor_means_the_failsafe_until_it_is_back(tmp_path: Path) -> None:
    seen = run("laptop/failing-sensor", 150.0, intent(), tmp_path)
    assert seen.failsafe
    assert {Action.CONSERVATIVE} <= {decision.action for decision in seen.changed}


def longest_over(over_c: list[tuple[float, float]], most_c: float) -> float:
    """The longest time in a row above, in seconds."""
    longest_s = spell_s = 0.0
    for _at_s, over in over_c:
        spell_s = spell_s + TICK_S if over > most_c else 0.0
        longest_s = max(longest_s, spell_s)
    return longest_s
