"""The service hears of other daemons that set the same controls: there before it, coming, going, and no impostor."""

from __future__ import annotations

import asyncio

import pytest

from gamesad.bus.rivals import RIVALS
from tests.support.bus_client import Refused, client
from tests.support.memory_service import MemoryService
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.served import serving

TUNED = "com.redhat.tuned"


class Wary(MemoryService):
    """Keeps what it heard."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def rival(self, name: str, *, present: bool) -> None:
        self.heard.put_nowait((name, present))

    async def next_change(self) -> tuple[str, bool]:
        return await asyncio.wait_for(self.heard.get(), 10)


def test_a_rival_is_heard_of_when_it_comes_and_when_it_leaves() -> None:
    async def run(bus: PrivateBus) -> None:
        service = Wary()
        async with serving(service, bus), client(bus) as tuned, client(bus, "stranger") as stranger:
            first = [await service.next_change() for _ in RIVALS]
            assert all(not present for _, present in first)
            await tuned.call_bus("RequestName", "su", TUNED, 4)
            assert await service.next_change() == ("TuneD", True)
            with pytest.raises(Refused):
                await stranger.call_bus("RequestName", "su", TUNED, 4)
            await tuned.call_bus("ReleaseName", "s", TUNED)
            assert await service.next_change() == ("TuneD", False)
            assert service.heard.empty()

    with system_bus(polkit=False) as bus:
        asyncio.run(run(bus))


def test_a_rival_that_was_there_first_is_heard_of_at_the_start() -> None:
    async def run(bus: PrivateBus) -> None:
        service = Wary()
        async with client(bus) as tuned:
            await tuned.call_bus("RequestName", "su", TUNED, 4)
            async with serving(service, bus):
                first = [await service.next_change() for _ in RIVALS]
                assert [name for name, present in first if present] == ["TuneD"]

    with system_bus(polkit=False) as bus:
        asyncio.run(run(bus))
