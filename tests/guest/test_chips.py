"""What the drivers of a stock kernel make of their chips' registers is what gamesad reads."""

from __future__ import annotations

import json
from typing import Any

from tests.guest.laptop import Laptop
from tests.guest.machine import wait_until


def sensors(running: Laptop, driver: str) -> dict[str, dict[str, Any]]:
    """By channel."""
    told = json.loads(running.run("gamesactl sensors --json").out)
    return {one["Name"].rpartition(".")[2]: one for one in told if one["Driver"] == driver}


def test_every_channel_of_the_chips_on_i2c_is_read_in_its_unit_with_its_limits(running: Laptop) -> None:
    lm75, adt7475 = sensors(running, "lm75"), sensors(running, "adt7475")
    assert [(one["Value"], one["Maximum"]) for one in lm75.values()] == [(45.0, 80.0)]
    assert {name: (one["Quantity"], one["Value"]) for name, one in adt7475.items()} == {
        "temp1": ("temperature", 52.5),
        "temp2": ("temperature", 38.0),
        "temp3": ("temperature", -5.0),
        "fan1": ("fan", 1800.0),
        "fan2": ("fan", 0.0),
        "fan3": ("fan", 0.0),
        "fan4": ("fan", 0.0),
        "in1": ("voltage", 1.201),
        "in2": ("voltage", 3.299),
    }
    stated = [(adt7475[f"temp{n}"]["Maximum"], adt7475[f"temp{n}"]["CriticalLimit"]) for n in (1, 2, 3)]
    assert stated == [(80.0, 95.0), (70.0, 85.0), (75.0, 90.0)]


def test_a_disk_that_is_plugged_in_is_read(running: Laptop) -> None:
    running.plug_nvme()
    try:
        wait_until(lambda: sensors(running, "nvme"), "the new disk's sensor", 60.0)
        [disk] = sensors(running, "nvme").values()
        assert (disk["Value"], disk["Regulated"]) == (49.85, False)
    finally:
        running.unplug_nvme()
    wait_until(lambda: not sensors(running, "nvme"), "the disk to be gone", 60.0)
