"""The flight recorder: what is kept of the time around something that happened."""

from __future__ import annotations

import json
from array import array
from dataclasses import replace
from typing import Any

import pytest

from gamesad.crystal.flight import LONGEST, Recorder
from gamesad.events import Event
from gamesad.messages import Message
from gamesad.types import Action, Decision, Origin, Rejection
from tests.support import ticks
from tests.support.published import SENSORS, moment, record

COLUMNS = (ticks.CPU, "hwmon.gone")
ALERT = Event(Message.ALERT, "CPU package 100.2 °C has reached its limit")
ALERT_END = Event(Message.ALERT_END, "CPU package is back under its limit")


class Flown:
    """A recorder and the seconds that pass for it; one row each, whose number is the time."""

    def __init__(self, before_s: float = 60.0, after_s: float = 60.0) -> None:
        self.recorder = Recorder(before_s, after_s)
        self.now_s = 0.0
        self.documents: list[dict[str, Any]] = []

    def fly(self, seconds: int, *events: Event, **tick: Any) -> None:
        """So many ticks; the events belong to the last."""
        for number in range(seconds):
            self.now_s += 1.0
            of = moment(now_s=self.now_s, **tick)
            of = replace(of, record=record(of) if tick else None)
            last = number == seconds - 1
            self._keep(self.recorder.note(of, array("d", [self.now_s, float("nan")]), COLUMNS, events if last else ()))

    def stop(self) -> None:
        self._keep(self.recorder.finish(SENSORS, COLUMNS))

    def _keep(self, document: bytes | None) -> None:
        if document is not None:
            self.documents.append(json.loads(document))


@pytest.fixture
def flown() -> Flown:
    return Flown()


def seconds(document: dict[str, Any]) -> list[float]:
    """Of each row, the time since the first tick; rows hold it as their value, too."""
    for row in document["Rows"]:
        assert row[1:] == [row[0] - 1000.0, None]
    return [row[0] - 1000.0 for row in document["Rows"]]


def test_an_alert_is_kept_with_a_minute_before_and_after(flown: Flown) -> None:
    flown.fly(200, ALERT)
    flown.fly(100)
    [document] = flown.documents
    assert seconds(document) == [float(second) for second in range(140, 261)]
    assert (document["Reason"], document["Text"]) == ("alert", ALERT.text)
    assert (document["Began"], document["Ended"]) == (1200.0, 1260.0)
    described = {"Name": ticks.CPU, "Label": "CPU package", "Quantity": "temperature", "Unit": "°C"}
    assert document["Columns"] == [described, {"Name": "hwmon.gone"}]
    assert document["Events"] == [{"Time": 1200.0, "Kind": "alert", "Text": ALERT.text}]


def test_an_anomaly_opens_a_recording_that_tells_it_and_its_end(flown: Flown) -> None:
    odd = Event(Message.ANOMALY, "CPU package 14 °C above what 40 W usually give")
    flown.fly(100, odd)
    flown.fly(30, Event(Message.ANOMALY_END, "CPU package is as usual again"))
    flown.fly(60)
    [document] = flown.documents
    assert (document["Reason"], document["Text"], document["Began"]) == ("anomaly", odd.text, 1100.0)
    assert [(one["Time"], one["Kind"]) for one in document["Events"]] == [(1100.0, "anomaly"), (1130.0, "anomaly_end")]
    assert seconds(document)[0] == 40.0


def test_without_anything_happening_nothing_is_recorded(flown: Flown) -> None:
    flown.fly(300, ALERT_END)
    flown.stop()
    assert flown.documents == []


def test_events_that_overlap_extend_one_recording(flown: Flown) -> None:
    flown.fly(100, ALERT)
    flown.fly(50, ALERT_END)
    flown.fly(5, Event(Message.FAILSAFE, "critical sensor lost"))
    flown.fly(70)
    [document] = flown.documents
    assert (document["Reason"], seconds(document)[-1]) == ("alert", 155.0 + 60.0)
    assert [event["Kind"] for event in document["Events"]] == ["alert", "alert_end", "failsafe"]


def test_a_storm_of_events_ends_in_recordings_of_bounded_length(flown: Flown) -> None:
    flown.fly(100)
    for _ in range(100):
        flown.fly(10, ALERT)
    assert {len(document["Rows"]) for document in flown.documents} == {60 + 60 * LONGEST + 1}
    assert [document["Began"] for document in flown.documents] == [1110.0, 1420.0, 1730.0]


def test_what_was_told_in_the_minute_before_is_part_of_it(flown: Flown) -> None:
    flown.fly(10, ALERT_END)
    flown.fly(80, Event(Message.SENSOR_LOST, "sensor lost"))
    flown.fly(10, Event(Message.FAILSAFE, "critical sensor lost"))
    flown.stop()
    assert [event["Kind"] for event in flown.documents[0]["Events"]] == ["sensor_lost", "failsafe"]


def test_a_stop_ends_a_recording_early(flown: Flown) -> None:
    flown.fly(10, ALERT)
    flown.fly(5)
    flown.stop()
    assert seconds(flown.documents[0])[-1] == 15.0


def test_decisions_of_that_time_are_kept(flown: Flown) -> None:
    flown.fly(5, decision=Decision(Action.THROTTLE, {"a": 1}, Origin.RULE, "warm"))
    flown.fly(1, ALERT)
    flown.fly(1, decision=Decision(Action.CONSERVATIVE, {}, Origin.SAFETY, "too warm"))
    flown.stop()
    told = [(one["Action"], one["Source"], one["Settings"]) for one in flown.documents[0]["Decisions"]]
    assert told[-2:] == [("throttle", "rule", {"a": 1}), ("conservative", "safety", {})]


def test_a_stuck_sensor_is_an_anomaly_and_an_impossible_one_is_not(flown: Flown) -> None:
    event = Event(Message.SENSOR_REJECTED, f"sensor {ticks.CPU}: rejected", {"sensor": ticks.CPU})
    flown.fly(1, event, rejected={ticks.CPU: Rejection(216.0, "too hot to be true")})
    assert flown.recorder.finish(SENSORS, COLUMNS) is None
    flown.fly(1, event, rejected={ticks.CPU: Rejection(75.0, "stuck: unchanged for 62 s")})
    flown.stop()
    assert flown.documents[0]["Reason"] == "anomaly"


def test_after_a_crash_what_was_before_comes_from_the_process_before(flown: Flown) -> None:
    rows = [(1000.0 - number, array("d", [-float(number), float("nan")])) for number in range(30, 0, -1)]
    decisions = [
        {"Action": action, "Since": since_s} for action, since_s in (("old", 1.0), ("noop", 9.0), ("boost", 980.0))
    ]
    flown.recorder.crashed(rows, decisions, "gamesad was killed", moment(now_s=0.0))
    flown.fly(70)
    [document] = flown.documents
    assert seconds(document) == [float(second) for second in range(-30, 61) if second != 0]
    assert (document["Reason"], document["Decisions"]) == ("crash", decisions[1:])


def test_who_holds_a_profile_is_not_recorded(flown: Flown) -> None:
    event = Event(Message.PROFILE_CHANGED, "profile a → b, held by game.exe: rendering", {"profile": "b"})
    flown.fly(1, ALERT, event)
    flown.stop()
    assert "game.exe" not in json.dumps(flown.documents)


def test_a_clock_that_is_set_leaves_no_row_from_another_time(flown: Flown) -> None:
    flown.fly(30)
    flown.now_s -= 20.0
    flown.fly(1, ALERT)
    flown.stop()
    assert all(abs(second - 11.0) <= 60.0 for second in seconds(flown.documents[0]))
