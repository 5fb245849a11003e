"""Which sensors of a machine are watched, what each belongs to, and their readings of a few seconds as arrays.

A part is what heats: a processor package, a card; the last part is everything else. Every fan, power and frequency
belongs to a part, and so does every alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.sources import Sources
from gamesad.types import Heat, Quantity, Sensor

NAN = float("nan")
_BOUNDS = {
    Quantity.TEMPERATURE: (-60.0, 250.0),
    Quantity.POWER: (0.0, 1e4),
    Quantity.FAN: (0.0, 1e5),
    Quantity.FREQUENCY: (0.0, 2e10),
    Quantity.UTILIZATION: (0.0, 1.0),
    Quantity.PRESSURE: (0.0, 1.0),
}
"""What is not within is no reading."""
_QUORUM = 3
"""Of so many temperatures the others tell which one is wrong."""
_LOADS = ("cpu.utilization", "memory.utilization", "pressure.cpu.some_avg10")


class Kind(StrEnum):
    """What a target is, hence what it is explained by."""

    HOT = "hot"
    """A temperature of a part: by power, fan and the coolest of the others."""
    COOL = "cool"
    """Any other temperature: by the power of all parts, over minutes."""
    APART = "apart"
    """The same temperature by the same, and by what those beside it span: only what it is outside of that counts."""
    FAN = "fan"
    POWER = "power"
    FREQUENCY = "frequency"


@dataclass(frozen=True, slots=True)
class Target:
    """One number that is held against its explanation; ``sensor`` names it, several make up a mean or a sum."""

    kind: Kind
    sensor: str
    label: str
    part: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Means over a few seconds; NaN = unknown. Parts in the order of ``View.parts``, targets of ``View.targets``."""

    targets: Array
    power: Array
    """(parts,) W, or where there is no meter 100 · load."""
    load: Array
    """(parts,) 0..1."""
    fan: Array
    """(parts,) rpm, the mean of its fans."""
    hottest: Array
    """(parts,) °C that two of its sensors reach, if it has two: one may lie. Of the last part the coolest: the air."""
    coolest: Array
    """(parts,) °C that two of its sensors are not over, where there are three."""
    frequency: Array
    """(parts,) Hz."""
    memory: float
    pressure: float


def declarations(sensors: Mapping[str, Sensor]) -> NDArray[np.str_]:
    """(sensors, 5) words of all that a View goes by, from which ``sensors_of`` makes sensors again."""
    some = [one for one in sensors.values() if one.quantity in _BOUNDS]
    return np.array([(one.name, one.quantity, one.label, one.heat or "", one.driver) for one in some]).reshape(-1, 5)


def sensors_of(words: NDArray[np.str_]) -> dict[str, Sensor]:
    """ValueError: an unknown quantity or heat."""
    return {
        name: Sensor(name, Quantity(quantity), label, heat=Heat(heat) if heat else None, driver=driver)
        for name, quantity, label, heat, driver in words.tolist()
    }


class View:
    """What the declarations of sensors say; ``names`` are all readings wanted, in the order of the vectors."""

    def __init__(self, sensors: Mapping[str, Sensor]) -> None:
        self._sources = Sources(sensors)
        temperatures = [sensors[name] for name in self._sources.temperatures]
        keys = [_part(sensor) for sensor in temperatures]
        self.parts = (*sorted(dict.fromkeys(filter(None, keys)), key=_cards_last), "")
        fans = [sensor for sensor in sensors.values() if sensor.quantity is Quantity.FAN]
        clocks = [sensor for sensor in sensors.values() if sensor.quantity is Quantity.FREQUENCY]
        cards = {_chip(sensor) for sensor in temperatures if sensor.heat is Heat.GPU}
        self.has_meter = [False] * len(self.parts)
        self._first = [keys.index(key) for key in self.parts[:-1]]
        self._clocks = [self._clock(key, clocks) for key in self.parts[:-1]]
        targets: list[Target] = []
        for kind in (Kind.HOT, Kind.COOL):
            for sensor, key in zip(temperatures, keys, strict=True):
                if bool(key) is (kind is Kind.HOT):
                    targets.append(Target(kind, sensor.name, sensor.label, self.parts.index(key)))
        many = [key for key in self.parts[:-1] if keys.count(key) >= _QUORUM]
        targets += [replace(one, kind=Kind.APART) for one in targets if self.parts[one.part] in many]
        targets += [Target(Kind.FAN, fan.name, fan.label, self._owner(fan, cards)) for fan in fans]
        for part, key in enumerate(self.parts[:-1]):
            meter = self._sources.meter(keys.index(key))
            self.has_meter[part] = bool(meter)
            if meter:
                targets.append(Target(Kind.POWER, meter[0], _label(meter, sensors), part))
            if self._clocks[part]:
                targets.append(Target(Kind.FREQUENCY, self._clocks[part][0], _label(self._clocks[part], sensors), part))
        self.targets = tuple(targets)
        wanted = [*self._sources.temperatures, *self._sources.feeding, *(fan.name for fan in fans)]
        wanted += [name for names in self._clocks for name in names] + [name for name in _LOADS if name in sensors]
        self.names = tuple(dict.fromkeys(wanted))
        self._at = {name: index for index, name in enumerate(self.names)}
        self._low, self._high = np.array([_BOUNDS[sensors[name].quantity] for name in self.names]).reshape(-1, 2).T
        self._index()

    def _index(self) -> None:
        at = self._at
        direct = [Kind.HOT, Kind.COOL, Kind.APART, Kind.FAN]
        self._direct = np.array([at[one.sensor] for one in self.targets if one.kind in direct], int)
        self.columns = {
            kind: np.array([i for i, one in enumerate(self.targets) if one.kind is kind], int) for kind in Kind
        }
        self.part_of = np.array([one.part for one in self.targets], int)
        self._clock_at = [np.array([at[name] for name in names], int) for names in self._clocks]

    def _clock(self, key: str, clocks: Iterable[Sensor]) -> tuple[str, ...]:
        """All of the processor, or the first of a card."""
        if key.startswith(Heat.CPU):
            return tuple(clock.name for clock in clocks if clock.name.startswith("cpufreq."))
        return tuple(clock.name for clock in clocks if _chip(clock) == key.split(" ")[1])[:1]

    def _owner(self, fan: Sensor, cards: set[str]) -> int:
        if (chip := _chip(fan)) in cards:
            return self.parts.index(f"{Heat.GPU} {chip}")
        return 0 if self.parts[0].startswith(Heat.CPU) else len(self.parts) - 1

    def moment(self, values: Array) -> Moment:
        """``values`` (names,), NaN = unknown."""
        values = np.where((values >= self._low) & (values <= self._high), values, NAN)
        by_name = dict(zip(self.names, values.tolist(), strict=True))
        power_of, load_of = self._sources.feed(by_name)
        parts = len(self.parts)
        power, load, fan, hottest, coolest, frequency = np.full((6, parts), NAN)
        for part, first in enumerate(self._first):
            load[part] = load_of[first]
            power[part] = power_of[first] if self.has_meter[part] else 100.0 * load_of[first]
            frequency[part] = _mean(values[self._clock_at[part]])
        targets = np.full(len(self.targets), NAN)
        targets[: len(self._direct)] = values[self._direct]
        single = [by_name.get(name, NAN) for name in _LOADS]
        if np.isnan(load[0]):
            load[0] = single[0]
        for kind, of_part in ((Kind.POWER, power), (Kind.FREQUENCY, frequency)):
            at = self.part_of[self.columns[kind]]
            targets[self.columns[kind]] = np.where(np.isnan(load[at]), NAN, of_part[at])  # nothing else explains it
        hot, cool, fans = (self.columns[kind] for kind in (Kind.HOT, Kind.COOL, Kind.FAN))
        for part in range(parts):
            fan[part] = _mean(targets[fans[self.part_of[fans] == part]])
            coolest[part], hottest[part] = _span(targets[hot[self.part_of[hot] == part]])
        hottest[-1] = np.fmin.reduce(targets[cool]) if cool.size else NAN
        return Moment(targets, power, load, fan, hottest, coolest, frequency, single[1], single[2])


def _part(sensor: Sensor) -> str:
    """ "cpu coretemp-isa-0000", "gpu amdgpu-pci-0300"; "" for what no part heats."""
    if sensor.heat is Heat.GPU:
        return f"{Heat.GPU} {_chip(sensor)}"
    if sensor.heat is not Heat.CPU:
        return ""
    return f"{Heat.CPU} {_chip(sensor)}" if sensor.driver == "coretemp" else f"{Heat.CPU} coretemp-isa-0000"


def _cards_last(part: str) -> bool:
    """Everything that goes by part 0 means the processor, wherever its sensors stand among the others."""
    return not part.startswith(Heat.CPU)


def _chip(sensor: Sensor) -> str:
    return sensor.name.split(".")[1] if sensor.name.count(".") > 1 else ""


def _label(names: Sequence[str], sensors: Mapping[str, Sensor]) -> str:
    if len(names) == 1:
        return sensors[names[0]].label
    return "CPU frequency" if sensors[names[0]].quantity is Quantity.FREQUENCY else "CPU power"


def _span(values: Array) -> tuple[float, float]:
    """From the second lowest, which only three have, to the second highest: no single one that lies moves them far."""
    known = np.sort(values[np.isfinite(values)])
    return float(known[1]) if known.size >= _QUORUM else NAN, float(known[-2:][0]) if known.size else NAN


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.add.reduce(known)) / known.size if known.size else NAN
