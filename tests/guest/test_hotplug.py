"""Processors and sensors that go and come while the machine is hot."""

from __future__ import annotations

import pytest

from tests.guest.laptop import CPUFREQ, FOUND, Laptop
from tests.guest.machine import wait_until

ONLINE = "/sys/devices/system/cpu/cpu1/online"
SECOND = f"{CPUFREQ}/policy1/scaling_max_freq"


def test_a_processor_that_comes_back_under_load_is_throttled_again_and_released_with_the_others(
    running: Laptop,
) -> None:
    running.heat()
    assert running.write(ONLINE, "0") == ""
    assert (running.read(SECOND), running.write(SECOND, "3000000")) == ("EBUSY", "EBUSY")
    before_s = running.tick_s()
    wait_until(lambda: running.tick_s() > before_s + 1.0, "a tick without the processor", 20.0)
    assert running.write(ONLINE, "1") == ""
    wait_until(lambda: int(running.read(SECOND)) < 3000000, "the limit on the processor that is back", 20.0)
    wait_until(running.throttled, "both throttled", 20.0)
    running.pause()
    assert running.controls() == FOUND


@pytest.mark.full
def test_chips_that_come_and_go_under_load_are_read_while_they_are_there(running: Laptop) -> None:
    chip = next(name for name in running.agent.list("/sys/bus/i2c/devices") if name.endswith("-0048"))
    adapter = f"/sys/bus/i2c/devices/i2c-{chip.partition('-')[0]}"
    running.plug_nvme()
    wait_until(lambda: "nvme" in running.run("gamesactl sensors").out, "the new disk's sensor", 60.0)
    assert running.write(f"{adapter}/delete_device", "0x48") == ""
    wait_until(lambda: "lm75" not in running.run("gamesactl sensors").out, "the chip to be gone", 60.0)
    running.unplug_nvme()
    wait_until(lambda: "nvme" not in running.run("gamesactl sensors").out, "the disk to be gone", 60.0)
    assert running.write(f"{adapter}/new_device", "lm75 0x48") == ""
    wait_until(lambda: "lm75" in running.run("gamesactl sensors").out, "the chip to be back", 60.0)
    assert not [entry["MESSAGE"] for entry in running.entries() if int(entry["PRIORITY"]) <= 3]
    running.wait_as_found()  # near a limit a setting is tried at random now and then
