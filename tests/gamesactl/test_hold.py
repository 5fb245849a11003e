"""Holding a profile: for as long as gamesactl runs, however it ends, and over restarts of the daemon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.client import GAMESACTL, ROOT, FakeDaemon, eventually, gamesactl, started


def _released(daemon: FakeDaemon) -> bool:
    return any(what[0] == "released" for what in daemon.asked)


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGKILL, -9)]
)
def test_a_hold_ends_with_its_holder(daemon: FakeDaemon, number: signal.Signals, code: int) -> None:
    with started("hold", "gaming", "--reason", "rendering") as child:
        assert "gaming is held (hold " in _line(child)
        assert daemon.asked == [["hold", "gaming", "rendering", "gamesactl hold"]]
        assert gamesactl("status", "--json").document["Holds"][0]["Reason"] == "rendering"
        child.send_signal(number)
        _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (code, "")
    eventually(lambda: _released(daemon), "the release")


def test_a_hold_ends_with_its_time(daemon: FakeDaemon) -> None:
    with started("hold", "quiet", "--for", "1s", "--json") as child:
        out, err = child.communicate(timeout=20)
    document = json.loads(out)
    assert (child.returncode, err, document["Profile"]) == (0, "", "quiet")
    assert set(document) == {"Cookie", "Profile", "Until"}
    assert _released(daemon)


def test_a_hold_that_somebody_else_releases_ends(daemon: FakeDaemon) -> None:
    with started("hold", "gaming", "--json") as child:
        cookie = json.loads(_line(child))["Cookie"]
        assert gamesactl("release", str(cookie)).out == f"hold {cookie} released\n"
        _, err = child.communicate(timeout=20)
    assert (child.returncode, json.loads(err)["Error"]) == (
        1,
        "somebody released the hold; gamesactl explain says what is active now",
    )


def test_a_hold_is_made_again_after_a_restart_of_the_daemon(own_daemon: FakeDaemon) -> None:
    with started("hold", "gaming") as child:
        _line(child)
        own_daemon.stop()
        assert child.stderr is not None
        assert child.stderr.readline() == "gamesactl: gamesad is away; gaming will be held again when it is back\n"
        own_daemon.start()
        assert child.stderr.readline() == "gamesactl: gaming is held again (hold 1)\n"
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=20)
    assert child.returncode == 0


def test_a_hold_of_an_unknown_profile_fails_at_once(daemon: FakeDaemon) -> None:
    said = gamesactl("hold", "gamin")
    assert (said.code, "did you mean gaming?" in said.err) == (1, True)


def test_launch_becomes_the_command(daemon: FakeDaemon) -> None:
    with started(
        "launch", "-p", "quiet", "--", "sh", "-c", "echo $$; read word; echo $word; exit 7", stdin=subprocess.PIPE
    ) as child:
        assert int(_line(child)) == child.pid
        assert daemon.asked == [["hold", "quiet", "while sh runs", "sh"]]
        out, err = child.communicate("typed\n", timeout=20)
    assert (child.returncode, out, err) == (7, "typed\n", "")
    eventually(lambda: _released(daemon), "the release")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL, signal.SIGINT])
def test_signals_reach_the_launched_command(daemon: FakeDaemon, number: signal.Signals) -> None:
    with started("launch", "--", "sh", "-c", "echo ready; exec sleep 60") as child:
        assert _line(child) == "ready\n"
        child.send_signal(number)
        child.wait(timeout=20)
    assert child.returncode == -number
    eventually(lambda: _released(daemon), "the release")


def test_the_launched_command_starts_with_a_clean_sheet(daemon: FakeDaemon) -> None:
    """No ignored SIGPIPE, no descriptor of ours, no child that it did not start."""
    looks = ["sh", "-c", "grep SigIgn /proc/$$/status; ls /proc/$$/fd"]
    waits = [sys.executable, "-c", "import os\ntry: os.wait()\nexcept ChildProcessError: print('no child')"]
    for command in (looks, waits):
        direct = subprocess.run(command, capture_output=True, text=True, check=True)
        ran = subprocess.run(
            [*GAMESACTL, "launch", "--", *command], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20
        )
        assert ran.stdout == direct.stdout


@pytest.mark.parametrize(
    ("command", "code", "why"), [("/nonexistent/game", 127, "command not found"), ("/etc", 126, "Permission denied")]
)
def test_a_command_that_cannot_be_started(daemon: FakeDaemon, command: str, code: int, why: str) -> None:
    ran = subprocess.run(
        [*GAMESACTL, "launch", "--", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20
    )
    assert (ran.returncode, ran.stderr) == (code, f"gamesactl: {command}: {why}\n")
    eventually(lambda: _released(daemon), "the release")


def test_launch_without_the_profile_only_where_it_is_wanted(daemon: FakeDaemon, tmp_path: Path) -> None:
    command = ["launch", "-p", "gamin", "--", "touch", str(tmp_path / "ran")]
    ran = subprocess.run([*GAMESACTL, *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (ran.returncode, (tmp_path / "ran").exists()) == (1, False)
    assert ran.stderr == (
        "gamesactl: unknown profile 'gamin' (did you mean gaming?); there are: quiet, balanced, gaming\n"
    )
    command.insert(1, "--anyway")
    ran = subprocess.run([*GAMESACTL, *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (ran.returncode, (tmp_path / "ran").exists()) == (0, True)
    assert ran.stderr.endswith("; running touch without the profile\n")


def test_the_launched_command_keeps_the_hold_over_a_restart(own_daemon: FakeDaemon) -> None:
    with started("launch", "--", "sh", "-c", "echo ready; exec sleep 60") as child:
        _line(child)
        own_daemon.stop()
        own_daemon.forget()
        own_daemon.start()
        eventually(lambda: ["hold", "gaming", "while sh runs", "sh"] in own_daemon.asked, "holding again")
        os.kill(child.pid, signal.SIGTERM)
        child.wait(timeout=20)
    eventually(lambda: _released(own_daemon), "the release")
