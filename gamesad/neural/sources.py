"""What heats the place that each temperature is taken at, found from the declarations of sensors alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gamesad.neural.model import Array
from gamesad.types import Heat, Quantity, Sensor

_PACKAGE = re.compile(r"powercap\.intel-rapl:\d+\.power")
"""Documentation/power/powercap/powercap.rst: zones within one are parts of it, -mmio is the same once more."""
_PROCESSOR_DRIVERS = {"zenpower": "", "fam15h_power": "", "amd_energy": "Esocket"}
"""hwmon drivers that measure the processor's power, and what the label of a whole one has in it."""
_CORETEMP = re.compile(r"hwmon\.coretemp-isa-(\d+)\.")
_CPU_LOAD = "cpu.utilization"


@dataclass(frozen=True, slots=True)
class Feed:
    """Sensors whose powers add up and whose loads are averaged; of what is known if ``whole``, else all or nothing."""

    power: tuple[str, ...] = ()
    load: tuple[str, ...] = ()
    whole: bool = False

    def value(self, names: Sequence[str], values: Mapping[str, float]) -> tuple[float, int]:
        """Their sum and number; NaN where there are none, or one that counts has no value."""
        known = [values[name] for name in names if values[name] == values[name]]  # not NaN
        if not known or (len(known) < len(names) and not self.whole):
            return math.nan, 1
        return sum(known), len(known)


class Sources:
    """The temperatures of a machine, and for each what heats it. A sensor of power or load that declares ``heat``, as
    those made from other programs' logs do, counts for that; only without any is one found by its name."""

    def __init__(self, sensors: Mapping[str, Sensor]) -> None:
        temperatures = [sensor for sensor in sensors.values() if sensor.quantity is Quantity.TEMPERATURE]
        finder = _Finder(sensors)
        feeds = {sensor.name: finder.feed(sensor) for sensor in temperatures}
        self.temperatures: tuple[str, ...] = tuple(feeds)
        self.feeding: tuple[str, ...] = tuple(
            dict.fromkeys(name for feed in feeds.values() for name in (*feed.power, *feed.load))
        )
        """All sensors of power and load whose values are wanted."""
        self._feeds = list(dict.fromkeys(feeds.values()))
        self._feed_of: list[int] = [self._feeds.index(feed) for feed in feeds.values()]

    def feed(self, values: Mapping[str, float]) -> tuple[Array, Array]:
        """Power in W and load in 0..1, (temperatures,) each, from a value (NaN: unknown) for each of ``feeding``."""
        power = [feed.value(feed.power, values)[0] for feed in self._feeds]
        loads = [feed.value(feed.load, values) for feed in self._feeds]
        load = [total / count for total, count in loads]
        return np.array([power[i] for i in self._feed_of], float), np.array([load[i] for i in self._feed_of], float)

    def meter(self, index: int) -> tuple[str, ...]:
        """The sensors whose power heats this one of ``temperatures``."""
        return self._feeds[self._feed_of[index]].power


class _Finder:
    def __init__(self, sensors: Mapping[str, Sensor]) -> None:
        self._power = [sensor for sensor in sensors.values() if sensor.quantity is Quantity.POWER]
        self._load = [sensor for sensor in sensors.values() if sensor.quantity is Quantity.UTILIZATION]
        self._packages = _packages(self._power)
        self._processor = self._declared(Heat.CPU) or Feed(
            tuple(chain(*self._packages.values())) or _by_driver(self._power), _among(self._load, _CPU_LOAD)
        )
        cards = dict.fromkeys(_chip(sensor) for sensor in sensors.values() if sensor.heat is Heat.GPU)
        self._cards = {card: self._declared(Heat.GPU) or self._card(card) for card in cards}
        feeds = (self._processor, *self._cards.values())
        power = dict.fromkeys(name for feed in feeds for name in feed.power)
        load = dict.fromkeys(name for feed in feeds for name in feed.load)
        self._everything = Feed(tuple(power), tuple(load), whole=True)

    def feed(self, sensor: Sensor) -> Feed:
        if sensor.heat is Heat.GPU:
            return self._cards[_chip(sensor)]
        if sensor.heat is not Heat.CPU:
            return self._everything
        package = _CORETEMP.match(sensor.name)
        if package and len(self._packages) > 1 and (number := int(package[1])) in self._packages:
            return Feed(tuple(self._packages[number]), self._processor.load)
        return self._processor

    def _declared(self, heat: Heat) -> Feed | None:
        power, load = (tuple(one.name for one in some if one.heat is heat) for some in (self._power, self._load))
        return Feed(power, load) if power or load else None

    def _card(self, chip: str) -> Feed:
        """The first power: xe states that of the card and, within it, that of the package."""
        power = [sensor.name for sensor in self._power if _chip(sensor) == chip]
        return Feed(tuple(power[:1]), _among(self._load, f"gpu.{chip}.gpu_busy"))


def _packages(power: Iterable[Sensor]) -> dict[int, list[str]]:
    """The power sensors of each processor package by its number: one, or one for each die."""
    found: dict[int, list[str]] = {}
    for sensor in power:
        if _PACKAGE.fullmatch(sensor.name) and (label := re.fullmatch(r"package-(\d+)(-die-\d+)?", sensor.label)):
            found.setdefault(int(label[1]), []).append(sensor.name)
    return found


def _by_driver(power: Iterable[Sensor]) -> tuple[str, ...]:
    named = [(one, _PROCESSOR_DRIVERS[one.driver]) for one in power if one.driver in _PROCESSOR_DRIVERS]
    return tuple(sensor.name for sensor, mark in named if mark in sensor.label)


def _among(sensors: Iterable[Sensor], name: str) -> tuple[str, ...]:
    return tuple(sensor.name for sensor in sensors if sensor.name == name)


def _chip(sensor: Sensor) -> str:
    """``amdgpu-pci-0300`` of ``hwmon.amdgpu-pci-0300.temp1`` and of ``gpu.amdgpu-pci-0300.gpu_busy``."""
    return sensor.name.split(".")[1] if "." in sensor.name else sensor.name
