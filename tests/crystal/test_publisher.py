"""What is published of a moment, and what is not."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gamesad.crystal import layout, reader
from gamesad.crystal.publisher import NoColumn
from gamesad.types import Absence, Action, Controls, Decision, Forecast, Intent, Origin, Rejection, Role, Tunable
from tests.support import ticks
from tests.support.published import (
    ENERGY,
    POWER,
    READINGS,
    SENSORS,
    STATUS,
    Published,
    heat,
    moment,
    record,
)

GOVERNOR = Tunable(
    "cpufreq.policy0.scaling_governor", Role.GOVERNOR, "policy0", "/x", choices=("powersave", "performance")
)
SECRETS = ("game.exe", "rendering", "uid 1000")


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Published]:
    made = Published(tmp_path)
    yield made
    made.segment.close()


def test_a_reader_sees_the_tick(published: Published) -> None:
    published.publisher.publish(moment(), None)
    seen = published.latest()
    assert seen.values == {ticks.CPU: 61.25, ticks.DISK: 40.0, POWER: 17.3}
    assert seen.limits == {ticks.CPU: 99.0, ticks.DISK: 80.0}
    assert (seen.monotonic_ns, seen.wall_ns, seen.uptime_s) == (10**9, 1001 * 10**9, 1.0)
    assert (seen.thermal_state, seen.mode, seen.action, seen.source) == ("cool", "active", "noop", "rule")
    assert published.history.rows == [(1001 * 10**6, pytest.approx([61.25, 40.0, 17.3, float("nan")], nan_ok=True))]


def test_what_a_sensor_lacks_is_said(published: Published) -> None:
    absent = {POWER: Absence("EACCES", 0.0), ENERGY: Absence("EACCES", 0.0)}
    rejected = {ticks.DISK: Rejection(216.0, "too hot to be true")}
    of = moment({ticks.CPU: 61.25}, absent=absent, rejected=rejected)
    published.publisher.publish(of, None)
    assert published.latest().states == {ticks.CPU: layout.OK, ticks.DISK: layout.REJECTED, POWER: layout.FAULT}
    assert published.latest().text["Absent"] == {ENERGY: "EACCES"}
    asleep = moment({ticks.CPU: 61.25, POWER: 1.0}, absent={ticks.DISK: Absence("asleep", 0.0)}, now_s=3.0)
    published.publisher.publish(asleep, None)
    assert published.latest().states == {ticks.CPU: layout.OK, ticks.DISK: layout.ABSENT, POWER: layout.OK}
    assert ticks.DISK not in published.latest().values


def test_a_power_is_rounded_and_changes_at_most_once_a_second(published: Published) -> None:
    seen = []
    for tenth in range(31):
        published.publisher.publish(moment({**READINGS, POWER: 10.0 + tenth + 0.0456}, now_s=5.0 + tenth / 10), None)
        seen.append(published.latest().values[POWER])
    assert [seen.count(value) for value in dict.fromkeys(seen)] == [10, 10, 10, 1]
    assert all(value == round(value, 1) for value in seen)
    assert [row[1][2] for row in published.history.rows] == seen


def test_a_power_that_comes_back_within_a_second_is_told_at_once(published: Published) -> None:
    without = {name: value for name, value in READINGS.items() if name != POWER}
    published.publisher.publish(moment(without, absent={POWER: Absence("first sample", 0.0)}), None)
    published.publisher.publish(moment(now_s=1.2), None)
    assert published.latest().values[POWER] == 17.3


def test_raw_energy_and_words_have_no_column(published: Published) -> None:
    published.publisher.publish(moment(), None)
    with reader.attach(published.path) as crystal:
        assert [column.name for column in crystal.directory().columns] == [ticks.CPU, ticks.DISK, POWER]
    assert b"123456" not in published.everything()
    assert ENERGY.encode() not in published.everything()


def test_who_holds_a_profile_and_why_is_nowhere_in_the_segment(published: Published) -> None:
    for number in range(3):  # both slots of every record
        held = moment(now_s=1.0 + number)
        intent = Intent(ticks.BALANCED, chosen=True, cause="held by game.exe: rendering of uid 1000", held=True)
        held = replace(held, tick=replace(held.tick, intent=intent), holds=2)
        published.publisher.publish(held, record(held))
    assert [secret for secret in SECRETS if secret.encode() in published.everything()] == []
    text = published.latest().text
    assert (text["HoldCount"], text["ProfileCause"]) == (2, "held")


def test_a_sensor_keeps_its_column_when_others_come_and_go(published: Published) -> None:
    published.publisher.publish(moment(), None)
    less = {name: sensor for name, sensor in SENSORS.items() if name != ticks.DISK}
    published.publisher.publish(moment({ticks.CPU: 50.0, POWER: 1.0}, sensors=less, now_s=3.0), None)
    assert published.latest().states == {ticks.CPU: layout.OK, POWER: layout.OK}
    with_new = {"hwmon.new": heat("hwmon.new"), **less}
    published.publisher.publish(
        moment({ticks.CPU: 50.0, POWER: 1.0, "hwmon.new": 33.0}, sensors=with_new, now_s=5.0), None
    )
    with reader.attach(published.path) as crystal:
        columns = crystal.directory().columns
        assert [(column.name, column.in_use) for column in columns] == [
            (ticks.CPU, True), (ticks.DISK, False), (POWER, True), ("hwmon.new", True),
        ]  # fmt: skip
        assert columns[1].label == ""
    assert published.latest().values == {ticks.CPU: 50.0, POWER: 1.0, "hwmon.new": 33.0}


def test_more_sensors_than_columns_publish_nothing(published: Published) -> None:
    published.publisher.publish(moment(), None)
    more = {**SENSORS, "hwmon.a": heat("hwmon.a"), "hwmon.b": heat("hwmon.b")}
    with pytest.raises(NoColumn):
        published.publisher.publish(moment(sensors=more, now_s=9.0), None)
    assert published.latest().monotonic_ns == 10**9


def test_a_decision_comes_with_its_reason_and_numbers(published: Published) -> None:
    decision = Decision(Action.THROTTLE, {GOVERNOR.name: "powersave"}, Origin.SAFETY, "CPU package 61.2 °C, too warm")
    of = moment(decision=decision)
    of = replace(
        of, record=record(of), controls=Controls({GOVERNOR.name: GOVERNOR}, {}), values={GOVERNOR.name: "powersave"}
    )
    published.publisher.publish(of, of.record)
    seen = published.latest()
    assert seen.decision_number == 1
    assert seen.text["LastDecision"] == {
        "Action": "throttle", "Source": "safety", "Reason": "CPU package 61.2 °C, too warm", "Since": 1001.0,
        "Profile": "balanced", "Sensor": ticks.CPU, "Settings": {GOVERNOR.name: "powersave"},
    }  # fmt: skip
    assert seen.text["Values"] == {GOVERNOR.name: "powersave"}


def test_words_change_with_what_they_tell(published: Published) -> None:
    of = moment()
    published.publisher.publish(of, None)
    assert "ObserveReason" not in published.latest().text
    of = replace(of, observing="asked to", selected="quiet", paused_until_s=61.0)
    published.publisher.publish(of, None)
    text = published.latest().text
    assert (text["ObserveReason"], text["SelectedProfile"], text["PausedUntil"]) == ("asked to", "quiet", 1061.0)
    tick = replace(of.tick, snapshot=replace(of.tick.snapshot, states={STATUS: "Discharging"}))
    published.publisher.publish(replace(of, tick=tick), None)
    assert published.latest().text["States"] == {STATUS: "Discharging"}


def test_what_is_odd_is_told_while_it_is(published: Published) -> None:
    of = moment()
    published.publisher.publish(replace(of, odd=("fan 1 stands still", "a disk is warm")), None)
    assert published.latest().text["Anomalies"] == {"0": "fan 1 stands still", "1": "a disk is warm"}
    published.publisher.publish(of, None)
    assert "Anomalies" not in published.latest().text


def test_advice_is_told_while_there_is_some(published: Published) -> None:
    of = moment()
    published.publisher.publish(replace(of, advised="throttle: worth it"), None)
    assert published.latest().text["Advice"] == "throttle: worth it"
    published.publisher.publish(of, None)
    assert "Advice" not in published.latest().text


def test_what_is_too_long_to_tell_says_so(published: Published) -> None:
    settings = {f"cpufreq.policy{number}.scaling_max_freq": 1200000 for number in range(500)}
    of = moment(decision=Decision(Action.REDUCE_POWER, settings, Origin.USER, "quiet"))
    published.publisher.publish(replace(of, record=record(of)), None)
    text = published.latest().text
    assert text["Truncated"] is True
    assert text["Explanation"] == "quiet"


def test_a_forecast_is_by_column(published: Published) -> None:
    of = moment()
    forecast = Forecast((1.0, 5.0), {ticks.DISK: (41.0, 42.0)}, {ticks.DISK: (43.0, 44.0)}, 0.9)
    published.publisher.publish(replace(of, tick=replace(of.tick, forecast=forecast)), None)
    seen = published.latest().forecast
    assert seen is not None
    assert (seen.expected, seen.upper) == ({ticks.DISK: (41.0, 42.0)}, {ticks.DISK: (43.0, 44.0)})
    assert seen.crossing == {}
    later = replace(of, tick=replace(of.tick, forecast=replace(forecast, crossing={ticks.DISK: 0.125})))
    published.publisher.publish(later, None)
    seen = published.latest().forecast
    assert seen is not None
    assert seen.crossing == {ticks.DISK: 0.125}
    published.publisher.publish(of, None)
    assert published.latest().forecast is None


def test_forecasts_are_of_the_sensors_nearest_to_their_limits(tmp_path: Path) -> None:
    published = Published(tmp_path, columns=128)
    chosen = list(range(40))
    random.Random(5).shuffle(chosen)
    names = {f"hwmon.{number}": number for number in chosen}
    limits = {
        name: replace(ticks.LIMITS[ticks.CPU], sensor=name, target_c=99.0) for name, number in names.items() if number
    }
    of = moment({name: 40.0 + number for name, number in names.items()}, sensors={name: heat(name) for name in names})
    forecast = Forecast((1.0,), dict.fromkeys(names, (50.0,)), dict.fromkeys(names, (51.0,)), 0.9)
    published.publisher.publish(replace(of, tick=replace(of.tick, forecast=forecast, limits=limits)), None)
    seen = published.latest().forecast
    published.segment.close()
    assert seen is not None
    assert list(seen.expected) == [f"hwmon.{number}" for number in range(39, 39 - layout.FORECASTS, -1)]


def test_a_tick_of_100_sensors_is_cheap(tmp_path: Path) -> None:
    """A guard only: the benchmarks have the number."""
    published = Published(tmp_path, columns=128)
    sensors = {f"hwmon.{number}": heat(f"hwmon.{number}") for number in range(100)}
    controls = Controls({}, {})
    costs = []
    for number in range(300):
        of = moment(dict.fromkeys(sensors, 40.0 + number), sensors=sensors, now_s=float(number))
        of = replace(of, controls=controls)
        begun = time.perf_counter()
        published.publisher.publish(of, None)
        costs.append(time.perf_counter() - begun)
    published.segment.close()
    assert sorted(costs)[150] < 0.5e-3
