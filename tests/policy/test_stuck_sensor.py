"""A sensor that sticks, on every simulated machine, through the whole tick: failsafe settings until it moves again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gamesad import config
from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import ACTUATORS
from gamesad.pipeline import Pipeline
from gamesad.simulation import open_machine
from gamesad.simulation.kinds import KINDS
from gamesad.simulation.machine import Machine
from gamesad.simulation.scenarios import SCENARIOS
from gamesad.telemetry.collector import Collector
from gamesad.types import Action, Intent, Mode, Tick

FOUND_WITHIN_S = 35.0
"""From the rise of the load to the failsafe settings: 10 s until it is read, 10 s of it in part, 10 s, and 3 s lost."""


@dataclass
class Ticking:
    """A simulated machine under gamesad. Ticks as the daemon does: quiet every 2 s, everything every 10 s, else 1 s."""

    machine: Machine
    pipeline: Pipeline
    clock: list[float]
    intent: Intent
    stuck: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        sensors = self.pipeline.collector.sensors
        self.critical = {name for name, sensor in sensors.items() if sensor.critical}
        self.last = self.pass_time(1.0)

    def pass_time(self, seconds: float, *, quiet: bool = False) -> Tick:
        until_s = self.clock[0] + seconds
        while self.clock[0] < until_s:
            self.clock[0] += 2.0 if quiet else 1.0
            everything = not quiet or self.clock[0] % 10.0 < 2.0
            self.last = self.pipeline.tick(self.clock[0], self.intent, everything=everything)
            self.stuck |= {name for name in self.critical if name in self.last.snapshot.rejected}
        return self.last

    def until(self, mode: Mode, within_s: float) -> float:
        """The seconds that it took."""
        begun_s = self.clock[0]
        while self.pass_time(1.0).mode is not mode:
            assert self.clock[0] < begun_s + within_s, f"not {mode} within {within_s} s"
        return self.clock[0] - begun_s

    @property
    def files(self) -> list[str]:
        """Every file that shows the processor's temperature: all of its chips, and the zones."""
        return self.machine.hwmon.cpu_sensors + self.machine.thermal.cpu_sensors


@contextmanager
def ticking(name: str, folder: Path, *, seed: int = 0) -> Iterator[Ticking]:
    clock = [0.0]
    machine = open_machine(name, seed=seed, clock=lambda: clock[0])
    collector = Collector(machine.sysfs, clock=lambda: clock[0])
    actuators = [actuator for probe in ACTUATORS for actuator in probe(machine.sysfs)]
    executor = Executor(actuators, Baseline(str(folder), str(folder), boot="one"), clock=lambda: clock[0])
    settings = config.load(None)
    intent = Intent(settings.profiles["balanced"], chosen=False)
    yield Ticking(machine, Pipeline(collector, executor, settings), clock, intent)
    executor.restore()
    collector.close()


@pytest.mark.parametrize(("kind", "seed"), [(kind, seed) for seed, kind in enumerate(KINDS)])
def test_a_chip_that_sticks_while_idle_is_found_soon_after_the_load_begins(
    kind: str, seed: int, tmp_path: Path
) -> None:
    """All of the chip is wedged, so only power tells; and the load begins while gamesad reads seldom."""
    with ticking(f"{kind}/compile", tmp_path, seed=seed) as it:
        it.pass_time(20.0)
        it.machine.plant.scenario = SCENARIOS["idle"]
        it.pass_time(60.0)
        for path in it.files:
            it.machine.control.stick(path)
        it.pass_time(120.0 + 3 * seed, quiet=True)
        assert (it.stuck, it.last.mode) == (set(), Mode.ACTIVE)
        it.machine.plant.scenario = SCENARIOS["compile"]
        it.pass_time(10.0, quiet=True)
        assert 10.0 + it.until(Mode.FAILSAFE, 30.0) <= FOUND_WITHIN_S
        assert it.stuck == it.critical
        assert it.last.decision.action is Action.CONSERVATIVE
        [*rejections] = it.last.snapshot.rejected.values()
        assert "while package power went from" in rejections[0].reason
        it.pass_time(30.0)
        assert it.last.mode is Mode.FAILSAFE, "for as long as it sticks"
        for path in it.files:
            it.machine.control.heal(path)
        assert it.until(Mode.ACTIVE, 15.0) >= 5.0
        assert not it.critical & it.last.snapshot.rejected.keys()


def test_a_package_sensor_alone_is_held_against_the_cores_of_its_chip(tmp_path: Path) -> None:
    """The cores are alive and have limits too, and all the same it counts as lost: what wedged one may wedge all."""
    with ticking("laptop/bursty-game", tmp_path) as it:
        it.pass_time(110.0)
        it.machine.control.stick(it.files[0])
        it.until(Mode.FAILSAFE, 70.0)
        [rejection] = it.last.snapshot.rejected.values()
        assert rejection.reason.startswith("stuck: unchanged for 6")


@pytest.mark.parametrize("machine", ["laptop/compile", "small-form-factor/clogged-fan", "server/bursty-game"])
def test_a_machine_held_at_its_limit_or_coarse_and_calm_has_no_stuck_sensor(machine: str, tmp_path: Path) -> None:
    with ticking(machine, tmp_path) as it:
        it.pass_time(300.0)
        assert it.stuck == set()


@pytest.mark.full
@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "failing-sensor"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_simulated_machine_has_a_stuck_sensor(kind: str, scenario: str, tmp_path: Path) -> None:
    with ticking(f"{kind}/{scenario}", tmp_path) as it:
        it.pass_time(900.0)
        assert it.stuck == set()


@pytest.mark.full
@pytest.mark.parametrize("limit_c", [60.0, 70.0, 80.0])
@pytest.mark.parametrize("kind", KINDS)
def test_nor_has_one_that_is_held_far_under_its_critical_temperature(kind: str, limit_c: float, tmp_path: Path) -> None:
    with ticking(f"{kind}/bursty-game", tmp_path) as it:
        it.intent = Intent(it.intent.profile, chosen=False, temperature_limits_c=dict.fromkeys(it.critical, limit_c))
        it.pass_time(900.0)
        assert it.stuck == set()
