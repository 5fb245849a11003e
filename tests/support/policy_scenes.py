"""Scenes for the learnt policy: one laptop with a card, and anything that a sensor could say."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from gamesad.neural.policy.inputs import Scene
from gamesad.types import Forecast, Heat, Quantity, Sensor, Snapshot
from tests.support.policy_machines import CPU, POWER, intent, limit, tunables

GPU = "hwmon.amdgpu-pci-0300.temp1"
CARD_W = "hwmon.amdgpu-pci-0300.power1"
BUSY = "gpu.amdgpu-pci-0300.gpu_busy"
LOAD, PRESSURE, MEMORY = "cpu.utilization", "pressure.cpu.some_avg10", "memory.utilization"

SENSORS = {
    sensor.name: sensor
    for sensor in (
        Sensor(CPU, Quantity.TEMPERATURE, "CPU package", heat=Heat.CPU, critical=True),
        Sensor(GPU, Quantity.TEMPERATURE, "edge", heat=Heat.GPU),
        Sensor(CARD_W, Quantity.POWER, "PPT"),
        Sensor(BUSY, Quantity.UTILIZATION, "busy"),
        Sensor(POWER, Quantity.POWER, "package-0"),
        Sensor(LOAD, Quantity.UTILIZATION, "CPU"),
        Sensor(PRESSURE, Quantity.PRESSURE, "cpu some pressure, 10 s"),
        Sensor(MEMORY, Quantity.UTILIZATION, "memory"),
    )
}
LIMITS = {CPU: limit(), GPU: limit(GPU, 90.0, heat=Heat.GPU, critical=False)}
CONTROLS = tunables()
USUAL = {CPU: 60.0, GPU: 55.0, CARD_W: 40.0, BUSY: 0.4, POWER: 20.0, LOAD: 0.3, PRESSURE: 0.02, MEMORY: 0.5}


def scene(at_s: float, readings: dict[str, float] | None = None, *, wish: Any = None, **more: Any) -> Scene:
    """``readings`` on top of what is usual; NaN takes one away."""
    values = {name: value for name, value in (USUAL | (readings or {})).items() if not math.isnan(value)}
    parts: dict[str, Any] = {"forecast": None, "limits": LIMITS, "sensors": SENSORS, "controls": CONTROLS} | more
    return Scene(snapshot=Snapshot(int(at_s), at_s, values), intent=wish or intent(), **parts)


def forecast(upper_c: float) -> Forecast:
    """Both temperatures come to at most ``upper_c``."""
    return Forecast((1.0, 2.0), {CPU: (50.0, 50.0)}, {CPU: (50.0, upper_c), GPU: (50.0, 50.0)}, 0.9)


_ANY = st.floats() | st.sampled_from([0.0, 1.0, 60.0, 92.0, 94.0, 97.0, -273.1, 65261.8, 1e308, -1e308, 1e-308])


@st.composite
def wild_scenes(draw: st.DrawFn) -> list[Scene]:
    """3 to 40 seconds of anything: missing, absurd, not numbers, seconds left out, clocks that go back."""
    at_s, made = draw(st.sampled_from([0.0, 1e6])), []
    for _ in range(draw(st.integers(3, 40))):
        at_s += draw(st.sampled_from([1.0, 1.0, 1.0, 1.0, 2.0, 50.0, -3.0]))
        readings = draw(st.dictionaries(st.sampled_from(list(USUAL)), _ANY, max_size=4))
        more = {
            "anomaly": draw(st.booleans()),
            "frame_rate": draw(st.none() | _ANY),
            "forecast": draw(st.none() | st.builds(forecast, _ANY)),
        }
        made.append(scene(at_s, readings, **more))
    return made
