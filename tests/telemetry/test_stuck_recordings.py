"""On what real machines recorded, no living sensor is called stuck, and one that is frozen by hand is found."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pytest

from gamesad.hardware.base import Sink
from gamesad.telemetry.plausibility import Plausibility
from gamesad.types import Heat, Quantity, Sensor, SensorLimits
from tests.support.traces import Row, traces

CHIP = "hwmon.coretemp-isa-0000"
PACKAGE, LOAD, POWER = f"{CHIP}.temp1", "cpu.utilization", "powercap.intel-rapl:0.power"
FROZEN = 25


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> dict[str, list[Row]]:
    return traces(recordings)


def machine(rows: Sequence[Row], *, power: bool) -> dict[str, Sensor]:
    made = [
        Sensor(
            PACKAGE, Quantity.TEMPERATURE, "CPU package", SensorLimits(critical=100.0), heat=Heat.CPU, critical=True
        ),
        Sensor(LOAD, Quantity.UTILIZATION, "CPU"),
    ]
    made += [Sensor(POWER, Quantity.POWER, "package-0")] if power else []
    made += [Sensor(name, Quantity.TEMPERATURE, name, heat=Heat.CPU) for name in cores(rows[0])]
    return {sensor.name: sensor for sensor in made}


def cores(row: Row) -> dict[str, float]:
    return {f"{CHIP}.temp{place + 2}": core_c for place, core_c in enumerate(row.cores_c)}


def found_s(rows: Sequence[Row], sensors: dict[str, Sensor], frozen_s: float = math.inf) -> float | None:
    """When the package's sensor, which sticks at ``frozen_s``, is first called stuck."""
    plausibility = Plausibility()
    plausibility.watch(sensors)
    frozen_c = None
    for row in rows:
        if row.at_s >= frozen_s and frozen_c is None:
            frozen_c = row.package_c
        readings = {PACKAGE: row.package_c if frozen_c is None else frozen_c, LOAD: row.load, POWER: row.power_w}
        sink = Sink(readings=readings | cores(row))
        plausibility.judge(sink, row.at_s, {})
        if sink.rejected:
            return row.at_s
    return None


def coarse(rows: Sequence[Row], step_c: float) -> list[Row]:
    """The same through a sensor of so many degrees."""
    return [Row(row.at_s, step_c * round(row.package_c / step_c), row.load, row.power_w, row.cores_c) for row in rows]


@pytest.mark.parametrize("power", [True, False], ids=["by power", "by load"])
def test_no_recorded_sensor_is_called_stuck(recorded: dict[str, list[Row]], *, power: bool) -> None:
    """Not even through a sensor that shows every tenth degree only."""
    assert sum(rows[-1].at_s - rows[0].at_s for rows in recorded.values()) > 3600.0
    for name, rows in recorded.items():
        for step_c in (1.0, 2.0, 5.0, 10.0):
            assert found_s(coarse(rows, step_c), machine(rows, power=power)) is None, (name, step_c)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_frozen_one_is_found_where_the_load_comes_and_goes(recorded: dict[str, list[Row]], seed: int) -> None:
    rows = recorded["i9-12900H laptop, bursts to 100 °C"]
    sensors, moments = machine(rows, power=True), random.Random(seed)
    after_s = []
    for _ in range(FROZEN):
        frozen_s = moments.uniform(rows[0].at_s, rows[-1].at_s - 600.0)
        at_s = found_s(rows, sensors, frozen_s)
        after_s.append(math.inf if at_s is None else at_s - frozen_s)
    assert sum(math.isfinite(seconds) for seconds in after_s) >= 0.9 * len(after_s)
    assert 60.0 <= median(after_s) < 180.0
