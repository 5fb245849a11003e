"""One live connection to the bus: dbus-next behind the relay, calls with a time limit, writes one after the other.

dbus-next's own ``call`` waits for ever once a connection has died, and its writer ends the connection when a write
would block. So calls are matched to replies here, and a message is handed over when the one before has been written.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from dbus_next.aio.message_bus import MessageBus
from dbus_next.constants import MessageFlag, MessageType
from dbus_next.errors import AuthError
from dbus_next.message import Message

from gamesad.bus.marshal import method_return
from gamesad.bus.relay import Relay
from gamesad.bus.wire import Head

BUS = "org.freedesktop.DBus"
CALL_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 10.0
DISCONNECT_TIMEOUT_S = 1.0
CONGESTED_BYTES = 64 * 1024


Ready = tuple[str, bytes] | None
"""The signature and the bytes of an answer, if it is at hand."""


class Remote(NamedTuple):
    """An object of somebody else's."""

    name: str
    path: str
    interface: str


BUS_DAEMON = Remote(BUS, "/org/freedesktop/DBus", BUS)


class BusUnreachable(Exception):
    """There is no bus, it does not let us in, or the connection is lost. The text is fit for people."""


class CallFailed(Exception):
    """A call was answered with an error, or not in time (then ``name`` ends in Timeout)."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class Link:
    """An open connection. ``on_call`` and ``on_signal`` get every method call and signal that the relay lets in.

    ``at_hand`` is asked first for an answer that is ready as bytes.
    """

    def __init__(
        self, on_call: Callable[[Message], None], on_signal: Callable[[Message], None], at_hand: Callable[[Head], Ready]
    ) -> None:
        self.on_drained: Callable[[], None] = _nothing
        self._on_call = on_call
        self._on_signal = on_signal
        self._at_hand = at_hand
        self._relay: Relay | None = None
        self._bus: Any = None
        self._ended: asyncio.Task[None] | None = None
        self._outgoing: deque[Message] = deque()
        self._writing = False
        self._calls: dict[int, asyncio.Future[Message]] = {}

    async def open(self, address: str, *, signatures: Collection[str], signals: Collection[str]) -> None:
        """Connects and says hello. BusUnreachable when that cannot be done within ten seconds."""
        outer = await _connect(address)
        self._relay = Relay(
            outer, signatures=signatures, signals=signals, answer=self._answer_at_once, on_drained=self._drained
        )
        try:
            self._bus = MessageBus(bus_address=self._relay.address)
            self._bus.add_message_handler(self._handle)
            self._ended = asyncio.create_task(self._watch())
            await asyncio.wait_for(self._bus.connect(), CONNECT_TIMEOUT_S)
        except (OSError, EOFError, AuthError, TimeoutError) as error:
            await self.close()
            raise BusUnreachable(f"the bus does not answer: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Ends the connection; calls that still wait fail."""
        if self._bus is not None and self._bus.connected:
            self._bus.disconnect()
        if self._relay is not None:
            self._relay.close()
        if self._ended is not None:
            await asyncio.wait([self._ended], timeout=DISCONNECT_TIMEOUT_S)
            self._ended.cancel()  # what never was connected never disconnects
        self._forget()

    async def closed(self) -> None:
        """Returns once the connection is lost, for whatever reason."""
        if self._ended is not None:
            await asyncio.wait([self._ended])  # which, cancelled, leaves the task alone
        self._forget()

    async def _watch(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            await self._bus.wait_for_disconnect()

    def _forget(self) -> None:
        """Nothing more comes and nothing more goes; calls that still wait fail."""
        if self._relay is not None:
            self._relay.close()
        for waiting in self._calls.values():
            if not waiting.done():
                waiting.set_exception(CallFailed(f"{BUS}.Error.Disconnected", "the connection to the bus is lost"))
        self._calls.clear()
        self._outgoing.clear()

    @property
    def congested(self) -> bool:
        """The bus is not reading: what can be said later, in fewer words, should be (``on_drained`` says when)."""
        return self._relay is not None and (self._relay.backlog_bytes > CONGESTED_BYTES or len(self._outgoing) > 64)

    def send(self, message: Message) -> None:
        """Sends when the messages before it are written. Nothing is sent on a lost connection."""
        if self._writing:
            self._outgoing.append(message)
        else:
            self._write(message)

    async def call(
        self, remote: Remote, member: str, signature: str, body: Sequence[Any], *, timeout_s: float = CALL_TIMEOUT_S
    ) -> list[Any]:
        """The body of the answer. CallFailed for an error, none in time, or a lost connection."""
        if self._bus is None or not self._bus.connected:
            raise CallFailed(f"{BUS}.Error.Disconnected", "the connection to the bus is lost")
        message = Message(
            destination=remote.name, path=remote.path, interface=remote.interface, member=member,
            signature=signature, body=list(body), serial=self._bus.next_serial(),
        )  # fmt: skip
        answered: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._calls[message.serial] = answered
        self.send(message)
        try:
            reply = await asyncio.wait_for(answered, timeout_s)
        except TimeoutError:
            raise CallFailed(f"{BUS}.Error.Timeout", f"{remote.name} did not answer in {timeout_s:.0f} s") from None
        finally:
            self._calls.pop(message.serial, None)
        if reply.message_type is MessageType.ERROR:
            text = reply.body[0] if reply.signature.startswith("s") and reply.body else ""
            raise CallFailed(reply.error_name, text)
        return list(reply.body)

    async def call_bus(
        self, member: str, signature: str, *arguments: Any, timeout_s: float = CALL_TIMEOUT_S
    ) -> list[Any]:
        """A call to the bus daemon itself."""
        return await self.call(BUS_DAEMON, member, signature, arguments, timeout_s=timeout_s)

    def tell(self, remote: Remote, member: str, text: str) -> None:
        """A call of one text that wants no answer."""
        self.send(
            Message(
                destination=remote.name, path=remote.path, interface=remote.interface, member=member,
                signature="s", body=[text], flags=MessageFlag.NO_REPLY_EXPECTED,
            )
        )  # fmt: skip

    def tell_bus(self, member: str, text: str) -> None:
        """AddMatch or RemoveMatch, without waiting: the bus does things in the order it was told."""
        self.tell(BUS_DAEMON, member, text)

    def _answer_at_once(self, head: Head) -> bytes | None:
        ready = self._at_hand(head)
        if ready is None:
            return None
        signature, body = ready
        return method_return(
            self._bus.next_serial(), reply_serial=head.serial, destination=head.sender.decode(),
            signature=signature, body=body,
        )  # fmt: skip

    def _handle(self, message: Message) -> bool:
        match message.message_type:
            case MessageType.METHOD_CALL:
                self._on_call(message)
            case MessageType.SIGNAL:
                self._on_signal(message)
                return False  # dbus-next keeps its own record of name owners
            case _:
                answered = self._calls.get(message.reply_serial)
                if answered is None:
                    return False  # the answer to Hello, which dbus-next asked
                if not answered.done():
                    answered.set_result(message)
        return True

    def _write(self, message: Message) -> None:
        if self._bus is None or not self._bus.connected:
            return
        sent = self._bus.send(message)  # raises for what cannot be marshalled, and then nothing is under way
        self._writing = True
        sent.add_done_callback(self._written)

    def _written(self, future: asyncio.Future[None]) -> None:
        self._writing = False
        if future.cancelled() or future.exception() is not None:
            return  # the connection is lost, and `closed` tells
        if self._outgoing:
            self._write(self._outgoing.popleft())
            if not self._outgoing:
                self._drained()

    def _drained(self) -> None:
        if not self.congested:
            self.on_drained()


async def _connect(address: str) -> socket.socket:
    """A connected socket for the first of the addresses that works; only Unix sockets are local and authenticated."""
    problem = f"{address!r} names no Unix socket"
    for path in unix_paths(address):
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        end.settimeout(0)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(end, path), CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            end.close()
            problem = error.strerror if isinstance(error, OSError) and error.strerror else "it does not answer"
        except asyncio.CancelledError:
            end.close()
            raise
        else:
            return end
    raise BusUnreachable(f"no system bus: {problem}")


def unix_paths(address: str) -> list[str]:
    """The sockets in a D-Bus address list (D-Bus specification, "Server Addresses"); abstract ones begin with NUL."""
    paths = []
    for entry in address.split(";"):
        transport, _, text = entry.partition(":")
        options = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
        if transport == "unix" and "path" in options:
            paths.append(unquote(options["path"]))
        elif transport == "unix" and "abstract" in options:
            paths.append("\0" + unquote(options["abstract"]))
    return paths


def _nothing() -> None:
    """Nobody waits for the bus to read again."""
