"""The installed service under a real systemd: ready, watched, killed, and what the journal has of it."""

from __future__ import annotations

import pytest

from gamesad.messages import Message
from tests.container.computer import Computer
from tests.container.machine import eventually

FREQUENCY = "/sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq"
IMPATIENT = "[Service]\nWatchdogSec=3\n"


def test_it_is_ready_once_it_regulates_and_answers_and_a_stop_puts_everything_back(running: Computer) -> None:
    assert running.unit("ActiveState", "SubState", "StatusText") == ("active", "running", "regulating")
    running.tell("busctl", "call", "org.gamesa.Gamesad1", "/org/gamesa/Gamesad1", "org.freedesktop.DBus.Peer", "Ping")
    assert running.as_found(), "nothing was asked for and nothing is hot"
    running.throttle()
    running.tell("systemctl", "stop", "gamesad")
    assert running.as_found()
    assert running.unit("ActiveState", "Result", "ExecMainStatus") == ("inactive", "success", "0")
    assert not (running.root / "run/gamesad/baseline.json").exists()


def test_what_happens_stands_in_the_journal_with_fields_and_an_explanation(running: Computer) -> None:
    running.throttle()
    since = f"_SYSTEMD_INVOCATION_ID={running.unit('InvocationID')[0]}"
    entry = running.journal(f"MESSAGE_ID={Message.DECISION.message_id}", "GAMESAD_ACTION=throttle", since)[0]
    assert entry["MESSAGE"].startswith("throttle: CPU Tctl ")
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["_SYSTEMD_UNIT"]) == (
        "6",
        "gamesad",
        "gamesad.service",
    )
    assert entry["GAMESAD_PROFILE"] == "balanced"
    assert "cpufreq.boost=0" in entry["GAMESAD_SETTINGS"]
    explained = running.tell("journalctl", "--unit=gamesad", "--catalog", "--no-pager")
    assert "Subject: Decision: throttle" in explained
    assert "GAMESAD_SOURCE says whose wish it was" in explained


def test_a_killed_service_leaves_the_machine_as_found_and_comes_back(running: Computer) -> None:
    running.throttle()
    running.hardware.control("ambient", 0.0)
    # Not "systemctl kill", which on Debian 13 kills what ExecStopPost starts as well.
    running.tell("kill", "-KILL", *running.unit("MainPID"))
    running.wait_as_found()
    running.wait_said("Main process exited, code=killed, status=9/KILL")
    running.wait_said("gamesad: put back cpufreq")  # by ExecStopPost, before the next start could
    eventually(lambda: running.unit("ActiveState", "NRestarts") == ("active", "1"), "the restart")


def test_a_tick_that_hangs_is_ended_by_the_watchdog_and_the_machine_is_as_found(installed: Computer) -> None:
    installed.start(IMPATIENT)
    installed.throttle()
    installed.tell("systemctl", "kill", "--signal=STOP", "gamesad")
    installed.wait_as_found()
    installed.wait_said("Watchdog timeout (limit 3s)!")
    installed.wait_said("gamesad: put back cpufreq")
    installed.wait_said("Failed with result 'watchdog'")
    eventually(lambda: installed.unit("ActiveState", "NRestarts") == ("active", "1"), "the restart")


@pytest.mark.full
def test_a_tick_that_hangs_in_the_kernel_does_not_keep_the_machine_from_being_as_found(installed: Computer) -> None:
    """Nothing ends a process that waits for a driver: systemd gives up on it and restores while it still hangs."""
    installed.start(IMPATIENT + "TimeoutStopSec=1\n")
    installed.throttle()
    installed.hardware.control("slow", FREQUENCY, 25.0)
    installed.wait_said("Watchdog timeout (limit 3s)!")
    installed.hardware.control("heal", FREQUENCY)
    installed.wait_as_found()
    installed.wait_said("Processes still around after SIGKILL")
    assert installed.unit("ActiveState") != ("active",)
    eventually(lambda: installed.unit("ActiveState") == ("active",), "the restart once the driver has answered", 60.0)
