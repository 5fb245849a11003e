"""The container itself: what it leaves on this machine, and how it is used by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def traces() -> dict[str, list[str]]:
    """What systemd-nspawn could leave: mounts, network links, folders of its own."""
    return {
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
