"""Snapshots at any period become rows of whole seconds, each reading once and nothing made up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.neural.grid import GAP_S, MISSED_MOST, Grid, Row, fresh
from gamesad.types import Heat, Limit, Quantity, Sensor, Snapshot

CPU, GPU = "hwmon.coretemp-isa-0000.temp1", "hwmon.amdgpu-pci-0300.temp1"
POWER = "powercap.intel-rapl:0.power"


def sensor(name: str, quantity: Quantity = Quantity.TEMPERATURE, label: str = "", heat: Heat | None = None) -> Sensor:
    return Sensor(name, quantity, label, heat=heat)


SENSORS = {
    one.name: one
    for one in (
        sensor(CPU, heat=Heat.CPU),
        sensor(GPU, heat=Heat.GPU),
        sensor(POWER, Quantity.POWER, "package-0"),
        sensor("hwmon.amdgpu-pci-0300.power1", Quantity.POWER),
        sensor("cpu.utilization", Quantity.UTILIZATION),
        sensor("gpu.amdgpu-pci-0300.gpu_busy", Quantity.UTILIZATION),
    )
}
LIMITS = {CPU: Limit(CPU, "CPU", Heat.CPU, critical=True, target_c=90.0, envelope_c=95.0, failsafe_c=100.0, origin="")}


def at(second: float, value: float = 50.0, ages: Mapping[str, float] | None = None, **more: float) -> Snapshot:
    return Snapshot(0, second, {CPU: value, GPU: 40.0, POWER: 20.0, "cpu.utilization": 0.5} | more, ages_s=ages or {})


def rows(snapshots: Iterable[Snapshot], grid: Grid | None = None) -> list[Row]:
    grid = grid or Grid()
    return [row for snapshot in snapshots for row in grid.rows(snapshot, SENSORS, LIMITS)]


def column(found: Iterable[Row], index: int = 0) -> list[float | None]:
    """One sensor's values, None where there is none."""
    values = [float(row.temperatures[index]) for row in found]
    return [None if math.isnan(value) else value for value in values]


@pytest.mark.parametrize("period_s", [0.1, 0.25, 0.5, 1.0])
def test_ticks_within_a_second_make_one_row_of_its_first_readings(period_s: float) -> None:
    count = round(6 / period_s)
    found = rows(at(10.02 + n * period_s, 50.0 + n * period_s) for n in range(count))
    assert [row.second for row in found] == [10, 11, 12, 13, 14, 15]
    assert np.allclose([row.temperatures[0] for row in found], [50, 51, 52, 53, 54, 55], atol=period_s)


@pytest.mark.parametrize("period_s", [2.0, 5.0])
def test_a_second_without_a_tick_is_a_gap_and_never_a_repetition(period_s: float) -> None:
    found = rows(at(10.02 + n * period_s, 50.0 + n) for n in range(3))
    assert [row.second for row in found] == list(range(10, 11 + int(2 * period_s)))
    assert [value for value in column(found) if value is not None] == [50.0, 51.0, 52.0]
    assert np.isnan(found[1].power).all()
    assert np.isnan(found[1].load).all()


def test_a_reading_stands_where_it_was_read_and_only_once() -> None:
    """Read off the tick every 2.5 s: a new value shows in the first row after it was read."""
    ages = [0.2, 1.2, 2.2, 0.7, 1.7, 0.2]
    found = rows(at(10.0 + n, 50.0, {GPU: age}) for n, age in enumerate(ages))
    assert column(found, 1) == [40.0, None, None, 40.0, None, 40.0]
    assert None not in column(found, 0)


def test_the_same_reading_seen_in_two_seconds_counts_once() -> None:
    found = rows([at(10.9, ages={GPU: 0.1}), at(11.1, ages={GPU: 0.3}), at(12.1, ages={GPU: 0.1})])
    assert column(found, 1) == [40.0, None, 40.0]


def test_an_old_power_is_unknown() -> None:
    (row,) = rows([at(10.0, ages={POWER: 4.0})])
    assert math.isnan(row.power[0])
    assert row.load[0] == 0.5


def test_what_is_missing_or_no_number_is_nan_and_the_rest_stays() -> None:
    broken = Snapshot(0, 10.0, {CPU: math.inf, POWER: math.nan})
    (row,) = rows([broken])
    assert np.isnan(row.temperatures).all()
    assert np.isnan(row.power).all()
    assert row.limits[0] == 90.0
    assert math.isnan(row.limits[1])


def test_a_long_gap_is_a_bounded_number_of_empty_rows() -> None:
    found = rows([at(10.0), at(4000.0)])
    assert len(found) == MISSED_MOST + 2
    assert [row.second for row in found[1:]] == list(range(4000 - MISSED_MOST, 4001))
    assert column(found)[1:-1] == [None] * MISSED_MOST


def test_after_a_suspend_the_seconds_go_on_later_although_the_clock_stood_still() -> None:
    grid = Grid()
    first = rows([at(10.0), at(11.0)], grid)
    grid.interrupt()
    second = rows([at(11.5), at(12.5)], grid)
    assert [row.second for row in first] == [10, 11]
    assert second[-2].second == 11 + GAP_S
    assert second[-1].second == 12 + GAP_S
    assert column(second)[:-2] == [None] * MISSED_MOST


def test_what_an_earlier_run_saw_does_not_lead_up_to_the_first_second() -> None:
    grid = Grid()
    grid.interrupt()
    assert column(rows([at(10.0), at(11.0)], grid)) == [None] * MISSED_MOST + [50.0, 50.0]


def test_a_clock_that_goes_back_is_a_gap() -> None:
    found = rows([at(1000.0), at(1001.0), at(3.0), at(4.0)])
    seconds = [row.second for row in found]
    assert seconds == sorted(seconds)
    assert len(set(seconds)) == len(seconds)
    assert seconds[-1] == seconds[-2] + 1 == 1001 + GAP_S + 1


def test_sensors_that_come_and_go_change_the_names_and_nothing_else() -> None:
    grid = Grid()
    without = {name: one for name, one in SENSORS.items() if name != GPU}
    (row,) = grid.rows(at(10.0), without, LIMITS)
    assert (grid.names, row.temperatures.tolist()) == ((CPU,), [50.0])
    (row,) = grid.rows(at(11.0), SENSORS, LIMITS)
    assert (grid.names, row.temperatures.tolist()) == ((CPU, GPU), [50.0, 40.0])
    (row,) = grid.rows(at(12.0), {GPU: SENSORS[GPU]}, LIMITS)
    assert (grid.names, row.temperatures.tolist()) == ((GPU,), [40.0])
    assert math.isnan(row.limits[0])


def test_fresh_readings_are_those_of_the_last_second() -> None:
    assert fresh(at(10.0, ages={GPU: 1.0, CPU: 0.9})) == {CPU: 50.0, POWER: 20.0, "cpu.utilization": 0.5}


@given(
    st.lists(
        st.tuples(
            st.floats(-5, 100),
            st.floats(allow_nan=True, allow_infinity=True),
            st.floats(0, 40),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_rows_are_finite_or_nan_and_their_seconds_count_up(steps: list[tuple[float, float, float, bool]]) -> None:
    grid, now_s, before = Grid(), 0.0, -math.inf
    for step_s, value, age_s, interrupted in steps:
        now_s += step_s
        if interrupted:
            grid.interrupt()
        found = grid.rows(at(now_s, value, {GPU: age_s}), SENSORS, LIMITS)
        assert len(found) <= MISSED_MOST + 1
        for row in found:
            assert row.second > before
            before = row.second
            for array in (row.temperatures, row.power, row.load):
                assert array.shape == (2,)
                assert not np.isinf(array).any()
