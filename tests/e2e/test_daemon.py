"""The real daemon on a simulated machine's real files (FUSE): what a person sees of it from start to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import gamesad
from tests.support.fuse_machine import Mounted, mounted
from tests.support.machines import tree
from tests.support.trees import INTEL_LAPTOP
from tests.support.values import tunable_files


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Mounted]:
    with mounted("laptop/idle", tmp_path) as machine:
        yield machine


def arguments(machine: Mounted, folder: Path, *more: str) -> list[str]:
    return ["--root", str(machine.root), "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state", *more]


def restore(machine: Mounted, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gamesad", "--restore", *arguments(machine, folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def state(folder: Path, **wishes: object) -> None:
    """What a user chose before this start."""
    (folder / "state").mkdir(exist_ok=True)
    (folder / "state" / "state.json").write_text(json.dumps({"version": 1, **wishes}))


def test_with_nothing_chosen_a_cool_machine_is_never_written_to(machine: Mounted, tmp_path: Path) -> None:
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus", "--duration", "3"), ready=False) as daemon:
        assert daemon.process.wait(120) == 0
    assert machine.writes() == []


def test_a_chosen_profile_is_in_force_until_the_stop_and_then_gone_without_a_trace(
    machine: Mounted, tmp_path: Path
) -> None:
    before = tunable_files(machine.root)
    state(tmp_path, selected="power-saver")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        assert tunable_files(machine.root) != before
        assert daemon.stop() == 0
    assert tunable_files(machine.root) == before
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["lock"]
    assert "stopping: put back" in daemon.log()


def test_after_sigkill_restore_puts_everything_back(machine: Mounted, tmp_path: Path) -> None:
    before = tunable_files(machine.root)
    state(tmp_path, selected="power-saver")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        daemon.kill()
    assert tunable_files(machine.root) != before
    assert "put back" in restore(machine, tmp_path).stderr
    assert tunable_files(machine.root) == before
    assert restore(machine, tmp_path).stderr == ""


def test_restore_leaves_a_running_daemon_alone(machine: Mounted, tmp_path: Path) -> None:
    state(tmp_path, selected="power-saver")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        during = tunable_files(machine.root)
        with pytest.raises(subprocess.CalledProcessError) as refused:
            restore(machine, tmp_path)
        assert "it is running and puts things back itself" in refused.value.stderr
        assert tunable_files(machine.root) == during
        assert daemon.stop() == 0


def test_restore_does_not_wait_for_a_daemon_that_systemd_could_not_kill(
    machine: Mounted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs in the kernel and keeps its lock; stopped, for nothing else can be made to hang here."""
    before = tunable_files(machine.root)
    state(tmp_path, selected="power-saver")
    lock = tmp_path / "run/lock"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text("a longer number of one before")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        pid = daemon.process.pid
        # Not of another process, nor where systemd has not given up on it: in what ExecReload= starts, say.
        for result, main in (("watchdog", pid + 1), ("", pid)):
            monkeypatch.setenv("SERVICE_RESULT", result) if result else monkeypatch.delenv("SERVICE_RESULT")
            monkeypatch.setenv("MAINPID", str(main))
            with pytest.raises(subprocess.CalledProcessError):
                restore(machine, tmp_path)
        monkeypatch.setenv("SERVICE_RESULT", "watchdog")
        during = tunable_files(machine.root)
        assert "put back" in restore(machine, tmp_path).stderr
        assert tunable_files(machine.root) == before
        late = next(file for file, value in during.items() if "max_freq" in file and value != before[file])
        (machine.root / late.lstrip("/")).write_text(during[late])  # the write in which it hung gets through
        daemon.kill()
    assert "put back" in restore(machine, tmp_path).stderr
    assert tunable_files(machine.root) == before


def test_after_sigkill_the_next_start_puts_everything_back(machine: Mounted, tmp_path: Path) -> None:
    before = tunable_files(machine.root)
    state(tmp_path, selected="power-saver")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        daemon.kill()
    state(tmp_path, selected=None)
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        assert "left set by a gamesad that was killed: put back" in daemon.log()
        assert tunable_files(machine.root) == before
        assert daemon.stop() == 0
    assert tunable_files(machine.root) == before


def test_what_somebody_else_set_meanwhile_is_left_and_said(machine: Mounted, tmp_path: Path) -> None:
    state(tmp_path, selected="power-saver")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        daemon.kill()
    theirs = machine.root / "sys/devices/system/cpu/cpufreq/policy0/energy_performance_preference"
    theirs.write_text("balance_power")
    said = restore(machine, tmp_path).stderr
    assert theirs.read_text().strip() == "balance_power"
    assert "cpufreq.policy0.energy_performance_preference was left: somebody else set it to balance_power" in said


def test_a_user_limit_from_before_the_start_throttles_within_a_second_of_readiness(
    machine: Mounted, tmp_path: Path
) -> None:
    """The machine idles at some 30 °C: a limit below that is crossed from the start."""
    state(tmp_path, temperature_limits_c={"hwmon.coretemp-isa-0000.temp1": 25.0})
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as daemon:
        daemon.wait_log("throttle: CPU package", timeout_s=3.0)
        assert daemon.stop() == 0


def test_observing_writes_nothing_and_keeps_no_files(machine: Mounted, tmp_path: Path) -> None:
    state(tmp_path, selected="power-saver")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus", "--observe")) as daemon:
        assert daemon.stop() == 0
    assert machine.writes() == []
    assert not (tmp_path / "run").exists()


def test_a_second_daemon_on_the_same_machine_ends_with_one_sentence(machine: Mounted, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus")) as first:
        with gamesad(tmp_path / "second", arguments(machine, tmp_path, "--without", "bus"), ready=False) as second:
            assert second.process.wait(120) == 1
        assert "another gamesad runs on this machine" in second.log()
        assert first.stop() == 0


def test_the_watchdog_is_fed_by_completed_ticks_and_starves_while_one_hangs(
    machine: Mounted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "900000")
    config = tmp_path / "gamesad.toml"
    config.write_text("[daemon]\ntick_slowest_s = 0.5\n")
    with gamesad(tmp_path, arguments(machine, tmp_path, "--without", "bus", "--config", str(config))) as daemon:
        assert daemon.times_notified("WATCHDOG=1", for_s=2.0)
        machine.stop_at(1)  # the next write hangs in the kernel, and with it the tick
        config.write_text('[limits.temperatures_c]\n"hwmon.coretemp-isa-0000.temp1" = 30.0\n')
        daemon.process.send_signal(signal.SIGHUP)
        assert machine.wait_stopped()
        daemon.times_notified("WATCHDOG=1", for_s=0.2)
        assert daemon.times_notified("WATCHDOG=1", for_s=2.0) == []
        machine.release()
        assert daemon.times_notified("WATCHDOG=1", for_s=2.0)
        assert daemon.stop() == 0


def test_once_prints_the_whole_tick_and_leaves_nothing_behind(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", INTEL_LAPTOP)
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    command = [sys.executable, "-m", "gamesad", "--root", str(root), "--once", "--observe"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    tick = json.loads(printed.stdout)
    assert {"snapshot", "forecast", "decision", "applied"} <= tick.keys()
    assert tick["snapshot"]["readings"]
    assert printed.stderr == ""
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before
