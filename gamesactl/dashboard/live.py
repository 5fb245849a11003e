"""The WebSocket: one reading of the segment for all clients, each at its own rate, none ever behind.

What waits for a client is the newest tick and a few events; a client that does not read gets no queue.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from gamesactl.dashboard.answers import Refused, text_of
from gamesactl.dashboard.guard import Bucket
from gamesactl.dashboard.reading import decision, directory, tick
from gamesactl.dashboard.source import Source
from gamesactl.errors import Unreachable
from gamesad.crystal.errors import CrystalError

MAX_CLIENTS = 64
NEW_HZ, NEW_BURST = 5.0, 20.0
"""New connections a second."""
MAX_MESSAGE = 1024
ASKED_HZ, ASKED_BURST = 5.0, 20.0
"""Messages of one client."""
MIN_HZ, DEFAULT_HZ, MAX_HZ = 0.1, 1.0, 10.0
_EVENTS = 64
_SEND_BUFFER = 32 * 1024
"""Bytes on their way to a client, here and in the kernel, which would keep minutes otherwise."""
_PING_S = 30.0
_GOODBYE_S = 1.0
_BEFORE_S = 0.05
"""A tick that is due so soon goes now: the rates of hub and client beat against each other otherwise."""


class Client:
    """One WebSocket. ``due_s``: when it wants its next tick."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.rate_hz = DEFAULT_HZ
        self.paused = False
        self.due_s = 0.0
        self._events: deque[str] = deque(maxlen=_EVENTS)
        self._missed = 0
        self._tick: str | None = None
        self._something = asyncio.Event()

    def offer(self, tick_text: str, now_s: float) -> None:
        if not self.paused and now_s >= self.due_s - _BEFORE_S:
            self.due_s = max(self.due_s + 1 / self.rate_hz, now_s)
            self._tick = tick_text
            self._something.set()

    def tell(self, event: str) -> None:
        self._missed += len(self._events) == _EVENTS
        self._events.append(event)
        self._something.set()

    async def send(self) -> None:
        """Until the connection is lost."""
        with suppress(ConnectionError, RuntimeError):
            while not self.socket.closed:
                await self._something.wait()
                self._something.clear()
                while self._events:
                    await self.socket.send_str(self._events.popleft())
                if self._missed:
                    missed, self._missed = self._missed, 0
                    await self.socket.send_str(text_of({"type": "missed", "events": missed}))
                if self._tick is not None:
                    newest, self._tick = self._tick, None
                    await self.socket.send_str(newest)

    async def say_goodbye(self) -> None:
        await self.socket.close(code=WSCloseCode.GOING_AWAY, message=b"the dashboard ends")

    def heard(self, text: str) -> bool:
        """Whether it is something that a client may say."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return False
        if not isinstance(said, dict) or len(said) != 1:
            return False
        ((key, value),) = said.items()
        if key == "pause" and isinstance(value, bool):
            self.paused = value
            return True
        if (
            key == "rate"
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and MIN_HZ <= value <= MAX_HZ
        ):
            self.rate_hz = float(value)
            self.due_s = time.monotonic()
            return True
        return False


class Hub:
    """``hello`` is the first message but for its type, directory and profiles."""

    def __init__(self, source: Source, hello: Callable[[], Any]) -> None:
        self._source = source
        self._hello = hello
        self._clients: set[Client] = set()
        self._new = Bucket(NEW_HZ, NEW_BURST)
        self._changed = asyncio.Event()
        self._stale_s: float | None = None
        self._seen: tuple[object, ...] = ()
        self._directory: list[str] = []
        self._decision: int | None = None
        self.ticks = 0
        """Sent to nobody or to all: readings that were new."""

    @property
    def clients(self) -> int:
        return len(self._clients)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Refused when there are too many."""
        if self.clients >= MAX_CLIENTS or not self._new.take():
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS, "too many pages are open", "close one, or try again in a second"
            )
        offered = [one.strip() for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if one.strip()]
        socket = web.WebSocketResponse(
            max_msg_size=MAX_MESSAGE,
            heartbeat=_PING_S,
            compress=False,
            protocols=[one for one in offered if one == "gamesa"],
        )
        client = Client(socket)
        self._clients.add(client)
        try:
            await socket.prepare(request)
            if request.transport is not None:
                request.transport.set_write_buffer_limits(high=_SEND_BUFFER)
                request.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, _SEND_BUFFER)
            await self._talk(client)
        finally:
            self._clients.discard(client)
        return socket

    async def _talk(self, client: Client) -> None:
        client.tell(text_of({"type": "hello", **await self._hello(), "directory": self._names()}))
        if self._stale_s is not None:
            client.tell(text_of({"type": "stale", "since": self._stale_s}))
        self._seen = ()  # the newcomer gets the tick that is
        self._changed.set()
        sender = asyncio.create_task(client.send())
        asked = Bucket(ASKED_HZ, ASKED_BURST)
        try:
            async for message in client.socket:
                if message.type is not WSMsgType.TEXT or not asked.take() or not client.heard(message.data):
                    await client.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"see docs/dashboard-api.md")
                self._changed.set()
        finally:
            sender.cancel()

    def tell(self, event: dict[str, Any]) -> None:
        """To all."""
        text = text_of(event)
        for client in self._clients:
            client.tell(text)

    async def run(self) -> None:
        """For ever; without clients nothing is read."""
        while True:
            if self._clients:
                self._look()
            else:
                self._decision = None  # what is decided while nobody looks is no news to the next one
            fastest_hz = max((client.rate_hz for client in self._clients if not client.paused), default=DEFAULT_HZ)
            wait_s = 1 / max(fastest_hz, DEFAULT_HZ) if self._clients else None
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            self._changed.clear()

    def _look(self) -> None:
        stale_s = self._source.stale_since()
        if stale_s != self._stale_s and (stale_s is None or self._stale_s is None):
            self.tell({"type": "live"} if stale_s is None else {"type": "stale", "since": stale_s})
        self._stale_s = stale_s
        if stale_s is not None:
            self._seen = ()
            return
        with suppress(CrystalError, Unreachable):  # none yet, or none any more: said above at the next look
            self._publish()

    def _publish(self) -> None:
        crystal = self._source.crystal()
        latest = crystal.latest()
        names = [column.name for column in latest.directory.columns]
        if names != self._directory:
            if self._directory:
                self.tell({"type": "directory", "directory": names, "sensors": directory(latest)})
            self._directory = names
        seen = (crystal.generation, latest.tick)
        if seen == self._seen:
            return
        self._seen = seen
        self.ticks += 1
        if self._decision is not None and latest.decision_number > self._decision:
            for entry in crystal.decisions(min(_EVENTS, latest.decision_number - self._decision)):
                self.tell({"type": "decision", **decision(entry)})
        self._decision = latest.decision_number
        text, now_s = text_of({"type": "tick", **tick(latest)}), time.monotonic()
        for client in self._clients:
            client.offer(text, now_s)

    def _names(self) -> list[str]:
        with suppress(CrystalError, Unreachable):
            self._directory = [column.name for column in self._source.crystal().directory().columns]
        return self._directory

    async def close(self) -> None:
        """Those that do not read are not waited for."""
        closing = [asyncio.create_task(client.say_goodbye()) for client in self._clients]
        if closing:
            _, late = await asyncio.wait(closing, timeout=_GOODBYE_S)
            for one in late:
                one.cancel()
