"""decide and enforce on the simulated machines, through the real collector and executor."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.config import LimitsConfig
from gamesad.hardware import ACTUATORS
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.limits import derive
from gamesad.simulation import open_machine
from gamesad.telemetry.collector import Collector
from gamesad.types import Action, Decision, Heat, Intent
from tests.support.policy_machines import intent


@dataclasses.dataclass
class Run:
    changed: list[Decision]
    highest_over_c: float
    failsafe: list[float]


def run(name: str, seconds: float, wish: Intent, folder: Path) -> Run:
    """Ticks every 0.5 s of made-up time."""
    clock = [0.0]
    machine = open_machine(name, seed=0, clock=lambda: clock[0])
    collector = Collector(machine.sysfs, clock=lambda: clock[0])
    collector.rescan()
    actuators = [actuator for probe in ACTUATORS for actuator in probe(machine.sysfs)]
    executor = Executor(actuators, Baseline(str(folder), str(folder), boot="one"), clock=lambda: clock[0])
    limits = derive(collector.sensors, wish, LimitsConfig())
    regulation, envelope, seen = Regulation(), Envelope(), Run([], -1000.0, [])
    while clock[0] < seconds:
        clock[0] += 0.5
        now = collector.sample(clock[0])
        wanted, regulation = decide(regulation, now, None, wish, limits, executor.controls)
        decision, envelope = enforce(envelope, wanted, now, limits, executor.controls)
        executor.apply(decision.settings)
        if decision.action is not Action.NOOP:
            seen.changed.append(decision)
        if envelope.failsafe:
            seen.failsafe.append(clock[0])
        for sensor, limit in limits.items():
            if limit.heat is Heat.CPU and sensor in now.readings:
                seen.highest_over_c = max(seen.highest_over_c, now.readings[sensor] - limit.target_c)
    executor.restore()
    collector.close()
    return seen


@pytest.mark.parametrize("machine", ["laptop/compile", "small-form-factor/heat-wave"])
def test_a_hot_machine_is_held_at_its_limit_calmly(machine: str, tmp_path: Path) -> None:
    seen = run(machine, 240.0, intent(), tmp_path)
    assert {Action.THROTTLE, Action.BOOST} <= {decision.action for decision in seen.changed}
    assert seen.highest_over_c < 2.0
    assert seen.failsafe == [], "the envelope is never needed"
    assert len(seen.changed) < 80


def test_a_cool_machine_is_never_touched(tmp_path: Path) -> None:
    assert run("desktop/idle", 60.0, intent(), tmp_path).changed == []


def test_a_failing_sensor_means_the_failsafe_until_it_is_back(tmp_path: Path) -> None:
    seen = run("laptop/failing-sensor", 150.0, intent(), tmp_path)
    assert seen.failsafe
    assert {Action.CONSERVATIVE} <= {decision.action for decision in seen.changed}
