"""What amdgpu and radeon show and take besides their hwmon chip.

Documentation/gpu/amdgpu/thermal.rst (gpu_busy_percent, mem_busy_percent, power1_cap, power_dpm_force_performance_level,
pp_dpm_*, gpu_metrics) and driver-misc.rst (mem_info_*). radeon has the performance level alone (radeon_pm.c).

The performance level may be ``low``, ``auto`` or ``high``; ``manual`` and the ``profile_*`` levels are the choice of
somebody who set clocks by hand, which leaving them would lose: a card found in one is left alone. The power cap goes
from the lower of cap_min and a quarter up to what was found. Voltages and pp_od_clk_voltage are never touched.
"""

from __future__ import annotations

import errno
import re
from dataclasses import replace

from gamesad.hardware import gpu_metrics
from gamesad.hardware.base import FileActuator, NumberFile
from gamesad.hardware.cards import Card
from gamesad.hardware.chips import Chip
from gamesad.hardware.parsed import ParsedFile, Unsaid
from gamesad.hardware.powercap import floor_uw
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Heat, Quantity, Role, Sensor, SensorLimits, Tunable, Value

LEVELS = ("low", "auto", "high")
"""From least power to most."""

_LEVEL = re.compile(r"[a-z_]{2,32}")
_LEVEL_FILE = "power_dpm_force_performance_level"
_WATT_UW = 1_000_000
_BUSY = (("gpu_busy", "gpu_busy_percent", "busy"), ("mem_busy", "mem_busy_percent", "memory busy"))
_MEMORY = (("vram_used", "mem_info_vram_used", "memory used"), ("vram_total", "mem_info_vram_total", "memory"))
_CLOCKS = (("sclk", "freq1_input"), ("mclk", "freq2_input"))
_MARKED = re.compile(rb"^\s*\w+:\s*([0-9]{1,6})\s*[Mm][Hh]z\s*\*", re.MULTILINE)
_LEVELS = re.compile(rb"\s*\w+:\s*[0-9]{1,6}\s*[Mm][Hh]z")
_LARGEST_B = 2.0**50
_POWER_CAP = re.compile(r"power([0-9]+)_cap")


def numbers(sysfs: Sysfs, card: Card) -> list[NumberFile]:
    """How busy the card is, and its memory."""
    files = []
    for suffix, file, label in _BUSY:
        sensor = _sensor(card, suffix, Quantity.UTILIZATION, label, file)
        files.append(NumberFile(sensor, sensor.path, 100.0, 0.0, 1.0))
    total = _number(sysfs, f"{card.device}/mem_info_vram_total")
    for suffix, file, label in _MEMORY:
        sensor = _sensor(card, suffix, Quantity.SIZE, label, file)
        if suffix == "vram_used" and total and total > 0:
            sensor = replace(sensor, limits=SensorLimits(maximum=float(total)))
        files.append(NumberFile(sensor, sensor.path, 1.0, 0.0, _LARGEST_B))
    return [file for file in files if sysfs.exists(file.path)]


def texts(sysfs: Sysfs, card: Card, chips: list[Chip]) -> list[ParsedFile]:
    """The performance level, the throttle status, and the clocks that no hwmon chip shows."""
    files = []
    if sysfs.exists(f"{card.device}/{_LEVEL_FILE}"):
        sensor = _sensor(card, "performance_level", Quantity.STATE, "performance level", _LEVEL_FILE)
        files.append(ParsedFile(sensor, level))
    if gpu_metrics.states_throttling(_bytes(sysfs, f"{card.device}/gpu_metrics")):
        sensor = _sensor(card, "throttle", Quantity.STATE, "throttling", "gpu_metrics")
        files.append(ParsedFile(sensor, gpu_metrics.throttle))
    shown = {entry for chip in chips for entry in sysfs.list(chip.folder)}
    for clock, entry in _CLOCKS:
        file = f"pp_dpm_{clock}"
        if entry not in shown and sysfs.exists(f"{card.device}/{file}"):
            files.append(ParsedFile(_sensor(card, clock, Quantity.FREQUENCY, clock, file), marked_hz))
    return files


def tunables(sysfs: Sysfs, card: Card, chips: list[Chip]) -> list[Tunable]:
    """What can be set, of a card that is awake."""
    found = [cap for chip in chips for cap in _caps(sysfs, card, chip)]
    path = f"{card.device}/{_LEVEL_FILE}"
    if _text(sysfs, path) in LEVELS:
        name = f"gpu.{card.name}.performance_level"
        found.append(Tunable(name, Role.PERFORMANCE_LEVEL, card.name, path, Heat.GPU, choices=LEVELS))
    return found


class LevelActuator(FileActuator):
    """Writes no performance level over one that is not among LEVELS: EBUSY, somebody sets the clocks by hand."""

    def write(self, tunable: Tunable, value: Value) -> None:
        if tunable.role is Role.PERFORMANCE_LEVEL and self.read(tunable) not in tunable.choices:
            raise OSError(errno.EBUSY, "the clocks are set by hand", tunable.path)
        super().write(tunable, value)


def level(text: bytes) -> str:
    """The performance level: one lower-case word."""
    said = text.strip(b"\0\n ").decode("ascii")
    if not _LEVEL.fullmatch(said):
        raise ValueError(text)
    return said


def marked_hz(text: bytes) -> float:
    """The level in force of pp_dpm_sclk or pp_dpm_mclk, ``1: 2605Mhz *``; several may be marked, alike.

    Unsaid where the clock is at none of them.
    """
    found = _MARKED.search(text)
    if found is None and _LEVELS.match(text):
        raise Unsaid("at none of its levels")
    if found is None:
        raise ValueError(text)
    return int(found[1]) * 1e6


def _caps(sysfs: Sysfs, card: Card, chip: Chip) -> list[Tunable]:
    """power1_cap is the sustained limit; on Van Gogh power2_cap (fastPPT) is the short one."""
    caps = []
    for entry in sysfs.list(chip.folder):
        channel = _POWER_CAP.fullmatch(entry)
        present_uw = _number(sysfs, f"{chip.folder}/{entry}") if channel else None
        if channel is None or present_uw is None or present_uw <= 0:
            continue
        least_uw = _number(sysfs, f"{chip.folder}/{entry}_min") or 0
        rated_uw = _number(sysfs, f"{chip.folder}/{entry}_default") or 0
        minimum_uw = max(least_uw, floor_uw(present_uw, rated_uw))
        minimum_uw += -minimum_uw % _WATT_UW  # the driver cuts what is written to whole watts
        if minimum_uw < present_uw:
            caps.append(
                Tunable(
                    f"hwmon.{chip.name}.{entry}",
                    Role.POWER_LIMIT if channel[1] == "1" else Role.POWER_LIMIT_SHORT,
                    card.name,
                    f"{chip.folder}/{entry}",
                    Heat.GPU,
                    unit="µW",
                    minimum=minimum_uw,
                    maximum=present_uw,
                    meter=f"hwmon.{chip.name}.power1",
                )
            )
    return caps


def _sensor(card: Card, suffix: str, quantity: Quantity, label: str, file: str) -> Sensor:
    name, path = f"gpu.{card.name}.{suffix}", f"{card.device}/{file}"
    return Sensor(name, quantity, f"{card.driver} {label}", driver=card.driver, path=path)


def _number(sysfs: Sysfs, path: str) -> int | None:
    try:
        number = int(sysfs.read(path))
    except (OSError, ValueError):
        return None
    return number if abs(number) < 1 << 63 else None


def _text(sysfs: Sysfs, path: str) -> str:
    try:
        return sysfs.read(path)
    except OSError:
        return ""


def _bytes(sysfs: Sysfs, path: str) -> bytes:
    try:
        handle = sysfs.open(path)
    except OSError:
        return b""
    try:
        return sysfs.pread(handle, 4096, 0)
    except OSError:
        return b""
    finally:
        sysfs.close(handle)
