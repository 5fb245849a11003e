"""The rules that go with the table of drivers: which sensor a machine depends on, and which limits can be meant.

Keys are the hwmon ``name`` and the thermal zone ``type``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gamesad.hardware.chips import Chip, word
from gamesad.hardware.driver_table import (
    ACPI_ZONE,
    CPU_ZONE,
    FIRMWARE_SENSORS,
    HIGHEST_C,
    LOWEST_C,
    PACKAGE_ZONE,
    ROWS,
    UNKNOWN,
    UNWIRED,
    Driver,
)
from gamesad.hardware.processors import Processor, default_critical_c
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Sensor, SensorLimits

_LAST = "acpitz"
_PROCESSOR_LABEL = re.compile(r"(?i:.*(cpu|soc|cluster|core|big|little).*)")
_PI_THROTTLES_C = 85.0
_COMPILED = tuple((re.compile(row.pattern), row.driver) for row in ROWS)


def driver(name: str, label: str = "") -> Driver:
    """What is known of a sensor. Super-I/O inputs called AUXTIN are seldom wired and read anything: no heat, no limits.

    Embedded controllers say in the label what a probe sits at; their limits are not the processor's, so they are
    watched and not regulated.
    """
    if label.startswith("AUXTIN"):
        return UNWIRED
    return next((known for pattern, known in _COMPILED if pattern.fullmatch(name)), UNKNOWN)


_RANKS: tuple[tuple[str, bool], ...] = (
    (r"coretemp|k10temp|zenpower|k8temp|via_cputemp|cputemp", True),
    (r"x86_pkg_temp", False),
    (CPU_ZONE, False),
    (PACKAGE_ZONE, False),
    (ACPI_ZONE, False),
    (CPU_ZONE, True),
    (PACKAGE_ZONE, True),
    (FIRMWARE_SENSORS, True),
    (_LAST, False),
    (_LAST, True),
)
"""Best source of the processor's temperature first; True for hwmon chips, False for thermal zones."""


@dataclass(frozen=True, slots=True)
class Critical:
    """The drivers whose representative sensor the machine depends on: hwmon names and zone types."""

    chips: frozenset[str]
    zones: frozenset[str]


def critical(chips: Iterable[str], zones: Iterable[str]) -> Critical:
    """The best source of the processor's temperature that is there, and no other.

    A driver that reads the die comes before a thermal zone over it, a zone before the hwmon chip that mirrors it
    (drivers/thermal/thermal_hwmon.c), and acpitz, often a constant, comes last.
    """
    chips, zones = tuple(chips), tuple(zones)
    for rank, is_chip in _RANKS:
        if found := frozenset(name for name in (chips if is_chip else zones) if re.fullmatch(rank, name)):
            return Critical(found, frozenset()) if is_chip else Critical(frozenset(), found)
    return Critical(frozenset(), frozenset())


def representative(labels: Mapping[str, str], name: str = "") -> frozenset[str]:
    """Which temperature channels of a critical chip stand for it. ``labels``: channel → label, in channel order.

    coretemp: the package, or every core where the processor has no package sensor (before Sandy Bridge). k10temp: Tdie
    where shown, since then Tctl carries an offset of +10, +20 or +27 °C for fan control; else Tctl. What a system
    controller measures: the channels whose label speaks of a processor, or none.
    """
    if re.fullmatch(FIRMWARE_SENSORS, name):
        return frozenset(channel for channel, label in labels.items() if _PROCESSOR_LABEL.fullmatch(label))
    packages = frozenset(
        channel for channel, label in labels.items() if label.startswith(("Package id", "Physical id"))
    )
    if packages:
        return packages
    for wanted in ("Tdie", "Tctl"):
        if found := frozenset(channel for channel, label in labels.items() if label == wanted):
            return found
    cores = frozenset(channel for channel, label in labels.items() if label.startswith("Core "))
    return cores or frozenset(list(labels)[:1])


def sane_limit_c(value_c: float | None) -> float | None:
    """A limit that can be meant: 0, -273.1, 65261.8 °C and the like are registers that nobody wrote."""
    return value_c if value_c is not None and 20.0 < value_c <= 150.0 else None


def consistent(limits: SensorLimits) -> SensorLimits:
    """maximum ≤ critical ≤ emergency, as the kernel documents; what breaks the order is dropped, critical stays."""
    maximum, critical, emergency = limits.maximum, limits.critical, limits.emergency
    if critical is not None and maximum is not None and maximum > critical:
        maximum = None
    floor = max((value for value in (maximum, critical) if value is not None), default=None)
    if emergency is not None and floor is not None and emergency < floor:
        emergency = None
    return replace(limits, maximum=maximum, critical=critical, emergency=emergency)


def critical_of(sysfs: Sysfs, found: Iterable[Chip]) -> Critical:
    """``critical`` for the chips and zones of this machine; a chip without such temperatures is no candidate."""
    candidates = [chip for chip in found if any(re.fullmatch(rank, chip.driver) for rank, is_chip in _RANKS if is_chip)]
    named = [chip.driver for chip in candidates if representative(_labels(sysfs, chip.folder), chip.driver)]
    return critical(named, [kind for folder, kind in zone_types(sysfs).items() if _answers(sysfs, folder, kind)])


def _labels(sysfs: Sysfs, folder: str) -> dict[str, str]:
    """Channel → label of a chip's temperatures; "" where it has none."""
    found: dict[str, str] = {}
    for entry in sysfs.list(folder):
        if channel := re.fullmatch(r"(temp[0-9]+)_input", entry):
            try:
                found[channel[1]] = sysfs.read(f"{folder}/{channel[1]}_label")
            except OSError:
                found[channel[1]] = ""
    return found


def _answers(sysfs: Sysfs, folder: str, kind: str) -> bool:
    """Whether a zone can be depended on: not disabled, and if it is only acpitz, with a temperature that can be true.

    Otherwise a machine whose only zone is a dummy would count as having lost its critical sensor for good.
    """
    try:
        if sysfs.exists(f"{folder}/mode") and sysfs.read(f"{folder}/mode") == "disabled":
            return False
        return kind != _LAST or LOWEST_C <= int(sysfs.read(f"{folder}/temp")) / 1000 <= HIGHEST_C
    except (OSError, ValueError, OverflowError):
        return False


def zone_types(sysfs: Sysfs) -> dict[str, str]:
    """Folder → type of every thermal zone, in order of their number."""
    types: dict[str, str] = {}
    for entry in sysfs.list("/sys/class/thermal"):
        if re.fullmatch(r"thermal_zone[0-9]+", entry):
            folder = f"/sys/class/thermal/{entry}"
            try:
                types[folder] = word(sysfs.read(f"{folder}/type"))
            except OSError:
                continue  # gone meanwhile
    return types


def with_default_limit(sensor: Sensor, cpu: Processor) -> Sensor:
    """The sensor with the documented limit of its driver as ``critical``, for hardware that states none."""
    limits = replace(sensor.limits, critical=default_critical_c(sensor.driver, cpu))
    limits_from = f"gamesad's table, for {sensor.driver} states none"
    return replace(sensor, limits=consistent(limits), limits_from=limits_from if limits.critical else "")


def ceiling_c(sysfs: Sysfs) -> float | None:
    """Where the board's firmware throttles, whatever the trips say: on every Raspberry Pi at 85 °C (its makers'
    documentation, "Frequency management and thermal control"), where the device tree's critical trip may be 110 °C.
    """
    for path in ("/sys/firmware/devicetree/base/compatible", "/proc/device-tree/compatible"):
        try:
            return _PI_THROTTLES_C if sysfs.read(path).startswith("raspberrypi,") else None
        except OSError:
            continue
    return None
