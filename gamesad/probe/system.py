"""The system around: virtual machine, container, rights, rivals, libraries, the kernel's switches."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

from gamesad.machine import running_rivals, why_unwritable
from gamesad.probe.findings import Finding, Level, count, listed
from gamesad.probe.seen import Seen
from gamesad.types import Controls

PART = "system"
_CONTAINER_MARKS = ("/run/systemd/container", "/.dockerenv", "/run/.containerenv")
_DENIED = ("EACCES", "EPERM")
_LIBRARIES = {
    "dbus_next": ("gamesactl cannot reach the daemon", "python3-dbus-next"),
    "pyudev": ("devices that come and go are noticed late", "python3-pyudev"),
    "psutil": ("rival programs are not recognised", "python3-psutil"),
    "systemd": ("the journal gets plain lines, without fields", "python3-systemd"),
}
"""Module → what is lost without it, and its Debian package."""


def surroundings(seen: Seen) -> Iterator[Finding]:
    if seen.sysfs.simulated:
        yield Finding(PART, Level.NOTE, "this machine is simulated: nothing here is real hardware")
    if seen.virtual:
        yield Finding(PART, Level.NOTE, "a virtual machine: its host owns the heat and the clock")
    if seen.live and any(map(os.path.exists, _CONTAINER_MARKS)):
        text = "a container: it sees its host's hardware as far as it is let"
        yield Finding(PART, Level.NOTE, text, "run gamesad on the host")
    if not seen.sysfs.exists("/proc/pressure"):
        text = "the kernel does not tell of pressure (PSI), which stands in for latency"
        yield Finding(PART, Level.NOTE, text, "boot with psi=1")


def rights(seen: Seen) -> Iterator[Finding]:
    denied = [name for name, absence in seen.snapshot.absent.items() if absence.cause in _DENIED]
    if denied:
        text = f"{count(len(denied), 'sensor')} may not be read by this user: {listed(denied)}"
        yield Finding(PART, Level.NOTE, text, "the daemon, which is root, reads them; or: sudo gamesad --probe")
    why = why_unwritable(Controls(seen.tunables, seen.values), seen.sysfs)
    if seen.live and seen.root and why:
        remedy = "in a container: give it a writable /sys; in the unit: ReadWritePaths=/sys/devices"
        yield Finding(PART, Level.FAULT, why, remedy)


def rivals(seen: Seen) -> Iterator[Finding]:
    for name in running_rivals() if seen.live else ():
        text = f"{name} is running and owns the same controls: gamesad only watches beside it, or they undo each other"
        yield Finding(PART, Level.FAULT, text, f"keep one of them: sudo systemctl disable --now {name}")


def configuration(seen: Seen) -> Iterator[Finding]:
    if seen.problems:
        text = f"the configuration has {count(len(seen.problems), 'fault')}, and gamesad refuses to start with it"
        yield Finding(PART, Level.FAULT, text, "gamesactl config check lists them")
    elif seen.config.daemon.observe:
        text = "the configuration asks gamesad to observe and write nothing (daemon.observe)"
        yield Finding(PART, Level.NOTE, text)


def libraries(seen: Seen) -> Iterator[Finding]:
    for module, (lost, package) in _LIBRARIES.items() if seen.live else ():
        if importlib.util.find_spec(module) is None:
            yield Finding(PART, Level.MISSING, f"{module} is not installed: {lost}", f"apt install {package}")
