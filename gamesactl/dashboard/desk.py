"""What every answer is made from: the segment, the bus, the clients, and who may do what."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from gamesactl.dashboard.acting import Acting
from gamesactl.dashboard.frames import Frames
from gamesactl.dashboard.guard import Guard
from gamesactl.dashboard.judge import Judge
from gamesactl.dashboard.link import Link
from gamesactl.dashboard.live import Hub
from gamesactl.dashboard.source import Past, Source
from gamesactl.terminal import harmless

_AGAIN_S = 0.5
_SIGNALS = {"ThermalAlert": "alert", "AnomalyDetected": "anomaly"}


class Desk:
    """``guard.read_only`` is why nobody may write whatever polkit says, or empty."""

    def __init__(self, guard: Guard, frames: Frames) -> None:
        from gamesactl.dashboard.api import hello  # noqa: PLC0415 - it is typed with this class

        self.guard = guard
        self.frames = frames
        self.source = Source()
        self.past = Past()
        self.link = Link(self._told)
        self.judge = Judge()
        self.acting = Acting(note)
        self.hub = Hub(self.source, lambda: hello(self, None))

    async def why_read_only(self) -> str:
        return self.guard.read_only or await self.judge.why_not()

    async def running(self, _program: web.Application) -> AsyncIterator[None]:
        """While the server runs."""
        tasks = [asyncio.create_task(self.link.run()), asyncio.create_task(self.hub.run())]
        for task in tasks:
            task.add_done_callback(_told_if_failed)
        yield
        await self.acting.close()
        for task in tasks:
            while not task.done():  # wait_for of Python 3.11 loses a cancellation that comes as its work is done
                task.cancel()
                await asyncio.wait({task}, timeout=_AGAIN_S)
        self.past.close()
        self.source.close()

    def _told(self, signal: str, arguments: list[Any]) -> None:
        """A signal of the daemon, to all pages."""
        if signal == "ProfileChanged" and len(arguments) == 2:
            self.hub.tell({"type": "profile", "t": time.time(), "profile": arguments[0], "cause": arguments[1]})
        elif signal in _SIGNALS and arguments and isinstance(arguments[0], dict):
            told = {key.lower(): value for key, value in arguments[0].items()}
            self.hub.tell({**told, "type": _SIGNALS[signal], "t": time.time()})


def _told_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        note(f"{error!r}; start the dashboard again, and report it")


def note(text: str) -> None:
    """What happens while it runs, on its terminal or in the unit's journal."""
    print(f"gamesactl dashboard: {harmless(text)}", file=sys.stderr, flush=True)
