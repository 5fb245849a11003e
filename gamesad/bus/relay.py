"""Stands between the bus's socket and dbus-next, and lets in only what dbus-next can stand.

dbus-next reads as long as there is something to read, takes any size, keeps every signature it ever saw, and ends the
connection at a message of an unknown type or when a write would block. So one careless or hostile client could fill the
memory, keep the event loop from everybody else, or throw us off the bus. Through its public API none of that can be
changed; so it is given the address of this relay, which

- drops messages of unknown types and signals nobody subscribed to, and cuts off bodies that are too long or of a
  signature that no method takes (the handler then answers InvalidArgs);
- queues calls per sender, bounded, and passes on a few in each turn of the loop, one sender after the other;
- answers what has its answer ready (GetStatus) by itself, in a seventh of the time;
- takes whatever dbus-next writes and keeps it while the bus does not read, bounded.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
from collections import OrderedDict, deque
from collections.abc import Callable, Collection

from gamesad.bus import wire
from gamesad.bus.names import MAX_MESSAGE_BYTES

CALLS_PER_TURN = 8
MAX_WAITING_PER_SENDER = 256
MAX_WAITING_UNANSWERED = 32
"""Calls of one sender that want no reply; those who do are bounded by the bus (128 per connection)."""
MAX_WAITING_BYTES = 4 * 1024 * 1024
MAX_BACKLOG_BYTES = 8 * 1024 * 1024
_BEGIN = b"BEGIN\r\n"
_RECEIVE_BYTES = 64 * 1024
_PEER_CREDENTIALS = struct.Struct("iii")
_SIMPLE_TYPES = frozenset(bytes([code]) for code in b"ybnqiuxtds")


class Relay:
    """One connection to the bus (``outer``) and one from dbus-next (``inner``). ``close`` is to be called once.

    ``signatures``: the bodies that calls may have. ``signals``: interfaces whose signals are let in, besides the bus's.
    ``answer``: the reply to a call if it is at hand, as a whole message; such a call never reaches dbus-next.
    """

    def __init__(
        self,
        outer: socket.socket,
        *,
        signatures: Collection[str],
        signals: Collection[str],
        answer: Callable[[wire.Head], bytes | None],
        on_drained: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._outer = outer
        outer.settimeout(0)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        name = f"gamesad-{secrets.token_hex(16)}"
        self._listener.bind(f"\0{name}")
        self._listener.listen(16)
        self._listener.settimeout(0)
        self.address = f"unix:abstract={name}"
        self._loop.add_reader(self._listener, self._accept)
        self._inner: socket.socket | None = None
        self._signatures = frozenset(text.encode() for text in signatures)
        self._signals = frozenset(text.encode() for text in signals)
        self._answer = answer
        self._on_drained = on_drained
        self._greeted = False
        self._received = bytearray()
        self._skip_bytes = 0
        self._waiting: OrderedDict[bytes, deque[tuple[wire.Head, bytearray]]] = OrderedDict()
        self._waiting_bytes = 0
        self._pumping = False
        self._inward = bytearray()
        self._outward = bytearray()
        self._written = bytearray()
        self._begun = False

    def _accept(self) -> None:
        """Takes the connection that this process makes to ``address``, and nobody else's."""
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return  # whoever it was has left again
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
        if _PEER_CREDENTIALS.unpack(credentials)[0] != os.getpid():
            peer.close()
            return
        self._loop.remove_reader(self._listener)
        self._listener.close()
        peer.settimeout(0)
        self._inner = peer
        self._loop.add_reader(self._outer, self._from_bus)
        self._loop.add_reader(peer, self._to_bus)

    def close(self) -> None:
        for end in (self._listener, self._outer, self._inner):
            if end is not None and end.fileno() >= 0:
                self._loop.remove_reader(end)
                self._loop.remove_writer(end)
                end.close()
        self._waiting.clear()

    @property
    def backlog_bytes(self) -> int:
        """What the bus has not yet taken."""
        return len(self._outward)

    # ---- from the bus

    def _from_bus(self) -> None:
        data = _receive(self._outer)
        if data is None:
            return
        if not data:
            self.close()
            return
        if not self._greeted:  # the answer to AUTH is one line of text; messages follow
            line, end, data = data.partition(b"\n")
            self._greeted = bool(end)
            self._pass_in(line + end)
        self._received += data
        self._split()
        self._pump_if_idle()

    def _split(self) -> None:
        received = self._received
        while True:
            if self._skip_bytes:
                skipped = min(self._skip_bytes, len(received))
                del received[:skipped]
                self._skip_bytes -= skipped
            if len(received) < wire.FIXED_SIZE:
                return
            head_size, body_size = wire.sizes(received)
            if head_size > MAX_MESSAGE_BYTES:
                self._skip_bytes = head_size + body_size
                continue
            too_long = head_size + body_size > MAX_MESSAGE_BYTES
            needed = head_size if too_long else head_size + body_size
            if len(received) < needed:
                return
            message = received[:needed]
            del received[:needed]
            head = wire.read_head(message, head_size, body_size)
            if too_long:
                self._skip_bytes = body_size
                message = wire.without_body(message, wire.Head(0, 0, head_size, 0))
            if head is not None:
                self._admit(head, message, cut=too_long)

    def _admit(self, head: wire.Head, message: bytearray, *, cut: bool) -> None:
        if head.message_type == wire.METHOD_CALL:
            self._queue(head, message if cut else self._checked(head, message), cut=cut)
        elif head.message_type in (wire.METHOD_RETURN, wire.ERROR):
            self._pass_in(message)
        elif head.message_type == wire.SIGNAL:
            wanted = head.sender == b"org.freedesktop.DBus" or head.interface in self._signals
            if wanted and head.signature in (b"b", b"s", b"sss"):
                self._pass_in(message)

    def _checked(self, head: wire.Head, message: bytearray) -> bytearray:
        """The call, without its body where dbus-next need not see it: it would keep each new signature for ever."""
        if head.signature not in self._signatures:
            return wire.without_body(message, head, signature=b"y" * len(head.signature))
        if head.signature.startswith(b"sv"):
            return (
                message if wire.variant_signature(message, head) in _SIMPLE_TYPES else wire.without_body(message, head)
            )
        return wire.without_body(message, head) if b"v" in head.signature else message

    def _queue(self, head: wire.Head, message: bytearray, *, cut: bool) -> None:
        waiting = self._waiting.get(head.sender)
        if waiting is None:
            waiting = self._waiting[head.sender] = deque()
        bound = MAX_WAITING_UNANSWERED if head.flags & wire.NO_REPLY_EXPECTED else MAX_WAITING_PER_SENDER
        if len(waiting) >= bound:
            return
        if waiting and self._waiting_bytes > MAX_WAITING_BYTES and not cut:
            message = wire.without_body(message, head)
        waiting.append((head, message))
        self._waiting_bytes += len(message)

    def _pump_if_idle(self) -> None:
        if not self._pumping:
            self._pump()

    def _pump(self) -> None:
        """Passes on a few calls, one sender after the other, and comes back in the next turn of the loop."""
        waiting = self._waiting
        for _ in range(CALLS_PER_TURN if not self._inward else 0):
            if not waiting:
                break
            sender, calls = waiting.popitem(last=False)
            head, message = calls.popleft()
            self._waiting_bytes -= len(message)
            reply = self._answer(head) if head.size == len(message) else None
            if reply is None:
                self._pass_in(message)
            else:
                self._pass_out(reply)
            if calls:
                waiting[sender] = calls
        self._pumping = bool(waiting) and self._alive
        if self._pumping:
            self._loop.call_soon(self._pump)

    def _pass_in(self, data: bytes | bytearray) -> None:
        if self._inner is None or not self._alive:
            return
        if not self._inward:
            sent = _send(self._inner, data)
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._inner, self._drain_inward)
        self._inward += data

    def _drain_inward(self) -> None:
        if self._inner is not None:
            del self._inward[: _send(self._inner, self._inward)]
            if not self._inward:
                self._loop.remove_writer(self._inner)

    # ---- to the bus

    def _to_bus(self) -> None:
        if self._inner is None:
            return
        data = _receive(self._inner)
        if data is None:
            return
        if not data:
            self.close()
            return
        self._written += data
        if not self._begun:  # what is said before BEGIN is text; messages follow
            end = self._written.find(_BEGIN) + len(_BEGIN)
            self._begun = end >= len(_BEGIN)
            end = end if self._begun else len(self._written)
            self._pass_out(self._written[:end])
            del self._written[:end]
        while self._alive and len(self._written) >= wire.FIXED_SIZE:  # whole messages: replies of ours go between them
            size = sum(wire.sizes(self._written))
            if len(self._written) < size:
                break
            self._pass_out(self._written[:size])
            del self._written[:size]

    def _pass_out(self, data: bytes | bytearray) -> None:
        if not self._alive:
            return
        if not self._outward:
            sent = _send(self._outer, data)
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._outer, self._drain_outward)
        self._outward += data
        if len(self._outward) > MAX_BACKLOG_BYTES:
            self.close()

    def _drain_outward(self) -> None:
        del self._outward[: _send(self._outer, self._outward)]
        if not self._outward:
            self._loop.remove_writer(self._outer)
            self._on_drained()

    @property
    def _alive(self) -> bool:
        return self._outer.fileno() >= 0


def _receive(end: socket.socket) -> bytes | None:
    """What has arrived; None when nothing has after all, empty when the other end is gone."""
    try:
        return end.recv(_RECEIVE_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _send(end: socket.socket, data: bytes | bytearray) -> int:
    """How many bytes were taken. A lost connection takes everything: the reader is told of it and ends the relay."""
    try:
        return end.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return len(data)
