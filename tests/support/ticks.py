"""Ticks made by hand, for tests of what is told and when."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gamesad.report import Moment, ThermalState
from gamesad.telemetry.history import Record
from gamesad.types import (
    Absence,
    Action,
    Applied,
    Controls,
    Decision,
    Heat,
    Intent,
    Limit,
    Mode,
    Origin,
    Profile,
    Quantity,
    Refusal,
    Rejection,
    Sensor,
    Snapshot,
    Tick,
)

CPU = "hwmon.coretemp-isa-0000.temp1"
DISK = "hwmon.nvme-pci-0100.temp1"
BALANCED = Profile("balanced", "as found", 50, "balanced")
LIMITS = {
    CPU: Limit(
        CPU,
        "CPU package",
        Heat.CPU,
        critical=True,
        target_c=99.0,
        envelope_c=100.0,
        failsafe_c=103.0,
        origin="critical of coretemp",
    ),
    DISK: Limit(
        DISK,
        "disk",
        Heat.OTHER,
        critical=False,
        target_c=80.0,
        envelope_c=80.0,
        failsafe_c=85.0,
        origin="critical of nvme",
    ),
}
AS_FOUND = Decision(Action.NOOP, {}, Origin.RULE, "left as found")
SENSORS = {
    CPU: Sensor(CPU, Quantity.TEMPERATURE, "CPU package", heat=Heat.CPU, critical=True),
    DISK: Sensor(DISK, Quantity.TEMPERATURE, "disk", heat=Heat.OTHER),
}


def tick(
    readings: Mapping[str, float] | None = None,
    *,
    now_s: float = 0.0,
    decision: Decision = AS_FOUND,
    applied: Applied | None = None,
    profile: Profile = BALANCED,
    mode: Mode = Mode.ACTIVE,
    paused: bool = False,
    rejected: Mapping[str, Rejection] | None = None,
    absent: Mapping[str, Absence] | None = None,
) -> Tick:
    return Tick(
        snapshot=Snapshot(0, now_s, readings or {}, rejected=rejected or {}, absent=absent or {}),
        forecast=None,
        decision=decision,
        applied=applied or Applied({}),
        intent=Intent(profile, chosen=True, cause="selected by root", paused=paused),
        limits=LIMITS,
        mode=mode,
        duration_s=0.0,
    )


def moment(
    of: Tick,
    *,
    record: Record | None = None,
    observing: str = "",
    reverted: tuple[str, ...] = (),
    refusals: Mapping[str, Refusal] | None = None,
) -> Moment:
    return Moment(
        tick=of,
        sensors=SENSORS,
        controls=Controls({}, {}),
        values={},
        writers={},
        refusals=refusals or {},
        record=record,
        thermal_state=ThermalState.COOL,
        observing=observing,
        reverted=reverted,
        wall_s=1000.0 + of.snapshot.monotonic_s,
        uptime_s=of.snapshot.monotonic_s,
        selected=of.intent.profile.name,
        holds=int(of.intent.held),
        paused_until_s=math.inf if of.intent.paused else None,
    )
