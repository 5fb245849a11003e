"""A suspend (to idle, with the kernel's devices test) while the machine is hot."""

from __future__ import annotations

from tests.guest.laptop import CONTROLS, FOUND, Laptop
from tests.guest.machine import wait_until


def test_the_machine_is_handed_back_before_it_sleeps_and_throttled_again_when_it_wakes(running: Laptop) -> None:
    running.heat()
    before, _after = running.sleep(CONTROLS)
    assert tuple(before) == FOUND
    wait_until(running.throttled, "the throttling after the sleep", 20.0)
