"""How often a tick comes and what it reads: hurried near a limit, seldom when cool."""

from __future__ import annotations

from gamesad.cadence import Cadence, cadence
from gamesad.types import Mode, Tick
from tests.support.ticks import CPU, DISK, tick


def after(this: Tick, previous: Tick | None = None) -> Cadence:
    return cadence(this, previous, fastest_s=0.5, slowest_s=2.0)


def test_cool_and_quiet_reads_the_critical_sensors_every_2_s_and_the_rest_seldom() -> None:
    assert after(tick({CPU: 40.0, "cpu.utilization": 0.02})) == Cadence(2.0, 10.0)


def test_within_15_degrees_of_a_limit_two_ticks_fit_into_a_second() -> None:
    assert after(tick({CPU: 84.1})).period_s == 0.5
    assert after(tick({CPU: 83.9})).period_s == 2.0


def test_a_hot_disk_makes_nobody_hurry() -> None:
    assert after(tick({CPU: 40.0, DISK: 79.0})).period_s == 2.0


def test_a_busy_machine_is_read_every_second() -> None:
    assert after(tick({CPU: 40.0, "cpu.utilization": 0.9})) == Cadence(1.0, 1.0)


def test_a_machine_that_warms_quickly_is_read_every_second() -> None:
    assert after(tick({CPU: 50.0}), tick({CPU: 46.0})).period_s == 1.0
    assert after(tick({CPU: 50.0}), tick({CPU: 49.0})).period_s == 2.0


def test_in_failsafe_the_lost_sensor_is_looked_for_often() -> None:
    assert after(tick({}, mode=Mode.FAILSAFE)).period_s == 0.5
