"""A suspend (to idle, with the kernel's devices test) while the machine is hot."""

from __future__ import annotations

from tests.guest.laptop import CONTROLS, FOUND, LOWEST, Laptop
from tests.guest.machine import wait_until


def test_the_machine_is_handed_back_before_it_sleeps_and_throttled_again_when_it_wakes(running: Laptop) -> None:
    running.firmware.temperature_c = 100.0
    wait_until(lambda: running.pstates == LOWEST, "the throttling", 10.0)
    before, after = running.sleep(CONTROLS)
    print("as the kernel was about to sleep:", before, "and when it woke:", after)
    assert tuple(before) == FOUND
    wait_until(lambda: running.pstates == LOWEST, "the throttling after the sleep", 20.0)
    running.wait_said("failsafe settings")
