"""Chips of /sys/class/hwmon: temperatures, fans, power, voltage, current, frequency, energy.

Documentation/hwmon/sysfs-interface.rst: millidegrees, rpm, microwatts, millivolts, milliamperes, hertz, microjoules.
Only the inputs are mandatory; labels and limits are optional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gamesad.hardware import chips, driver_table, drivers, processors
from gamesad.hardware.base import FileBatch, NumberFile, Sink, Source
from gamesad.hardware.chips import Chip
from gamesad.hardware.counters import Counter, CounterBatch
from gamesad.hardware.runtime_power import RuntimePower
from gamesad.hardware.sleep import rested
from gamesad.hardware.sysfs import Sysfs, natural_key
from gamesad.types import NO_LIMITS, Absence, Heat, Quantity, Sensor, SensorLimits

_HIGHEST_POWER_W = 10_000.0
_SLEEPY = frozenset({"pci", "scsi"})
"""The buses whose devices the kernel suspends by themselves."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """The range is wide on purpose: what lies outside is a broken or missing probe, not an extreme machine."""

    quantity: Quantity
    divisor: int
    low: float
    high: float


_KINDS: dict[str, _Kind] = {
    "temp": _Kind(Quantity.TEMPERATURE, 1000, driver_table.LOWEST_C, driver_table.HIGHEST_C),
    "fan": _Kind(Quantity.FAN, 1, 0, 40_000),  # server fans reach 30 000; a missing one may read 65 535 and more
    "power": _Kind(Quantity.POWER, 1_000_000, 0, _HIGHEST_POWER_W),
    "in": _Kind(Quantity.VOLTAGE, 1000, -60, 500),  # -12 V rails to mains at a power supply
    "curr": _Kind(Quantity.CURRENT, 1000, -1000, 1000),
    "freq": _Kind(Quantity.FREQUENCY, 1, 0, 2e10),
    "energy": _Kind(Quantity.ENERGY, 1_000_000, 0, 2.0**63),
}


def probe_sources(sysfs: Sysfs) -> list[Source]:
    found = chips.find(sysfs)
    critical = drivers.critical_of(sysfs, found).chips
    cpu = processors.processor(sysfs)
    sources: list[Source] = []
    for chip in found:
        alike = [one for one in found if one.driver == chip.driver]
        needed = chip.driver in critical
        node = f" {alike.index(chip)}" if needed and len(alike) > 1 else ""
        sources.append(rested(sysfs, chip, _source(sysfs, chip, cpu, node, critical=needed)))
    return sources


def chip_source(sysfs: Sysfs, chip: Chip) -> Hwmon:
    """One chip that is not the processor's, a graphics card's for instance."""
    return _source(sysfs, chip, processors.Processor(), "", critical=False)


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
        self._sleep = RuntimePower(sysfs, chip.device) if chip.bus in _SLEEPY and not critical else None

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def asleep(self, now_s: float) -> bool:
        return self._sleep is not None and self._sleep.asleep(now_s)

    def sample(self, now_s: float, sink: Sink) -> None:
        if self._sleep and self._sleep.asleep(now_s):
            absence = Absence("asleep", self._sleep.since_s)
            for sensor in self._sensors:
                sink.absent[sensor.name] = absence
            self.forget()
            return
        self._batch.sample(now_s, sink)
        for name in self._energies:
            if name in sink.readings:  # whole joules: finer energy readings tell what the processor computes on
                sink.readings[name] = float(round(sink.readings[name]))
        if self._counters:
            self._counters.sample(now_s, sink)

    def forget(self) -> None:
        """Counters stand still or are reset while the device sleeps."""
        if self._counters:
            self._counters.forget()

    def close(self) -> None:
        self._batch.close()
        if self._counters:
            self._counters.close()
        if self._sleep:
            self._sleep.close()


def _source(sysfs: Sysfs, chip: Chip, cpu: processors.Processor, node: str, *, critical: bool) -> Hwmon:
    described = _Description(sysfs, chip, cpu, node, critical=critical)
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


def _sleeps_now(sysfs: Sysfs, chip: Chip) -> bool:
    if chip.bus not in _SLEEPY:
        return False
    power = RuntimePower(sysfs, chip.device)
    try:
        return power.asleep(0.0)
    finally:
        power.close()


def _parts(entry: str) -> tuple[str, str, str, str]:
    """``temp1_input`` → temp, temp1, 1, input."""
    channel, _underscore, suffix = entry.rpartition("_")
    kind = channel.rstrip("0123456789")
    return kind, channel, channel.removeprefix(kind), suffix


def _order(entry: str) -> tuple[int, list[str | int]]:
    return list(_KINDS).index(_parts(entry)[0]), natural_key(entry)


class _Description:
    """Makes the sensors of one chip from its folder. ``node`` tells processors apart for people (" 0")."""

    def __init__(self, sysfs: Sysfs, chip: Chip, cpu: processors.Processor, node: str, *, critical: bool) -> None:
        self._sysfs = sysfs
        self._chip = chip
        self._cpu = cpu
        self._node = node
        self.entries = set(sysfs.list(chip.folder))
        self.inputs = sorted((entry for entry in self.entries if chips.INPUT.fullmatch(entry)), key=_order)
        channels = dict.fromkeys(_parts(entry)[1] for entry in self.inputs)
        self._labels = {channel: self._label(channel) for channel in channels}
        temperatures = {channel: label for channel, label in self._labels.items() if channel.startswith("temp")}
        self._needed = drivers.representative(temperatures, chip.driver) if critical else frozenset()
        self._asleep = not critical and _sleeps_now(sysfs, chip)

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

    def _temperature(self, channel: str, known: driver_table.Driver, path: str) -> Sensor:
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

    def _temperature_limits(self, channel: str, known: driver_table.Driver) -> SensorLimits:
        maximum = drivers.sane_limit_c(self._number(f"{channel}_max", 1000)) if known.states_maximum else None
        critical = drivers.sane_limit_c(self._number(f"{channel}_crit", 1000))
        emergency = drivers.sane_limit_c(self._number(f"{channel}_emergency", 1000))
        minimum = self._number(f"{channel}_min", 1000)
        if minimum is not None and not driver_table.LOWEST_C <= minimum < (maximum or 100.0):
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
            return f"CPU{self._node} {label}"
        return f"{self._chip.driver}{self._node} {label or channel}"
