"""The wheel's whole life on a booted Debian, where gamesad-setup has a running system to tell of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pip

from tests.container.computer import computer
from tests.container.test_package import listing
from tests.support import debs

PYTHON, SETUP = "/opt/gamesad/bin/python", "/opt/gamesad/bin/gamesad-setup"


def test_installed_at_work_replaced_removed_and_purged_without_a_trace(tmp_path: Path) -> None:
    with computer("12", tmp_path) as machine:
        machine.tell("python3", "-m", "venv", "--without-pip", "--system-site-packages", "/opt/gamesad")
        shutil.copytree(Path(pip.__file__).parent, machine.root / "opt/pip/pip")
        wheel = machine.bring([debs.wheel()])
        machine.tell("env", "PYTHONPATH=/opt/pip", PYTHON, "-m", "pip", "install", "--no-deps", "--no-index", *wheel)
        before = listing(machine)

        machine.tell(SETUP, "install")
        assert machine.unit("UnitFileState", "ActiveState") == ("disabled", "inactive")
        machine.tell("systemctl", "enable", "--now", "gamesad")
        machine.throttle()
        process = machine.unit("MainPID")
        assert machine.run(SETUP, "install").stderr == "installed and running again; gamesactl status shows it\n"
        assert machine.unit("UnitFileState", "ActiveState", "Result") == ("enabled", "active", "success")
        assert machine.unit("MainPID") != process
        machine.wait_throttled()

        machine.tell(SETUP, "remove", "--purge")
        assert machine.as_found(), "removal puts the machine back"
        assert listing(machine) ^ before == set()
