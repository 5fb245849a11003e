"""The flight recorder: every sensor and decision of the time around an alert, an anomaly, a failsafe and a crash.

A recording is a JSON document, kept as a block of the pool (owner ``flight``)::

    {"Version": 1, "Reason": "alert", "Text": "CPU package 100.2 °C has reached ...", "Began": 1764270000.0,
     "Ended": 1764270120.5, "Rows": [[1764269940.0, 61.25, null, ...], ...],
     "Columns": [{"Name": "hwmon...", "Label": "CPU package", "Quantity": "temperature", "Unit": "°C"}, ...],
     "Events": [{"Time": ..., "Kind": "alert", "Text": ...}, ...],
     "Decisions": [{"Action": ..., "Since": ..., ...}, ...]}

Times are in seconds since the epoch; ``Began`` is when it happened. A row has a time and then a number for each column,
null where there was none. As everything in the segment it may be read by everybody: nothing in it says who holds what.
"""

from __future__ import annotations

import json
from array import array
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gamesad.events import Event
from gamesad.messages import Message
from gamesad.report import Dictionary, Moment, decision_report
from gamesad.types import Sensor

OWNER = "flight"
LONGEST = 5
"""A recording that new events extend ends after so many times the seconds that one event gets."""
_DECISIONS = 64
"""Decisions and events remembered, whether or not anything is recorded."""
_EVENTS = 256
"""Of each, so many in one recording."""
_TOLD = {
    Message.ALERT, Message.ALERT_END, Message.ANOMALY, Message.ANOMALY_END, Message.DECISION, Message.FAILSAFE,
    Message.FAILSAFE_END, Message.FOREIGN, Message.OVERRIDE_REVERTED, Message.PAUSED, Message.POLICY_DEMOTED,
    Message.REFUSAL, Message.REFUSAL_END, Message.RESUMED, Message.RIVAL, Message.RIVAL_END, Message.SENSOR_BACK,
    Message.SENSOR_LOST, Message.SENSOR_REJECTED,
}  # fmt: skip
"""Whose texts name neither people nor their programs."""

Row = tuple[float, "array[float]"]
"""Seconds since the epoch, and a number by column."""


@dataclass(slots=True)
class _Recording:
    """One under way; it ends at ``until_s`` on the clock of the ticks, and is not extended beyond ``at_most_s``."""

    reason: str
    text: str
    began_s: float
    until_s: float
    at_most_s: float
    rows: list[Row]
    decisions: list[Dictionary]
    events: list[Dictionary]


class Recorder:
    """Remembers the last ``before_s`` and records ``after_s`` more when something happens. Plain: it knows no pool."""

    def __init__(self, before_s: float, after_s: float) -> None:
        self.before_s, self.after_s = before_s, after_s
        self._rows: deque[Row] = deque()
        self._decisions: deque[Dictionary] = deque(maxlen=_DECISIONS)
        self._events: deque[Dictionary] = deque(maxlen=_DECISIONS)
        self._decided: object = None
        self._recording: _Recording | None = None

    def note(
        self, moment: Moment, values: array[float], columns: Collection[str], events: Sequence[Event]
    ) -> bytes | None:
        """One tick; the document of a recording that ends with it."""
        now_s, recording = moment.tick.snapshot.monotonic_s, self._recording
        if moment.record is not self._decided and moment.record is not None:
            self._decided = moment.record
            self._decisions.append(decision_report(moment.record, with_numbers=True))
            if recording and len(recording.decisions) < _EVENTS:
                recording.decisions.append(self._decisions[-1])
        row = moment.wall_s, values
        self._rows.append(row)
        while len(self._rows) > 1 and not 0.0 <= moment.wall_s - self._rows[0][0] <= self.before_s:
            self._rows.popleft()
        if recording:
            recording.rows.append(row)
        for event in events:
            self._hear(event, moment)
        if recording and now_s >= recording.until_s:
            return self.finish(moment.sensors, columns)
        return None

    def begin(self, reason: str, text: str, moment: Moment) -> None:
        """Something happened: a recording begins, or the one under way goes on for longer."""
        now_s = moment.tick.snapshot.monotonic_s
        if self._recording:
            self._recording.until_s = min(now_s + self.after_s, self._recording.at_most_s)
            return
        since_s = self._rows[0][0] if self._rows else moment.wall_s
        in_force = [one for one in self._decisions if one["Since"] < since_s][-1:]
        self._recording = _Recording(
            reason, text, moment.wall_s, now_s + self.after_s, now_s + LONGEST * self.after_s, [*self._rows],
            in_force + [one for one in self._decisions if one["Since"] >= since_s],
            [one for one in self._events if one["Time"] >= since_s],
        )  # fmt: skip

    def crashed(self, rows: Sequence[Row], decisions: Sequence[Dictionary], text: str, moment: Moment) -> None:
        """A recording begins with what the process before remembered, oldest first."""
        self._rows.extend(rows)
        self._decisions.extend(decisions)
        self.begin("crash", text, moment)

    def finish(self, sensors: Mapping[str, Sensor], columns: Collection[str]) -> bytes | None:
        """Ends a recording; its document, or None where none is under way."""
        recording, self._recording = self._recording, None
        return _document(recording, sensors, columns) if recording else None

    def _hear(self, event: Event, moment: Moment) -> None:
        reason = _reason(event, moment)
        if reason:
            self.begin(reason, event.text, moment)
        if event.message in _TOLD:
            told = {"Time": moment.wall_s, "Kind": event.message.name.lower(), "Text": event.text}
            self._events.append(told)
            if self._recording and len(self._recording.events) < _EVENTS:
                self._recording.events.append(told)


def _reason(event: Event, moment: Moment) -> str:
    """Why an event is worth a recording; empty where it is not."""
    if event.message is Message.ALERT:
        return "alert"
    if event.message is Message.FAILSAFE:
        return "failsafe"
    if event.message is Message.ANOMALY:
        return "anomaly"
    if event.message is Message.SENSOR_REJECTED:
        rejection = moment.tick.snapshot.rejected.get(str(event.fields.get("sensor")))
        return "anomaly" if rejection and rejection.reason.startswith("stuck") else ""
    return ""


def _document(recording: _Recording, sensors: Mapping[str, Sensor], columns: Collection[str]) -> bytes:
    described = [_described(sensors[name]) if name in sensors else {"Name": name} for name in columns]
    head = {
        "Version": 1,
        "Reason": recording.reason,
        "Text": recording.text,
        "Began": round(recording.began_s, 3),
        "Ended": round(recording.rows[-1][0], 3),
        "Columns": described,
        "Events": recording.events,
        "Decisions": recording.decisions,
    }
    rows = ",".join(_row(wall_s, values[: len(columns)]) for wall_s, values in recording.rows)
    return f'{_json(head)[:-1]},"Rows":[{rows}]}}'.encode(errors="replace")


def _described(sensor: Sensor) -> Dictionary:
    quantity = sensor.quantity
    return {"Name": sensor.name, "Label": sensor.label, "Quantity": str(quantity), "Unit": quantity.unit}


def _row(wall_s: float, values: array[float]) -> str:
    """Six digits: more than any sensor has, and a third of what repr() gives."""
    numbers = ",".join([f"{value:.6g}" for value in values]).replace("nan", "null")
    return f"[{wall_s:.3f},{numbers}]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
