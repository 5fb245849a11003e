"""The eight inputs, read from one scene, and what is usual of each.

An input may come in two kinds (latency: a game's frame time, or the CPU's pressure stall when there is no game), each
with statistics of its own. What is unknown, or cannot be true, is NaN here and 0, its mean, for the network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gamesad.neural.model import Array, Arrays, Unusable
from gamesad.types import Advice, Controls, Forecast, Heat, Intent, Limit, Quantity, Role, Sensor, Snapshot

INPUTS = ("temperature headroom", "CPU", "GPU", "power", "frame rate", "latency", "memory", "forecast headroom")
MOST_UNKNOWN = 3
_UNITS_PER_W = {"µW": 1e6, "mW": 1e3, "W": 1.0}


class Kind(NamedTuple):
    """One kind of an input: what it may be at all, and the least that counts as a deviation."""

    name: str
    least: float
    most: float
    grain: float


KINDS = (
    Kind("headroom_c", -60.0, 150.0, 1.0),
    Kind("cpu", 0.0, 1.0, 0.02),
    Kind("gpu", 0.0, 1.0, 0.02),
    Kind("gpu_w", 0.0, 2000.0, 2.0),
    Kind("power_part", 0.0, 4.0, 0.02),
    Kind("power_w", 0.0, 4000.0, 2.0),
    Kind("frames", 0.0, 2000.0, 1.0),
    Kind("frame_ms", 0.0, 2000.0, 0.5),
    Kind("pressure", 0.0, 1.0, 0.01),
    Kind("memory", 0.0, 1.0, 0.01),
    Kind("forecast_c", -60.0, 150.0, 1.0),
)
_FIRST_OF = (0, 1, 2, 4, 6, 7, 9, 10)
"""The first kind of each input."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the policy goes by in one second. ``frame_rate`` None: no game, or none that tells.

    ``would`` says in words what an advice would change now, without doing it.
    """

    snapshot: Snapshot
    forecast: Forecast | None
    limits: Mapping[str, Limit]
    intent: Intent
    sensors: Mapping[str, Sensor]
    controls: Controls
    anomaly: bool = False
    wall_s: float = 0.0
    frame_rate: float | None = None
    target_fps: float = 60.0
    would: Callable[[Advice], str] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """``values`` (8,) in their units, NaN = unknown; ``kinds`` (8,) which of KINDS each is."""

    values: Array
    kinds: np.ndarray[tuple[int], np.dtype[np.intp]]

    @property
    def unknown(self) -> int:
        return int(np.isnan(self.values).sum())

    @property
    def headroom_c(self) -> float:
        return float(self.values[0])

    @property
    def power_part(self) -> float:
        """Of the sustained limit; NaN where that or the power is unknown."""
        return float(self.values[3]) if KINDS[int(self.kinds[3])].name == "power_part" else math.nan

    @property
    def frame_rate(self) -> float:
        return float(self.values[4])


class Reader:
    """Finds once, for the sensors and controls of a machine, where each input is read."""

    def __init__(self) -> None:
        self._for: tuple[object, object] = (None, None)
        self._limits_for: Mapping[str, Limit] | None = None
        self._targets: dict[str, float] = {}
        self._busy: list[str] = []
        self._card_w: list[str] = []
        self._package_w: list[str] = []
        self._limited: list[tuple[str, float]] = []

    def read(self, scene: Scene) -> Reading:
        if self._for[0] is not scene.sensors or self._for[1] is not scene.controls:
            self._look(scene.sensors, scene.controls)
        readings = scene.snapshot.readings
        values = [math.nan] * len(INPUTS)
        kinds = list(_FIRST_OF)
        if self._limits_for is not scene.limits:
            self._limits_for = scene.limits
            self._targets = {n: limit.target_c for n, limit in scene.limits.items() if limit.heat is not Heat.OTHER}
        targets = self._targets
        values[0] = _least(target_c - readings.get(name, math.nan) for name, target_c in targets.items())
        values[1] = readings.get("cpu.utilization", math.nan)
        values[2] = _most(readings.get(name, math.nan) for name in self._busy)
        if math.isnan(values[2]):
            values[2], kinds[2] = _most(readings.get(name, math.nan) for name in self._card_w), 3
        values[3] = _most(
            readings.get(name, math.nan) / min(limit_w, scene.intent.power_limits_w.get(name, math.inf))
            for name, limit_w in self._limited
        )
        if math.isnan(values[3]):
            values[3], kinds[3] = math.fsum(readings.get(name, math.nan) for name in self._package_w) or math.nan, 5
        if scene.frame_rate is not None and scene.frame_rate > 0.0:
            values[4], values[5] = scene.frame_rate, 1000.0 / scene.frame_rate
        else:
            values[5], kinds[5] = readings.get("pressure.cpu.some_avg10", math.nan), 8
        values[6] = readings.get("memory.utilization", math.nan)
        if scene.forecast is not None:
            upper = scene.forecast.upper
            values[7] = _least(target_c - max(upper[name]) for name, target_c in targets.items() if upper.get(name))
        for index, value in enumerate(values):
            _name, least, most, _grain = KINDS[kinds[index]]
            if not least <= value <= most:
                values[index] = math.nan
        return Reading(np.array(values), np.array(kinds, np.intp))

    def _look(self, sensors: Mapping[str, Sensor], controls: Controls) -> None:
        self._for = (sensors, controls)
        cards = {name.split(".")[1] for name, sensor in sensors.items() if sensor.heat is Heat.GPU and "." in name}
        power = [name for name, sensor in sensors.items() if sensor.quantity is Quantity.POWER]
        self._busy = [name for name in sensors if name.endswith(".gpu_busy")]
        self._card_w = [name for name in power if "." in name and name.split(".")[1] in cards]
        self._package_w = [name for name in power if sensors[name].label.startswith("package-")]
        self._limited = []
        for limit in controls.of(Role.POWER_LIMIT):
            found, factor = controls.found.get(limit.name), _UNITS_PER_W.get(limit.unit)
            meter = limit.meter or limit.name.rsplit(".", 1)[0] + ".power"
            if isinstance(found, int) and found > 0 and factor is not None and meter in sensors:
                self._limited.append((meter, found / factor))


def _least(values: Iterable[float]) -> float:
    return min((value for value in values if math.isfinite(value)), default=math.nan)


def _most(values: Iterable[float]) -> float:
    return max((value for value in values if math.isfinite(value)), default=math.nan)


class Usual:
    """Mean, deviation and range of each kind, over about the last ``_MEMORY`` seconds that knew it."""

    _MEMORY = 40_000
    _KNOWN = 300
    _CLIP = 5.0

    def __init__(self) -> None:
        count = len(KINDS)
        self._grain = np.array([kind.grain for kind in KINDS])
        self.counts, self.means, self.squares = np.zeros(count), np.zeros(count), np.zeros(count)
        self.lows, self.highs = np.full(count, np.inf), np.full(count, -np.inf)

    def learn(self, reading: Reading) -> None:
        known = ~np.isnan(reading.values)
        kinds, values = reading.kinds[known], reading.values[known]
        self.counts[kinds] += 1.0
        part = 1.0 / np.minimum(self.counts[kinds], self._MEMORY)
        away = values - self.means[kinds]
        self.means[kinds] += part * away
        self.squares[kinds] += part * (away * (values - self.means[kinds]) - self.squares[kinds])
        self.lows[kinds] = np.minimum(self.lows[kinds], values)
        self.highs[kinds] = np.maximum(self.highs[kinds], values)

    def normal(self, reading: Reading) -> Array:
        """(8,) in deviations from the mean, clipped; 0 where unknown."""
        kinds = reading.kinds
        away = (reading.values - self.means[kinds]) / (
            np.sqrt(np.maximum(self.squares[kinds], 0.0)) + self._grain[kinds]
        )
        normal: Array = np.clip(np.nan_to_num(away), -self._CLIP, self._CLIP)
        return normal

    def stranger(self, reading: Reading) -> str:
        """An input that leaves what was seen by more than a deviation, or was hardly ever seen; "" for none."""
        kinds, values = reading.kinds, reading.values
        margin = np.sqrt(np.maximum(self.squares[kinds], 0.0)) + self._grain[kinds]
        outside = (values < self.lows[kinds] - margin) | (values > self.highs[kinds] + margin)
        strange = ~np.isnan(values) & (outside | (self.counts[kinds] < self._KNOWN))
        if not strange.any():
            return ""
        index = int(strange.argmax())
        low, high = self.lows[kinds[index]], self.highs[kinds[index]]
        seen = f"seen so far {low:.3g} to {high:.3g}" if low <= high else "never seen so far"
        return f"{INPUTS[index]} {values[index]:.3g}, {seen}"

    def state(self) -> dict[str, np.ndarray]:
        return {"usual": np.stack([self.counts, self.means, self.squares, self.lows, self.highs])}

    def load(self, state: Arrays) -> None:
        """Unusable: nothing has changed."""
        table = np.asarray(state["usual"], float)
        counts, means, squares, lows, highs = table if table.shape == (5, len(KINDS)) else np.full((5, 1), np.nan)
        if np.isnan(table).any() or not np.isfinite(np.stack([counts, means, squares])).all() or (squares < 0).any():
            raise Unusable("what is usual of the policy's inputs is not finite or of another shape")
        self.counts, self.means, self.squares = counts.copy(), means.copy(), squares.copy()
        self.lows, self.highs = lows.copy(), highs.copy()
