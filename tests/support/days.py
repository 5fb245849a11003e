"""Days in the life of a simulated machine: night, office, games and compiling in turn, a room that warms and cools."""

from __future__ import annotations

import errno
import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gamesad.neural.anomaly.detector import Detector, Watched
from gamesad.neural.anomaly.episodes import Episode
from gamesad.simulation.kinds import KINDS
from gamesad.simulation.machine import Machine
from gamesad.simulation.scenarios import SCENARIOS, Load, Scenario
from gamesad.telemetry.collector import Collector
from gamesad.types import Quantity, Sensor

DAY_S = 86400.0
_DOES = ("idle", "battery", "steady-game", "bursty-game", "compile")
"""The loads of these scenarios: ``battery`` is office work and video."""


EVERY_S = 5
"""Seconds between two readings: one for each of the detector's blocks."""


def routine(seed: int, days: int, hour: float = 0.0) -> Scenario:
    """Idle at night, else something else every 5 to 90 minutes; the room swings by ±2.5 °C over the day and drifts.
    It begins at ``hour`` of the first day."""
    dice = random.Random(seed)
    starts, does = [0.0], [SCENARIOS["idle"].load]
    for day in range(days):
        at_s = day * DAY_S + dice.uniform(7.0, 9.0) * 3600.0
        evening_s = day * DAY_S + dice.uniform(22.0, 23.5) * 3600.0
        while at_s < evening_s:
            starts.append(at_s)
            does.append(SCENARIOS[dice.choice(_DOES)].load)
            at_s += dice.uniform(300.0, 5400.0)
        starts.append(evening_s)
        does.append(SCENARIOS["idle"].load)
    drift_c = [dice.gauss(0.0, 0.8) for _ in range(days + 2)]

    def load(t: float) -> Load:
        t += hour * 3600.0
        index = bisect_right(starts, t) - 1
        return does[index](t - starts[index])

    def ambient_c(t: float) -> float:
        day, part = divmod((t + hour * 3600.0) / DAY_S, 1.0)
        before, after = drift_c[min(int(day), days)], drift_c[min(int(day) + 1, days + 1)]
        return 23.0 + before + (after - before) * part - 2.5 * math.cos(2.0 * math.pi * (part - 0.15))

    return Scenario("routine", "days of ordinary use", load, ambient_c)


class Life:
    """A simulated machine, read every five seconds of its own time, which begins at ``hour`` of the first day."""

    def __init__(self, kind: str, seed: int, *, days: int, hour: float = 0.0) -> None:
        self.now_s = hour * 3600.0
        self.machine = Machine(KINDS[kind], routine(seed, days, hour), seed, lambda: self.now_s)
        self.wrong_c: dict[str, float] = {}
        """By how much sensors read too high."""
        self.collector = Collector(self.machine.sysfs, clock=lambda: self.now_s)

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        return self.collector.sensors

    def watch(self, detector: Detector, seconds: float) -> Iterator[Episode]:
        """What a detector tells of that time."""
        for readings in self.readings(seconds):
            yield from detector.step(Watched(round(self.now_s), self.now_s, readings, self.sensors, {}))

    def paths(self, quantity: Quantity) -> list[str]:
        return [sensor.path for sensor in self.sensors.values() if sensor.quantity is quantity]

    def readings(self, seconds: float) -> Iterator[Mapping[str, float]]:
        for _ in range(round(seconds / EVERY_S)):
            self.now_s += EVERY_S
            read = self.collector.sample(self.now_s).readings
            yield {name: value + self.wrong_c.get(name, 0.0) for name, value in read.items()}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that breaks: from ``begin`` to ``heal``. ``sensor``: whether it is the CPU's first that lies."""

    name: str
    begin: Callable[[Life], None]
    heal: Callable[[Life], None]
    sensor: bool = False


def _fan_stops(life: Life) -> None:
    for path in life.paths(Quantity.FAN):
        life.machine.control.fail_sensor(path, value="0")
    life.machine.control.clog(0.1)  # none at all, and what nobody regulates burns


def _fan_turns(life: Life) -> None:
    for path in life.paths(Quantity.FAN):
        life.machine.control.heal(path)
    life.machine.control.clog(1.0)


def _cpu(life: Life) -> str:
    return life.machine.hwmon.cpu_sensors[0]


def cpu_name(life: Life) -> str:
    """Of the sensor that ``_cpu`` is the file of, by another of its paths."""
    file = _cpu(life).split("/")[-2:]
    return next(sensor.name for sensor in life.sensors.values() if sensor.path.split("/")[-2:] == file)


FAULTS = (
    Fault("fan stops", _fan_stops, _fan_turns),
    Fault(
        "sensor reads 25 °C too high",
        lambda it: it.wrong_c.update({cpu_name(it): 25.0}),
        lambda it: it.wrong_c.clear(),
        sensor=True,
    ),
    Fault(
        "sensor sticks",
        lambda it: it.machine.control.stick(_cpu(it)),
        lambda it: it.machine.control.heal(_cpu(it)),
        sensor=True,
    ),
    Fault(
        "sensor lies (85 °C)",
        lambda it: it.machine.control.fail_sensor(_cpu(it), value="85000"),
        lambda it: it.machine.control.heal(_cpu(it)),
        sensor=True,
    ),
    Fault(
        "sensor dies",
        lambda it: it.machine.control.fail_sensor(_cpu(it), errno.EIO),
        lambda it: it.machine.control.heal(_cpu(it)),
        sensor=True,
    ),
    Fault("fan clogged", lambda it: it.machine.control.clog(0.3), lambda it: it.machine.control.clog(1.0)),
    Fault("heat wave", lambda it: it.machine.control.ambient(18.0), lambda it: it.machine.control.ambient(0.0)),
)
