"""The relay by itself: what it lets in, cuts, drops and keeps, whatever the bus would have stopped before it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gamesad.bus import relay as relay_module
from gamesad.bus import wire
from gamesad.bus.relay import Relay
from tests.support.raw_messages import raw_message

OURS = {1: "/a", 2: "org.example.I", 3: "Member", 7: ":1.5"}


class Ends:
    """Both ends of a relay: ``bus`` says what the bus would, ``library`` gets what dbus-next would."""

    def __init__(self, bus: socket.socket, library: socket.socket, relay: Relay) -> None:
        self.bus = bus
        self.library = library
        self.relay = relay

    async def arrives(self) -> bytes:
        """What comes through in a few turns of the loop."""
        for _ in range(20):
            await asyncio.sleep(0)
        return _available(self.library)

    async def sent(self) -> bytes:
        for _ in range(20):
            await asyncio.sleep(0)
        return _available(self.bus)


def _available(end: socket.socket) -> bytes:
    data = bytearray()
    while True:
        try:
            chunk = end.recv(1 << 20)
        except BlockingIOError:
            return bytes(data)
        if not chunk:
            return bytes(data)
        data += chunk


@asynccontextmanager
async def relayed() -> AsyncIterator[Ends]:
    bus, outer = socket.socketpair()
    relay = Relay(
        outer, signatures=["", "s"], signals=["org.example.Sleep"], on_drained=lambda: None,
        answer=lambda head: b"at hand" if head.member == b"Ready" else None,
    )  # fmt: skip
    library = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    library.connect("\0" + relay.address.removeprefix("unix:abstract="))
    bus.settimeout(0)
    library.settimeout(0)
    bus.send(b"OK 1234\r\n")
    library.send(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")
    ends = Ends(bus, library, relay)
    assert await ends.arrives() == b"OK 1234\r\n"
    assert await ends.sent() == b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n"
    try:
        yield ends
    finally:
        relay.close()
        bus.close()
        library.close()


@pytest.mark.parametrize(
    ("message", "let_in"),
    [
        (raw_message(wire.METHOD_CALL, 2, OURS), True),
        (raw_message(wire.METHOD_RETURN, 2, OURS), True),
        (raw_message(wire.ERROR, 2, OURS), True),
        (raw_message(5, 2, OURS), False),
        (raw_message(0, 2, OURS), False),
        (raw_message(5, 2, {**OURS, 8: "sss", 7: "org.freedesktop.DBus"}), False),
        (raw_message(wire.METHOD_CALL, 2, {**OURS, 10: "a field of no specification"}), False),
        (raw_message(wire.METHOD_CALL, 2, {**OURS, 1: "/" + "x" * 100_000}), False),
        (raw_message(wire.SIGNAL, 2, {**OURS, 8: "b"}), False),
        (raw_message(wire.SIGNAL, 2, {**OURS, 8: "b", 2: "org.example.Sleep"}), True),
        (raw_message(wire.SIGNAL, 2, {**OURS, 8: "a{sv}", 2: "org.example.Sleep"}), False),
        (raw_message(wire.SIGNAL, 2, {**OURS, 8: "sss", 7: "org.freedesktop.DBus"}), True),
    ],
)  # fmt: skip
def test_only_what_dbus_next_can_stand_is_let_in(message: bytes, let_in: bool) -> None:
    async def pass_on() -> bytes:
        async with relayed() as ends:
            ends.bus.send(message[:10])
            assert await ends.arrives() == b"", "half a message"
            ends.bus.settimeout(None)
            await asyncio.to_thread(ends.bus.sendall, message[10:])
            ends.bus.settimeout(0)
            after = raw_message(wire.METHOD_CALL, 3, OURS)
            ends.bus.send(after)
            arrived = await ends.arrives()
            assert arrived.endswith(after), "what comes after is not harmed"
            return arrived.removesuffix(after)

    assert asyncio.run(pass_on()) == (message if let_in else b"")


def test_a_body_that_no_method_takes_is_cut_off_and_its_signature_not_passed_on() -> None:
    async def pass_on() -> bytes:
        async with relayed() as ends:
            ends.bus.send(raw_message(wire.METHOD_CALL, 2, {**OURS, 8: "(nqix)"}, body=bytes(40)))
            return await ends.arrives()

    arrived = bytearray(asyncio.run(pass_on()))
    head_size, body_size = wire.sizes(arrived)
    head = wire.read_head(arrived, head_size, body_size)
    assert head is not None
    assert (head.signature, body_size, len(arrived)) == (b"yyyyyy", 0, head_size)
    assert (head.member, head.sender, head.serial) == (b"Member", b":1.5", 2)


def test_a_sender_has_few_calls_waiting_and_the_others_do_not_wait_for_them() -> None:
    async def pass_on() -> list[str]:
        async with relayed() as ends:
            greedy = b"".join(raw_message(wire.METHOD_CALL, number, OURS, flags=1) for number in range(1, 1000))
            modest = raw_message(wire.METHOD_CALL, 5000, {**OURS, 7: ":1.6"})
            ends.bus.send(greedy + modest)
            order = []
            for _ in range(100):
                await asyncio.sleep(0)
                data = bytearray(_available(ends.library))
                while data:
                    size = sum(wire.sizes(data))
                    head = wire.read_head(data[:size], size, 0)
                    assert head is not None
                    order.append(head.sender.decode())
                    del data[:size]
            return order

    order = asyncio.run(pass_on())
    assert order.index(":1.6") < 60
    assert len(order) < 100


def test_a_turn_of_the_loop_passes_on_a_few_calls_only() -> None:
    async def pass_on() -> int:
        async with relayed() as ends:
            calls = [raw_message(wire.METHOD_CALL, number, OURS) for number in range(1, 100)]
            ends.bus.send(b"".join(calls))
            for _ in range(5):
                await asyncio.sleep(0)
                if arrived := _available(ends.library):
                    return len(arrived) // len(calls[0])
            return 0

    assert 0 < asyncio.run(pass_on()) <= relay_module.CALLS_PER_TURN


def test_answers_at_hand_go_out_between_the_messages_of_the_library() -> None:
    async def answer() -> bytes:
        async with relayed() as ends:
            said = raw_message(wire.METHOD_RETURN, 9, OURS, body=bytes(100))
            ends.library.send(said[:50])
            ends.bus.send(raw_message(wire.METHOD_CALL, 2, {**OURS, 3: "Ready"}))
            assert await ends.sent() == b"at hand", "half a message of the library is kept back"
            ends.library.send(said[50:])
            assert await ends.arrives() == b"", "the call is answered"
            assert await ends.sent() == said
            return said

    asyncio.run(answer())


def test_a_bus_that_does_not_read_costs_neither_messages_nor_the_connection_within_the_bound() -> None:
    async def stall() -> None:
        async with relayed() as ends:
            said = raw_message(wire.METHOD_RETURN, 9, OURS, body=bytes(10_000))
            for _ in range(100):
                ends.library.send(said)
                await asyncio.sleep(0)
            for _ in range(100):
                await asyncio.sleep(0)
            assert ends.relay.backlog_bytes > 100_000
            got = b""
            while len(got) < 100 * len(said):
                got += await ends.sent()
            assert got == 100 * said
            assert ends.relay.backlog_bytes == 0

    asyncio.run(stall())


def test_a_bus_that_never_reads_ends_the_connection_at_the_bound() -> None:
    async def stall() -> None:
        async with relayed() as ends:
            said = raw_message(wire.METHOD_RETURN, 9, OURS, body=bytes(60_000))
            sent = 0
            with pytest.raises(BrokenPipeError):
                while sent < 4 * relay_module.MAX_BACKLOG_BYTES:
                    sent += ends.library.send(said[sent % len(said) :])
                    await asyncio.sleep(0)
            assert sent > relay_module.MAX_BACKLOG_BYTES

    asyncio.run(stall())
