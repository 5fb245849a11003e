"""What is worth telling: each story once at its begin and once at its end."""

from __future__ import annotations

from gamesad.events import Event, Watch, alert_report, anomaly_report
from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.telemetry.history import Record
from gamesad.types import Absence, Action, Applied, Decision, Forecast, Mode, Origin, Profile, Refusal, Rejection, Tick
from tests.support.ticks import CPU, DISK, moment, tick

GOVERNOR = "cpufreq.policy0.scaling_governor"
THROTTLE = Decision(
    Action.THROTTLE, {GOVERNOR: "powersave"}, Origin.RULE, "throttle: CPU package 98.0 °C is 1.0 °C under"
)


def messages(events: list[Event]) -> list[Message]:
    return [event.message for event in events]


def told(
    watch: Watch, of: Tick, *, decided: bool = False, observing: str = "", reverted: tuple[str, ...] = ()
) -> list[Event]:
    return watch.changes(moment(of, observing=observing, reverted=reverted), decided=decided)


def test_a_quiet_tick_tells_nothing() -> None:
    watch = Watch()
    for second in range(5):
        assert told(watch, tick({CPU: 40.0 + second}, now_s=second)) == []


def test_a_limit_reached_is_told_once_and_its_end_once() -> None:
    watch = Watch()
    assert told(watch, tick({CPU: 99.9})) == []
    (alert,) = told(watch, tick({CPU: 100.0}))
    assert alert.message is Message.ALERT
    assert alert.text == "CPU package 100.0 °C has reached its limit of 100 °C (critical of coretemp)"
    assert alert.fields == {"sensor": CPU, "label": "CPU package", "temperature_c": 100.0, "limit_c": 100.0}
    assert told(watch, tick({CPU: 104.0})) == []
    assert told(watch, tick({CPU: 97.0})) == []
    assert messages(told(watch, tick({CPU: 96.9}))) == [Message.ALERT_END]
    assert told(watch, tick({CPU: 96.9})) == []


def test_an_alert_says_what_is_expected_of_the_sensor_and_nothing_of_what_is_not_known() -> None:
    (alert,) = told(Watch(), tick({CPU: 100.0}))
    said = {
        "Sensor": CPU, "Label": "CPU package", "Value": 100.0, "Limit": 100.0, "Sentence": alert.text, "Active": True,
    }  # fmt: skip
    assert alert_report(alert, None) == said
    assert alert_report(alert, Forecast((1.0,), {DISK: (40.0,)}, {DISK: (41.0,)}, 0.9)) == said
    forecast = Forecast((1.0, 5.0), {CPU: (100.5, 103.0)}, {CPU: (101.0, 105.5)}, 0.9, {CPU: 0.75})
    assert alert_report(alert, forecast) == {**said, "Expected": 103.0, "Upper": 105.5, "Crossing": 0.75}
    without_limit = Forecast((1.0,), {CPU: (100.5,)}, {CPU: (101.0,)}, 0.9)
    assert alert_report(alert, without_limit) == {**said, "Expected": 100.5, "Upper": 101.0}


def test_an_anomaly_is_told_with_what_is_odd_and_its_end_with_when() -> None:
    fields: Fields = {"sensor": CPU, "label": "CPU package", "score": 4.5, "threshold": 2.0, "since_s": 5.0}
    begun = anomaly_report(Event(Message.ANOMALY, "14 °C above the usual", fields))
    assert begun == {
        "Sensor": CPU, "Label": "CPU package", "Sentence": "14 °C above the usual", "Score": 4.5, "Threshold": 2.0,
        "Since": 5.0, "Active": True,
    }  # fmt: skip
    ended = anomaly_report(Event(Message.ANOMALY_END, "as usual again", {**fields, "until_s": 65.0}))
    assert (ended["Active"], ended["Since"], ended["Until"]) == (False, 5.0, 65.0)


def test_a_hot_disk_alerts_although_nothing_here_can_cool_it() -> None:
    assert messages(told(Watch(), tick({DISK: 81.0}))) == [Message.ALERT]


def test_a_lost_sensor_is_told_once_with_its_cause_and_once_when_it_is_back() -> None:
    watch = Watch()
    lost = tick({}, absent={CPU: Absence("EIO", 0.0)})
    (event,) = told(watch, lost)
    assert (event.message, event.text) == (Message.SENSOR_LOST, f"sensor {CPU} gives no reading: EIO")
    assert told(watch, lost) == []
    told(watch, tick({CPU: 40.0}, now_s=1.0))
    assert messages(told(watch, tick({CPU: 40.0}, now_s=20.0))) == [Message.SENSOR_BACK]


def test_a_sensor_that_flickers_is_one_story() -> None:
    watch = Watch()
    assert len(told(watch, tick({}, absent={CPU: Absence("EIO", 0.0)}, now_s=0.0))) == 1
    for second in range(1, 60):
        flickering = {CPU: 40.0} if second % 2 else {}
        gone = {} if second % 2 else {CPU: Absence("EIO", 0.0)}
        assert told(watch, tick(flickering, absent=gone, now_s=second)) == []


def test_a_sleeping_device_is_nothing_to_tell() -> None:
    assert told(Watch(), tick({}, absent={DISK: Absence("asleep", 0.0)})) == []


def test_a_rejected_reading_is_told_with_its_value() -> None:
    (event,) = told(Watch(), tick({}, rejected={CPU: Rejection(216.0, "outside what is possible, -40 to 150")}))
    assert event.text == f"sensor {CPU}: reading 216 rejected, outside what is possible, -40 to 150"


def test_a_refusal_is_told_once_and_its_end_once() -> None:
    watch = Watch()
    refused = moment(tick(), refusals={GOVERNOR: Refusal("EBUSY", "powersave", "the kernel refused: EBUSY")})
    assert messages(watch.changes(refused, decided=False)) == [Message.REFUSAL]
    assert watch.changes(refused, decided=False) == []
    assert messages(watch.changes(moment(tick()), decided=False)) == [Message.REFUSAL_END]
    assert watch.changes(moment(tick()), decided=False) == []


def test_a_wish_that_this_machine_cannot_take_is_told() -> None:
    declined = tick(applied=Applied({}, {"no.such": Refusal("ENOENT", 1, "no.such was not set to 1: no such tunable")}))
    assert messages(told(Watch(), declined)) == [Message.REFUSAL]


def test_somebody_elses_value_is_told_once() -> None:
    watch = Watch()
    foreign = tick(applied=Applied({}, {}, {GOVERNOR: "ondemand"}))
    (event,) = told(watch, foreign)
    assert event.text == f"{GOVERNOR} was set to ondemand by somebody else; it is left alone"
    assert told(watch, foreign) == []


def test_a_ramp_of_throttling_is_one_entry_until_its_kind_changes() -> None:
    watch = Watch()
    hot = tick({CPU: 98.0}, decision=THROTTLE)
    assert messages(told(watch, hot, decided=True)) == [Message.DECISION]
    for second in range(1, 30):
        assert told(watch, tick({CPU: 98.0}, decision=THROTTLE, now_s=second), decided=True) == []
    assert messages(told(watch, tick({CPU: 98.0}, decision=THROTTLE, now_s=30.0), decided=True)) == [Message.DECISION]
    boost = Decision(Action.BOOST, {}, Origin.RULE, "boost: given back")
    assert messages(told(watch, tick({CPU: 60.0}, decision=boost, now_s=31.0), decided=True)) == [Message.DECISION]


def test_a_decision_carries_its_numbers() -> None:
    of = tick({CPU: 98.0}, decision=THROTTLE)
    at = moment(of, record=Record(THROTTLE, 1000.0, "balanced", {"temperature_c": 98.0, "limit_c": 99.0}))
    (event,) = Watch().changes(at, decided=True)
    assert event.fields["temperature_c"] == 98.0
    assert (event.fields["action"], event.fields["source"]) == ("throttle", "rule")
    assert event.fields["settings"] == f"{GOVERNOR}=powersave"


def test_failsafe_begins_and_ends_once() -> None:
    watch = Watch()
    lost = tick({}, mode=Mode.FAILSAFE)
    assert messages(told(watch, lost)) == [Message.FAILSAFE]
    assert told(watch, lost) == []
    assert messages(told(watch, tick({CPU: 40.0}))) == [Message.FAILSAFE_END]


def test_a_profile_change_says_who() -> None:
    watch = Watch()
    told(watch, tick())
    (event,) = told(watch, tick(profile=Profile("gaming", "fast", 90, "performance")))
    assert event.text == "profile balanced → gaming, selected by root"


def test_pause_observe_and_revert_are_told() -> None:
    watch = Watch()
    assert messages(told(watch, tick(paused=True))) == [Message.PAUSED]
    assert messages(told(watch, tick())) == [Message.RESUMED]
    (rival,) = told(watch, tick(), observing="tuned regulates the same controls")
    assert "tuned" in rival.text
    assert messages(told(watch, tick())) == [Message.RIVAL_END]
    assert messages(told(watch, tick(), reverted=(GOVERNOR,))) == [Message.OVERRIDE_REVERTED]
