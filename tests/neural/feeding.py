"""A learner fed as the daemon feeds it, with the readings of a small made-up machine that heats, cools and idles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gamesad.config import NeuralConfig
from gamesad.neural.findings import Finding
from gamesad.neural.learner import Learner
from gamesad.types import (
    Action,
    Applied,
    Controls,
    Decision,
    Forecast,
    Heat,
    Intent,
    Limit,
    Mode,
    Origin,
    Profile,
    Quantity,
    Sensor,
    Snapshot,
    Tick,
)

CPU, BOARD, CARD = "hwmon.coretemp-isa-0000.temp1", "hwmon.nct6779-isa-0290.temp2", "hwmon.amdgpu-pci-0300.temp1"
POWER, LOAD, FAN = "powercap.intel-rapl:0.power", "cpu.utilization", "hwmon.nct6779-isa-0290.fan1"
SENSORS = {
    one.name: one
    for one in (
        Sensor(CPU, Quantity.TEMPERATURE, "CPU package", heat=Heat.CPU, critical=True),
        Sensor(BOARD, Quantity.TEMPERATURE, "board", heat=Heat.OTHER),
        Sensor(POWER, Quantity.POWER, "package-0"),
        Sensor(LOAD, Quantity.UTILIZATION, "CPU"),
        Sensor(FAN, Quantity.FAN, "fan"),
    )
}
WITH_CARD = SENSORS | {CARD: Sensor(CARD, Quantity.TEMPERATURE, "edge", heat=Heat.GPU)}
LIMITS = {
    CPU: Limit(CPU, "CPU package", Heat.CPU, critical=True, target_c=90.0, envelope_c=95.0, failsafe_c=100.0, origin="")
}
UNLIMITED = NeuralConfig(tick_budget_ms=1e9)
_INTENT = Intent(Profile("balanced", "", 50, "balanced"), chosen=False)
_NOTHING = Decision(Action.NOOP, {}, Origin.RULE, "noop")


def readings(second: float) -> dict[str, float]:
    """Bursts of load, a die that follows in seconds and a board that follows in minutes; sensors of whole degrees."""
    busy = 0.5 + 0.5 * math.sin(second / 40.0) * math.sin(second / 7.0)
    board_c = 35.0 + 5.0 * math.sin(second / 300.0)
    values = {CPU: round(50.0 + 35.0 * busy), BOARD: round(board_c, 1), POWER: 5.0 + 60.0 * busy, LOAD: busy}
    return {**values, FAN: 800.0 + 10.0 * board_c, CARD: round(45.0 + 20.0 * busy)}


@dataclass
class Fed:
    """``found``: everything told so far."""

    learner: Learner
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: SENSORS)
    limits: Mapping[str, Limit] = field(default_factory=lambda: LIMITS)
    found: list[Finding] = field(default_factory=list)
    number: int = 0

    def tick(
        self, at_s: float, values: Mapping[str, float] | None = None, wall_s: float | None = None
    ) -> Forecast | None:
        """One tick as the pipeline and the worker make it; ``values`` None: the machine's own."""
        self.number += 1
        shown = readings(at_s) if values is None else values
        snapshot = Snapshot(self.number, at_s, {name: shown[name] for name in self.sensors if name in shown})
        learner, none = self.learner, Controls({}, {})
        forecast = learner.forecast(snapshot, self.sensors, self.limits)
        learner.advice(snapshot, forecast, self.limits, _INTENT, self.sensors, none)
        tick = Tick(snapshot, forecast, _NOTHING, Applied({}), _INTENT, self.limits, Mode.ACTIVE, 0.001)
        self.found += learner.learn(tick, self.sensors, 1e9 + at_s if wall_s is None else wall_s)
        learner.maintain()
        return forecast

    def seconds(self, since: int, until: int) -> Iterator[Forecast | None]:
        """A tick in each."""
        for second in range(since, until):
            yield self.tick(float(second))

    def run(self, since: int, until: int) -> Forecast | None:
        """The forecast of the last of these seconds."""
        *_, last = self.seconds(since, until)
        return last


def fed(*, seed: int = 0, **more: object) -> Fed:
    return Fed(Learner(replace(UNLIMITED, seed=seed), machine="a machine", wall=lambda: 1e9, **more))  # type: ignore[arg-type]


def finite(forecast: Forecast | None) -> bool:
    """Whether every number of it is one; True when there is none."""
    if forecast is None:
        return True
    numbers = [*forecast.expected.values(), *forecast.upper.values()]
    chances = all(0.0 <= chance <= 1.0 for chance in forecast.crossing.values())
    return chances and bool(np.isfinite(np.array(numbers)).all())
