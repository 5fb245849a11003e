"""The envelope through the real executor, on every recorded machine: what counts is what stands in the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.config import LimitsConfig
from gamesad.hardware import ACTUATORS
from gamesad.hardware.base import Actuator
from gamesad.hardware.sysfs import Sysfs
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.limits import derive
from gamesad.policy.scale import CEILED, ceiling, floor
from gamesad.types import Controls, Decision, Heat, Quantity, Sensor, SensorLimits, Snapshot
from tests.support.policy_machines import CPU, PROFILES, intent, limit
from tests.support.sequences import decisions, steps

SENSORS = (CPU, "core")
LIMITS = {CPU: limit(), "core": limit("core", 90.0, critical=False)}


class Scratch(Sysfs):
    """A recorded tree whose writes stay in memory."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.written: dict[str, str] = {}

    def read(self, path: str) -> str:
        return self.written[path] if path in self.written else super().read(path)

    def write(self, path: str, text: str) -> None:
        self.written[path] = text

    def writable(self, path: str) -> bool:
        return self.exists(path)


def actuators(root: Path) -> list[Actuator]:
    sysfs = Scratch(root)
    return [actuator for probe in ACTUATORS for actuator in probe(sysfs)]


@pytest.fixture
def executors(machines: dict[str, Path], tmp_path: Path) -> dict[str, Executor]:
    """One for each recorded machine that something can be set on."""
    made = {}
    for name, root in machines.items():
        runtime = str(tmp_path / name)
        if found := actuators(root):
            made[name] = Executor(found, Baseline(runtime, runtime, boot="one", root=str(root)))
    assert len(made) >= 3
    return made


def test_every_recorded_machine_stays_inside_its_envelope(executors: dict[str, Executor]) -> None:
    """Hostile wishes, failing sensors: nothing outside a tunable or above its ceiling; the failsafe is the floors."""
    for name, executor in executors.items():
        _stays_inside(executor, name)


def _stays_inside(executor: Executor, name: str) -> None:
    controls = executor.controls

    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(steps(SENSORS), st.lists(decisions(controls), min_size=1, max_size=3))
    def story(history: list[Snapshot], wishes: list[Decision]) -> None:
        state = Envelope()
        for number, now in enumerate(history):
            decision, state = enforce(state, wishes[number % len(wishes)], now, LIMITS, controls)
            applied = executor.apply(decision.settings)
            assert not applied.rejected, name
            _assert_inside(executor, controls, failsafe=state.failsafe)

    story()
    executor.restore()


def _assert_inside(executor: Executor, controls: Controls, *, failsafe: bool) -> None:
    for name, found in controls.found.items():
        tunable, value = controls.tunables[name], executor.value(name)
        if value == found and not failsafe:
            continue
        assert value is not None
        power = tunable.power(value)
        assert power is not None and tunable.allows(value), name
        if tunable.role in CEILED:
            assert power <= (tunable.power(ceiling(tunable, found)) or 0.0), name
        if failsafe:
            assert power <= (tunable.power(floor(tunable, found)) or 0.0), name


def test_hotter_never_means_more_power_in_the_files(executors: dict[str, Executor]) -> None:
    for name, executor in executors.items():
        controls, before = executor.controls, dict[str, float]()
        wanted, _state = decide(Regulation(), _at(40.0), None, intent("performance", chosen=True), LIMITS, controls)
        for temp_c in (40.0, 90.0, 96.4, 96.5, 97.0, 98.0, 99.0, 99.5, 110.0):
            decision, _envelope = enforce(Envelope(), wanted, _at(temp_c), LIMITS, controls)
            executor.apply(decision.settings)
            for tunable in controls.tunables.values():
                value = executor.value(tunable.name)
                power = None if value is None else tunable.power(value)
                if power is not None:
                    assert power <= before.get(tunable.name, power), (name, tunable.name, temp_c)
                    before[tunable.name] = power


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_is_lawful_on_every_recorded_machine(executors: dict[str, Executor], profile: str) -> None:
    for name, executor in executors.items():
        controls = executor.controls
        wish = intent(profile, chosen=True)
        wanted, _state = decide(Regulation(), _at(40.0), None, wish, LIMITS, controls)
        decision, _envelope = enforce(Envelope(), wanted, _at(40.0), LIMITS, controls)
        assert decision is wanted, f"{name}: the envelope has nothing to mend: {decision.reason}"


def test_the_limit_of_a_processor_made_to_sit_at_it_is_enforced_there() -> None:
    sensor = Sensor(CPU, Quantity.TEMPERATURE, "", SensorLimits(critical=100.0), "coretemp", Heat.CPU, critical=True)
    derived = derive({CPU: sensor}, intent(), LimitsConfig())[CPU]
    assert derived.envelope_c == 100.0


def _at(temp_c: float) -> Snapshot:
    return Snapshot(0, 0.0, {CPU: temp_c, "core": 40.0})
