"""gamesactl doctor: with the daemon and without it, as root and as anybody, for people and for scripts."""

from __future__ import annotations

import grp
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gamesactl import executable, installation
from tests.gamesactl.answers import ANSWERS
from tests.support.boards import TWO_EPYCS, TWO_XEONS
from tests.support.client import FakeDaemon, gamesactl
from tests.support.machines import tree
from tests.support.private_bus import PrivateBus


@pytest.fixture
def on_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gamesad probes a server with two processors, on which gamesad is installed."""
    root = tree(tmp_path / "tree", TWO_XEONS)
    run = executable.run
    monkeypatch.setattr(executable, "run", lambda options: run([*options, "--root", str(root)]))
    for file in (installation.BUS_POLICY, installation.POLKIT_POLICY):
        tree(tmp_path / "share", {file: ""})
    monkeypatch.setattr(installation, "BUS_FOLDERS", (str(tmp_path / "share"),))
    monkeypatch.setattr(installation, "POLKIT_FOLDERS", (str(tmp_path / "share"),))
    monkeypatch.setattr(installation, "SYSTEMD", str(tmp_path))
    monkeypatch.setattr(installation, "_enabled", lambda: "enabled")


@pytest.fixture
def regulating(daemon: FakeDaemon) -> FakeDaemon:
    daemon.answer(status={**ANSWERS["status"], "Mode": "active", "Version": "0.1.0", "Simulated": False})
    return daemon


def service(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["Level"], one["Text"]) for one in document["Findings"] if one["Part"] == "service"]


def test_a_machine_that_is_well_is_said_to_be(on_a_server: None, regulating: FakeDaemon) -> None:
    said = gamesactl("doctor")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Supermicro SYS-620P · Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz\n")
    assert "CPU package 1 is at 71.0 °C" in said.out
    assert "gamesad 0.1.0 is running and regulates" in said.out
    assert said.out.endswith("\neverything essential is here\n")


def test_the_limits_are_those_that_the_daemon_keeps(on_a_server: None, regulating: FakeDaemon) -> None:
    name = "hwmon.coretemp-isa-0001.temp1"
    sensor = {"Name": name, "Label": "CPU package 1", "Limit": 80.0, "LimitOrigin": "set by a user"}
    regulating.answer(sensors=[sensor])
    [limit] = gamesactl("doctor", "--json").document["Limits"]
    assert (limit["Sensor"], limit["Limit"], limit["Origin"], limit["Source"]) == (
        name, 80.0, "set by a user", "stated by coretemp",
    )  # fmt: skip
    assert "  CPU package 1: 80.0 °C; set by a user; stated by coretemp\n" in gamesactl("doctor").out


def test_without_a_daemon_the_machine_is_told_and_the_code_is_3(on_a_server: None, empty_bus: PrivateBus) -> None:
    said = gamesactl("doctor")
    assert said.code == 3
    assert "CPU package 1 is at 71.0 °C" in said.out
    assert "  CPU package, coretemp 0 Core 0, coretemp 0 Core 1, CPU package 1 and 2 more: 92.5 °C;" in said.out
    assert "FAULT    gamesad is enabled, and is not running or not on the bus" in said.out
    assert said.err == "gamesactl: gamesad is not running; start it with: sudo systemctl start gamesad\n"


@pytest.mark.parametrize(
    ("state", "text", "remedy"),
    [
        ("disabled", "gamesad is disabled: it does not start with the machine", "sudo systemctl enable --now gamesad"),
        ("masked", "gamesad's unit is masked", "sudo systemctl unmask gamesad"),
        ("not-found", "systemd knows no unit gamesad", "sudo gamesad-setup install"),
        ("enabled", "gamesad is enabled, and is not running", "journalctl -u gamesad"),
    ],
)
def test_a_unit_that_does_not_run_says_how_to_make_it(
    on_a_server: None, empty_bus: PrivateBus, monkeypatch: pytest.MonkeyPatch, state: str, text: str, remedy: str
) -> None:
    monkeypatch.setattr(installation, "_enabled", lambda: state)
    findings = gamesactl("doctor", "--json").document["Findings"]
    [fault] = [one for one in findings if one["Level"] == "fault"]
    assert fault["Text"].startswith(text)
    assert remedy in fault["Remedy"]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            {"Mode": "observe", "ObserveReason": "TuneD regulates the same controls"},
            "TuneD regulates the same controls",
        ),
        ({"Mode": "failsafe", "Explanation": "lost CPU package"}, "failsafe settings: lost CPU package"),
    ],
)
def test_a_daemon_that_does_not_regulate_is_a_fault(
    on_a_server: None, regulating: FakeDaemon, status: dict[str, Any], text: str
) -> None:
    regulating.answer(status={**ANSWERS["status"], "Simulated": False, **status})
    said = gamesactl("doctor")
    assert said.code == 1
    assert text in " ".join(said.out.split())
    assert said.err == "gamesactl: 1 essential thing is missing; see FAULT above\n"


def test_a_pause_another_version_and_a_simulated_machine_are_told(on_a_server: None, regulating: FakeDaemon) -> None:
    changed = {
        "Version": "0.0.9",
        "PausedUntil": 1e10,
        "Simulated": True,
        "Machine": "simulated laptop",
        "Mode": "active",
    }
    regulating.answer(status={**ANSWERS["status"], **changed})
    texts = [text for _level, text in service(gamesactl("doctor", "--json").document)]
    assert any(text.startswith("the daemon is 0.0.9, and this gamesactl is 0.1.0") for text in texts)
    assert any("paused" in text for text in texts)
    assert any("simulated (simulated laptop), and not this machine" in text for text in texts)


def test_policies_that_are_missing_are_named(
    on_a_server: None, regulating: FakeDaemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installation, "BUS_FOLDERS", (str(tmp_path / "nowhere"),))
    monkeypatch.setattr(installation, "POLKIT_FOLDERS", (str(tmp_path / "nowhere"),))
    told = service(gamesactl("doctor", "--json").document)
    assert ("missing", "the bus policy is not installed: the system bus lets gamesad have no name") in told
    assert ("missing", "the polkit policy is not installed: only root may change anything") in told


def test_what_is_essential_and_missing_is_code_1(
    regulating: FakeDaemon, on_a_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tree(tmp_path / "bare", {"/proc/stat": "cpu 0 0 0 0 0 0 0"})
    run = subprocess.run
    command = [*executable.executable(), "--probe=json", "--root", str(bare)]
    ran = run(command, capture_output=True, text=True, check=False)
    monkeypatch.setattr(executable, "run", lambda _options: ran)
    said = gamesactl("doctor", "--json")
    assert (said.code, said.document["ExitStatus"], ran.returncode) == (1, 1, 1)
    assert json.loads(said.err)["Error"] == "2 essential things are missing; see FAULT above"


def test_a_probe_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = subprocess.CompletedProcess([], 1, stdout="", stderr="Traceback\nValueError: oh\n")
    monkeypatch.setattr(executable, "run", lambda _options: ran)
    assert gamesactl("doctor") == (1, "", "gamesactl: gamesad cannot probe: ValueError: oh; try: gamesad --probe\n")


@pytest.mark.parametrize(
    ("uid", "seat", "groups", "texts"),
    [
        (0, "", [], []),
        (1000, "seat0", [], []),
        (1000, "", [4], ["this session has no seat (ssh, a container): you may look, and change things as root only"]),
        (1000, "", [990], ["you are in the group gamesad; with its polkit rule you may choose profiles from here"]),
    ],
)
def test_an_ordinary_user_is_told_what_may_be_done_from_here(
    monkeypatch: pytest.MonkeyPatch, uid: int, seat: str, groups: list[int], texts: list[str]
) -> None:
    monkeypatch.setattr(installation.os, "geteuid", lambda: uid)
    monkeypatch.setattr(installation.os, "getgroups", lambda: groups)
    monkeypatch.setattr(installation.grp, "getgrnam", lambda _name: grp.struct_group(("gamesad", "x", 990, [])))
    assert [one["Text"] for one in installation._person({"XDG_SEAT": seat})] == texts


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("COLUMNS", "60")
    yield 60


def test_nothing_is_wider_than_the_terminal(
    on_a_server: None, regulating: FakeDaemon, narrow: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree(tmp_path / "epyc", TWO_EPYCS)
    run = executable.run
    monkeypatch.setattr(executable, "run", lambda options: run([*options, "--root", str(root)]))
    lines = gamesactl("doctor").out.splitlines()
    assert [line for line in lines[1:] if len(line) > narrow] == []
