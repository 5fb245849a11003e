"""What a sensor says of its own origin is true: the number in its file ÷ its divisor is its reading."""

from __future__ import annotations

from pathlib import Path

from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry.collector import Collector
from gamesad.types import Quantity
from tests.support.machines import tree
from tests.support.trees import HAND_MADE, RYZEN_DESKTOP


def checked(root: Path) -> int:
    sysfs = Sysfs(str(root))
    collector = Collector(sysfs)
    readings = collector.sample(1.0).readings
    sensors = dict(collector.sensors)
    collector.close()
    count = 0
    for name, value in readings.items():
        sensor = sensors[name]
        if sensor.divisor and sensor.quantity not in (Quantity.RATE, Quantity.ENERGY):
            assert abs(int(sysfs.read(sensor.path)) / sensor.divisor - value) < 1e-6, name
            count += 1
    assert not [name for name, sensor in sensors.items() if not sensor.path], "every sensor names its file"
    return count


def test_on_every_recorded_machine(machines: dict[str, Path]) -> None:
    assert sum(checked(root) for root in machines.values()) > 50


def test_on_machines_made_by_hand(tmp_path: Path) -> None:
    assert all(checked(tree(tmp_path / name, HAND_MADE[name])) > 1 for name in HAND_MADE if name != "virtual-machine")


def test_a_limit_that_no_driver_states_says_so(tmp_path: Path) -> None:
    collector = Collector(Sysfs(str(tree(tmp_path, RYZEN_DESKTOP))))
    origins = {name: sensor.limits_from for name, sensor in collector.sensors.items() if sensor.limits_from}
    collector.close()
    assert origins == {"hwmon.k10temp-pci-00c3.temp1": "gamesad's table, for k10temp states none"}
