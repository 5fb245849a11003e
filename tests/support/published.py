"""Moments as the daemon publishes them, and what a reader then sees of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gamesad.crystal import reader
from gamesad.crystal.latest import Latest
from gamesad.crystal.publisher import Publisher
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from gamesad.crystal.texts import StatusText
from gamesad.report import Moment
from gamesad.telemetry.history import Record
from gamesad.types import Heat, Quantity, Sensor
from tests.support import ticks

POWER = "powercap.intel-rapl:0.power"
ENERGY = "powercap.intel-rapl:0.energy"
STATUS = "power_supply.BAT0.status"
SENSORS = {
    **ticks.SENSORS,
    POWER: Sensor(POWER, Quantity.POWER, "package-0"),
    ENERGY: Sensor(ENERGY, Quantity.ENERGY, "package-0"),
    STATUS: Sensor(STATUS, Quantity.STATE, "battery"),
}
READINGS = {ticks.CPU: 61.25, ticks.DISK: 40.0, POWER: 17.3456, ENERGY: 123456.789}


class Kept:
    """Takes the place of the rings: what was pushed."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, list[float]]] = []

    def push(self, wall_us: int, values: Sequence[float]) -> None:
        self.rows.append((wall_us, list(values)))


class Published:
    """A segment of few columns and its publisher."""

    def __init__(self, folder: Path, *, columns: int = 4, tunables: int = 2, machine: str = "a machine") -> None:
        self.path = f"{folder}/segment"
        self.segment = Segment.create(
            self.path,
            columns=columns,
            tunables=tunables,
            version="1.2",
            simulated=True,
            pool_max=1 << 20,
            stale_after_s=9,
        )
        self.history = Kept()
        text = StatusText(version="1.2", machine=machine, simulated=True)
        self.publisher = Publisher(Telemetry(self.segment), self.history, text, tunables=tunables)

    def latest(self) -> Latest:
        with reader.attach(self.path) as crystal:
            return crystal.latest()

    def everything(self) -> bytes:
        """Every byte that another user can read."""
        return Path(self.path).read_bytes()


def moment(
    readings: Mapping[str, float] = READINGS,
    *,
    now_s: float = 1.0,
    sensors: Mapping[str, Sensor] = SENSORS,
    **tick: Any,
) -> Moment:
    return replace(ticks.moment(ticks.tick(readings, now_s=now_s, **tick)), sensors=sensors)


def heat(name: str) -> Sensor:
    return Sensor(name, Quantity.TEMPERATURE, name, heat=Heat.OTHER)


def record(of: Moment) -> Record:
    return Record(of.tick.decision, of.wall_s, "balanced", {"temperature_c": 61.25}, ticks.CPU)
