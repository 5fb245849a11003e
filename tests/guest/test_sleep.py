"""A suspend (to idle, with the kernel's devices test) while the machine is hot."""

from __future__ import annotations

from tests.guest.laptop import CONTROLS, FOUND, LOWEST, Laptop
from tests.guest.machine import wait_until

HOOK = """#!/bin/sh
cat {controls} >/run/controls-$1-sleep
"""


def test_the_machine_is_handed_back_before_it_sleeps_and_throttled_again_when_it_wakes(running: Laptop) -> None:
    hook = "/usr/lib/systemd/system-sleep/controls"
    running.agent.put(hook, HOOK.format(controls=" ".join(CONTROLS)))
    running.run("echo devices >/sys/power/pm_test")
    running.firmware.temperature_c = 100.0
    wait_until(lambda: running.pstates == LOWEST, "the throttling", 10.0)
    running.forget()
    running.run("systemctl suspend")
    wait_until(lambda: running.read("/run/controls-post-sleep") != "ENOENT", "the end of the sleep", 60.0)
    assert tuple(running.read("/run/controls-pre-sleep").split("\n")) == FOUND
    wait_until(lambda: running.pstates == LOWEST, "the throttling after the sleep", 20.0)
    assert running.said("PM: suspend entry (s2idle)") or running.entries("-k")
