"""Rows for the predictor: walks and waves in a sensor's quanta, with what heats it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gamesad.neural.grid import Row
from gamesad.neural.model import Array
from gamesad.neural.thermal import Effort, Prediction, Thermal


def walk(seconds: int, sensors: int, *, seed: int = 1, missing: float = 0.0) -> list[Row]:
    """Each sensor follows a power of its own; whole degrees, and a part of the readings missing."""
    rng = np.random.default_rng(seed)
    power = (
        20
        + 5 * np.sign(np.sin(np.arange(seconds)[:, None] / (5 + np.arange(sensors))))
        + rng.normal(size=(seconds, sensors))
    )
    warmth = np.zeros((seconds, sensors))
    for second in range(1, seconds):
        warmth[second] = 0.8 * warmth[second - 1] + 0.2 * power[second]
    temperatures = np.rint(40 + warmth + rng.normal(size=(seconds, sensors)) * 0.3)
    temperatures[rng.random((seconds, sensors)) < missing] = np.nan
    return rows(temperatures, power)


def rows(temperatures: Array, power: Array | None = None, limits: Sequence[float] | None = None) -> list[Row]:
    """(seconds, sensors); power unknown unless given, and the load a fortieth of it."""
    nothing = np.full(temperatures.shape[1], np.nan)
    heat = np.full(temperatures.shape, np.nan) if power is None else power
    targets = nothing if limits is None else np.array(limits, float)
    return [Row(second, values, heat[second], heat[second] / 40, targets) for second, values in enumerate(temperatures)]


def only(row: Row, places: Sequence[int]) -> Row:
    """The row of some sensors, in this order."""
    chosen = list(places)
    return replace(
        row,
        temperatures=row.temperatures[chosen],
        power=row.power[chosen],
        load=row.load[chosen],
        limits=row.limits[chosen],
    )


def names(count: int) -> list[str]:
    return [f"coretemp.{place}.temp1" for place in range(count)]


def run(thermal: Thermal, seconds: Sequence[Row], effort: Effort = Effort.TRAINING) -> list[Prediction]:
    return [thermal.step(row, effort) for row in seconds]


def bits(predictions: Sequence[Prediction], places: Sequence[int] | None = None) -> bytes:
    """All that was said, of some sensors in this order."""
    return b"".join(
        (values if places is None else values[list(places)]).tobytes()
        for said in predictions
        for values in (said.expected, said.upper, said.upper_of_maximum, said.crossing, said.residual)
    )
