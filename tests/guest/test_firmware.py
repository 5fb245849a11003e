"""What the firmware changes: supplies, limits, the platform profile; and a rival that rewrites what we set."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gamesad.messages import Message
from tests.guest.laptop import CPUFREQ, FOUND, PROFILE, Laptop
from tests.guest.machine import wait_until

ON_BATTERY = "/etc/gamesad/conf.d/50-test.toml"


@pytest.fixture
def on_battery(running: Laptop) -> Iterator[Laptop]:
    """Configured to be power-saver on the battery."""
    running.forget_wishes()
    running.run(f"mkdir -p /etc/gamesad/conf.d; printf '[profiles]\\non_battery = \"power-saver\"\\n' >{ON_BATTERY}")
    running.run("systemctl reload gamesad")
    yield running
    running.firmware.ac_online = True
    running.run(f"rm {ON_BATTERY}; systemctl reload gamesad")


def test_pulling_the_plug_switches_the_profile_within_seconds_and_back(on_battery: Laptop) -> None:
    on_battery.firmware.ac_online = False
    took_s = wait_until(lambda: on_battery.firmware.platform_profile == "low-power", "power-saver", 15.0, pause_s=0.005)
    print(f"from the plug to the platform profile: {took_s:.2f} s")
    assert on_battery.wait_said("power-saver", MESSAGE_ID=Message.PROFILE_CHANGED.message_id)
    assert on_battery.read("/sys/class/power_supply/BAT0/status") == "Discharging"
    on_battery.firmware.ac_online = True
    wait_until(lambda: on_battery.firmware.platform_profile == "balanced", "balanced", 15.0)
    on_battery.wait_as_found()
    assert took_s < 3.0


def test_the_firmwares_limit_is_told_by_the_kernel_and_not_fought(running: Laptop) -> None:
    running.firmware.ppc = 2
    wait_until(lambda: running.read(f"{CPUFREQ}/policy0/bios_limit") == "1800000", "the limit", 5.0)
    wait_until(lambda: running.pstates == [18, 18], "the processor within it", 5.0)
    print("scaling_max_freq under _PPC:", running.read(f"{CPUFREQ}/policy0/scaling_max_freq"))
    time.sleep(6.0)  # longer than gamesad leaves what it has set without a look
    assert running.pstates == [18, 18]
    running.firmware.ppc = 0
    wait_until(lambda: running.pstates == [30, 30], "full speed", 5.0)
    assert running.controls() == FOUND
    assert not running.said("", MESSAGE_ID=Message.RIVAL.message_id)


def test_a_profile_chosen_by_key_is_followed(running: Laptop) -> None:
    running.run("systemd-run --unit=game gamesactl hold power-saver --reason test")
    wait_until(lambda: running.firmware.platform_profile == "low-power", "the profile of the hold", 20.0)
    running.firmware.press_profile_key("performance")
    wait_until(lambda: running.read(PROFILE) == "performance", "the key to reach the kernel", 5.0)
    running.wait_said("platform_profile", MESSAGE_ID=Message.FOREIGN.message_id)
    running.run("systemctl stop game")
    running.wait_said("power-saver → balanced")
    assert running.firmware.platform_profile == "performance", "whoever pressed the key keeps what they chose"
    running.firmware.press_profile_key("balanced")
    wait_until(lambda: running.read(PROFILE) == "balanced", "the key to reach the kernel", 5.0)


@pytest.mark.full
def test_who_keeps_rewriting_what_we_set_wins_and_is_named(running: Laptop) -> None:
    rival = "/usr/local/bin/auto-cpufreq"
    file = f"{CPUFREQ}/policy0/scaling_max_freq"
    running.run(f"printf '#!/bin/sh\\nwhile sleep 1; do echo 3000000 >{file}; done\\n' >{rival}; chmod +x {rival}")
    running.heat()
    running.run(f"systemd-run --unit=rival {rival}")
    try:
        entry = running.wait_said("keeps rewriting", 90.0, MESSAGE_ID=Message.RIVAL.message_id)
        print(entry["MESSAGE"])
        assert "policy0.scaling_max_freq" in entry["MESSAGE"]
        assert "auto-cpufreq" in entry["MESSAGE"]
        assert running.bus_property("Mode") == "observe"
    finally:
        running.run(f"systemctl stop rival; rm {rival}; systemctl restart gamesad")
