"""The segment's objects as the documents of docs/dashboard-api.md: what is unknown is null, never a number."""

from __future__ import annotations

import math
from typing import Any, Protocol

from gamesad.crystal import layout
from gamesad.crystal.blocks import BlockInfo
from gamesad.crystal.reader import Column, Forecast, Latest
from gamesad.summary import rounded

Document = dict[str, Any]


class Entry(Protocol):
    """A decision of the segment."""

    number: int
    since_s: float
    action: str
    source: str
    text: layout.Texts


STATES = ("unused", "ok", "rejected", "absent", "fault")
"""By the number that the segment gives a column."""
LIMITS = {
    "minimum": "minimum", "maximum": "maximum", "critical": "critical_limit", "emergency": "emergency",
    "passive": "passive", "hot": "hot",
}  # fmt: skip


def tick(latest: Latest) -> Document:
    columns, told = latest.directory.columns, latest.text
    last = told.get("LastDecision")
    made: layout.Texts = last if isinstance(last, dict) else {}
    return {
        "t": latest.wall_ns / 1e9,
        "n": latest.tick,
        "values": [value(latest, column) for column in columns],
        "states": [latest.states.get(column.name, layout.UNUSED) for column in columns],
        "limits": latest.limits,
        "action": latest.action,
        "source": latest.source,
        "reason": told.get("Explanation") or made.get("Reason"),
        "since": made.get("Since"),
        "profile": told.get("ActiveProfile"),
        "mode": latest.mode,
        "thermal_state": latest.thermal_state,
        "duration_ms": round(latest.duration_s * 1e3, 3),
        "forecast": forecast_by_name(latest.forecast),
    }


def value(latest: Latest, column: Column) -> float | None:
    found = latest.values.get(column.name)
    return None if found is None or not math.isfinite(found) else rounded(column.quantity, found)


def forecast_by_name(forecast: Forecast | None) -> Document | None:
    if forecast is None:
        return None
    crossing = getattr(forecast, "crossing", {})
    return {
        name: {
            "expected": [finite(one) for one in expected],
            "upper": [finite(one) for one in forecast.upper.get(name, ())],
            "crossing": finite(crossing.get(name)),
        }
        for name, expected in forecast.expected.items()
    }


def finite(number: float | None) -> float | None:
    """At five digits: bounds are no more exact."""
    return None if number is None or not math.isfinite(number) else float(f"{number:.5g}")


def directory(latest: Latest) -> list[Document]:
    """What each column is."""
    return [described(column) for column in latest.directory.columns]


def described(column: Column) -> Document:
    return {
        "name": column.name,
        "label": column.label,
        "quantity": column.quantity,
        "unit": column.unit,
        "heat": column.heat,
        "driver": column.driver,
        "critical": column.critical,
        "in_use": column.in_use,
        "limits": {name: getattr(column, attribute) for name, attribute in LIMITS.items()},
    }


def sensor(latest: Latest, column: Column, reason: str | None) -> Document:
    return {
        **described(column),
        "state": STATES[latest.states.get(column.name, layout.UNUSED)],
        "reason": reason,
        "value": value(latest, column),
        "age": round(latest.ages[column.name], 3) if column.name in latest.ages else None,
        "limit": latest.limits.get(column.name),
    }


def decision(entry: Entry) -> Document:
    told = entry.text
    return {
        "number": entry.number,
        "since": entry.since_s,
        "action": entry.action,
        "source": entry.source,
        "reason": told.get("Reason"),
        "profile": told.get("Profile"),
        "settings": told.get("Settings", {}),
        "numbers": told.get("Numbers", {}),
        "sensor": told.get("Sensor"),
    }


def forecast(latest: Latest) -> Document:
    """``sensors`` is empty while there is none."""
    known = latest.forecast
    named = forecast_by_name(known) or {}
    return {
        "t": latest.wall_ns / 1e9,
        "horizon": [finite(one) for one in known.horizon_s] if known else [],
        "confidence": known.confidence if known else None,
        "sensors": [{"name": name, **said} for name, said in named.items()],
    }


def block(info: BlockInfo) -> Document:
    """``accesses`` fade with time; ``frozen_size`` is what a frozen block takes, null for the others."""
    return {
        "id": info.id,
        "address": info.address,
        "size": info.size,
        "frozen_size": info.stored if info.tier == layout.FROZEN else None,
        "tier": layout.TIERS[info.tier],
        "owner": info.owner,
        "accesses": finite(info.heat),
        "modified": info.modified_s or None,
        "generation": info.generation,
    }
