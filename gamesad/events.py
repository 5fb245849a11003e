"""What is worth telling once: the differences between one moment and the next, as events for journal and bus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gamesad.conditions import Conditions
from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.report import Dictionary, Moment, known
from gamesad.types import Forecast, Limit, Mode

_ALERT_ENDS_BELOW_C = 3.0
_DECISION_QUIET_S = 30.0


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``fields`` go to the journal with it."""

    message: Message
    text: str
    fields: Fields = field(default_factory=Fields)


class Watch:
    """Remembers what was told, so that a lasting fault is told when it begins and when it ends, never every tick."""

    def __init__(self) -> None:
        self.alerts: set[str] = set()
        self._refused: dict[str, str] = {}
        self._failed: Conditions[str] = Conditions()
        self._foreign: set[str] = set()
        self._mode = Mode.ACTIVE
        self._paused = False
        self._observing = ""
        self._profile = ""
        self._told_decision: tuple[object, ...] = ()
        self._told_decision_s = float("-inf")

    def changes(self, moment: Moment, *, decided: bool) -> list[Event]:
        """The events of this moment. ``decided``: its decision is new."""
        return [
            *self._profile_events(moment),
            *self._alert_events(moment),
            *self._sensor_events(moment),
            *(self._decision_events(moment) if decided else ()),
            *self._refusal_events(moment),
            *self._mode_events(moment),
            *self._posture_events(moment),
        ]

    def _profile_events(self, moment: Moment) -> Iterator[Event]:
        intent = moment.tick.intent
        before, self._profile = self._profile, intent.profile.name
        if before and before != self._profile:
            text = f"profile {before} → {self._profile}, {intent.cause}"
            yield Event(Message.PROFILE_CHANGED, text, {"profile": self._profile, "cause": intent.cause})

    def _alert_events(self, moment: Moment) -> Iterator[Event]:
        readings = moment.tick.snapshot.readings
        for name, limit in moment.tick.limits.items():
            if name not in readings:
                continue
            value = readings[name]
            if name not in self.alerts and value >= limit.envelope_c:
                self.alerts.add(name)
                text = f"{limit.label} {value:.1f} °C has reached its limit of {limit.envelope_c:g} °C ({limit.origin})"
                yield Event(Message.ALERT, text, _alert_fields(name, value, limit))
            elif name in self.alerts and value < limit.envelope_c - _ALERT_ENDS_BELOW_C:
                self.alerts.discard(name)
                text = f"{limit.label} {value:.1f} °C is back under its limit of {limit.envelope_c:g} °C"
                yield Event(Message.ALERT_END, text, _alert_fields(name, value, limit))

    def _sensor_events(self, moment: Moment) -> Iterator[Event]:
        snapshot = moment.tick.snapshot
        failed = [name for name, absence in snapshot.absent.items() if absence.is_fault]
        changes = self._failed.update([*snapshot.rejected, *failed], snapshot.monotonic_s)
        for name in changes.begun:
            if rejection := snapshot.rejected.get(name):
                text = f"sensor {name}: reading {rejection.value:g} rejected, {rejection.reason}"
                yield Event(Message.SENSOR_REJECTED, text, {"sensor": name, "value": rejection.value})
            else:
                cause = snapshot.absent[name].cause
                text = f"sensor {name} gives no reading: {cause}"
                yield Event(Message.SENSOR_LOST, text, {"sensor": name, "errno": cause})
        for name, lasted_s in changes.ended:
            text = f"sensor {name} is well again after {lasted_s:.0f} s"
            yield Event(Message.SENSOR_BACK, text, {"sensor": name, "duration_s": lasted_s})

    def _decision_events(self, moment: Moment) -> Iterator[Event]:
        """A ramp is one story: while action and source stay the same it is told again only every 30 s."""
        decision = moment.tick.decision
        kind = (decision.action, decision.source)
        if kind == self._told_decision and moment.wall_s < self._told_decision_s + _DECISION_QUIET_S:
            return
        self._told_decision, self._told_decision_s = kind, moment.wall_s
        fields = Fields(action=decision.action, source=decision.source, profile=moment.tick.intent.profile.name)
        if moment.record and "temperature_c" in moment.record.numbers:
            fields["temperature_c"] = moment.record.numbers["temperature_c"]
            fields["limit_c"] = moment.record.numbers["limit_c"]
        if decision.settings:
            fields["settings"] = " ".join(f"{name}={value}" for name, value in decision.settings.items())
        yield Event(Message.DECISION, decision.reason, fields)

    def _refusal_events(self, moment: Moment) -> Iterator[Event]:
        applied = moment.tick.applied
        for name, refusal in {**applied.rejected, **moment.refusals}.items():
            if self._refused.get(name) != refusal.errno:
                fields = Fields(tunable=name, errno=refusal.errno, value=refusal.value)
                yield Event(Message.REFUSAL, refusal.reason, fields)
        for name in self._refused.keys() - moment.refusals.keys():
            yield Event(Message.REFUSAL_END, f"{name} is no longer refused", {"tunable": name})
        self._refused = {name: refusal.errno for name, refusal in moment.refusals.items()}
        for name, value in applied.foreign.items():
            if name not in self._foreign:
                text = f"{name} was set to {value} by somebody else; it is left alone"
                yield Event(Message.FOREIGN, text, {"tunable": name, "value": value})
        self._foreign = set(applied.foreign)

    def _mode_events(self, moment: Moment) -> Iterator[Event]:
        before, self._mode = self._mode, moment.tick.mode
        if self._mode is Mode.FAILSAFE and before is not Mode.FAILSAFE:
            yield Event(Message.FAILSAFE, moment.tick.decision.reason)
        elif before is Mode.FAILSAFE and self._mode is not Mode.FAILSAFE:
            yield Event(Message.FAILSAFE_END, "the failsafe settings are released: " + moment.tick.decision.reason)

    def _posture_events(self, moment: Moment) -> Iterator[Event]:
        for name in moment.reverted:
            text = f"{name} was not confirmed in time and has gone back"
            yield Event(Message.OVERRIDE_REVERTED, text, {"tunable": name})
        paused, before = moment.tick.intent.paused, self._paused
        if paused != before:
            self._paused = paused
            text = "paused: the machine is as it was found" if paused else "resumed: regulating again"
            yield Event(Message.PAUSED if paused else Message.RESUMED, text)
        if moment.observing != self._observing:
            was, self._observing = self._observing, moment.observing
            if self._observing:
                text = f"observing, nothing is written: {self._observing}"
                yield Event(Message.RIVAL, text, {"rival": self._observing})
            else:
                yield Event(Message.RIVAL_END, f"acting again; before: {was}")


def _alert_fields(name: str, value_c: float, limit: Limit) -> Fields:
    return {"sensor": name, "label": limit.label, "temperature_c": value_c, "limit_c": limit.envelope_c}


def alert_report(event: Event, forecast: Forecast | None) -> Dictionary:
    """What the bus tells of an alert, with what is expected of the sensor at the longest horizon."""
    fields = event.fields
    sensor = fields["sensor"]
    report: Dictionary = {
        "Sensor": sensor,
        "Label": fields["label"],
        "Value": fields["temperature_c"],
        "Limit": fields["limit_c"],
        "Sentence": event.text,
        "Active": event.message is Message.ALERT,
    }
    if forecast and sensor in forecast.expected:
        report["Expected"], report["Upper"] = forecast.expected[sensor][-1], forecast.upper[sensor][-1]
        report["Crossing"] = forecast.crossing.get(sensor)
    return known(report)


def anomaly_report(event: Event) -> Dictionary:
    """What the bus tells of an anomaly, when it begins and when it ends."""
    fields = event.fields
    return known(
        {
            "Sensor": fields.get("sensor"),
            "Label": fields.get("label"),
            "Sentence": event.text,
            "Score": fields.get("score"),
            "Threshold": fields.get("threshold"),
            "Since": fields.get("since_s"),
            "Until": fields.get("until_s"),
            "Active": event.message is Message.ANOMALY,
        }
    )
