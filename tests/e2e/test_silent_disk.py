"""The daemon on a disk that does not answer: it regulates, stops and answers in time, and catches up afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import eventually, gamesactl
from tests.support.daemon import gamesad
from tests.support.fuse_machine import Mounted, mounted
from tests.support.private_bus import missing, system_bus
from tests.support.silent_disk import while_there
from tests.support.values import tunable_files

PLATFORM_PROFILE = "/sys/firmware/acpi/platform_profile"
IN_TIME_S = 60.0
"""Less than systemd gives a start; most of it is Python starting on a busy machine."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Mounted]:
    with mounted("laptop/idle", tmp_path) as machine:
        yield machine


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    """While this file is there, the disk does not answer."""
    file = tmp_path / "silent"
    file.touch()
    return file


def arguments(machine: Mounted, folder: Path, *more: str) -> list[str]:
    places = ["--root", str(machine.root), "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state"]
    return [*places, *more]


def select(folder: Path, profile: str) -> None:
    (folder / "state").mkdir()
    (folder / "state" / "state.json").write_text(f'{{"version": 1, "selected": "{profile}"}}')


def test_a_start_is_ready_and_regulates_and_the_rest_follows_when_the_disk_answers(
    machine: Mounted, silence: Path, tmp_path: Path
) -> None:
    found = tunable_files(machine.root)
    select(tmp_path, "power-saver")
    begun_s = time.monotonic()
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus"), before=while_there(silence)) as daemon:
        assert time.monotonic() - begun_s < IN_TIME_S
        saving = tunable_files(machine.root)
        assert saving != found
        assert saving[PLATFORM_PROFILE] == found[PLATFORM_PROFILE]
        told = (
            f"warning: {PLATFORM_PROFILE.rpartition('/')[2]} was not set to low-power: {tmp_path}/state/baseline.json"
        )
        time.sleep(2)  # some ticks, and a look around
        assert daemon.log().count(told) == 1
        assert daemon.log().count("must be on the disk first, which does not answer; set once it does") == 1
        silence.unlink()
        begun_s = time.monotonic()
        daemon.wait_log("platform_profile is no longer refused")
        assert time.monotonic() - begun_s < IN_TIME_S
        assert tunable_files(machine.root) == {**saving, PLATFORM_PROFILE: "low-power"}
        assert "platform_profile" in (tmp_path / "state/baseline.json").read_text()
        assert daemon.stop() == 0
    assert tunable_files(machine.root) == found
    assert {path.name for path in (tmp_path / "state").iterdir()} - {"neural"} == {"state.json"}


def test_a_stop_while_the_disk_is_silent_puts_everything_back_in_time(
    machine: Mounted, silence: Path, tmp_path: Path
) -> None:
    found = tunable_files(machine.root)
    select(tmp_path, "power-saver")
    silence.unlink()
    places = arguments(machine, tmp_path, "--without", "bus")
    with gamesad(tmp_path, places, before=while_there(silence)) as daemon:
        assert tunable_files(machine.root)[PLATFORM_PROFILE] == "low-power"
        silence.touch()
        begun_s = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - begun_s < IN_TIME_S
    assert tunable_files(machine.root) == found
    line = [sys.executable, "-m", "gamesad", "--restore", *places]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stderr == ""
    assert {path.name for path in (tmp_path / "state").iterdir()} - {"neural"} == {"state.json"}


def test_a_choice_is_answered_in_time_and_saved_when_the_disk_answers(
    machine: Mounted, silence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := missing():
        pytest.skip(reason)
    state = tmp_path / "state/state.json"
    late = f"the choice is in force but not saved yet: {state}: the disk does not answer; it is saved once it does"
    lost = f"the choice is in force but will be forgotten: {state}: the disk does not answer, and gamesad stops"
    with system_bus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        with gamesad(tmp_path, arguments(machine, tmp_path), bus=bus.address, before=while_there(silence)) as daemon:
            for profile in ("quiet", "power-saver"):
                begun_s = time.monotonic()
                assert gamesactl("set-profile", profile).code == 0
                assert time.monotonic() - begun_s < IN_TIME_S
            assert daemon.log().count(late) == 1
            assert not state.exists()
            silence.unlink()
            daemon.wait_log("the disk has answered: the choice is saved")
            assert json.loads(state.read_text())["selected"] == "power-saver"

            silence.touch()
            assert gamesactl("set-profile", "quiet").code == 0
            assert daemon.log().count(late) == 2
            assert daemon.stop() == 0
            assert daemon.log().count(lost) == 1
        bus.kill_bus()  # its mount namespace holds the machine's mount
    assert json.loads(state.read_text())["selected"] == "power-saver"


def test_what_cannot_be_saved_in_the_end_is_told_then(
    machine: Mounted, silence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        with gamesad(tmp_path, arguments(machine, tmp_path), bus=bus.address, before=while_there(silence)) as daemon:
            assert gamesactl("set-profile", "quiet").code == 0
            (tmp_path / "state/state.json").mkdir()
            silence.unlink()
            eventually(lambda: "was not saved: " in daemon.log(), "the warning")
            assert gamesactl("status").code == 0
            assert daemon.stop() == 0
        bus.kill_bus()
    assert daemon.log().count("the choice is in force but was not saved: ") == 1
