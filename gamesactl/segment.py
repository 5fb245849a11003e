"""What the daemon's segment in shared memory tells this client: nothing of the bus is loaded for it."""

from __future__ import annotations

import os

from gamesactl.errors import Unreachable
from gamesactl.render import Fields, mapping
from gamesad.crystal import layout, reader
from gamesad.crystal.errors import CrystalError, NotThere
from gamesad.summary import summary

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from typing import Any

    from gamesad.crystal.reader import Crystal

_NAMED = "GAMESAD_SHM"
_BUS = "DBUS_SYSTEM_BUS_ADDRESS"
_ITS_OWN = ("", "unix:path=/run/dbus/system_bus_socket", "unix:path=/var/run/dbus/system_bus_socket")
"""What that says where it says nothing new."""
_DECISION = ("Action", "Source", "Reason", "Settings", "Since", "Profile", "Sensor")


class Seen:
    """A status as the segment tells it. ``stale_s``: since when nobody writes it any more; None while somebody does.

    ``whole``: there is no more to it. Who holds a profile, and why, is told on the bus only, as is what had no room.
    """

    __slots__ = ("stale_s", "status", "whole")

    def __init__(self, status: dict[str, Any], stale_s: float | None, *, whole: bool) -> None:
        self.status = status
        self.stale_s = stale_s
        self.whole = whole


def path() -> str:
    """Where it is; empty where this client speaks to another bus, whose machine is not the one of this segment."""
    return os.environ.get(_NAMED, "") or (layout.PATH if os.environ.get(_BUS, "") in _ITS_OWN else "")


def attach() -> Crystal:
    """CrystalError where there is none that may be believed, Unreachable where none is there."""
    where = path()
    if not where:
        raise Unreachable(f"{_BUS} names another bus; name the segment of its machine in {_NAMED}")
    try:
        return reader.attach(where)
    except NotThere as error:
        raise Unreachable(f"{error}, or have [crystal] enabled in its configuration") from None


def found() -> tuple[Crystal | None, float | None]:
    """The segment, None where there is none that may be believed, and since when it is stale."""
    try:
        crystal = attach()
        stale_s = crystal.stale_since_s
    except (CrystalError, Unreachable):
        return None, None
    return crystal, stale_s


def status() -> Seen | None:
    """With the keys and the order of GetStatus. None where there is no segment that may be believed: ask the bus."""
    crystal, stale_s = found()
    if crystal is None:
        return None
    try:
        return seen(crystal, stale_s)
    except CrystalError:
        return None


def seen(crystal: Crystal, stale_s: float | None) -> Seen:
    """Of a segment that is attached. CrystalError."""
    latest = crystal.latest()
    told: Fields = latest.text
    decision = mapping(told, "LastDecision")
    status = _some(told, "Version", "ActiveProfile", "SelectedProfile")
    status |= {
        "Holds": [],
        "Mode": latest.mode,
        "ThermalState": latest.thermal_state,
        "LastDecision": _some({"Settings": {}, **decision}, *_DECISION) if decision else {},
    }
    states = latest.states
    status |= summary(
        {column.name: column for column in latest.directory.columns},
        latest.values,
        _words(told, "States"),
        latest.limits,
        rejected=[*(name for name, state in states.items() if state == layout.REJECTED), *mapping(told, "Rejected")],
        faults=[*(name for name, state in states.items() if state == layout.FAULT), *mapping(told, "Absent")],
        forecast=latest.forecast,
    )
    status |= _some(told, "Simulated", "Machine", "ProfileCause", "Explanation")
    status |= {
        "Uptime": round(latest.uptime_s, 1),
        "Time": latest.wall_ns / 1e9,
        "Limits": mapping(told, "Limits"),
        "TickMs": round(latest.duration_s * 1e3, 3),
    }
    if odd := mapping(told, "Anomalies"):
        status["Anomalies"] = list(odd.values())
    status |= _some(told, "Advice", "ObserveReason", "PausedUntil")
    return Seen(status, stale_s, whole=not told.get("HoldCount") and not told.get("Truncated"))


def _words(told: Fields, key: str) -> dict[str, str]:
    return {name: str(word) for name, word in mapping(told, key).items()}


def _some(told: Fields, *keys: str) -> dict[str, Any]:
    return {key: told[key] for key in keys if key in told}
