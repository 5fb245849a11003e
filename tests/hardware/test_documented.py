"""Every node of a recorded machine that the kernel documents, found with name, unit and limit, and counted.

The list is written here from the kernel's own pages (hwmon/sysfs-interface, driver-api/thermal, power/powercap,
admin-guide/pm, ABI/testing) and apart from gamesad's tables. Graphics cards have theirs in test_recorded_cards.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gamesad.hardware import ACTUATORS, SOURCES
from gamesad.hardware.base import Sink
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Sensor
from tests.support.boards import BOARDS
from tests.support.machines import tree


@dataclass(frozen=True)
class Node:
    """A file below sys/, a pattern of its sensor's name, the unit, and beside it the file of its limit; both ÷ divisor.

    ``divisor`` 0: the value is not this number (a rate, a part of a whole).
    """

    kind: str
    glob: str
    name: str
    unit: str
    limit: str = ""
    divisor: float = 1000.0


DOCUMENTED = (
    Node("temperature", "class/hwmon/*/temp[0-9]*_input", r"hwmon\..+\.{channel}", "°C", "{channel}_crit"),
    Node("fan", "class/hwmon/*/fan[0-9]*_input", r"hwmon\..+\.{channel}", "rpm", "{channel}_max", 1.0),
    Node("voltage", "class/hwmon/*/in[0-9]*_input", r"hwmon\..+\.{channel}", "V", "{channel}_max"),
    Node("current", "class/hwmon/*/curr[0-9]*_input", r"hwmon\..+\.{channel}", "A", "{channel}_max"),
    Node("power", "class/hwmon/*/power[0-9]*_average", r"hwmon\..+\.{channel}", "W", "{channel}_cap", 1e6),
    Node("power", "class/hwmon/*/power[0-9]*_input", r"hwmon\..+\.{channel}(_input)?", "W", "{channel}_cap", 1e6),
    Node("zone", "class/thermal/thermal_zone*/temp", r"thermal\..+", "°C"),
    Node("cooling", "class/thermal/cooling_device*/cur_state", r"cooling\..+", "", "max_state", 1.0),
    Node("energy counter", "class/powercap/*:*/energy_uj", r"powercap\.{folder}\.power", "W", divisor=0),
    Node("clock", "devices/system/cpu/cpufreq/policy*/scaling_cur_freq", r"cpufreq\.{folder}\.frequency", "Hz",
         "cpuinfo_max_freq", 1e-3),
    Node("supply", "class/power_supply/*/capacity", r"power_supply\.{folder}\.charge", "", divisor=0),
    Node("supply", "class/power_supply/*/voltage_now", r"power_supply\.{folder}\.voltage", "V", divisor=0),
    Node("supply", "class/power_supply/*/current_now", r"power_supply\.{folder}\.current", "A", divisor=0),
    Node("supply", "class/power_supply/*/energy_now", r"power_supply\.{folder}\.energy", "J", divisor=0),
)  # fmt: skip
SETTABLE = (
    Node("governor", "devices/system/cpu/cpufreq/policy*/scaling_governor", "cpufreq.{folder}.scaling_governor", ""),
    Node("lowest clock", "devices/system/cpu/cpufreq/policy*/scaling_min_freq", "cpufreq.{folder}.scaling_min_freq",
         "kHz"),
    Node("highest clock", "devices/system/cpu/cpufreq/policy*/scaling_max_freq", "cpufreq.{folder}.scaling_max_freq",
         "kHz", "cpuinfo_max_freq", 1.0),
    Node("EPP", "devices/system/cpu/cpufreq/policy*/energy_performance_preference",
         "cpufreq.{folder}.energy_performance_preference", ""),
    Node("turbo", "devices/system/cpu/intel_pstate/no_turbo", "intel_pstate.no_turbo", ""),
    Node("EPB", "devices/system/cpu/cpu[0-9]*/power/energy_perf_bias", "{parent}.energy_perf_bias", ""),
)  # fmt: skip
COUNTS = {
    "pepc-adl0": {
        "clock": 16, "clock, its limit": 16, "EPB": 16, "EPP": 16, "governor": 16, "highest clock": 16,
        "lowest clock": 16, "turbo": 1,
    },
    "pepc-dell-latitude-5420-tgl": {
        "clock": 8, "clock, its limit": 8, "EPB": 8, "EPP": 8, "governor": 8, "highest clock": 8, "lowest clock": 8,
        "turbo": 1,
    },
    "procfs": {
        "clock": 1, "clock, its limit": 1, "cooling": 2, "cooling, its limit": 2, "energy counter": 3, "governor": 1,
        "highest clock": 1, "lowest clock": 1, "supply": 3, "temperature": 4, "temperature, its limit": 1, "zone": 2,
    },
    "boards": {
        "clock": 12, "clock, its limit": 12, "current": 1, "energy counter": 2, "fan": 4, "fan, its limit": 2,
        "governor": 12, "highest clock": 12, "lowest clock": 12, "power": 3, "power, its limit": 2, "temperature": 29,
        "temperature, its limit": 12, "turbo": 1, "voltage": 2, "zone": 9,
    },
}  # fmt: skip
"""How many of each kind are documented, and all of them were found."""


def nodes(root: Path, documented: tuple[Node, ...]) -> Iterator[tuple[Node, Path, re.Pattern[str]]]:
    seen = set()
    for node in documented:
        for file in sorted((root / "sys").glob(node.glob)):
            if _is_of_a_card(file) or file.resolve() in seen or not _number_or_word(file):
                continue
            seen.add(file.resolve())
            channel = file.name.rpartition("_")[0]
            named = node.name.format(channel=channel, folder=file.parent.name, parent=file.parents[1].name)
            yield node, file, re.compile(named)


def _is_of_a_card(file: Path) -> bool:
    device = file.parent.resolve()
    return any((folder / "drm").is_dir() for folder in (device, *device.parents[:3]) if folder.name != "class")


def _number_or_word(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def found(root: Path) -> tuple[dict[str, list[Sensor]], dict[str, float]]:
    """Sensors by the file that each is read from, and what they read."""
    sources = [source for probe in SOURCES for source in probe(Sysfs(str(root)))]
    sensors: dict[str, list[Sensor]] = {}
    for sensor in [sensor for source in sources for sensor in source.sensors()]:
        sensors.setdefault(str((root / sensor.path.strip("/")).resolve()), []).append(sensor)
    sink = Sink()
    for source in sources:
        source.sample(1.0, sink)
        source.close()
    return sensors, sink.readings


def check(root: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    sensors, readings = found(root)
    for node, file, name in nodes(root, DOCUMENTED):
        scope = _number_or_word(file.parent / "scope")
        if scope == "Device":  # a mouse's battery
            continue
        ours = [one for one in sensors.get(str(file.resolve()), []) if name.fullmatch(one.name)]
        if node.kind == "supply" and not ours:  # read together, by another file of its folder
            ours = [one for some in sensors.values() for one in some if name.fullmatch(one.name)]
        assert [one.quantity.unit for one in ours] == [node.unit], (file, ours)
        counts[node.kind] += 1
        stands = _number_or_word(file)
        if node.divisor and re.fullmatch(r"[0-9]{1,12}", stands) and _is_possible(node, int(stands) / node.divisor):
            assert readings[ours[0].name] == pytest.approx(int(stands) / node.divisor), (file, ours)
        if node.limit:
            stated = _number_or_word(file.parent / node.limit.format(channel=file.name.rpartition("_")[0]))
            if re.fullmatch(r"[0-9]{1,12}", stated) and _is_meant(node, int(stated) / node.divisor):
                limits = ours[0].limits
                assert int(stated) / node.divisor in (limits.critical, limits.maximum), (file, ours)
                counts[f"{node.kind}, its limit"] += 1
    tunables = {one.name: one for probe in ACTUATORS for made in probe(Sysfs(str(root))) for one in made.tunables()}
    for node, file, name in nodes(root, SETTABLE):
        [ours] = [one for one in tunables.values() if name.fullmatch(one.name)]
        assert ours.unit == node.unit, (file, ours)
        if node.limit:
            assert ours.maximum >= int(_number_or_word(file.parent / node.limit)), (file, ours)
        counts[node.kind] += 1
    return counts


def _is_possible(node: Node, value: float) -> bool:
    return node.unit != "°C" or 1 < value < 126


def _is_meant(node: Node, limit: float) -> bool:
    return 25 < limit < 125 if node.unit == "°C" else 0 < limit < 1e12


@pytest.mark.parametrize("name", [name for name in COUNTS if name != "boards"])
def test_on_a_recorded_machine(machines: dict[str, Path], name: str) -> None:
    assert check(machines[name]) == COUNTS[name]


def test_on_boards_made_by_hand(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for name, entries in BOARDS.items():
        counts += check(tree(tmp_path / name, entries))
    assert counts == COUNTS["boards"]
