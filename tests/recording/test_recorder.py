"""``gamesad --record`` and ``gamesactl record`` as processes: what they say, how they end, and what is there then."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from gamesad.__main__ import main
from gamesad.recording.load import load
from tests.support.client import GAMESACTL, gamesactl
from tests.support.daemon import gamesad
from tests.support.machines import tree
from tests.support.private_bus import missing, system_bus
from tests.support.recorded import put
from tests.support.trees import INTEL_LAPTOP

GAMESAD = [sys.executable, "-m", "gamesad"]


@contextmanager
def recording(path: Path, *options: str, duration: str = "60") -> Iterator[subprocess.Popen[str]]:
    line = [*GAMESAD, "--record", str(path), "--duration", duration, *options]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def wait_for_samples(path: Path, count: int, within_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if path.exists() and path.stat().st_size > 500 and len(load(str(path)).samples) >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"not {count} samples within {within_s} s")


def test_a_recording_says_what_is_in_it_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "laptop.gz"
    line = [*GAMESAD, "--record", str(path), "--duration", "2", "--simulate", "laptop/idle"]
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (
        0,
        f"gamesad: recording simulated laptop / idle for 2 s into {path}\n",
    )
    first, last = ran.stdout.splitlines()
    assert first.startswith(f"{path}: 2 s, 3 samples of ")
    assert last == f"look through it before you send it: zcat {path} | less"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = load(str(path))
    assert (made.machine, made.complete, len(made.samples)) == ("simulated laptop / idle", True, 3)
    assert path.name.encode() not in path.read_bytes()[:64], "gzip's header may name the file"


def test_after_sudo_the_file_is_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "65534")
    path = tmp_path / "a.gz"
    assert main(["--record", str(path), "--root", str(tree(tmp_path / "t", INTEL_LAPTOP)), "--duration", "1"]) == 0
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (65534, 0o600)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "a.gz"
    with recording(path, "--simulate", "laptop/idle") as process:
        wait_for_samples(path, 2)
        process.send_signal(number)
        assert process.wait(10) == 0
        assert "look through it" in process.stdout.read() if process.stdout else False
    assert load(str(path)).complete


def test_sigkill_at_any_moment_leaves_what_was_written(tmp_path: Path) -> None:
    dice = Random(4)
    root = tree(tmp_path / "tree", INTEL_LAPTOP)
    for number in range(6):
        path = tmp_path / f"{number}.gz"
        with recording(path, "--root", str(root)) as process:
            wait_for_samples(path, 1 + number % 3)
            time.sleep(dice.random() * 0.5)
            process.kill()
            process.wait()
        found = load(str(path))
        assert not found.complete
        assert len(found.samples) > number % 3
        assert found.samples[0].entries


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.gz"
    path.write_text("mine")
    assert main(["--record", str(path), "--root", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"gamesad: --record: {path} is there already; give another name, or remove it\n"
    assert path.read_text() == "mine"
    assert main(["--record", str(tmp_path / "no" / "a.gz"), "--root", str(tmp_path)]) == 2
    assert "cannot be made: No such file or directory; give another name" in capsys.readouterr().err


def test_a_full_disk_is_told_and_what_is_there_replays(tmp_path: Path) -> None:
    line = [*GAMESAD, "--record", "/mnt/a.gz", "--simulate", "laptop/idle", "--duration", "3"]
    script = 'mount -t tmpfs -o size=4k none /mnt && "$@"; code=$?; cat /mnt/a.gz >"$OUT"; exit $code'
    ran = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *line],
        env={**os.environ, "OUT": str(tmp_path / "a.gz")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "/mnt/a.gz cannot be written: No space left on device; what is there can be replayed" in ran.stderr
    assert load(str(tmp_path / "a.gz")).samples


def test_a_recording_that_cannot_be_replayed_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(tmp_path / "a.gz", "gamesad recording 1\nat soon\n")
    for mode in (["--once"], [], ["--record", str(tmp_path / "b.gz")]):
        assert main(["--root", str(path), *mode]) == 2
        said = capsys.readouterr()
        assert f'--root: {path}: line 2: "at soon" is no time; it is written as: at 12.000' in said.err
        assert said.out == ""
    assert not (tmp_path / "b.gz").exists()


def test_a_replay_is_called_a_recording_everywhere_and_ends_with_it(tmp_path: Path, quiet: None) -> None:
    if reason := missing():
        pytest.skip(reason)
    path = tmp_path / "wave.gz"
    with recording(path, "--simulate", "laptop/heat-wave", duration="8") as process:
        assert process.wait(60) == 0
    before = path.read_bytes()
    banner = "*** recording of simulated laptop / heat-wave: nothing here is real hardware ***\n"
    with system_bus() as bus, gamesad(tmp_path, ["--root", str(path)], bus=bus.address) as daemon:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
            assert gamesactl("status").out.startswith(banner)
            assert gamesactl("status", "--json").document["Simulated"] is True
            assert gamesactl("set-profile", "quiet").code == 0
            [policy] = [
                one
                for one in gamesactl("tunables", "--json").document
                if one["Name"].endswith("policy0.scaling_governor")
            ]
            assert policy["Writer"] in ("gamesad", "found")
        assert daemon.process.wait(30) == 0
        log = daemon.log()
    assert all("[recording] " in line for line in log.splitlines())
    assert "on recording of simulated laptop / heat-wave: " in log
    assert "the recording ends here, after 8 s\n" in log
    assert path.read_bytes() == before


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_the_tick_of_a_recording_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.gz"
    assert main(["--record", str(path), "--root", str(tree(tmp_path / "t", INTEL_LAPTOP)), "--duration", "1"]) == 0
    capsys.readouterr()
    assert main(["--root", str(path), "--once", "--observe"]) == 0
    tick = json.loads(capsys.readouterr().out)
    assert tick["snapshot"]["readings"]["hwmon.coretemp-isa-0000.temp1"] == 61.0


def test_gamesactl_record_writes_a_file_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "here.gz"
    said = gamesactl("record", str(path), "--for", "1s")
    assert (said.code, said.err) == (0, f"gamesactl: recording for 1 s into {path}; Ctrl-C ends it sooner\n")
    assert said.out.endswith(f"look through it before you send it: zcat {path} | less\n")
    assert load(str(path)).complete
    again = gamesactl("record", str(path))
    assert (again.code, again.out) == (1, "")
    assert again.err.endswith(f"it was not recorded: {path} is there already; give another name, or remove it\n")
    other = gamesactl("record", str(tmp_path / "b.gz"), "--for", "1", "--json")
    assert other.document == {"File": str(tmp_path / "b.gz"), "Bytes": (tmp_path / "b.gz").stat().st_size}
    assert other.err == ""


def test_ctrl_c_on_a_terminal_ends_a_recording_with_its_summary(tmp_path: Path) -> None:
    path = tmp_path / "c.gz"
    ours, theirs = pty.openpty()
    line = [*GAMESACTL, "record", str(path)]
    with subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        wait_for_samples(path, 2)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
    said = b""
    with suppress(OSError):  # EIO: the other side is closed and all it wrote has been read
        while chunk := os.read(ours, 4096):
            said += chunk
    os.close(ours)
    assert b"look through it before you send it" in said
    assert load(str(path)).complete
