"""A caller on a private bus, as any user, from inside the test: its socket is opened with that user's credentials."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from dbus_next.aio.message_bus import MessageBus
from dbus_next.constants import MessageFlag, MessageType
from dbus_next.message import Message

from gamesad.bus import names
from gamesad.bus.signatures import plain
from tests.support.private_bus import USERS, PrivateBus

TIMEOUT_S = 60.0


class Refused(Exception):
    """An error reply; ``name`` is its last part."""

    def __init__(self, error_name: str, text: str) -> None:
        super().__init__(f"{error_name}: {text}")
        self.error_name = error_name
        self.name = error_name.rpartition(".")[2]
        self.text = text


class Client:
    """One connection. ``signals`` collects what it was sent, as (member, body)."""

    def __init__(self, bus: MessageBus) -> None:
        self.bus = bus
        self.signals: asyncio.Queue[tuple[str, list[Any]]] = asyncio.Queue()
        bus.add_message_handler(self._collect)

    @property
    def name(self) -> str:
        return str(self.bus.unique_name)

    async def call(
        self,
        member: str,
        signature: str = "",
        *body: Any,
        interface: str = names.INTERFACE,
        path: str = names.OBJECT_PATH,
        destination: str = names.BUS_NAME,
        flags: MessageFlag = MessageFlag.NONE,
    ) -> Any:
        """The plain answer (None, or the one value); raises Refused."""
        message = Message(
            destination=destination, path=path, interface=interface, member=member,
            signature=signature, body=list(body), flags=flags,
        )  # fmt: skip
        reply = await asyncio.wait_for(self.bus.call(message), TIMEOUT_S)
        assert reply is not None
        if reply.message_type is MessageType.ERROR:
            raise Refused(reply.error_name, reply.body[0] if reply.body else "")
        return plain(reply.body[0]) if reply.body else None

    async def call_bus(self, member: str, signature: str, *body: Any) -> Any:
        """A call to the bus daemon itself."""
        bus = "org.freedesktop.DBus"
        return await self.call(member, signature, *body, interface=bus, path="/org/freedesktop/DBus", destination=bus)

    async def properties(self) -> dict[str, Any]:
        values = await self.call("GetAll", "s", names.INTERFACE, interface=names.PROPERTIES)
        assert isinstance(values, dict)
        return values

    async def listen(self) -> None:
        """Subscribes to our object's signals."""
        rule = f"type='signal',path='{names.OBJECT_PATH}'"
        await self.call_bus("AddMatch", "s", rule)

    async def signal(self, member: str) -> list[Any]:
        """The next signal of this name, plain; others before it are passed over."""
        while True:
            said, body = await asyncio.wait_for(self.signals.get(), TIMEOUT_S)
            if said == member:
                return body

    def flood(self, count: int, member: str = "GetStatus", signature: str = "", body: Sequence[Any] = ()) -> None:
        """Sends calls that want no answer."""
        for _ in range(count):
            self.bus.send(
                Message(
                    destination=names.BUS_NAME, path=names.OBJECT_PATH, interface=names.INTERFACE, member=member,
                    signature=signature, body=list(body), flags=MessageFlag.NO_REPLY_EXPECTED,
                )
            )  # fmt: skip

    def _collect(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.path == names.OBJECT_PATH:
            self.signals.put_nowait((message.member, [plain(value) for value in message.body]))


@asynccontextmanager
async def client(bus: PrivateBus, user: str = "root") -> AsyncIterator[Client]:
    """A connection of this user's. The whole process has the user's id while the socket is opened."""
    uid = USERS[user]
    os.setresuid(uid, uid, 0)
    try:
        connection = await MessageBus(bus_address=bus.address).connect()
    finally:
        os.setresuid(0, 0, 0)
    try:
        yield Client(connection)
    finally:
        await hang_up(connection)


async def hang_up(connection: Any) -> None:
    """Leaves the bus and waits until that is done."""
    if connection.connected:
        connection.disconnect()
    try:
        await asyncio.wait_for(connection.wait_for_disconnect(), TIMEOUT_S)
    except (OSError, EOFError):
        return  # the bus had left first
