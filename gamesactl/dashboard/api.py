"""What is answered to those who read: see docs/dashboard-api.md."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from aiohttp import web

from gamesactl import segment
from gamesactl.dashboard import live as websocket
from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.reading import Document
from gamesactl.errors import ClientError, Unreachable
from gamesad.crystal.errors import CrystalError


async def hello(desk: Desk, _request: web.Request | None) -> Document:
    told: dict[str, Any] = {}
    stale_since = desk.source.stale_since()
    with suppress(CrystalError, Unreachable):
        told = dict(desk.source.crystal().latest().text)
    return {
        "version": told.get("Version"),
        "machine": told.get("Machine"),
        "simulated": told.get("Simulated"),
        "can_write": not desk.read_only,
        "why_read_only": desk.read_only or None,
        "polling": {"min_hz": websocket.MIN_HZ, "max_hz": websocket.MAX_HZ},
        "stale_since": stale_since,
    }


async def status(desk: Desk, _request: web.Request) -> Document:
    """As ``gamesactl status --json``: who holds a profile is told on the bus only."""
    seen = segment.status()
    if seen is None:
        return {**await desk.link.ask(lambda gamesad: gamesad.status()), "stale_since": desk.source.stale_since()}
    found = seen.status
    if not seen.whole and seen.stale_s is None:
        with suppress(ClientError):
            found = await desk.link.ask(lambda gamesad: gamesad.status())
    return {**found, "stale_since": desk.source.stale_since()}


async def live(desk: Desk, request: web.Request) -> web.StreamResponse:
    return await desk.hub.serve(request)
