"""Thermal zones and cooling devices of /sys/class/thermal.

Documentation/driver-api/thermal/sysfs-api.rst: millidegrees; a zone goes by its type, its number is the order of
registration. A trip of -274000 is one that firmware left open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gamesad.hardware import chips, driver_table, drivers, processors
from gamesad.hardware.base import FileBatch, NumberFile, Sink, Source
from gamesad.hardware.sysfs import Sysfs, natural_key
from gamesad.types import NO_LIMITS, Absence, Heat, Quantity, Sensor, SensorLimits

_CLASS = "/sys/class/thermal"


def probe_sources(sysfs: Sysfs) -> list[Source]:
    return [*_zones(sysfs), *_cooling(sysfs)]


class Zone:
    """One zone. A zone whose ``mode`` is disabled may still answer, with a temperature that nobody keeps up."""

    slow = False
    period_s = 1.0

    def __init__(self, sysfs: Sysfs, sensor: Sensor, mode_path: str | None) -> None:
        self.name = sensor.name
        self._sysfs = sysfs
        self._mode_path = mode_path
        self._mode: int | None = None
        self._disabled_since_s: float | None = None
        low = drivers.driver(sensor.driver).lowest_c
        file = NumberFile(sensor, sensor.path, 1000, low, driver_table.HIGHEST_C)
        self._sensor = file.sensor
        self._batch = FileBatch(sysfs, [file])

    def sensors(self) -> Sequence[Sensor]:
        return (self._sensor,)

    def sample(self, now_s: float, sink: Sink) -> None:
        if self._mode_path is not None and self._disabled():
            if self._disabled_since_s is None:
                self._disabled_since_s = now_s
            sink.absent[self.name] = Absence("disabled", self._disabled_since_s)
            return
        self._disabled_since_s = None
        self._batch.sample(now_s, sink)

    def close(self) -> None:
        self._batch.close()
        if self._mode is not None:
            self._sysfs.close(self._mode)
            self._mode = None

    def _disabled(self) -> bool:
        try:
            if self._mode is None:
                self._mode = self._sysfs.open(self._mode_path or "")
            return self._sysfs.pread(self._mode, 16, 0).startswith(b"disabled")
        except OSError:
            return False  # gone, or unreadable: the temperature itself will tell


class Cooling:
    """Cooling devices of one type; the value is the state, 0 = not cooling."""

    slow = False
    period_s = 1.0

    def __init__(self, sysfs: Sysfs, kind: str, files: Sequence[NumberFile]) -> None:
        self.name = f"cooling.{kind}"
        self._sensors = tuple(file.sensor for file in files)
        self._off: dict[str, Absence] = {}
        self._batch = FileBatch(sysfs, files)

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        self._batch.sample(now_s, sink)
        off: dict[str, Absence] = {}
        for sensor in self._sensors:
            rejected = sink.rejected.get(sensor.name)
            if rejected and rejected.value == -1:
                # intel_powerclamp answers -1 while it is off, so that off is not taken for 0 % idle asked for.
                del sink.rejected[sensor.name]
                off[sensor.name] = self._off.get(sensor.name) or Absence("disabled", now_s)
        self._off = off
        sink.absent.update(off)

    def close(self) -> None:
        self._batch.close()


def _zones(sysfs: Sysfs) -> list[Source]:
    critical = drivers.critical_of(sysfs, chips.find(sysfs)).zones
    cpu, ceiling_c = processors.processor(sysfs), drivers.ceiling_c(sysfs)
    zones: list[Source] = []
    taken: dict[str, int] = {}
    for folder, kind in sorted(drivers.zone_types(sysfs).items(), key=lambda item: _place(sysfs, item[0])):
        count = taken[kind] = taken.get(kind, -1) + 1
        sensor = Sensor(
            name=f"thermal.{kind}" if count == 0 else f"thermal.{kind}-{count}",
            quantity=Quantity.TEMPERATURE,
            label="CPU package" if kind == "x86_pkg_temp" else kind,
            limits=_trips(sysfs, folder, kind),
            driver=kind,
            heat=Heat.CPU if kind in critical else drivers.driver(kind).heat,
            critical=kind in critical,
            path=f"{folder}/temp",
        )
        if sensor.critical and sensor.limits.critical is None and sensor.limits.hot is None:
            sensor = drivers.with_default_limit(sensor, cpu)
        if sensor.critical and ceiling_c is not None:
            lowest_c = min(ceiling_c, sensor.limits.critical or ceiling_c)
            if lowest_c != sensor.limits.critical:
                limits = replace(sensor.limits, critical=lowest_c)
                sensor = replace(
                    sensor, limits=limits, limits_from="gamesad's table: this board's firmware throttles there"
                )
        mode = f"{folder}/mode"
        zones.append(Zone(sysfs, sensor, mode if sysfs.exists(mode) else None))
    return zones


def _place(sysfs: Sysfs, folder: str) -> list[str | int]:
    """Where the firmware has the zone if it says so, else its number."""
    try:
        device = sysfs.resolve(f"{folder}/device") if sysfs.exists(f"{folder}/device") else ""
    except OSError:
        device = ""
    return natural_key(f"{device} {folder}")


def _trips(sysfs: Sysfs, folder: str, kind: str) -> SensorLimits:
    """The lowest trip of each kind. Active trips start fans and limit nothing.

    x86_pkg_temp has no trips of its own: what stands there are thresholds that thermald wrote for its own waking.
    """
    if kind == "x86_pkg_temp":
        return NO_LIMITS
    lowest: dict[str, float] = {}
    for entry in sysfs.list(folder):
        if not re.fullmatch(r"trip_point_[0-9]+_type", entry):
            continue
        try:
            trip = sysfs.read(f"{folder}/{entry}")
            stated_c = int(sysfs.read(f"{folder}/{entry.removesuffix('type')}temp")) / 1000
        except (OSError, ValueError, OverflowError):
            continue
        if (trip_c := drivers.sane_limit_c(stated_c)) is not None:
            lowest[trip] = min(trip_c, lowest.get(trip, trip_c))
    return SensorLimits(critical=lowest.get("critical"), passive=lowest.get("passive"), hot=lowest.get("hot"))


def _cooling(sysfs: Sysfs) -> list[Source]:
    files: dict[str, list[NumberFile]] = {}
    for entry in sysfs.list(_CLASS):
        if not re.fullmatch(r"cooling_device[0-9]+", entry):
            continue
        folder = f"{_CLASS}/{entry}"
        try:
            kind = chips.word(sysfs.read(f"{folder}/type"))
        except OSError:
            continue  # gone meanwhile
        highest = _highest(sysfs, folder)
        alike = files.setdefault(kind, [])
        sensor = Sensor(
            name=f"cooling.{kind}-{len(alike)}",
            quantity=Quantity.LEVEL,
            label=f"{kind} {len(alike)}",
            limits=SensorLimits(minimum=0.0, maximum=highest) if highest else NO_LIMITS,
            driver=kind,
            path=f"{folder}/cur_state",
        )
        # Some drivers answer a state above max_state for a moment, hence no tighter bound than sense.
        alike.append(NumberFile(sensor, sensor.path, 1, 0, 1e6))
    return [Cooling(sysfs, kind, alike) for kind, alike in files.items()]


def _highest(sysfs: Sysfs, folder: str) -> float | None:
    """``max_state``; None where it is 0 (a device that cannot cool here) or senseless."""
    try:
        highest = float(sysfs.read(f"{folder}/max_state"))
    except (OSError, ValueError):
        return None
    return highest if 0 < highest <= 1e6 else None
