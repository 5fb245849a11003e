"""What is told: plain dictionaries of one moment, the same on the bus, in ``gamesactl --json`` and in ``--once``.

A key whose value is unknown is absent. Powers are rounded to 0.1 W: finer ones leak what the processor computes
(CVE-2020-8694).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gamesad.control import Control, Override
from gamesad.summary import rounded, summary
from gamesad.telemetry.history import Record
from gamesad.types import Controls, Heat, Limit, Quantity, Refusal, Sensor, Snapshot, Tick, Value

Dictionary = dict[str, Any]


class ThermalState(StrEnum):
    """How near the machine is to its limits, by the least headroom of a regulated sensor."""

    COOL = "cool"
    WARM = "warm"
    HOT = "hot"
    CRITICAL = "critical"


_WARM_C, _HOT_C, _HYSTERESIS_C = 15.0, 5.0, 1.0
_DEAD_BANDS = {
    Quantity.TEMPERATURE: 1.0,
    Quantity.POWER: 0.5,
    Quantity.FREQUENCY: 100e6,
    Quantity.FAN: 100.0,
    Quantity.UTILIZATION: 0.05,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One published tick with what is needed to tell it; nothing in it changes afterwards."""

    tick: Tick
    sensors: Mapping[str, Sensor]
    controls: Controls
    values: Mapping[str, Value]
    writers: Mapping[str, str]
    refusals: Mapping[str, Refusal]
    record: Record | None
    thermal_state: ThermalState
    observing: str
    reverted: tuple[str, ...]
    wall_s: float
    uptime_s: float
    selected: str
    holds: int
    paused_until_s: float | None
    odd: tuple[str, ...] = ()
    """What is odd now, a sentence each."""
    advised: str = ""
    """What the learnt policy advises, and why; empty unless it is asked to."""

    @property
    def paused_until_wall_s(self) -> float | None:
        """When the pause ends, s since the epoch; infinity for one that lasts until resumed, None without one."""
        if self.paused_until_s is None or not math.isfinite(self.paused_until_s):
            return self.paused_until_s
        return float(round(self.wall_s + self.paused_until_s - self.tick.snapshot.monotonic_s))


def thermal_state(tick: Tick, previous: ThermalState) -> ThermalState:
    """The state with 1 °C of hysteresis on the way down, so that a reading on a border does not flap."""
    headrooms = [
        (limit.target_c - tick.snapshot.readings[name], limit.envelope_c - tick.snapshot.readings[name])
        for name, limit in tick.limits.items()
        if limit.heat is not Heat.OTHER and name in tick.snapshot.readings
    ]
    if not headrooms:
        return previous if tick.limits else ThermalState.COOL
    target_c = min(headroom for headroom, _ in headrooms)
    envelope_c = min(headroom for _, headroom in headrooms)
    order = list(ThermalState)

    def stays(state: ThermalState) -> float:
        return _HYSTERESIS_C if order.index(previous) >= order.index(state) else 0.0

    if envelope_c < stays(ThermalState.CRITICAL):
        return ThermalState.CRITICAL
    if target_c <= _HOT_C + stays(ThermalState.HOT):
        return ThermalState.HOT
    if target_c <= _WARM_C + stays(ThermalState.WARM):
        return ThermalState.WARM
    return ThermalState.COOL


def decision_report(record: Record, *, with_numbers: bool = False) -> Dictionary:
    decision = record.decision
    report: Dictionary = {
        "Action": str(decision.action),
        "Source": str(decision.source),
        "Reason": decision.reason,
        "Settings": dict(decision.settings),
        "Since": record.since_s,
        "Profile": record.profile,
    }
    if record.sensor:
        report["Sensor"] = record.sensor
    if with_numbers:
        report["Numbers"] = dict(record.numbers)
    return report


def profile_reports(control: Control) -> list[Dictionary]:
    """Profiles from most restrictive to least."""
    return [
        {
            "Name": profile.name,
            "Description": profile.description,
            "Inherits": profile.inherits,
            "PowerProfile": profile.power_profile,
            "Source": profile.source,
            "Rank": profile.rank,
        }
        for profile in sorted(control.profiles.values(), key=lambda profile: profile.rank)
    ]


def hold_reports(control: Control) -> list[Dictionary]:
    return [
        {"Cookie": hold.cookie, "Profile": hold.profile, "Reason": hold.reason, "ApplicationId": hold.application_id}
        for hold in control.holds.values()
    ]


def sensor_reports(moment: Moment) -> list[Dictionary]:
    tick = moment.tick
    return [_sensor(sensor, tick.snapshot, tick.limits.get(sensor.name)) for sensor in moment.sensors.values()]


def _sensor(sensor: Sensor, snapshot: Snapshot, limit: Limit | None) -> Dictionary:
    report: Dictionary = {
        "Name": sensor.name,
        "Quantity": str(sensor.quantity),
        "Unit": sensor.quantity.unit,
        "Label": sensor.label,
        "Driver": sensor.driver,
        "Critical": sensor.critical,
        "Age": round(snapshot.ages_s.get(sensor.name, 0.0), 1),
        **_reading(sensor, snapshot),
    }
    stated = {
        "Minimum": sensor.limits.minimum,
        "Maximum": sensor.limits.maximum,
        "CriticalLimit": sensor.limits.critical,
        "Emergency": sensor.limits.emergency,
        "Passive": sensor.limits.passive,
        "Hot": sensor.limits.hot,
        "LimitsFrom": sensor.limits_from or None,
        "Path": sensor.path or None,
        "Divisor": sensor.divisor or None,
        "Limit": limit.target_c if limit else None,
        "LimitOrigin": limit.origin if limit else None,
        "Regulated": limit.heat is not Heat.OTHER if limit else None,
    }
    report.update({key: value for key, value in stated.items() if value is not None})
    return report


def _reading(sensor: Sensor, snapshot: Snapshot) -> Dictionary:
    name = sensor.name
    if name in snapshot.readings:
        return {"State": "ok", "Value": rounded(sensor.quantity, snapshot.readings[name])}
    if name in snapshot.states:
        return {"State": "ok", "Value": snapshot.states[name]}
    if name in snapshot.rejected:
        rejection = snapshot.rejected[name]
        return {"State": "rejected", "Reason": f"{rejection.value:g} is {rejection.reason}"}
    absence = snapshot.absent.get(name)
    return {"State": "absent", "Reason": absence.cause if absence else "not read yet"}


def tunable_reports(moment: Moment, overrides: Mapping[str, Override]) -> list[Dictionary]:
    reports = []
    for name, tunable in moment.controls.tunables.items():
        report: Dictionary = {
            "Name": name,
            "Role": str(tunable.role),
            "Unit": tunable.unit,
            "Path": tunable.path,
            "Found": moment.controls.found.get(name),
            "Value": moment.values.get(name),
            "Writer": moment.writers.get(name, "found"),
        }
        if tunable.choices:
            report["Choices"] = list(tunable.choices)
        else:
            report.update(Minimum=tunable.minimum, Maximum=tunable.maximum)
        if refusal := moment.refusals.get(name):
            report["Refused"] = refusal.reason
        if override := overrides.get(name):
            report["Override"] = override.value
            if override.until_s is not None:
                report["Until"] = moment.wall_s + override.until_s - moment.tick.snapshot.monotonic_s
        reports.append({key: value for key, value in report.items() if value is not None})
    return reports


def known(report: Mapping[str, Any]) -> Dictionary:
    """Without what is unknown, None or NaN, at any depth."""
    return {key: _known(value) for key, value in report.items() if not _is_unknown(value)}


def _known(value: object) -> object:
    if isinstance(value, Mapping):
        return known(value)
    if isinstance(value, list | tuple):
        return [_known(item) for item in value if not _is_unknown(item)]
    return value


def _is_unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def moved(before: Mapping[str, float], now: Mapping[str, float], sensors: Mapping[str, Sensor]) -> bool:
    """Whether a reading that a status shows came, went, or moved past the dead band of its quantity."""
    if before.keys() != now.keys():
        return True
    for name, value in now.items():
        change = abs(value - before[name])
        if change and (sensor := sensors.get(name)) and change >= _dead_band(sensor):
            return True
    return False


def _dead_band(sensor: Sensor) -> float:
    """Infinite for what no status shows; none for mains and battery, which change seldom and matter."""
    restless = (Quantity.POWER, Quantity.VOLTAGE, Quantity.CURRENT)
    if sensor.name.startswith("power_supply.") and sensor.quantity not in restless:
        return 0.0
    return _DEAD_BANDS.get(sensor.quantity, math.inf)


def readings_report(moment: Moment) -> Dictionary:
    """The numbers of a status."""
    snapshot = moment.tick.snapshot
    return summary(
        moment.sensors,
        snapshot.readings,
        snapshot.states,
        {name: limit.target_c for name, limit in moment.tick.limits.items() if name in moment.sensors},
        rejected=snapshot.rejected,
        faults=[name for name, absence in snapshot.absent.items() if absence.is_fault],
        forecast=moment.tick.forecast,
    )


def tick_report(moment: Moment, overrides: Mapping[str, Override]) -> Dictionary:
    """The whole tick, for ``--once``: ``snapshot``, ``forecast``, ``decision``, ``applied`` and what they rest on."""
    tick = moment.tick
    return {
        "snapshot": asdict(tick.snapshot),
        "forecast": asdict(tick.forecast) if tick.forecast else None,
        "decision": asdict(tick.decision),
        "applied": asdict(tick.applied),
        "sensors": sensor_reports(moment),
        "tunables": tunable_reports(moment, overrides),
        "limits": {name: asdict(limit) for name, limit in tick.limits.items()},
        "mode": str(tick.mode),
        "thermal_state": str(moment.thermal_state),
        "profile": tick.intent.profile.name,
        "duration_s": tick.duration_s,
    }
