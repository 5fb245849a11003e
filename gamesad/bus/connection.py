"""Keeps the service on the bus: connects, takes the name, serves, and does it all again when the bus goes away."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from dbus_next.message import Message

from gamesad.bus import names
from gamesad.bus.events import Events
from gamesad.bus.interface import Interface
from gamesad.bus.link import BUS, BusUnreachable, CallFailed, Link, Ready
from gamesad.bus.logind import MANAGER, Logind
from gamesad.bus.members import METHODS, Service, signature
from gamesad.bus.rivals import RIVALS, Rivals
from gamesad.bus.standard import STANDARD
from gamesad.bus.wire import Head

ON = "on"
_DEFAULT_ADDRESS = "unix:path=/run/dbus/system_bus_socket"
_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
_DO_NOT_QUEUE = 4
_OWNER = (1, 4)  # PRIMARY_OWNER, ALREADY_OWNER
_FAREWELL_TIMEOUT_S = 1.0
_SIGNATURES = {signature(method.ins) for method in METHODS} | {row.signature_in for row in STANDARD.values()}


class NameTaken(Exception):
    """Somebody else owns our name: another gamesad runs."""


async def serve(service: Service, *, address: str | None = None, on_state: Callable[[str], None] | None = None) -> None:
    """Serves until cancelled, and then gives the name back. NameTaken if at the start somebody else has the name.

    ``address``: None for DBUS_SYSTEM_BUS_ADDRESS, or the system bus. ``on_state`` gets "on" when the name is ours, and
    a sentence when it is not; each change once. Without a bus it keeps trying, quietly.
    """
    server = _Server(service, on_state)
    service.subscribe(server.emit)
    wanted = address or os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or _DEFAULT_ADDRESS
    await server.run(wanted)


class _Server:
    def __init__(self, service: Service, on_state: Callable[[str], None] | None) -> None:
        self._service = service
        self._on_state = on_state
        self._state = ""
        self._session: _Session | None = None
        self._owned_before = False

    def emit(self, event: str, payload: object) -> None:
        """What the service tells; nobody hears it while there is no bus."""
        if self._session is not None:
            self._session.events.emit(event, payload)

    async def run(self, address: str) -> None:
        attempt = 0
        while True:
            session = _Session(self._service)
            try:
                await session.open(address)
                self._session = session
                self._owned_before = True
                attempt = 0
                self._say(ON)
                await session.link.closed()
                self._say("the connection to the bus is lost")
            except BusUnreachable as error:
                self._say(str(error))
            except NameTaken as error:
                if not self._owned_before:
                    raise
                self._say(str(error))
            finally:
                self._session = None
                await session.close()
            await asyncio.sleep(_BACK_OFF_S[min(attempt, len(_BACK_OFF_S) - 1)])
            attempt += 1

    def _say(self, state: str) -> None:
        if state == self._state:
            return
        self._state = state
        if self._on_state is not None:
            self._on_state(state)


class _Session:
    """One link with everything that lives on it."""

    def __init__(self, service: Service) -> None:
        self.link = Link(self._on_call, self._on_signal, self._at_hand)
        self.events = Events(self.link)
        self._interface = Interface(self.link, service)
        self._logind = Logind(self.link, service)
        self._rivals = Rivals(self.link, service)

    async def open(self, address: str) -> None:
        """BusUnreachable, or NameTaken."""
        await self.link.open(address, signatures=_SIGNATURES, signals=[MANAGER])
        self._logind.listen()
        try:
            [answer] = await self.link.call_bus("RequestName", "su", names.BUS_NAME, _DO_NOT_QUEUE)
        except CallFailed as error:
            if error.name.endswith(".AccessDenied"):
                raise BusUnreachable(
                    f"the bus does not let user {os.geteuid()} own {names.BUS_NAME} (is its policy file installed?)"
                ) from error
            raise BusUnreachable(f"the bus does not give us our name: {error}") from error
        if answer not in _OWNER:
            raise NameTaken(f"{names.BUS_NAME} is owned by somebody else")
        self._interface.start(self._rivals.listen())

    async def close(self) -> None:
        """Gives the name back if the bus still listens, so that nobody waits for a service that is leaving."""
        with contextlib.suppress(CallFailed):  # the bus is gone, or never was
            await self.link.call_bus("ReleaseName", "s", names.BUS_NAME, timeout_s=_FAREWELL_TIMEOUT_S)
        await self._interface.close()
        await self.link.close()

    def _on_call(self, message: Message) -> None:
        self._interface.handle(message)

    def _at_hand(self, head: Head) -> Ready:
        return self._interface.at_hand(head)

    def _on_signal(self, message: Message) -> None:
        if message.sender == BUS and message.member == "NameOwnerChanged" and message.signature == "sss":
            name, _, owner = message.body
            if name in RIVALS:
                self._interface.start(self._rivals.follow(name, present=bool(owner)))
            elif not owner:
                self._interface.left(name)
        elif self._logind.is_meant(message):
            self._interface.start(self._logind.follow(message))
