"""Processors and sensors that go and come while the machine is hot."""

from __future__ import annotations

import time

from tests.guest.laptop import COOL_C, CPUFREQ, LOWEST, Laptop
from tests.guest.machine import wait_until

ONLINE = "/sys/devices/system/cpu/cpu1/online"
SECOND = f"{CPUFREQ}/policy1/scaling_max_freq"


def test_a_processor_that_comes_back_under_load_is_throttled_again_and_released_with_the_others(
    running: Laptop,
) -> None:
    running.firmware.temperature_c = 100.0
    wait_until(lambda: running.pstates == LOWEST, "the throttling", 10.0)
    assert running.write(ONLINE, "0") == ""
    print("an offline processor's scaling_max_freq:", running.read(SECOND), "write:", running.write(SECOND, "3000000"))
    time.sleep(2.0)
    assert running.active()
    assert running.write(ONLINE, "1") == ""
    print("back online:", running.read(SECOND), running.read(f"{CPUFREQ}/policy1/scaling_governor"), running.pstates)
    wait_until(lambda: running.read(SECOND) == "1200000", "the settings on the processor that is back", 20.0)
    wait_until(lambda: running.pstates == LOWEST, "the lowest performance state", 20.0)
    running.firmware.temperature_c = COOL_C
    running.run("busctl call org.gamesa.Gamesad1 /org/gamesa/Gamesad1 org.gamesa.Gamesad1 Pause u 1")
    running.wait_as_found(20.0)


def test_chips_that_come_and_go_under_load_are_read_while_they_are_there(running: Laptop) -> None:
    running.warm_up()
    running.plug_nvme()
    wait_until(lambda: "nvme" in running.run("gamesactl sensors").out, "the new disk's sensor", 60.0)
    running.run("echo 0x48 >/sys/class/i2c-adapter/i2c-0/delete_device")
    wait_until(lambda: "lm75" not in running.run("gamesactl sensors").out, "the chip to be gone", 60.0)
    running.unplug_nvme()
    wait_until(lambda: "nvme" not in running.run("gamesactl sensors").out, "the disk to be gone", 60.0)
    running.run("echo lm75 0x48 >/sys/class/i2c-adapter/i2c-0/new_device")
    wait_until(lambda: "lm75" in running.run("gamesactl sensors").out, "the chip to be back", 60.0)
    assert not [entry["MESSAGE"] for entry in running.entries() if int(entry["PRIORITY"]) <= 3]
    assert running.as_found()
