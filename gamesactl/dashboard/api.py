"""What is answered to those who read: see docs/dashboard-api.md."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from aiohttp import web

from gamesactl import segment
from gamesactl.commands import flight
from gamesactl.dashboard import asked
from gamesactl.dashboard import live as websocket
from gamesactl.dashboard.answers import Refused, bad
from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.reading import Document, block, decision, forecast, sensor
from gamesactl.dashboard.series import MAX_POINTS, Point, together
from gamesactl.errors import ClientError, Unreachable
from gamesad.bus import names
from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalError
from gamesad.crystal.reader import Crystal, Latest

_DECISIONS, _DECISIONS_MOST = 200, 1000
_HISTORY_S = 600.0
_POINTS = 600
_SENSORS = 64


async def hello(desk: Desk, _request: web.Request | None) -> Document:
    told: dict[str, Any] = {}
    stale_since = desk.source.stale_since()
    with suppress(CrystalError, Unreachable):
        told = dict(desk.source.crystal().latest().text)
    why = await desk.why_read_only()
    return {
        "version": told.get("Version"),
        "machine": told.get("Machine"),
        "simulated": told.get("Simulated"),
        "can_write": not why,
        "why_read_only": why or None,
        "polling": {"min_hz": websocket.MIN_HZ, "max_hz": websocket.MAX_HZ},
        "stale_since": stale_since,
    }


async def status(desk: Desk, _request: web.Request) -> Document:
    """As ``gamesactl status --json``: who holds a profile is told on the bus only, as is all without a segment."""
    stale_since = desk.source.stale_since()
    try:
        seen = segment.seen(desk.source.crystal(), stale_since)
        found, whole = seen.status, seen.whole or stale_since is not None
    except (CrystalError, Unreachable) as error:
        found, whole, why = {}, False, error
    if not whole:
        try:
            found = await desk.link.ask(lambda gamesad: gamesad.status())
        except ClientError:
            if not found:
                raise why from None
    return {**found, "stale_since": stale_since}


async def sensors(desk: Desk, _request: web.Request) -> list[Document]:
    """Numbers from the segment; why one has none, and sensors without a number, from the bus while it is there."""
    latest = desk.source.crystal().latest()
    asked_for = {one.get("Name"): one for one in await _or_nothing(desk, lambda gamesad: gamesad.sensors())}
    found = []
    for column in latest.directory.columns:
        more = asked_for.get(column.name, {})
        found.append({**sensor(latest, column, more.get("Reason")), "path": more.get("Path")})
    return found


async def tunables(desk: Desk, _request: web.Request) -> list[Document]:
    """From the bus; while it is away from the segment, which knows no writer."""
    told = await _or_nothing(desk, lambda gamesad: gamesad.tunables())
    if told:
        return [{key.lower(): value for key, value in one.items()} for one in told]
    latest = desk.source.crystal().latest()
    return [_tunable(row, latest) for row in latest.directory.tunables]


def _tunable(row: Any, latest: Latest) -> Document:
    values = latest.text.get("Values")
    ends = {"choices": list(row.choices)} if row.choices else {"minimum": row.minimum, "maximum": row.maximum}
    value = values.get(row.name) if isinstance(values, dict) else None
    return {"name": row.name, "role": row.role, "unit": row.unit, "value": value, **ends}


async def profiles(desk: Desk, _request: web.Request) -> Document:
    told = await desk.link.ask(lambda gamesad: gamesad.properties())
    kept = ("Name", "Description", "Rank", "PowerProfile", "Source")
    return {
        "profiles": [
            {"power_profile" if key == "PowerProfile" else key.lower(): one.get(key) for key in kept}
            for one in told.get("Profiles", [])
        ],
        "active": told.get("ActiveProfile"),
        "selected": told.get("SelectedProfile"),
        "holds": [{**_lowered(one), "mine": desk.acting.owns(one.get("Cookie"))} for one in told.get("Holds", [])],
    }


def _lowered(fields: Document) -> Document:
    return {"application_id" if key == "ApplicationId" else key.lower(): value for key, value in fields.items()}


async def decisions(desk: Desk, request: web.Request) -> list[Document]:
    """Newest first."""
    query = request.query
    asked.known_only(query, "count", "action", "source", "since", "until")
    count = int(asked.number(query, "count", _DECISIONS, 1, _DECISIONS_MOST))
    since_s, until_s = asked.period(query, float("inf"))
    found = []
    for entry in reversed(await desk.past.read(lambda crystal: crystal.decisions())):
        wanted = query.get("action", entry.action) == entry.action and query.get("source", entry.source) == entry.source
        if wanted and since_s <= entry.since_s <= until_s:
            found.append(decision(entry))
    return found[:count]


async def history(desk: Desk, request: web.Request) -> Document:
    query = request.query
    asked.known_only(query, "sensor", "since", "until", "points")
    since_s, until_s = asked.period(query, _HISTORY_S)
    points = int(asked.number(query, "points", _POINTS, 2, MAX_POINTS))
    wanted = list(dict.fromkeys(query.getall("sensor", [])))
    if not 0 < len(wanted) <= _SENSORS:
        raise bad(f"{len(wanted)} sensors are named", f"name 1 to {_SENSORS}: sensor=A&sensor=B")

    def look(crystal: Crystal) -> Document:
        return together({name: past_of(crystal, name, since_s, until_s) for name in wanted}, since_s, until_s, points)

    return await desk.past.read(look)


def past_of(crystal: Crystal, name: str, since_s: float, until_s: float, points: int = 0) -> list[Point]:
    try:
        return crystal.history(name, int(since_s * 1e6), int(until_s * 1e6), points)
    except KeyError:
        raise Refused(
            HTTPStatus.NOT_FOUND, f"there is no sensor {name[:128]!r}", "GET /api/v1/sensors lists them"
        ) from None


async def forecasts(desk: Desk, _request: web.Request) -> Document:
    return forecast(desk.source.crystal().latest())


async def crystal(desk: Desk, _request: web.Request) -> Document:
    """The pool's statistics, the daemon's own where the bus gives them."""
    published = dict(desk.source.crystal().statistics())
    return {**published, "address": layout.BASE, "path": desk.source.crystal().path}


async def blocks(desk: Desk, _request: web.Request) -> list[Document]:
    return await desk.past.read(lambda crystal: [block(one) for one in crystal.blocks()])


async def neural(desk: Desk, _request: web.Request) -> Any:
    try:
        return await desk.link.ask(lambda gamesad: gamesad.neural_status())
    except ClientError as error:
        if error.name != names.UNKNOWN_METHOD:
            raise
        raise Refused(
            HTTPStatus.SERVICE_UNAVAILABLE, "not available: this gamesad has no models", "update it"
        ) from None


async def flights(desk: Desk, _request: web.Request) -> list[Document]:
    """As ``gamesactl flight list --json``."""
    return await desk.past.read(flight.listed)


async def one_flight(desk: Desk, request: web.Request) -> Document:
    """As ``gamesactl flight export``."""
    wanted = request.match_info["id"]

    def look(crystal: Crystal) -> Document:
        if wanted not in map(str, flight.numbers(crystal)):
            raise Refused(
                HTTPStatus.NOT_FOUND, f"there is no recording {wanted[:50]}", "GET /api/v1/flights lists them"
            )
        return dict(flight.recording(crystal, int(wanted)))

    return await desk.past.read(look)


async def frames(desk: Desk, _request: web.Request) -> Document:
    return await desk.past.read(lambda _crystal: desk.frames.look())


async def live(desk: Desk, request: web.Request) -> web.StreamResponse:
    return await desk.hub.serve(request)


async def _or_nothing(desk: Desk, question: Callable[[Any], Any]) -> list[Document]:
    try:
        return list(await desk.link.ask(question))
    except ClientError:
        return []
