"""The unit's sandbox on a running system: a program in the service's place tries what the service has no need for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.container.computer import Computer

TRIES = Path(__file__).with_name("tries.py")
_PROBE = "run/systemd/system/gamesad-tries.service"
_NOT_ITS = ("Type=", "Restart", "WatchdogSec=", "ExecStopPost=", "ExecReload=", "After=", "Wants=")

FORBIDDEN = {
    "write /etc": "EROFS",
    "write /usr": "EROFS",
    "write /var/lib": "EROFS",
    "list /home": "EACCES",
    "list /root": "EACCES",
    "set a kernel parameter in /sys": "EROFS",
    "write /proc/sys": "EROFS",
    "listen on the network": "EAFNOSUPPORT",
    "sniff packets": "EAFNOSUPPORT",
    "make a device node": "EPERM",
    "mount": "EPERM",
    "load a module": "EPERM",
    "trace PID 1": "EPERM",
    "set the clock": "EPERM",
    "set the host's name": "EPERM",
    "enter a user namespace": "EPERM",
    "become real-time": "EPERM",
    "make a set-user-ID file": "EPERM",
    "change the personality": "EPERM",
    "map memory to write and execute": "EPERM EACCES",  # by seccomp on Debian 12, by the kernel's own means on 13
    "read the kernel's log": "EPERM",
    "be another user": "EPERM",
}
NEEDED = (
    "write a control",
    "write its own state",
    "write its own runtime folder",
    "write shared memory",
    "speak over a unix socket",
)


@pytest.fixture(scope="module")
def outcomes(shared: Computer) -> dict[str, dict[str, str]]:
    """What each try gave, ``""`` or an errno: inside the service's sandbox, and as root without one."""
    shared.forget()
    (shared.root / "run/tries.py").write_text(TRIES.read_text())
    unit = shared.tell("systemctl", "cat", "gamesad")
    kept = [line for line in unit.splitlines() if not line.startswith(_NOT_ITS)]
    probe = re.sub(
        r"^ExecStart=.*",
        # Into a file: journald may not see any more whose words the last ones of a short process were.
        "Type=oneshot\nStandardOutput=truncate:/run/tries.json\nExecStart=/usr/bin/python3 /run/tries.py",
        "\n".join(kept),
        flags=re.MULTILINE,
    )
    (shared.root / _PROBE).write_text(probe)
    shared.tell("systemctl", "daemon-reload")
    shared.tell("systemctl", "start", "gamesad-tries")
    confined = (shared.root / "run/tries.json").read_text()
    free = shared.tell("python3", "/run/tries.py")
    return {"confined": json.loads(confined), "free": json.loads(free)}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_service_cannot(outcomes: dict[str, dict[str, str]], what: str) -> None:
    assert outcomes["confined"][what] in FORBIDDEN[what].split()


@pytest.mark.parametrize("what", NEEDED)
def test_the_service_can(outcomes: dict[str, dict[str, str]], what: str) -> None:
    assert outcomes["confined"][what] == ""


def test_it_is_the_sandbox_that_forbids(outcomes: dict[str, dict[str, str]]) -> None:
    """Root beside it may do all that, but for modules, which a container may not load."""
    as_well = {what for what, error in FORBIDDEN.items() if outcomes["free"][what] in error.split()}
    assert as_well <= {"load a module"}


def test_systemd_itself_counts_an_exposure_of_at_most_1_6(shared: Computer) -> None:
    told = shared.tell("systemd-analyze", "security", "gamesad", "--no-pager")
    exposure = re.search(r"Overall exposure level for gamesad\.service: ([\d.]+)", told)
    assert exposure
    assert float(exposure[1]) <= 1.6
