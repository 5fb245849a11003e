"""What goes wrong around the service: each ends in a safe machine and a clear line in the journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gamesad.messages import Message
from tests.container.computer import Computer
from tests.container.machine import eventually

REMOUNT = "LIBMOUNT_FORCE_MOUNT2=always mount -o remount"  # an overlay refuses the new way of mount(8)
BUS_LOST, BUS_BACK, STATE_UNSAVED = Message.BUS_LOST, Message.BUS_BACK, Message.STATE_UNSAVED


@contextmanager
def done(machine: Computer, begin: str, end: str) -> Iterator[None]:
    """A shell command, and another at the end that undoes it."""
    machine.tell("sh", "-c", begin)
    try:
        yield
    finally:
        machine.tell("sh", "-c", end)


def test_a_full_disk_does_not_keep_it_from_throttling_and_a_choice_that_is_lost_is_told(installed: Computer) -> None:
    with installed.full_disk():
        installed.start()
        installed.tell("gamesactl", "set-profile", "quiet")
        installed.wait_said("No space left on device")
        [lost] = installed.journal("--unit=gamesad", f"MESSAGE_ID={STATE_UNSAVED.message_id}")
        assert lost["PRIORITY"] == "4"
        installed.tell("gamesactl", "set-profile", "balanced")
        installed.wait_as_found()
        installed.throttle()
        installed.tell("systemctl", "stop", "gamesad")
    assert installed.as_found()


def test_a_root_that_turns_read_only_leaves_it_at_work(running: Computer) -> None:
    running.throttle()
    # The journal goes to memory first, as it does when the disk of a running system fails.
    with done(running, f"journalctl --relinquish-var; {REMOUNT},ro /", f"{REMOUNT},rw /; journalctl --flush"):
        running.tell("gamesactl", "set-profile", "quiet")
        running.wait_said("Read-only file system")
        running.tell("systemctl", "restart", "gamesad")
        running.wait_throttled()
        running.tell("systemctl", "stop", "gamesad")
        assert running.as_found()


def test_masking_it_while_it_throttles_puts_the_machine_back(running: Computer) -> None:
    running.throttle()
    with done(running, "systemctl mask --now gamesad", "systemctl unmask gamesad"):
        assert running.as_found()
        refused = running.run("systemctl", "start", "gamesad")
        assert refused.returncode != 0
        assert "is masked" in refused.stderr
        asked = running.run("gamesactl", "status")
        assert asked.returncode == 3
        assert len(asked.stderr.splitlines()) == 1


def test_it_throttles_without_a_bus_and_serves_again_when_the_bus_is_back(running: Computer) -> None:
    with done(running, "systemctl stop dbus.socket dbus.service", "systemctl start dbus.socket dbus.service"):
        running.wait_said("not on the bus: ")
        running.throttle()
        assert running.run("gamesactl", "status").returncode == 0, "it needs no bus"
        assert running.run("gamesactl", "profiles").returncode == 3
    eventually(lambda: running.run("gamesactl", "profiles").returncode == 0, "an answer")
    since = f"_SYSTEMD_INVOCATION_ID={running.unit('InvocationID')[0]}"
    lost, back = (running.journal(f"MESSAGE_ID={event.message_id}", since) for event in (BUS_LOST, BUS_BACK))
    assert {entry["PRIORITY"] for entry in lost} == {"4"}
    assert len(back) == 1
    assert running.unit("NRestarts") == ("0",)


@pytest.mark.full
def test_without_room_to_note_what_was_found_nothing_is_written(installed: Computer) -> None:
    """A full /run: the machine keeps to its own throttle, and the journal says why."""
    folder = "/run/gamesad"
    fill = f"mkdir -p {folder}; mount -t tmpfs -o size=4k full {folder}; head -c 4096 /dev/zero >{folder}/fill"
    with done(installed, fill, f"umount -l {folder}"):
        installed.start()
        installed.heat()
        installed.wait_said("the baseline cannot be recorded (ENOSPC)")
        assert installed.as_found()


@pytest.mark.full
def test_it_survives_a_restart_of_the_bus(running: Computer) -> None:
    running.tell("systemctl", "restart", "dbus")
    running.wait_said("not on the bus: ")
    eventually(lambda: running.run("gamesactl", "status").returncode == 0, "an answer")
    running.throttle()
    assert running.unit("NRestarts") == ("0",)


def test_it_asks_the_polkit_that_is_there(running: Computer) -> None:
    """A stranger is refused by a restarted polkit, and as well when there is none; root never needs one."""
    with done(running, "useradd --no-create-home guest", "userdel guest"):
        running.tell("systemctl", "restart", "polkit")
        assert running.run("gamesactl", "set-profile", "quiet", user="guest").returncode == 4
        with done(running, "systemctl mask --runtime --now polkit", "systemctl unmask --runtime polkit"):
            refused = running.run("gamesactl", "set-profile", "quiet", user="guest")
            assert refused.returncode == 4
            assert len(refused.stderr.splitlines()) == 1
            assert running.run("gamesactl", "set-profile", "quiet").returncode == 0


def test_a_restarted_journal_keeps_what_comes_after(running: Computer) -> None:
    running.tell("systemctl", "restart", "systemd-journald")
    running.throttle()
    running.wait_said("throttle: ")
