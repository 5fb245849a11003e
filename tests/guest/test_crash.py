"""gamesad killed and the power cut while something of ours is in force."""

from __future__ import annotations

from tests.guest.laptop import CONTROLS, COOL_C, FOUND, FULL, LOWEST, PROFILE, Laptop
from tests.guest.machine import wait_until


def test_killed_while_it_throttles_it_leaves_the_machine_as_found_and_is_started_again(running: Laptop) -> None:
    restarts = int(running.run("systemctl show gamesad --value -p NRestarts").out)
    running.firmware.temperature_c = 100.0
    wait_until(lambda: running.pstates == LOWEST, "the throttling", 10.0)
    running.run("systemctl kill --signal=KILL gamesad")
    wait_until(lambda: running.pstates == FULL, "the processor's registers as found", 20.0, pause_s=0.005)
    assert running.wait_said("put back cpufreq")
    wait_until(lambda: running.pstates == LOWEST, "the throttling by the next one", 30.0)
    assert int(running.run("systemctl show gamesad --value -p NRestarts").out) == restarts + 1
    running.firmware.temperature_c = COOL_C


def test_a_power_cut_while_throttling_leaves_no_trace_in_the_firmware(running: Laptop) -> None:
    """The kernel forgets what was set; the firmware keeps its platform profile, as it does on a real laptop."""
    running.run("systemd-run --unit=game gamesactl hold power-saver --reason test")
    wait_until(lambda: running.read(PROFILE) == "low-power", "the profile of the hold", 20.0)
    running.firmware.temperature_c = 100.0
    wait_until(lambda: running.pstates == LOWEST, "the throttling", 10.0)
    running.firmware.temperature_c = COOL_C
    running.power_cut()
    assert running.firmware.platform_profile == "balanced" or running.active()
    wait_until(lambda: running.firmware.platform_profile == "balanced", "the profile as found", 60.0)
    assert running.wait_said("put back platform_profile")
    assert dict(zip(CONTROLS, running.controls(), strict=True)) == dict(zip(CONTROLS, FOUND, strict=True))
