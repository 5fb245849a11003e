"""/sys/class/powercap: energy counters and power limits (RAPL), in µJ and µW.

Documentation/power/powercap/powercap.rst. Domains overlap (psys holds package, package holds core and uncore): they
are never added. ``intel-rapl`` and ``intel-rapl-mmio`` both limit the package, and the lower wins. AMD shows energy
and no limit. Counters are root's only since 5.10 because fine-grained power betrays secrets (CVE-2020-8694): what is
published here is an average over about a second or more, rounded to 0.1 W.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gamesad.hardware.base import Actuator, FileActuator, FileBatch, NumberFile, Sink, Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Absence, Quantity, Rejection, Role, Sensor, Tunable

_POWERCAP = "/sys/class/powercap"
_PERIOD_S = 0.99  # once a second, with room for the jitter of a 1 Hz tick
_GAP_S = 30.0  # longer than this and a counter may have gone round more than once
_MOST_W = 5000.0
_MOST = 1 << 63  # the kernel's own numbers have 64 bits
_ZONE = re.compile(r"(?P<type>[a-z0-9-]+):(?P<top>[0-9a-z]+)(:[0-9a-z]+)*")

_ROLES = {"long_term": Role.POWER_LIMIT, "short_term": Role.POWER_LIMIT_SHORT}
_FLOOR_PART = 0.25
_FLOOR_UW = 3_000_000
_UNLIMITED_UW = 1_000_000_000
"""A limit at or above 1 kW is firmware's way to say that there is none."""
_FLOOR_UNLIMITED_UW = 15_000_000


@dataclass(slots=True)
class _Counter:
    """One energy counter: ``range_uj`` 0 = unknown; ``last_uj`` None = the next sample is a first one."""

    sensor: Sensor
    file: NumberFile
    range_uj: int
    last_uj: float | None = None
    last_s: float = 0.0
    absence: Absence | None = None


class PowercapSource:
    """The power of one zone and its sub-zones, from their energy counters.

    The first sample has no power, nor has one after a failure, after more than 30 s, after ``discard`` (resume from
    sleep), or after a wrap whose range is unknown: absent as ``first sample`` or ``wrapped``.
    """

    slow = False
    period_s = 0.0

    def __init__(self, sysfs: Sysfs, name: str, counters: Sequence[_Counter]) -> None:
        self.name = name
        self._counters = counters
        self._batch = FileBatch(sysfs, [counter.file for counter in counters])
        self._published = Sink()
        self._published_s: float | None = None

    def sensors(self) -> Sequence[Sensor]:
        return [counter.sensor for counter in self._counters]

    def sample(self, now_s: float, sink: Sink) -> None:
        if self._published_s is None or not 0 <= now_s - self._published_s < _PERIOD_S:
            self._published = self._read(now_s)
            self._published_s = now_s
        sink.readings.update(self._published.readings)
        sink.rejected.update(self._published.rejected)
        sink.absent.update(self._published.absent)

    def discard(self) -> None:
        """The counters may have been reset, or stood still: the next sample is a first one."""
        self._published_s = None
        for counter in self._counters:
            counter.last_uj = None

    def close(self) -> None:
        self._batch.close()

    def _read(self, now_s: float) -> Sink:
        energies = Sink()
        self._batch.sample(now_s, energies)
        result = Sink(rejected=energies.rejected, absent=energies.absent)
        for counter in self._counters:
            name = counter.sensor.name
            energy_uj = energies.readings.get(name)
            power_w = None if energy_uj is None else _power(counter, energy_uj, now_s)
            cause = "" if energy_uj is None else _cause(counter, energy_uj, now_s)
            counter.last_uj, counter.last_s = energy_uj, now_s
            if cause:
                result.absent[name] = _absent(counter, cause, now_s)
            elif power_w is not None:
                counter.absence = None
                if power_w <= _MOST_W:
                    result.readings[name] = round(power_w, 1)
                else:
                    result.rejected[name] = Rejection(power_w, f"outside what is possible, 0 to {_MOST_W:g}")
        return result


def _cause(counter: _Counter, energy_uj: float, now_s: float) -> str:
    """Why this sample has no power; empty when it has."""
    if counter.last_uj is None or not 0 < now_s - counter.last_s <= _GAP_S:
        return "first sample"
    return "wrapped" if energy_uj < counter.last_uj and counter.range_uj <= 0 else ""


def _power(counter: _Counter, energy_uj: float, now_s: float) -> float | None:
    if counter.last_uj is None or now_s <= counter.last_s:
        return None
    used_uj = energy_uj - counter.last_uj
    if used_uj < 0:
        used_uj += counter.range_uj
    return used_uj / 1e6 / (now_s - counter.last_s) if used_uj >= 0 else _MOST_W * 2


def _absent(counter: _Counter, cause: str, now_s: float) -> Absence:
    if counter.absence is None or counter.absence.cause != cause:
        counter.absence = Absence(cause, now_s)
    return counter.absence


def probe_sources(sysfs: Sysfs) -> list[Source]:
    groups: dict[str, list[_Counter]] = {}
    zones = _zones(sysfs)
    packages = sum(_is_package(name) and "mmio" not in zone for zone, name in zones.items())
    for zone in zones:
        path = f"{_POWERCAP}/{zone}/energy_uj"
        if not sysfs.exists(path):
            continue
        label = _label(zone, zones, several=packages > 1)
        sensor = Sensor(
            f"powercap.{zone}.power", Quantity.POWER, label, driver=zone.partition(":")[0], path=path, divisor=1e6
        )
        file = NumberFile(sensor, path, divisor=1, low=0.0, high=2.0**64)
        counter = _Counter(sensor, file, _number(sysfs, f"{_POWERCAP}/{zone}/max_energy_range_uj") or 0)
        groups.setdefault(":".join(zone.split(":")[:2]), []).append(counter)
    return [PowercapSource(sysfs, f"powercap.{name}", counters) for name, counters in groups.items()]


def probe_actuators(sysfs: Sysfs) -> list[Actuator]:
    tunables = []
    for zone, name in _zones(sysfs).items():
        if _is_package(name) or name == "psys":
            tunables += _constraints(sysfs, zone, name)
    return [FileActuator(sysfs, tunables)] if tunables else []


def _zones(sysfs: Sysfs) -> dict[str, str]:
    """Zone → its name (``package-0``; the zone's own where the file is missing). Control types are not zones."""
    found = {}
    for zone in sysfs.list(_POWERCAP):
        if _ZONE.fullmatch(zone):
            found[zone] = _text(sysfs, f"{_POWERCAP}/{zone}/name") or zone
    return found


def _constraints(sysfs: Sysfs, zone: str, domain: str) -> list[Tunable]:
    """The long- and short-term limits of a zone that can have an effect.

    Not of a disabled zone, nor one whose limit reads 0 (none was ever set). A limit may be set between a floor and
    the higher of the value found and constraint_N_max_power_uw, which may be 0 or below what is set. A zone that
    firmware has locked reads as disabled, and takes no write: ENODATA, whatever the driver said.
    """
    folder = f"{_POWERCAP}/{zone}"
    if _number(sysfs, f"{folder}/enabled") == 0:
        return []
    numbers = {}
    for index in range(8):
        role = _ROLES.get(_text(sysfs, f"{folder}/constraint_{index}_name"))
        present_uw = _number(sysfs, f"{folder}/constraint_{index}_power_limit_uw")
        if role is not None and present_uw:
            rated_uw = max(_number(sysfs, f"{folder}/constraint_{index}_max_power_uw") or 0, 0)
            numbers[role] = (index, present_uw, rated_uw)
    long_rated_uw = numbers.get(Role.POWER_LIMIT, (0, 0, 0))[2]
    return [
        Tunable(
            f"powercap.{zone}.constraint_{index}_power_limit_uw",
            role,
            domain,
            f"{folder}/constraint_{index}_power_limit_uw",
            unit="µW",
            minimum=floor_uw(present_uw, rated_uw or long_rated_uw),
            maximum=max(present_uw, rated_uw),
            default=rated_uw or None,
        )
        for role, (index, present_uw, rated_uw) in numbers.items()
        if present_uw > 0
    ]


def floor_uw(present_uw: int, rated_uw: int) -> int:
    """The least a limit may be set to: a quarter of the lower of what is set and what the part is rated for, and 3 W.

    A limit near zero makes a machine useless, too useless to undo it. Where the limit means "none" (1 kW and more)
    and no rating is known, 15 W. Never more than what is set already.
    """
    real_uw = min(present_uw, rated_uw) if rated_uw > 0 else present_uw
    floor = _FLOOR_UNLIMITED_UW if real_uw >= _UNLIMITED_UW else max(int(real_uw * _FLOOR_PART), _FLOOR_UW)
    return min(floor, present_uw)


def _label(zone: str, zones: dict[str, str], *, several: bool) -> str:
    """``package-0``; a sub-zone's own name, behind its package's where there are several; the second way is named."""
    name = zones[zone]
    parent = zones.get(zone.rpartition(":")[0])
    if parent and several:
        name = f"{parent} {name}"
    return f"{name} (mmio)" if "mmio" in zone else name


def _is_package(name: str) -> bool:
    return name.startswith("package")


def _text(sysfs: Sysfs, path: str) -> str:
    try:
        return sysfs.read(path)
    except OSError:
        return ""


def _number(sysfs: Sysfs, path: str) -> int | None:
    try:
        number = int(sysfs.read(path))
    except (OSError, ValueError):
        return None
    return number if abs(number) < _MOST else None
