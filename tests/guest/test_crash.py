"""gamesad killed and the power cut while something of ours is in force."""

from __future__ import annotations

import pytest

from tests.guest.laptop import COOL_C, FOUND, FULL, Laptop
from tests.guest.machine import wait_until


@pytest.mark.full
def test_killed_while_it_throttles_it_leaves_the_machine_as_found_and_is_started_again(running: Laptop) -> None:
    restarts = running.unit("NRestarts")
    running.heat()
    running.run("systemctl kill --signal=KILL gamesad")
    wait_until(lambda: running.pstates == FULL, "the processor's registers as found", 20.0, pause_s=0.005)
    running.wait_said("put back cpufreq")
    wait_until(running.throttled, "the throttling by the next one", 30.0)
    assert int(running.unit("NRestarts")) == int(restarts) + 1


@pytest.mark.full
def test_a_power_cut_leaves_no_trace_in_the_firmware(running: Laptop) -> None:
    """The kernel forgets what was set; the firmware keeps its platform profile, as it does on a real laptop. Cut at
    once: what is not on the disk by then will never be."""
    running.heat()
    running.run("systemd-run --unit=game gamesactl hold power-saver --reason test")
    wait_until(lambda: running.firmware.platform_profile == "low-power", "the profile of the hold", 20.0, pause_s=0.001)
    running.power_cut(then=lambda: setattr(running.firmware, "temperature_c", COOL_C))
    wait_until(lambda: running.firmware.platform_profile == "balanced", "the profile as found", 60.0)
    running.wait_said("put back platform_profile")
    assert running.controls() == FOUND
