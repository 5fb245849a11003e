"""Numbers for a scraper, with node_exporter-like names: OpenMetrics where it is asked for, else Prometheus's text.

The two differ in how a counter is declared: by its name without ``_total`` in OpenMetrics 1.0. Every sensor is
``gamesa_SOURCE_QUANTITY_UNIT{chip,sensor,label}`` in base units, SOURCE being the first word of its name. What has no
value has no line; while the daemon is away only ``gamesa_up 0`` and the dashboard's own numbers are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from aiohttp import web

from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.reading import value
from gamesactl.errors import Unreachable
from gamesad.crystal.errors import CrystalError
from gamesad.crystal.reader import Column, Crystal, Latest

OPEN_METRICS = "application/openmetrics-text"
_OPEN, _PROMETHEUS = f"{OPEN_METRICS}; version=1.0.0; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"
_QUANTITIES = {
    "temperature": ("temp", "celsius", "temperature"),
    "power": ("power", "watts", "power"),
    "frequency": ("frequency", "hertz", "frequency"),
    "utilization": ("utilization", "ratio", "part in use, 0 to 1"),
    "pressure": ("pressure", "ratio", "part of the time in which something waited (PSI), 0 to 1"),
    "fan": ("fan", "rpm", "revolutions per minute"),
    "voltage": ("in", "volts", "voltage"),
    "current": ("curr", "amperes", "current"),
    "rate": ("rate", "hertz", "events per second"),
}
"""Name, unit and words by quantity; the others are ``value`` in the unit they have."""
_POOL_COUNTERS = (
    "allocations", "frees", "promotions", "demotions", "freezes", "thaws", "prefetch_hits", "prefetch_misses",
    "recovered", "discarded",
)  # fmt: skip
_POOL_BYTES = ("size", "limit", "used", "free", "largest_free")
_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_]")

Labels = dict[str, str]


class Family(NamedTuple):
    """``name`` without ``_total``."""

    name: str
    kind: str
    unit: str
    help: str
    samples: list[tuple[Labels, float]]


async def metrics(desk: Desk, request: web.Request) -> web.Response:
    wanted = OPEN_METRICS in request.headers.get("Accept", "")
    text = written(_families(desk), open_metrics=wanted)
    return web.Response(body=text.encode(), headers={"Content-Type": _OPEN if wanted else _PROMETHEUS})


def written(families: Iterable[Family], *, open_metrics: bool) -> str:
    """Families without a sample are left out."""
    lines = []
    for family in families:
        total = "_total" if family.kind == "counter" else ""
        declared = family.name if open_metrics else family.name + total
        if not family.samples:
            continue
        lines.append(f"# HELP {declared} {_escaped(family.help)}")
        lines.append(f"# TYPE {declared} {family.kind}")
        if family.unit and open_metrics:
            lines.append(f"# UNIT {declared} {family.unit}")
        lines += [f"{family.name}{total}{_labels(labels)} {number!r}" for labels, number in family.samples]
    return "\n".join((*lines, "# EOF", ""))


def _labels(labels: Labels) -> str:
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{said}}}" if said else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _families(desk: Desk) -> Iterable[Family]:
    up = desk.source.stale_since() is None
    yield _one("gamesa_up", "whether gamesad publishes", float(up))
    yield _one("gamesa_dashboard_clients", "pages that are open on this dashboard", float(desk.hub.clients))
    yield _count("gamesa_dashboard_ticks", "ticks this dashboard has sent", desk.hub.ticks)
    if up:
        with suppress(CrystalError, Unreachable):
            crystal = desk.source.crystal()
            latest = crystal.latest()
            yield from _daemon(crystal, latest)
            yield from _sensors(latest)
            yield from _pool(crystal)


def _daemon(crystal: Crystal, latest: Latest) -> Iterable[Family]:
    told = latest.text
    names = {"version": told.get("Version"), "machine": told.get("Machine"), "profile": told.get("ActiveProfile")}
    told_names = {name: str(value) for name, value in names.items() if value is not None}
    simulated = {"simulated": str(crystal.simulated).lower()}
    yield Family("gamesa_info", "gauge", "", "what publishes here; always 1", [({**told_names, **simulated}, 1.0)])
    state = {
        "action": latest.action,
        "source": latest.source,
        "mode": latest.mode,
        "thermal_state": latest.thermal_state,
    }
    yield Family("gamesa_decision_info", "gauge", "", "the decision in force; always 1", [(state, 1.0)])
    yield _one("gamesa_uptime_seconds", "how long gamesad runs", latest.uptime_s, "seconds")
    yield _one("gamesa_tick_duration_seconds", "how long the last tick took", latest.duration_s, "seconds")
    yield _count("gamesa_ticks", "ticks since gamesad was started", latest.tick)
    yield _count("gamesa_decisions", "decisions since gamesad was started", latest.decision_number)


def _sensors(latest: Latest) -> Iterable[Family]:
    found: dict[str, Family] = {}
    for column in latest.directory.columns:
        family = _family(column)
        number = value(latest, column)
        if number is not None:
            found.setdefault(family.name, family).samples.append((_where(column), number))
    limits = [
        (_where(column), latest.limits[column.name])
        for column in latest.directory.columns
        if column.name in latest.limits
    ]
    yield from found.values()
    yield Family("gamesa_limit_celsius", "gauge", "celsius", "what each temperature is regulated to", limits)


def _family(column: Column) -> Family:
    source = _NOT_A_NAME.sub("_", column.name.partition(".")[0])
    if column.quantity in _QUANTITIES:
        short, unit, words = _QUANTITIES[column.quantity]
    else:
        short, unit, words = ("size", "bytes", "size") if column.unit == "B" else ("value", "", "value, without a unit")
    name = "_".join(part for part in ("gamesa", source, short, unit) if part)
    return Family(name, "gauge", unit, f"{words} from {source}", [])


def _where(column: Column) -> Labels:
    """``hwmon.k10temp-pci-00c3.temp1`` is chip k10temp-pci-00c3, sensor temp1."""
    chip, _, sensor = column.name.partition(".")[2].rpartition(".")
    labels = {"chip": chip, "sensor": sensor or column.name, "label": column.label}
    return {name: said for name, said in labels.items() if said}


def _pool(crystal: Crystal) -> Iterable[Family]:
    told = crystal.statistics()
    for name in _POOL_BYTES:
        if name in told:
            yield _one(f"gamesa_crystal_{name}_bytes", f"{name.replace('_', ' ')} of the pool", told[name], "bytes")
    for name in _POOL_COUNTERS:
        if name in told:
            yield _count(f"gamesa_crystal_{name}", f"{name.replace('_', ' ')} in the pool", told[name])


def _one(name: str, words: str, number: float, unit: str = "") -> Family:
    return Family(name, "gauge", unit, words, [({}, number)])


def _count(name: str, words: str, number: float) -> Family:
    return Family(name, "counter", "", words, [({}, number)])
