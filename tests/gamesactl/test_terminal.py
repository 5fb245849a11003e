"""On a terminal: colour, redrawing in place, questions, and a terminal that is as it was afterwards."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gamesactl.answers import MAX_FREQ, STATUS
from tests.support.client import FakeDaemon, Terminal, eventually, gamesactl, started

HIDE, SHOW, HOME, ENTER, LEAVE = "\x1b[?25l", "\x1b[?25h", "\x1b[H", "\x1b[?1049h", "\x1b[?1049l"
Open = Callable[..., Terminal]


@pytest.fixture
def terminal() -> Iterator[Open]:
    """Opens terminals that are closed with the test."""
    opened: list[Terminal] = []

    def open_terminal(*words: str, **options: Any) -> Terminal:
        opened.append(Terminal(*words, **options))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


def test_colour_on_a_terminal(daemon: FakeDaemon, terminal: Open) -> None:
    shown = terminal("status")
    assert shown.end() == 0
    assert "\x1b[1mProfile" in shown.screen


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["status", "--no-color"], {}),
        (["status"], {"NO_COLOR": "1"}),
        (["status"], {"TERM": "dumb"}),
        (["status", "--json"], {}),
        (["monitor", "-n", "1"], {"TERM": "dumb"}),
    ],
)
def test_no_colour_where_it_is_not_wanted(
    daemon: FakeDaemon, terminal: Open, words: list[str], environment: dict[str, str]
) -> None:
    shown = terminal(*words, **environment)
    assert shown.end() == 0
    assert "balanced" in shown.screen
    assert "\x1b" not in shown.screen


def test_no_colour_in_a_pipe(daemon: FakeDaemon) -> None:
    assert "\x1b" not in gamesactl("status").out


def test_lines_fit_the_terminal(daemon: FakeDaemon, terminal: Open) -> None:
    shown = terminal("status", "--no-color", COLUMNS="40")
    shown.end()
    assert max(map(len, shown.screen.splitlines())) <= 40


def test_monitor_redraws_in_place_and_gives_the_terminal_back(daemon: FakeDaemon, terminal: Open) -> None:
    shown = terminal("monitor", "-i", "1s")
    shown.wait_for("CPU package 93.4")
    daemon.answer(status={**STATUS, "Temperatures": [{"Label": "CPU package", "Value": 61.0}]})
    shown.wait_for("CPU package 61.0")
    shown.type("\x03")
    assert shown.end() == 130
    assert shown.screen.startswith(ENTER + HIDE)
    frames = shown.screen.split(HOME)[1:]
    assert len(frames) >= 2
    assert all("\x1b[2J" not in frame for frame in frames), "a frame is drawn over the last one, never cleared first"
    after = shown.screen.rpartition(SHOW + LEAVE)[2]
    assert "CPU package 61.0 °C" in after
    assert "Traceback" not in shown.screen


def test_monitor_gives_the_terminal_back_when_it_is_told_to_end(daemon: FakeDaemon, terminal: Open) -> None:
    shown = terminal("monitor")
    shown.wait_for("CPU package")
    os.kill(shown.pid, signal.SIGTERM)
    assert shown.end() == 143
    assert SHOW + LEAVE in shown.screen


def test_monitor_keeps_to_the_height_of_the_terminal(daemon: FakeDaemon, terminal: Open) -> None:
    shown = terminal("monitor", "-n", "1", LINES="6", COLUMNS="60")
    assert shown.end() == 0
    frame = shown.screen.partition(HOME)[2].partition(LEAVE)[0]
    assert frame.count("\r\n") == 5


def test_monitor_lines_in_a_pipe(daemon: FakeDaemon) -> None:
    out = gamesactl("monitor", "-n", "1").out
    assert out[8:] == (
        "  balanced  CPU package 93.4 °C, 1.6 °C under its limit of 95 °C  intel-rapl:0 28.3 W  CPU 53 %"
        "  2.1 GHz to 3.9 GHz  throttling because of heat\n"
    )


def test_monitor_outlives_a_restart_and_says_since_when_it_is_stale(own_daemon: FakeDaemon) -> None:
    with started("monitor", "--json") as child:
        assert child.stdout is not None
        first = json.loads(child.stdout.readline())
        assert first["Headroom"] == 1.6
        own_daemon.stop()
        stale = json.loads(child.stdout.readline())
        while "StaleSince" not in stale:
            stale = json.loads(child.stdout.readline())
        assert set(stale) == {"Time", "StaleSince", "Error"}
        assert first["Time"] <= stale["StaleSince"] <= stale["Time"]
        own_daemon.start()
        again = stale
        while "StaleSince" in again:
            again = json.loads(child.stdout.readline())
        assert again["Headroom"] == 1.6
        child.send_signal(signal.SIGINT)
        child.wait(timeout=20)
    assert child.returncode == 130


def test_monitor_on_a_terminal_says_stale(own_daemon: FakeDaemon, terminal: Open) -> None:
    shown = terminal("monitor", COLUMNS="120")
    shown.wait_for("CPU package 93.4")
    own_daemon.stop()
    shown.wait_for("stale since ")
    shown.wait_for("gamesad is not running")
    own_daemon.start()
    shown.screen = ""
    shown.wait_for("gamesad ")
    shown.type("\x03")
    assert shown.end() == 130


def test_set_asks_whether_to_keep(daemon: FakeDaemon, terminal: Open) -> None:
    daemon.answer(tunables=[{"Name": MAX_FREQ, "Unit": "kHz", "Value": 3600000, "Found": 4600000, "Override": 3600000}])
    shown = terminal("set", MAX_FREQ, "3.6GHz")
    shown.wait_for("keep? It goes back in 30 s. [y/N] ")
    shown.type("y\n")
    assert shown.end() == 0
    assert daemon.asked == [["set_tunable", MAX_FREQ, 3600000, 32], ["confirm_tunable", MAX_FREQ]]
    assert "kept; gamesactl reset takes it back" in shown.screen


@pytest.mark.parametrize(("answer", "code"), [("n\n", 0), ("\n", 0), ("\x04", 0), ("\x03", 130), (None, 0)])
def test_anything_but_a_yes_puts_it_back(daemon: FakeDaemon, terminal: Open, answer: str | None, code: int) -> None:
    daemon.answer(tunables=[{"Name": MAX_FREQ, "Unit": "kHz", "Value": 3600000, "Found": 4600000, "Override": 3600000}])
    shown = terminal("set", MAX_FREQ, "3.6GHz", "--revert-after", "1s" if answer is None else "1m")
    shown.wait_for("keep?")
    if answer is not None:
        shown.type(answer)
    assert shown.end() == code
    assert daemon.asked[1:] == [["reset_tunable", MAX_FREQ]]
    assert "Traceback" not in shown.screen


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder in which every user may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


AGENT = """#!/bin/sh
# As pkttyagent: tells that it is ready, then takes the echo off for a password that never comes.
echo "$@" > {folder}/arguments
fd=$(echo "$@" | sed 's/.*--notify-fd \\([0-9]*\\).*/\\1/')
stty -echo < /dev/tty
eval "exec $fd>&-"
trap 'echo ended > {folder}/ended; exit 0' TERM
while :; do sleep 0.05; done
"""


def test_a_password_agent_runs_while_it_is_needed_and_the_echo_returns(
    daemon: FakeDaemon, terminal: Open, open_folder: Path
) -> None:
    agent = open_folder / "pkttyagent"
    agent.write_text(AGENT.format(folder=open_folder))
    agent.chmod(0o755)
    path = f"{open_folder}:{os.environ['PATH']}"
    shown = terminal("pause", as_uid=65534, PATH=path)
    pid = shown.pid
    shown.wait_for("not authorised")
    assert shown.end() == 4
    eventually((open_folder / "ended").exists, "the end of the agent")
    words = (open_folder / "arguments").read_text().split()
    assert words[0] == "--process"
    assert words[1].split(",")[0] == str(pid)
    assert "--fallback" in words
    assert shown.echoes()
