"""The service hears from logind, and from nobody else, that the machine goes to sleep and wakes."""

from __future__ import annotations

import asyncio

from dbus_next.message import Message

from gamesad.bus import names
from tests.support.bus_client import client
from tests.support.memory_service import MemoryService
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.served import serving

MANAGER = "org.freedesktop.login1.Manager"


class Sleeper(MemoryService):
    """Sleeps slowly, and says when something has happened."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def sleep(self) -> None:
        await asyncio.sleep(0.01)
        self.heard.put_nowait("sleep")

    async def wake(self) -> None:
        self.heard.put_nowait("wake")


def test_sleep_and_wake_come_in_order_and_only_from_logind() -> None:
    async def run(bus: PrivateBus) -> None:
        service = Sleeper()
        async with serving(service, bus), client(bus) as logind, client(bus, "stranger") as stranger:
            await logind.call_bus("RequestName", "su", "org.freedesktop.login1", 4)
            server = await logind.call_bus("GetNameOwner", "s", names.BUS_NAME)
            await stranger.bus.send(prepare_for_sleep(going=True))
            await stranger.bus.send(prepare_for_sleep(going=True, destination=server))
            await stranger.call("GetStatus")
            await logind.bus.send(prepare_for_sleep(going=True))
            await logind.bus.send(prepare_for_sleep(going=False))
            heard = [await asyncio.wait_for(service.heard.get(), 10) for _ in range(2)]
            assert heard == ["sleep", "wake"]
            await stranger.call("GetStatus")
            assert service.heard.empty()

    with system_bus(polkit=False) as bus:
        asyncio.run(run(bus))


def prepare_for_sleep(*, going: bool, destination: str = "") -> Message:
    message = Message.new_signal("/org/freedesktop/login1", MANAGER, "PrepareForSleep", "b", [going])
    if destination:
        message.destination = destination
    return message
