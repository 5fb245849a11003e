"""The packages' whole life on a booted Debian: installed, enabled, at work, upgraded, removed, purged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesad import __version__
from tests.container.computer import Computer, computer
from tests.support import debs

# What apt and dpkg keep of what they did, and the folder that debconf lends it on Debian 13.
THEIRS = ("/var/cache/apt", "/var/lib/apt/lists", "/var/log/apt", "/var/log/dpkg.log", "/var/cache/debconf/tmp.ci")
# What the tools for users keep of the files before their last change.
BACKUPS = tuple(f"/etc/{name}-" for name in ("passwd", "group", "shadow", "gshadow"))
_LISTING = "find / -xdev -printf '%p %y %m %u %g %l\\n'; find /etc -xdev -type f -exec sha256sum '{}' +"


@pytest.fixture(params=["12", "13"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Computer]:
    with computer(request.param, tmp_path) as machine:
        yield machine


def test_installed_enabled_at_work_upgraded_removed_and_purged_without_a_trace(machine: Computer) -> None:
    before = listing(machine)
    old = machine.bring(debs.built("0.0.9~test"))
    assert "Inst python3-gamesad" in machine.tell("apt-get", "install", "--simulate", *old)
    machine.tell("apt-get", "install", "--yes", "--no-install-recommends", *old)
    assert machine.unit("UnitFileState", "ActiveState") == ("disabled", "inactive"), "starting it is the user's word"

    machine.tell("systemctl", "enable", "--now", "gamesad")
    assert machine.unit("UnitFileState", "ActiveState", "StatusText") == ("enabled", "active", "regulating")
    assert machine.version() == "0.0.9"
    process = machine.unit("MainPID")[0]
    assert machine.run(
        "nsenter", f"--target={process}", "--mount", "test", "-w", "/sys/kernel/rcu_expedited"
    ).returncode
    machine.tell("gamesactl", "set-profile", "quiet")
    machine.throttle()
    assert "throttling because of heat" in machine.tell("gamesactl", "status")

    machine.install(debs.built())
    assert (machine.version(), machine.property("ActiveProfile")) == (__version__, "quiet")
    assert machine.unit("UnitFileState", "ActiveState", "Result", "NRestarts") == ("enabled", "active", "success", "0")
    machine.wait_throttled()

    machine.tell("apt-get", "remove", "--yes", "gamesad")
    assert machine.as_found(), "removal puts the machine back"
    assert machine.run("systemctl", "is-active", "gamesad").stdout == "inactive\n"
    machine.tell("dpkg", "--purge", "gamesad", "gamesactl", "python3-gamesad")
    assert listing(machine) ^ before == set()


def listing(machine: Computer) -> set[str]:
    """Every path but for what is theirs, with kind, mode and owner; for those in /etc with their content."""
    lines = machine.tell("sh", "-c", _LISTING).splitlines()
    return {
        line
        for line in lines
        if not any(path == line.split()[0] or line.startswith(f"{path}/") for path in THEIRS)
        and not line.endswith(BACKUPS)
    }
