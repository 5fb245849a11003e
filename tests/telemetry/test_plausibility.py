"""A temperature that stands still is stuck when its processor must have got warmer, and at no other time."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.hardware.base import Sink
from gamesad.telemetry.plausibility import UNCHANGED_S, Plausibility
from gamesad.types import Heat, Quantity, Sensor, SensorLimits

PACKAGE, CORE = "hwmon.coretemp-isa-0000.temp1", "hwmon.coretemp-isa-0000.temp2"
OTHER_PACKAGE = "hwmon.coretemp-isa-0001.temp1"
LOAD, POWER, OTHER_POWER = "cpu.utilization", "powercap.intel-rapl:0.power", "powercap.intel-rapl:1.power"

SENSORS = {
    sensor.name: sensor
    for sensor in (
        Sensor(PACKAGE, Quantity.TEMPERATURE, "CPU package", driver="coretemp", heat=Heat.CPU, critical=True),
        Sensor(OTHER_PACKAGE, Quantity.TEMPERATURE, "CPU package 1", driver="coretemp", heat=Heat.CPU, critical=True),
        Sensor(CORE, Quantity.TEMPERATURE, "coretemp Core 0", driver="coretemp", heat=Heat.CPU),
        Sensor(LOAD, Quantity.UTILIZATION, "CPU"),
        Sensor(POWER, Quantity.POWER, "package-0", driver="intel-rapl"),
        Sensor(OTHER_POWER, Quantity.POWER, "package-1", driver="intel-rapl"),
        Sensor("powercap.intel-rapl:0:0.power", Quantity.POWER, "package-0 core", driver="intel-rapl"),
    )
}


class Judged:
    """A machine with these sensors, its package at 50 °C after it has moved; ``pass_time`` gives it readings."""

    def __init__(self, *names: str, critical_c: float | None = 100.0, driver: str = "coretemp", first_c: float = 49.0):
        sensors = {name: SENSORS[name] for name in (PACKAGE, *names)}
        limits = SensorLimits(critical=critical_c)
        sensors[PACKAGE] = dataclasses.replace(SENSORS[PACKAGE], limits=limits, driver=driver)
        self.sensors = sensors
        self.plausibility = Plausibility()
        self.plausibility.watch(sensors)
        self.now_s = 1000.0
        self.judge({PACKAGE: first_c})

    def judge(self, readings: dict[str, float], ages_s: dict[str, float] | None = None) -> Sink:
        sink = Sink(readings=dict(readings))
        self.plausibility.judge(sink, self.now_s, ages_s or {})
        assert sink.readings.keys() | sink.rejected.keys() == readings.keys()
        assert not sink.readings.keys() & sink.rejected.keys()
        return sink

    def pass_time(self, seconds: float, *, step_s: float = 2.0, package_c: float = 50.0, **others: float) -> list[str]:
        """The reasons for which the package was rejected meanwhile; ``others``: load, power, core ..."""
        names = {"load": LOAD, "power": POWER, "other_power": OTHER_POWER, "core": CORE, "other_c": OTHER_PACKAGE}
        readings = {PACKAGE: package_c} | {names[short]: value for short, value in others.items()}
        reasons = []
        for _ in range(round(seconds / step_s)):
            self.now_s += step_s
            sink = self.judge(readings)
            reasons += [rejection.reason for rejection in sink.rejected.values()]
        return reasons


def test_power_that_doubles_under_a_temperature_that_stands_still_is_told_with_the_numbers() -> None:
    machine = Judged(POWER, LOAD)
    assert machine.pass_time(50.0, power=5.0, load=0.03) == []
    reasons = machine.pass_time(30.0, power=41.0, load=1.0)
    assert re.fullmatch(r"stuck: unchanged for 6\d s while package power went from 5 to 41 W", reasons[0])
    assert len(set(reasons)) == 1, "told once, not anew at every tick"


def test_without_power_it_is_the_load_that_tells() -> None:
    machine = Judged(LOAD)
    machine.pass_time(120.0, load=0.03)
    reasons = machine.pass_time(24.0, load=1.0)
    assert re.fullmatch(r"stuck: unchanged for 1\d\d s while the processor went from 3 to 100 % busy", reasons[0])


def test_a_core_that_rises_past_its_package_tells_without_any_load() -> None:
    machine = Judged(CORE)
    machine.pass_time(60.0, core=48.0)
    reasons = machine.pass_time(30.0, core=61.0)
    assert re.fullmatch(
        r"stuck: unchanged for \d+ s while other sensors of its chip went from 48 to \d\d °C", reasons[0]
    )


def test_a_core_that_moves_under_its_package_says_nothing() -> None:
    machine = Judged(CORE)  # graphics on the same chip may be what is hottest
    for core_c in (35.0, 51.0, 30.0, 50.0):
        assert machine.pass_time(60.0, core=core_c) == []


def test_it_is_found_soon_after_the_rise_and_not_before_a_minute() -> None:
    machine = Judged(POWER)
    machine.pass_time(600.0, power=5.0)
    begun_s = machine.now_s
    while not machine.pass_time(1.0, step_s=1.0, power=40.0):
        assert machine.now_s < begun_s + 22.0
    machine = Judged(POWER)
    machine.pass_time(14.0, power=5.0)
    assert machine.pass_time(UNCHANGED_S - 16.0, power=40.0) == []


def test_bursts_that_no_reading_of_the_temperature_meets_prove_nothing() -> None:
    """An application opens: 150 W for a second, and the package has cooled again when it is read next."""
    machine = Judged(POWER)
    for _ in range(30):
        assert machine.pass_time(58.0, power=10.0) == []
        assert machine.pass_time(2.0, power=75.0) == []
    machine = Judged(POWER)
    for _ in range(30):  # quiet: a mean of 10 s is all there is
        assert machine.pass_time(50.0, step_s=10.0, power=10.0) == []
        assert machine.pass_time(10.0, step_s=10.0, power=60.0) == []


def test_a_sensor_that_moves_again_is_believed_at_once() -> None:
    machine = Judged(POWER)
    machine.pass_time(60.0, power=5.0)
    assert machine.pass_time(30.0, power=40.0)
    assert machine.pass_time(2.0, package_c=50.5, power=40.0) == []
    assert machine.pass_time(600.0, package_c=50.5, power=40.0) == []


def test_a_sensor_that_never_moved_may_be_a_constant() -> None:
    machine = Judged(POWER, LOAD, CORE, first_c=50.0)
    for power, core_c in ((5.0, 40.0), (100.0, 90.0), (5.0, 40.0), (100.0, 90.0)):
        assert machine.pass_time(300.0, power=power, load=power / 100, core=core_c) == []


def test_acpitz_is_never_judged() -> None:
    machine = Judged(POWER, LOAD, driver="acpitz")
    assert machine.pass_time(300.0, power=5.0, load=0.0) == []
    assert machine.pass_time(300.0, power=90.0, load=1.0) == []


def test_regulation_at_a_limit_takes_power_back_and_that_proves_nothing() -> None:
    machine = Judged(POWER, LOAD)
    for power in (90.0, 60.0, 45.0, 30.0, 20.0):
        assert machine.pass_time(60.0, package_c=70.0, power=power, load=1.0) == []


def test_at_the_critical_temperature_firmware_holds_it_whatever_the_load() -> None:
    machine = Judged(POWER)
    assert machine.pass_time(120.0, package_c=98.0, power=20.0) == []
    assert machine.pass_time(120.0, package_c=98.0, power=60.0) == []
    machine.pass_time(120.0, package_c=97.0, power=20.0)
    assert machine.pass_time(120.0, package_c=97.0, power=60.0)


def test_a_register_at_the_cold_end_of_its_scale_proves_nothing() -> None:
    machine = Judged(LOAD, critical_c=70.0, driver="k10temp", first_c=25.0)
    machine.pass_time(120.0, package_c=0.0, load=0.0)
    assert machine.pass_time(120.0, package_c=0.0, load=1.0) == []


def test_a_counter_that_stood_still_is_no_low() -> None:
    machine = Judged(POWER)
    machine.pass_time(120.0, power=0.0)
    assert machine.pass_time(120.0, power=30.0) == []


def test_power_from_before_the_sensor_moved_is_no_evidence() -> None:
    """Load begins, the temperature jumps at once and then stays: the low power was before the jump."""
    machine = Judged(POWER)
    machine.pass_time(60.0, power=5.0)
    assert machine.pass_time(600.0, package_c=80.0, power=60.0) == []
    machine.judge({PACKAGE: 79.0})  # and the first value after the next jump still covers what was before it
    machine.now_s += 10.0
    machine.judge({PACKAGE: 79.0, POWER: 5.0})
    assert machine.pass_time(120.0, package_c=79.0, power=60.0) == []


def test_one_processor_of_two_may_stay_idle() -> None:
    machine = Judged(OTHER_PACKAGE, POWER, OTHER_POWER, LOAD)
    machine.pass_time(120.0, power=20.0, other_power=20.0, load=0.0, other_c=40.0)
    assert machine.pass_time(300.0, power=20.0, other_power=150.0, load=0.5, other_c=40.0) == []
    assert machine.pass_time(30.0, power=120.0, other_power=150.0, load=1.0, other_c=41.0)


def test_where_packages_hold_more_than_one_die_their_power_says_nothing_of_each() -> None:
    machine = Judged(OTHER_PACKAGE, POWER, LOAD)
    machine.pass_time(120.0, power=20.0, load=0.0, other_c=40.0)
    assert machine.pass_time(120.0, power=90.0, load=0.5, other_c=41.0) == []
    assert machine.pass_time(30.0, power=90.0, load=1.0, other_c=41.0)


def test_the_load_of_two_processors_together_must_leave_none_idle() -> None:
    machine = Judged(OTHER_PACKAGE, LOAD)
    machine.pass_time(120.0, load=0.02, other_c=40.0)
    assert machine.pass_time(300.0, load=0.75, other_c=40.0) == []
    assert machine.pass_time(30.0, load=0.95, other_c=41.0)


def test_after_a_suspend_everything_begins_anew() -> None:
    machine = Judged(POWER)
    machine.pass_time(600.0, power=5.0)
    machine.plausibility.watch(machine.sensors, anew=True)
    assert machine.pass_time(600.0, power=60.0) == []


def test_a_device_that_comes_or_goes_elsewhere_changes_nothing() -> None:
    machine = Judged(POWER)
    machine.pass_time(60.0, power=5.0)
    machine.plausibility.watch(machine.sensors | {OTHER_POWER: dataclasses.replace(SENSORS[LOAD], name=OTHER_POWER)})
    assert machine.pass_time(30.0, power=60.0)
    machine.plausibility.watch(machine.sensors | {LOAD: SENSORS[LOAD]}, anew=True)
    assert machine.pass_time(2.0, power=60.0), "nor does a suspend make a stuck sensor well"


def test_what_was_not_read_did_not_stand_still() -> None:
    machine = Judged(POWER)
    machine.pass_time(60.0, power=5.0)
    machine.now_s += 100.0  # absent meanwhile
    assert machine.pass_time(50.0, power=60.0) == []
    assert machine.pass_time(600.0, power=60.0) == [], "the low was before the gap"


def test_one_old_reading_delivered_again_and_again_is_no_evidence() -> None:
    """Readings off the tick have an age: only new ones count, of the sensor and of what tells against it."""
    machine = Judged(POWER)
    machine.pass_time(60.0, power=5.0)
    for age_s in range(60):
        machine.now_s += 1.0
        assert machine.judge({PACKAGE: 50.0, POWER: 60.0}, {POWER: age_s + 1.0}).rejected == {}


# Whatever happens

loads = st.lists(st.tuples(st.floats(0.5, 5.0), st.floats(0.0, 1.0), st.floats(0.0, 300.0)), min_size=5, max_size=120)
"""Seconds passed, load and watts."""


def played(machine: Judged, steps: Sequence[tuple[float, float, float]], temps_c: Sequence[float]) -> bool:
    """Whether the package was rejected once."""
    found = False
    for (passed_s, load, watts), temp_c in zip(steps, temps_c, strict=True):
        machine.now_s += passed_s
        found |= bool(machine.judge({PACKAGE: temp_c, LOAD: load, POWER: watts, CORE: 30.0 + watts / 5}).rejected)
    return found


@given(loads, st.integers(1, 20), st.floats(0.001, 5.0))
@settings(max_examples=100, deadline=None)
def test_whatever_moves_within_a_minute_is_never_stuck(
    steps: list[tuple[float, float, float]], every: int, by_c: float
) -> None:
    """At most 12 ticks of 5 s between two moves, and they may be a thousandth of a degree."""
    temps_c = [50.0 + by_c * (tick // min(every, 11) % 2) for tick in range(len(steps))]
    assert not played(Judged(LOAD, POWER, CORE), steps, temps_c)


@given(st.lists(st.floats(0.5, 25.0), min_size=20, max_size=120), st.floats(7.0, 200.0), st.data())
@settings(max_examples=60, deadline=None)
def test_a_constant_without_evidence_is_never_stuck(spans_s: list[float], watts: float, data: st.DataObject) -> None:
    """Power that stays within a factor of two, whatever the load; the cores stay under their package."""
    powers = data.draw(st.lists(st.floats(watts, watts * 1.99), min_size=len(spans_s), max_size=len(spans_s)))
    machine = Judged(LOAD, POWER, CORE)
    for passed_s, power in zip(spans_s, powers, strict=True):
        machine.now_s += passed_s
        load = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
        assert machine.judge({PACKAGE: 50.0, LOAD: load, POWER: power, CORE: 50.0 - 10 * load}).rejected == {}


@given(loads, st.floats(25.0, 95.0))
@settings(max_examples=60, deadline=None)
def test_a_constant_from_the_start_is_never_stuck(steps: list[tuple[float, float, float]], temp_c: float) -> None:
    assert not played(Judged(LOAD, POWER, CORE, first_c=temp_c), steps, [temp_c] * len(steps))


@given(
    st.floats(0.5, 20.0),
    st.floats(0.5, 20.0),
    st.floats(1.0, 30.0),
    st.floats(20.0, 97.9),
    st.floats(70.0, 5000.0),
)
@settings(max_examples=60, deadline=None)
def test_idle_then_busy_is_always_found(
    idle_step_s: float, busy_step_s: float, watts: float, temp_c: float, after_s: float
) -> None:
    """Whatever the rhythm of reading: within two spans of 10 s and three readings from the rise."""
    machine = Judged(POWER, first_c=temp_c - 1.0)
    machine.pass_time(max(after_s, 6 * idle_step_s), step_s=idle_step_s, package_c=temp_c, power=watts)
    busy_s = 2 * max(10.0 + 4.0, 3 * busy_step_s + 6.0) + 4.0
    assert machine.pass_time(busy_s, step_s=busy_step_s, package_c=temp_c, power=2 * watts + 6.0)
