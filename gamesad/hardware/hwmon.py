"""Chips of /sys/class/hwmon: temperatures, fans, power, voltage, current, frequency, energy.

Documentation/hwmon/sysfs-interface.rst: millidegrees, rpm, microwatts, millivolts, milliamperes, hertz, microjoules.
Only the inputs are mandatory; labels and limits are optional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gamesad.hardware import chips, drivers
from gamesad.hardware.base import FileBatch, NumberFile, Sink
from gamesad.hardware.chips import Chip
from gamesad.hardware.counters import Counter, CounterBatch
from gamesad.hardware.sysfs import Sysfs, natural_key
from gamesad.types import NO_LIMITS, Absence, Heat, Quantity, Sensor, SensorLimits

_HIGHEST_POWER_W = 10_000.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """The range is wide on purpose: what lies outside is a broken or missing probe, not an extreme machine."""

    quantity: Quantity
    divisor: int
    low: float
    high: float


_KINDS: dict[str, _Kind] = {
    "temp": _Kind(Quantity.TEMPERATURE, 1000, drivers.LOWEST_C, drivers.HIGHEST_C),
    "fan": _Kind(Quantity.FAN, 1, 0, 40_000),  # server fans reach 30 000; a missing one may read 65 535 and more
    "power": _Kind(Quantity.POWER, 1_000_000, 0, _HIGHEST_POWER_W),
    "in": _Kind(Quantity.VOLTAGE, 1000, -60, 500),  # -12 V rails to mains at a power supply
    "curr": _Kind(Quantity.CURRENT, 1000, -1000, 1000),
    "freq": _Kind(Quantity.FREQUENCY, 1, 0, 2e10),
    "energy": _Kind(Quantity.ENERGY, 1_000_000, 0, 2.0**63),
}


def probe_sources(sysfs: Sysfs) -> list[Hwmon]:
    found = chips.find(sysfs)
    critical = drivers.critical_of(sysfs, found).chips
    cpu = drivers.processor(sysfs)
    return [_source(sysfs, chip, cpu, critical=chip.driver in critical) for chip in found]


class Hwmon:
    """One chip. While its PCI or SCSI device sleeps nothing of it is read: a read would wake it."""

    def __init__(self, sysfs: Sysfs, chip: Chip, files: Sequence[NumberFile], counters: Sequence[Counter]) -> None:
        period_s = drivers.driver(chip.driver).period_s or (2.0 if "/power_supply/" in chip.device else 0.0)
        self.name = f"hwmon.{chip.name}"
        self.slow = period_s > 0
        self.period_s = period_s or 1.0
        self._sensors = (*(file.sensor for file in files), *(counter.sensor for counter in counters))
        self._energies = [file.sensor.name for file in files if file.sensor.quantity is Quantity.ENERGY]
        self._batch = FileBatch(sysfs, files)
        self._counters = CounterBatch(sysfs, counters) if counters else None
        critical = any(sensor.critical for sensor in self._sensors)
        self._sleep = None if critical else _Sleep.probe(sysfs, chip)

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        if self._sleep and self._sleep.asleep(now_s):
            absence = Absence("asleep", self._sleep.since_s)
            for sensor in self._sensors:
                sink.absent[sensor.name] = absence
            if self._counters:
                self._counters.forget()
            return
        self._batch.sample(now_s, sink)
        for name in self._energies:
            if name in sink.readings:  # whole joules: finer energy readings tell what the processor computes on
                sink.readings[name] = float(round(sink.readings[name]))
        if self._counters:
            self._counters.sample(now_s, sink)

    def close(self) -> None:
        self._batch.close()
        if self._counters:
            self._counters.close()
        if self._sleep:
            self._sleep.close()


class _Sleep:
    """Run-time power state of a device (Documentation/power/runtime_pm.rst); reading it wakes nothing."""

    def __init__(self, sysfs: Sysfs, handle: int) -> None:
        self._sysfs = sysfs
        self._handle: int | None = handle
        self._sleeping = False
        self.since_s = 0.0

    @classmethod
    def probe(cls, sysfs: Sysfs, chip: Chip) -> _Sleep | None:
        if chip.bus not in {"pci", "scsi"}:
            return None
        try:
            return cls(sysfs, sysfs.open(f"{chip.device}/power/runtime_status"))
        except OSError:
            return None

    @classmethod
    def suspended(cls, sysfs: Sysfs, chip: Chip) -> bool:
        """Whether the chip sleeps at this moment."""
        sleep = cls.probe(sysfs, chip)
        if sleep is None:
            return False
        try:
            return sleep.asleep(0.0)
        finally:
            sleep.close()

    def asleep(self, now_s: float) -> bool:
        try:
            sleeping = self._handle is not None and self._sysfs.pread(self._handle, 16, 0).startswith(b"suspend")
        except OSError:
            sleeping = False  # the device is gone; reading its inputs will say so
        if sleeping and not self._sleeping:
            self.since_s = now_s
        self._sleeping = sleeping
        return sleeping

    def close(self) -> None:
        if self._handle is not None:
            self._sysfs.close(self._handle)
            self._handle = None


def _source(sysfs: Sysfs, chip: Chip, cpu: drivers.Processor, *, critical: bool) -> Hwmon:
    described = _Description(sysfs, chip, cpu, critical=critical)
    files: list[NumberFile] = []
    counters: list[Counter] = []
    for entry in described.inputs:
        kind, channel, number, suffix = _parts(entry)
        if suffix == "average" and kind != "power":
            continue
        averaged = f"{channel}_average" in described.entries
        # Where a power channel has both, the average is the channel's value.
        name = f"{channel}_input" if suffix == "input" and kind == "power" and averaged else channel
        files.append(described.file(name, entry))
        if kind == "energy" and not described.entries & {f"power{number}_input", f"power{number}_average"}:
            counters.append(described.watts(number, entry))
    return Hwmon(sysfs, chip, files, counters)


def _parts(entry: str) -> tuple[str, str, str, str]:
    """``temp1_input`` → temp, temp1, 1, input."""
    channel, _underscore, suffix = entry.rpartition("_")
    kind = channel.rstrip("0123456789")
    return kind, channel, channel.removeprefix(kind), suffix


def _order(entry: str) -> tuple[int, list[str | int]]:
    return list(_KINDS).index(_parts(entry)[0]), natural_key(entry)


class _Description:
    """Makes the sensors of one chip from its folder."""

    def __init__(self, sysfs: Sysfs, chip: Chip, cpu: drivers.Processor, *, critical: bool) -> None:
        self._sysfs = sysfs
        self._chip = chip
        self._cpu = cpu
        self.entries = set(sysfs.list(chip.folder))
        self.inputs = sorted((entry for entry in self.entries if chips.INPUT.fullmatch(entry)), key=_order)
        channels = dict.fromkeys(_parts(entry)[1] for entry in self.inputs)
        self._labels = {channel: self._label(channel) for channel in channels}
        temperatures = {channel: label for channel, label in self._labels.items() if channel.startswith("temp")}
        self._needed = drivers.representative(temperatures) if critical else frozenset()
        self._asleep = not critical and _Sleep.suspended(sysfs, chip)

    def file(self, name: str, entry: str) -> NumberFile:
        kind, channel, _number, _suffix = _parts(entry)
        known = drivers.driver(self._chip.driver, self._labels[channel])
        measured = _KINDS[kind]
        if measured.quantity is Quantity.TEMPERATURE:
            sensor = self._temperature(channel, known, path=f"{self._chip.folder}/{entry}")
            return NumberFile(sensor, sensor.path, measured.divisor, known.lowest_c, measured.high)
        sensor = Sensor(
            f"hwmon.{self._chip.name}.{name}",
            measured.quantity,
            self._say(channel) if name == channel else f"{self._say(channel)} input",
            self._limits(channel, measured),
            self._chip.driver,
            path=f"{self._chip.folder}/{entry}",
        )
        return NumberFile(sensor, sensor.path, measured.divisor, measured.low, measured.high)

    def watts(self, number: str, entry: str) -> Counter:
        """The power behind an energy counter that has no power input beside it (xe, amd_energy)."""
        channel, path = f"power{number}", f"{self._chip.folder}/{entry}"
        sensor = Sensor(
            f"hwmon.{self._chip.name}.{channel}",
            Quantity.POWER,
            self._say(f"energy{number}"),
            self._limits(channel, _KINDS["power"]),
            self._chip.driver,
            path=path,
        )
        return Counter(sensor, (path,), 1_000_000, _HIGHEST_POWER_W)

    def _temperature(self, channel: str, known: drivers.Driver, path: str) -> Sensor:
        critical = channel in self._needed
        limits = self._temperature_limits(channel, known) if known.heat else NO_LIMITS
        sensor = Sensor(
            f"hwmon.{self._chip.name}.{channel}",
            Quantity.TEMPERATURE,
            self._say(channel),
            limits,
            self._chip.driver,
            heat=Heat.CPU if critical else known.heat,
            critical=critical,
            path=path,
        )
        needs_limit = critical and limits.critical is None
        return drivers.with_default_limit(sensor, self._cpu) if needs_limit else sensor

    def _temperature_limits(self, channel: str, known: drivers.Driver) -> SensorLimits:
        maximum = drivers.sane_limit_c(self._number(f"{channel}_max", 1000)) if known.states_maximum else None
        critical = drivers.sane_limit_c(self._number(f"{channel}_crit", 1000))
        emergency = drivers.sane_limit_c(self._number(f"{channel}_emergency", 1000))
        minimum = self._number(f"{channel}_min", 1000)
        if minimum is not None and not drivers.LOWEST_C <= minimum < (maximum or 100.0):
            minimum = None
        return drivers.consistent(SensorLimits(minimum, maximum, critical, emergency))

    def _limits(self, channel: str, kind: _Kind) -> SensorLimits:
        """None of a card that sleeps: amdgpu wakes it to tell a power cap (and not to tell a temperature's limit)."""
        if self._asleep:
            return NO_LIMITS
        stated: list[float | None] = []
        for suffixes in (("min",), ("max", "cap"), ("crit",)):
            values = (self._number(f"{channel}_{suffix}", kind.divisor) for suffix in suffixes)
            sane = (value for value in values if value is not None and kind.low <= value <= kind.high)
            stated.append(next(sane, None))
        minimum, maximum, critical = stated
        return SensorLimits(minimum, maximum or None, critical or None)

    def _number(self, entry: str, divisor: int) -> float | None:
        try:
            return int(self._sysfs.read(f"{self._chip.folder}/{entry}")) / divisor if entry in self.entries else None
        except (OSError, ValueError, OverflowError):
            return None

    def _label(self, channel: str) -> str:
        entry = f"{channel}_label"
        try:
            label = self._sysfs.read(f"{self._chip.folder}/{entry}") if entry in self.entries else ""
        except OSError:
            return ""
        return " ".join(label.split())[:64] if label.isprintable() else ""

    def _say(self, channel: str) -> str:
        """What people call it."""
        label = self._labels[channel]
        what, _space, number = label.rpartition(" ")
        if what in {"Package id", "Physical id"}:
            return "CPU package" if number == "0" else f"CPU package {number}"
        if label in {"Tctl", "Tdie"}:
            return f"CPU {label}"
        return f"{self._chip.driver} {label or channel}"
