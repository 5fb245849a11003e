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


def routine(seed: int, days: int) -> Scenario:
    """Idle at night, else something else every 5 to 90 minutes; the room swings by ±2.5 °C over the day and drifts."""
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
        index = bisect_right(starts, t) - 1
        return does[index](t - starts[index])

    def ambient_c(t: float) -> float:
        day, part = divmod(t / DAY_S, 1.0)
        before, after = drift_c[min(int(day), days)], drift_c[min(int(day) + 1, days + 1)]
        return 23.0 + before + (after - before) * part - 2.5 * math.cos(2.0 * math.pi * (part - 0.15))

    return Scenario("routine", "days of ordinary use", load, ambient_c)


class Life:
    """A simulated machine that is read once a second of its own time."""

    def __init__(self, kind: str, seed: int, *, days: int) -> None:
        self.now_s = 0.0
        self.machine = Machine(KINDS[kind], routine(seed, days), seed, lambda: self.now_s)
        self.collector = Collector(self.machine.sysfs, clock=lambda: self.now_s)

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        return self.collector.sensors

    def watch(self, detector: Detector, count: int) -> Iterator[Episode]:
        """What a detector tells of the next ``count`` seconds."""
        for readings in self.seconds(count):
            yield from detector.step(Watched(round(self.now_s), self.now_s, readings, self.sensors, {}))

    def paths(self, quantity: Quantity) -> list[str]:
        return [sensor.path for sensor in self.sensors.values() if sensor.quantity is quantity]

    def seconds(self, count: int, between: Callable[[float], None] | None = None) -> Iterator[Mapping[str, float]]:
        """The readings of the next ``count`` seconds; ``between`` may break something before each."""
        for _ in range(count):
            self.now_s += 1.0
            if between is not None:
                between(self.now_s)
            yield self.collector.sample(self.now_s).readings


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that breaks: from ``begin`` to ``heal``."""

    name: str
    begin: Callable[[Life], None]
    heal: Callable[[Life], None]


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


FAULTS = (
    Fault("fan stops", _fan_stops, _fan_turns),
    Fault("sensor sticks", lambda it: it.machine.control.stick(_cpu(it)), lambda it: it.machine.control.heal(_cpu(it))),
    Fault(
        "sensor lies (85 °C)",
        lambda it: it.machine.control.fail_sensor(_cpu(it), value="85000"),
        lambda it: it.machine.control.heal(_cpu(it)),
    ),
    Fault(
        "sensor dies",
        lambda it: it.machine.control.fail_sensor(_cpu(it), errno.EIO),
        lambda it: it.machine.control.heal(_cpu(it)),
    ),
    Fault("fan clogged", lambda it: it.machine.control.clog(0.3), lambda it: it.machine.control.clog(1.0)),
    Fault("heat wave", lambda it: it.machine.control.ambient(18.0), lambda it: it.machine.control.ambient(0.0)),
)
