"""energy_perf_bias: one number per CPU, the larger the thriftier."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamesad.hardware import energy_perf_bias
from gamesad.hardware.base import FileActuator
from gamesad.hardware.sysfs import Sysfs
from tests.support.machines import tree

CPU = "/sys/devices/system/cpu/cpu{}/power/energy_perf_bias"


def test_every_cpu_has_its_own_and_15_is_least_power(tmp_path: Path) -> None:
    root = tree(tmp_path, {CPU.format(number): "6" for number in (0, 2, 10)})
    [actuator] = energy_perf_bias.probe_actuators(Sysfs(str(root)))
    names = [tunable.name for tunable in actuator.tunables()]
    assert names == ["cpu0.energy_perf_bias", "cpu2.energy_perf_bias", "cpu10.energy_perf_bias"]
    tunable = actuator.tunables()[0]
    assert (tunable.least, tunable.minimum, tunable.maximum) == (15, 0, 15)
    assert actuator.read(tunable) == 6
    actuator.write(tunable, 15)
    assert (root / CPU.format(0).strip("/")).read_text() == "15"


@pytest.mark.parametrize(("text", "number"), [("performance", 0), ("normal", 6), ("power", 15), ("8", 8)])
def test_names_are_read_as_their_numbers(tmp_path: Path, text: str, number: int) -> None:
    [actuator] = energy_perf_bias.probe_actuators(Sysfs(str(tree(tmp_path, {CPU.format(0): text}))))
    assert actuator.read(actuator.tunables()[0]) == number


@pytest.mark.parametrize("text", ["9" * 400, "1_5", "six", ""])
def test_what_no_kernel_writes_is_no_value(tmp_path: Path, text: str) -> None:
    """400 digits are no float: every tick would end with an error."""
    sysfs = Sysfs(str(tree(tmp_path, {CPU.format(0): text})))
    [actuator] = energy_perf_bias.probe_actuators(sysfs)
    for either in (actuator, FileActuator(sysfs, actuator.tunables())):
        with pytest.raises(ValueError, match=r"."):
            either.read(actuator.tunables()[0])


def test_a_machine_without_it_has_no_actuator(tmp_path: Path) -> None:
    root = tree(tmp_path, {"/sys/devices/system/cpu/cpu0/topology/core_id": "0", CPU.format("idle"): "6"})
    assert energy_perf_bias.probe_actuators(Sysfs(str(root))) == []
