"""The container itself: what it leaves on this machine, and how it is used by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.container.machine import booted, eventually
from tests.support.packaged import ROOT

LEFT_BY_NSPAWN = ("/run/systemd/nspawn", "/run/systemd/machines", "/var/lib/machines")


def test_a_container_runs_by_hand_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = traces()
    line = [sys.executable, "-m", "tests.container", "-c", "cat /proc/1/comm; systemctl is-system-running; exit 3"]
    ran = subprocess.run(
        line,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (3, "systemd\nrunning\n"), ran.stderr
    assert traces() == before
    assert list(tmp_path.iterdir()) == []
    assert [file for file in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path) in said(file)] == []


def test_two_containers_at_a_time_have_services_of_their_own() -> None:
    with booted("12") as one, booted("12") as other:
        one.tell("systemctl", "kill", "--signal=KILL", "systemd-journald")
        eventually(lambda: one.unit("NRestarts", name="systemd-journald") == ("1",), "the restart of the one's journal")
        assert other.unit("ActiveState", "NRestarts", name="systemd-journald") == ("active", "0")


def traces() -> dict[str, list[str]]:
    """What systemd-nspawn could leave: mounts, control groups, network links, folders of its own."""
    return {
        "groups": [str(path) for path in Path("/sys/fs/cgroup").rglob("gamesad-container-*")],
        "mounts": [line for line in said(Path("/proc/self/mounts")).splitlines() if "gamesad-container" in line],
        "links": [link for link in os.listdir("/sys/class/net") if link.startswith(("ve-", "vb-"))],
        **{folder: sorted(os.listdir(folder)) for folder in LEFT_BY_NSPAWN if os.path.isdir(folder)},
    }


def said(file: Path) -> str:
    """A file in /proc, whose process may have gone."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
