"""packaging/run: gamesad at work on a bus of its own, and nothing left of it afterwards."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.packaged import ROOT, script


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where the script keeps its things; asserts that all of it, and every process, is gone in the end."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []
    left = [command for process in psutil.process_iter() if str(folder) in (command := _command(process))]
    assert left == []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_it_shows_a_status_says_where_it_listens_and_leaves_nothing(temporary: Path) -> None:
    ran = script("run", "--no-install", "--simulate", "--duration", "1", TMPDIR=str(temporary))
    assert ran.returncode == 0, ran.stderr
    assert "simulated" in ran.stdout
    assert "°C" in ran.stdout
    assert f"gamesad listens on unix:path={temporary}/gamesad." in ran.stdout
    segment = re.search(r"GAMESAD_SHM=(\S+)", ran.stdout)
    assert segment
    assert not Path(segment[1]).parent.exists()


@pytest.mark.full
def test_a_scenario_can_be_chosen(temporary: Path) -> None:
    ran = script("run", "--no-install", "--simulate", "server/compile", "--duration", "1", TMPDIR=str(temporary))
    assert ran.returncode == 0, ran.stderr
    assert "server" in ran.stdout


def test_a_scenario_that_is_not_there_ends_with_what_gamesad_says(temporary: Path) -> None:
    ran = script("run", "--no-install", "--simulate", "toaster/bagel", "--duration", "1", TMPDIR=str(temporary))
    assert ran.returncode == 1
    assert "gamesad did not stay" in ran.stderr
    assert "toaster" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cleans_up(number: signal.Signals, temporary: Path) -> None:
    with subprocess.Popen(
        [ROOT / "packaging/run", "--no-install", "--simulate"],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "listens on" in line:
                break
        if number == signal.SIGINT:  # as a terminal sends it: to the whole group
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        process.stdout.read()
        assert process.wait(timeout=15.0) == (0 if number == signal.SIGINT else 143)


def test_a_terminal_that_is_closed_cleans_up_too(temporary: Path) -> None:
    """What is said at the end has nowhere to go."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [ROOT / "packaging/run", "--no-install", "--simulate"],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHON": sys.executable},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        said = b""
        while (found := re.search(rb"GAMESAD_SHM=(\S+)\s", said)) is None:
            said += os.read(ours, 4096)
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=15.0) == 143
    assert not Path(found[1].decode()).parent.exists()


def test_while_it_runs_others_reach_it_over_the_bus_it_names(temporary: Path) -> None:
    with subprocess.Popen(
        [ROOT / "packaging/run", "--no-install", "--simulate", "--duration", "3"],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = next(line.split()[-1] for line in process.stdout if "listens on" in line)
        asked = subprocess.run(
            [sys.executable, "-m", "gamesactl", "profiles"],
            cwd=ROOT,
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address},
            capture_output=True,
            text=True,
            check=False,
        )
        process.stdout.read()
    assert asked.returncode == 0, asked.stderr
    assert "balanced" in asked.stdout


@pytest.mark.full
def test_the_second_start_shows_a_status_within_three_seconds(temporary: Path) -> None:
    begin_s = time.monotonic()
    with subprocess.Popen(
        [ROOT / "packaging/run", "--no-install", "--simulate", "--duration", "1"],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took_s = time.monotonic() - begin_s
        process.stdout.read()
    assert took_s < 3.0
