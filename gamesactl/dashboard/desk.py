"""What every answer is made from: the segment, the bus, the clients, and who may do what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from aiohttp import web

from gamesactl.dashboard.guard import Guard
from gamesactl.dashboard.link import Link
from gamesactl.dashboard.live import Hub
from gamesactl.dashboard.source import Past, Source

_SIGNALS = {"ThermalAlert": "alert", "AnomalyDetected": "anomaly"}


class Desk:
    """``read_only``: why nobody may write, or empty."""

    def __init__(self, guard: Guard, *, read_only: str) -> None:
        from gamesactl.dashboard.api import hello  # noqa: PLC0415 - it is typed with this class

        self.guard = guard
        self.read_only = read_only
        self.source = Source()
        self.past = Past()
        self.link = Link(self._told)
        self.hub = Hub(self.source, lambda: hello(self, None))

    async def running(self, _program: web.Application) -> AsyncIterator[None]:
        """While the server runs."""
        tasks = [asyncio.create_task(self.link.run()), asyncio.create_task(self.hub.run())]
        yield
        await self.hub.close()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.past.close()
        self.source.close()

    def _told(self, signal: str, arguments: list[Any]) -> None:
        """A signal of the daemon, to all pages."""
        if signal == "ProfileChanged" and len(arguments) == 2:
            self.hub.tell({"type": "profile", "t": time.time(), "profile": arguments[0], "cause": arguments[1]})
        elif signal in _SIGNALS and arguments and isinstance(arguments[0], dict):
            told = {key.lower(): value for key, value in arguments[0].items()}
            self.hub.tell({"type": _SIGNALS[signal], "t": time.time(), **told})
