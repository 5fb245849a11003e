"""What is said of a moment: its thermal state, its sensors, and nothing that is unknown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gamesad.report import ThermalState, moved, readings_report, rounded, sensor_reports, thermal_state
from gamesad.summary import summary
from gamesad.types import Absence, Quantity, Rejection, Sensor
from tests.support.ticks import CPU, DISK, SENSORS, moment, tick


@pytest.mark.parametrize(
    ("temperature_c", "state"),
    [(40.0, "cool"), (83.9, "cool"), (84.0, "warm"), (93.9, "warm"), (94.0, "hot"), (99.9, "hot"), (100.1, "critical")],
)
def test_the_thermal_state_goes_by_the_headroom_under_the_limit(temperature_c: float, state: str) -> None:
    assert thermal_state(tick({CPU: temperature_c}), ThermalState.COOL) == state


def test_a_reading_on_a_border_does_not_flap() -> None:
    state, seen = ThermalState.COOL, []
    for reading in (83.8, 84.2, 83.8, 84.2, 83.8, 82.9, 83.2):
        state = thermal_state(tick({CPU: reading}), state)
        seen.append(str(state))
    assert seen == ["cool", "warm", "warm", "warm", "warm", "cool", "cool"]


def test_a_hot_disk_does_not_make_the_machine_hot() -> None:
    assert thermal_state(tick({DISK: 90.0, CPU: 40.0}), ThermalState.COOL) == "cool"


def test_while_the_sensors_are_lost_the_state_stays_what_it_was() -> None:
    assert thermal_state(tick({}), ThermalState.HOT) == "hot"


def test_what_is_regulated_comes_first_and_a_disk_is_never_the_hottest() -> None:
    report = readings_report(moment(tick({DISK: 75.0, CPU: 80.0})))
    assert [(row["Name"], row["Headroom"]) for row in report["Temperatures"]] == [(CPU, 19.0), (DISK, 5.0)]
    assert (report["HottestSensor"], report["Headroom"]) == (CPU, 19.0)


@pytest.mark.parametrize("limits", [{}, {CPU: 95.0, DISK: 95.0}])
def test_what_is_as_near_to_its_limit_stands_by_name_in_whatever_order_sensors_came(limits: dict[str, float]) -> None:
    twins = {name: replace(SENSORS[CPU], name=name) for name in (CPU, DISK)}
    for names in ((CPU, DISK), (DISK, CPU)):
        readings, sensors = dict.fromkeys(names, 80.0), {name: twins[name] for name in names}
        report = summary(sensors, readings, {}, limits, rejected=(), faults=())
        assert [row["Name"] for row in report["Temperatures"]] == [CPU, DISK]
        assert report.get("HottestSensor") == (CPU if limits else None)


def test_a_limit_for_alerts_is_told_apart_from_one_that_is_kept() -> None:
    reports = {one["Name"]: one for one in sensor_reports(moment(tick({DISK: 75.0, CPU: 80.0})))}
    assert (reports[CPU]["Regulated"], reports[DISK]["Regulated"]) == (True, False)


def test_what_is_unknown_is_absent_and_never_zero() -> None:
    report = readings_report(moment(tick({})))
    assert "Headroom" not in report
    assert "OnBattery" not in report
    assert "Battery" not in report
    assert report["Utilization"] == {}
    assert report["Temperatures"] == []


def test_a_sensor_without_a_reading_says_why() -> None:
    at = moment(
        tick({}, rejected={CPU: Rejection(216.0, "outside what is possible")}, absent={DISK: Absence("EIO", 0.0)})
    )
    cpu, disk = sensor_reports(at)
    assert (cpu["State"], cpu["Reason"]) == ("rejected", "216 is outside what is possible")
    assert (disk["State"], disk["Reason"]) == ("absent", "EIO")
    assert "Value" not in cpu
    assert "Value" not in disk


def test_power_is_told_in_tenths_of_a_watt() -> None:
    assert rounded(Quantity.POWER, 45.6789) == 45.7


def test_a_status_is_told_again_only_past_its_dead_bands() -> None:
    assert not moved({CPU: 80.0}, {CPU: 80.9}, SENSORS)
    assert moved({CPU: 80.0}, {CPU: 81.0}, SENSORS)
    assert moved({CPU: 80.0}, {CPU: 79.0}, SENSORS)
    assert moved({CPU: 80.0}, {}, SENSORS)
    assert moved({}, {CPU: 80.0}, SENSORS)


def test_what_no_status_shows_is_no_news_and_the_battery_always_is() -> None:
    voltage = Sensor("hwmon.board.in0", Quantity.VOLTAGE, "3.3 V")
    charge = Sensor("power_supply.BAT0.charge", Quantity.UTILIZATION, "battery")
    pack = Sensor("power_supply.BAT0.voltage", Quantity.VOLTAGE, "battery")
    flow = Sensor("power_supply.BAT0.current", Quantity.CURRENT, "battery")
    sensors = {sensor.name: sensor for sensor in (voltage, charge, pack, flow)}
    assert not moved({voltage.name: 3.3}, {voltage.name: 5.0}, sensors)
    assert not moved({pack.name: 12.1, flow.name: 1.5}, {pack.name: 12.0, flow.name: -1.5}, sensors)
    assert moved({charge.name: 0.51}, {charge.name: 0.50}, sensors)


def test_reports_are_plain_json() -> None:
    at = moment(tick({CPU: 80.0}))
    assert json.loads(json.dumps(readings_report(at))) == readings_report(at)
