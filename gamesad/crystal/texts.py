"""What the segment tells in words: the status but for its numbers, in parts that are made again only when they change.

Everybody may read it, so who holds a profile, and why, is not in it: ``HoldCount`` says that the bus has more to tell.
"""

from __future__ import annotations

from gamesad.crystal import layout
from gamesad.crystal.layout import Texts
from gamesad.report import Moment, decision_report
from gamesad.telemetry.history import Record
from gamesad.types import Quantity

HELD = "held"
NOT_IN_COLUMNS = (Quantity.STATE, Quantity.ENERGY)
"""Words are no numbers; raw energy counters tell what the processor computes (CVE-2020-8694)."""


class StatusText:
    """The text of ``latest``. Its keys are those of GetStatus, and ``HoldCount``, ``States`` (word by sensor),
    ``Rejected`` and ``Absent`` (of the sensors without a column: name and cause) and ``Values`` (by tunable).
    """

    def __init__(self, *, version: str, machine: str, simulated: bool, room: int = layout.TEXT_SIZE) -> None:
        self._fixed = _encoded({"Version": version, "Machine": machine, "Simulated": simulated})
        self._room = room
        self._said: tuple[object, ...] = ()
        self._parts = [b""] * 5
        self._text = b""

    def of(self, moment: Moment) -> bytes:
        """The same bytes again while nothing has changed. What is too long says so with ``Truncated``, and loses lines
        from its end where it is written."""
        tick = moment.tick
        snapshot = tick.snapshot
        limits = {**tick.intent.temperature_limits_c, **tick.intent.power_limits_w}
        said = (
            (moment.selected, moment.holds, tick.intent.profile.name, tick.intent.cause, tick.mode,
             moment.thermal_state, moment.observing, moment.paused_until_wall_s, limits, moment.odd),
            (tick.decision.reason, moment.advised),
            moment.record,
            (snapshot.states, snapshot.rejected, snapshot.absent),
            moment.values,
        )  # fmt: skip
        if self._said and said == self._said:
            return self._text
        for place, (make, now) in enumerate(zip(_PARTS, said, strict=True)):
            if not self._said or now != self._said[place]:
                self._parts[place] = _encoded(make(moment))
        self._said = said
        self._text = self._fitted()
        return self._text

    def _fitted(self) -> bytes:
        wishes, reason, decision, sensors, values = self._parts
        text = b"".join((self._fixed, wishes, reason, decision, sensors, values))
        if len(text) <= self._room:
            return text
        return b"".join((_encoded({"Truncated": True}), self._fixed, wishes, reason, sensors, decision))


def _wishes(moment: Moment) -> Texts:
    intent = moment.tick.intent
    texts: Texts = {
        "ActiveProfile": intent.profile.name,
        "SelectedProfile": moment.selected,
        "ProfileCause": HELD if intent.held else intent.cause,
        "HoldCount": moment.holds,
        "Mode": str(moment.tick.mode),
        "ThermalState": str(moment.thermal_state),
        "Limits": {**intent.temperature_limits_c, **intent.power_limits_w},
    }
    if moment.odd:
        texts["Anomalies"] = {str(place): sentence for place, sentence in enumerate(moment.odd)}
    if moment.observing:
        texts["ObserveReason"] = moment.observing
    if moment.paused_until_wall_s is not None:
        texts["PausedUntil"] = moment.paused_until_wall_s
    return texts


def _explanation(moment: Moment) -> Texts:
    advice = {"Advice": moment.advised} if moment.advised else {}
    return {"Explanation": moment.tick.decision.reason, **advice}


def _decision(moment: Moment) -> Texts:
    return {"LastDecision": decision_report(moment.record)} if moment.record else {}


def _sensors(moment: Moment) -> Texts:
    snapshot, sensors = moment.tick.snapshot, moment.sensors

    def columnless(name: str) -> bool:
        return name not in sensors or sensors[name].quantity in NOT_IN_COLUMNS

    return {
        "States": dict(snapshot.states),
        "Rejected": {name: one.reason for name, one in snapshot.rejected.items() if columnless(name)},
        "Absent": {name: one.cause for name, one in snapshot.absent.items() if one.is_fault and columnless(name)},
    }


def _values(moment: Moment) -> Texts:
    return {"Values": dict(moment.values)}


_PARTS = (_wishes, _explanation, _decision, _sensors, _values)


def decision_text(record: Record) -> bytes:
    """The text of an entry of ``decisions``, the most telling first."""
    report = decision_report(record, with_numbers=True)
    kept = ("Reason", "Profile", "Sensor", "Numbers", "Settings")
    return _encoded({key: report[key] for key in kept if key in report})


def _encoded(texts: Texts) -> bytes:
    """A name that the kernel gave may be no text; one letter of it is then a question mark."""
    return layout.to_text(texts).encode(errors="replace")
