"""``gamesad --root TREE --once --observe`` on machines recorded by others: everything the kernel documents is found.

What counts as documented is written down here once more, from the kernel's own pages and apart from gamesad's tables.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gamesad.daemon
from gamesad.__main__ import main
from tests.support.machines import tree
from tests.support.trees import HAND_MADE

UNITS = {  # Documentation/hwmon/sysfs-interface.rst: attribute → unit, divisor
    "temp": ("°C", 1000), "fan": ("rpm", 1), "in": ("V", 1000), "curr": ("A", 1000), "power": ("W", 1e6),
    "energy": ("J", 1e6), "freq": ("Hz", 1),
}  # fmt: skip
OTHERS = (  # files, and the sensor that reads each: Documentation/power/powercap, admin-guide/pm, ABI/testing
    ("sys/class/powercap/*:*/energy_uj", "powercap", "power", "W"),
    ("sys/devices/system/cpu/cpufreq/policy*/scaling_cur_freq", "cpufreq", "frequency", "Hz"),
    ("sys/class/power_supply/*/online", "power_supply", "online", ""),
    ("sys/class/power_supply/*/capacity", "power_supply", "charge", ""),
    ("sys/class/power_supply/*/energy_now", "power_supply", "energy", "J"),
    ("sys/class/power_supply/*/voltage_now", "power_supply", "voltage", "V"),
    ("sys/class/power_supply/*/current_now", "power_supply", "current", "A"),
)
HWMON_INPUT = re.compile(r"(temp|fan|in|curr|power|energy|freq)(\d+)_(input|average)")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two samples of ``--once`` follow each other immediately."""
    monkeypatch.setattr(gamesad.daemon, "_ONCE_APART_S", 0.01)


def once(root: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The tick that is printed; nothing may be said beside it."""
    assert main(["--root", str(root), "--once", "--observe"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return dict(json.loads(said.out, parse_constant=_not_json))


def _not_json(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def contents(root: Path) -> dict[str, tuple[int, int]]:
    """Every path with its size and time of change."""
    paths = [path for path in root.rglob("*") if path.is_symlink() or path.exists()]
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths}


def chips(root: Path) -> list[Path]:
    """The folders that hold the attributes: the class entry's own, or on kernels before 3.15 the device's."""
    found = []
    for entry in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        found += [folder for folder in (entry, entry / "device") if (folder / "name").is_file()][:1]
    return found


def text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def is_number(found: str) -> bool:
    return re.fullmatch(r"-?\d+", found) is not None


def documented(root: Path) -> list[tuple[str, str, str]]:
    """(pattern of a sensor's name, its unit, its driver or "" for any), once per file."""
    classes = root / "sys/class"
    found = [
        (rf"hwmon\..*\.{match[1]}{match[2]}(_\w+)?", UNITS[match[1]][0], text(chip / "name"))
        for chip in chips(root)
        for file in sorted(chip.iterdir())
        if (match := HWMON_INPUT.fullmatch(file.name))
    ]
    for zone in classes.glob("thermal/thermal_zone*/temp"):
        kind = re.sub(r"[^A-Za-z0-9_.+-]+", "_", text(zone.parent / "type"))
        found.append((rf"thermal\.{re.escape(kind)}(-\d+)?", "°C", ""))
    for pattern, prefix, name, unit in OTHERS:
        mine = [file.parent for file in root.glob(pattern) if text(file.parent / "scope") != "Device"]  # not a mouse's
        found += [(re.escape(f"{prefix}.{folder.name}.{name}"), unit, "") for folder in mine]
    return found


def check(name: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(root)
    tick = once(root, capsys)
    assert contents(root) == before, f"{name}: the tree was changed"
    assert tick["mode"] == "observe"
    assert tick["applied"]["settings"] == {}
    sensors = {sensor["Name"]: sensor for sensor in tick["sensors"]}
    assert sensors.keys() == set().union(
        *(tick["snapshot"][part] for part in ("readings", "states", "rejected", "absent"))
    )
    for pattern, unit, driver in documented(root):
        units = {one["Unit"] for one in named(sensors, pattern, driver)}
        assert units == {unit}, f"{name}: {driver} {pattern} is in {units or 'no sensor'}"
    for sensor in sensors.values():
        assert sensor["Label"].strip(), (name, sensor)
        assert ("Value" in sensor) == (sensor["State"] == "ok"), (name, sensor)
        assert sensor["State"] == "ok" or sensor["Reason"], (name, sensor)
    values_and_limits(name, root, sensors)


def values_and_limits(name: str, root: Path, sensors: dict[str, Any]) -> None:
    """What stands in the files, in the unit: a value that is shown is never another one."""
    for chip in chips(root):
        for file in sorted(chip.iterdir()):
            match = HWMON_INPUT.fullmatch(file.name)
            if match is None or not is_number(text(file)):
                continue
            ours = named(sensors, rf"hwmon\..*\.{match[1]}{match[2]}(_\w+)?", text(chip / "name"))
            shown = [sensor["Value"] for sensor in ours if "Value" in sensor]
            stands = int(text(file)) / UNITS[match[1]][1]
            assert not shown or any(abs(one - stands) <= 0.05 for one in shown), (name, file, shown)
            stated = text(chip / f"{match[1]}{match[2]}_crit")
            if match[1] == "temp" and is_number(stated) and 25_000 < int(stated) < 125_000:
                assert int(stated) / 1000 in [sensor.get("CriticalLimit") for sensor in ours], (name, file)


def named(sensors: dict[str, Any], pattern: str, driver: str) -> list[dict[str, Any]]:
    return [
        sensor for name, sensor in sensors.items()
        if re.fullmatch(pattern, name) and driver in ("", sensor["Driver"])
    ]  # fmt: skip


def test_on_every_recorded_machine(machines: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    for name, root in machines.items():
        check(name, root, capsys)


def test_on_machines_made_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, entries in HAND_MADE.items():
        check(name, tree(tmp_path / name, entries), capsys)


def test_a_tree_without_anything_is_a_tick_without_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tick = once(tmp_path, capsys)
    assert tick["sensors"] == tick["tunables"] == []
    assert tick["decision"]["settings"] == {}
    assert list(tmp_path.iterdir()) == []


def test_the_program_itself_prints_utf8_in_a_locale_without_it(tmp_path: Path) -> None:
    root = tree(tmp_path, HAND_MADE["ryzen-desktop"])
    command = [sys.executable, "-m", "gamesad", "--root", str(root), "--once", "--observe"]
    ran = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert "°C" in json.loads(ran.stdout.decode())["decision"]["reason"]
