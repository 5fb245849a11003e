"""The executor on every simulated machine, whose files refuse and react as the kernel's do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import ACTUATORS
from gamesad.simulation import open_machine
from gamesad.types import Value


@pytest.mark.parametrize("kind", ["laptop", "desktop", "small form factor", "fanless", "server"])
@pytest.mark.parametrize("end", [0, -1])
def test_least_and_most_are_taken_and_everything_goes_back(tmp_path: Path, kind: str, end: int) -> None:
    now_s = 0.0
    machine = open_machine(kind.replace(" ", "-"), seed=1, clock=lambda: now_s)
    actuators = [actuator for probe in ACTUATORS for actuator in probe(machine.sysfs)]
    baseline = Baseline.load(str(tmp_path), str(tmp_path), machine.sysfs)
    executor = Executor(actuators, baseline, clock=lambda: now_s)
    tunables = executor.controls.tunables
    before = {name: executor.value(name) for name in tunables}
    wanted: dict[str, Value] = {}
    for name, tunable in tunables.items():
        ends: list[Value] = [*tunable.choices] or sorted((tunable.minimum, tunable.maximum), reverse=tunable.inverted)
        wanted[name] = ends[end]
    applied = executor.apply(wanted)
    assert applied.settings
    assert not applied.foreign
    assert {refusal.errno for refusal in applied.rejected.values()} <= {"EBUSY", "EINVAL"}, applied.rejected
    now_s = 10.0
    assert not executor.inspect()
    restored = executor.restore()
    assert {name: executor.value(name) for name in tunables} == before
    assert restored.left == {}
    assert not list(tmp_path.iterdir())
