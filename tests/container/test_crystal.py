"""The shared memory of the confined service: root's alone to write, everybody's to read, over a kill and a stop."""

from __future__ import annotations

import json

from tests.container.computer import Computer
from tests.container.machine import eventually

SEGMENT = "/dev/shm/gamesad"


def test_everybody_reads_it_and_only_root_writes_it(running: Computer) -> None:
    assert running.tell("stat", "--format=%U %G %a %h", SEGMENT).split() == ["root", "root", "644", "1"]
    asked = running.run("gamesactl", "status", "--json", user="nobody")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["ActiveProfile"] == "balanced"
    assert running.run("sh", "-c", f"echo 1 >>{SEGMENT}", user="nobody").returncode != 0
    assert running.run("rm", "-f", SEGMENT, user="nobody").returncode != 0
    component = running.tell(
        "busctl", "get-property", "org.gamesa.Gamesad1", "/org/gamesa/Gamesad1", "org.gamesa.Gamesad1", "Components"
    )
    assert '"crystal" "on"' in component


def test_it_is_there_without_a_bus(running: Computer) -> None:
    """A status then comes from it alone."""
    running.tell("systemctl", "stop", "dbus.socket", "dbus.service")
    try:
        asked = running.run("gamesactl", "status", "--json", user="nobody")
    finally:
        running.tell("systemctl", "start", "dbus.socket", "dbus.service")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["Mode"] == "active"


def test_a_kill_loses_nothing_and_a_stop_leaves_nothing(running: Computer) -> None:
    before = _decisions(running)
    assert before
    running.tell("kill", "-KILL", *running.unit("MainPID"))
    eventually(lambda: running.unit("ActiveState", "NRestarts") == ("active", "1"), "the restart")
    running.wait_said("the segment that was there is taken over: ")
    assert _decisions(running)[: len(before)] == before
    running.tell("systemctl", "stop", "gamesad")
    assert running.tell("ls", "/dev/shm") == ""
    assert set(running.tell("ls", "/var/lib/gamesad/history").split()) >= {"decisions.000001", "middle.000001"}


def _decisions(machine: Computer) -> list[list[object]]:
    """Oldest first, as any program reads them."""
    script = (
        "import json\nfrom gamesad.crystal.reader import attach\n"
        "print(json.dumps([[one.number, one.since_s] for one in attach().decisions()]))"
    )
    found: list[list[object]] = json.loads(machine.tell("python3", "-c", script))
    return found
