"""What every tunable of a tree holds, read from its files: the machine before, and the machine after."""

from __future__ import annotations

from pathlib import Path

from gamesad.hardware import ACTUATORS
from gamesad.hardware.sysfs import Sysfs


def tunable_files(root: Path) -> dict[str, str]:
    """Path of each tunable's file → its text."""
    sysfs = Sysfs(str(root))
    tunables = [tunable for probe in ACTUATORS for actuator in probe(sysfs) for tunable in actuator.tunables()]
    return {tunable.path: sysfs.read(tunable.path) for tunable in tunables}
