"""Holds end with their holder, belong to their user, and are bounded."""

from __future__ import annotations

import asyncio

import pytest

from gamesad.bus import names
from tests.support.bus_client import Client, Refused, client, hang_up
from tests.support.memory_service import MemoryService
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.served import serving

pytestmark = pytest.mark.usefixtures("server")


async def cookies(reader: Client) -> list[int]:
    return [hold["Cookie"] for hold in (await reader.properties())["Holds"]]


async def holds_are(reader: Client, expected: list[int]) -> None:
    """Waits for a change of the holds until they are these."""
    while await cookies(reader) != expected:
        await reader.signal("PropertiesChanged")


def test_a_hold_is_active_until_its_holder_leaves_the_bus(bus: PrivateBus) -> None:
    async def hold() -> None:
        async with client(bus, "nobody") as watcher, client(bus, "member") as game, client(bus, "member") as other:
            await watcher.listen()
            cookie = await game.call("HoldProfile", "sss", "power-saver", "a long flight", "game.exe")
            kept = await other.call("HoldProfile", "sss", "quiet", "at night", "other")
            assert (await watcher.properties())["ActiveProfile"] == "power-saver"
            assert await cookies(watcher) == [cookie, kept]
            await hang_up(game.bus)
            await holds_are(watcher, [kept])
            assert (await watcher.properties())["ActiveProfile"] == "quiet"
            await other.call("ReleaseProfile", "u", kept)
            assert (await watcher.properties())["ActiveProfile"] == "balanced"

    asyncio.run(hold())


class Slow(MemoryService):
    """Takes a hold only when told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on, self.released = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold_profile(self, profile: str, reason: str, application_id: str, *, owner: str, uid: int) -> int:
        self.asked.set()
        await self.go_on.wait()
        return await super().hold_profile(profile, reason, application_id, owner=owner, uid=uid)

    async def release_owner(self, owner: str) -> None:
        await super().release_owner(owner)
        self.released.set()


def test_a_holder_that_leaves_while_its_hold_is_being_taken_leaves_none() -> None:
    async def hold(own_bus: PrivateBus) -> None:
        service = Slow()
        async with serving(service, own_bus), client(own_bus) as watcher:
            async with client(own_bus) as hasty:
                hasty.flood(1, "HoldProfile", "sss", ("quiet", "", ""))
                await asyncio.wait_for(service.asked.wait(), 10)
            await watcher.call("GetStatus")  # the server has heard of the leaving before this
            service.go_on.set()
            await asyncio.wait_for(service.released.wait(), 10)
            assert await cookies(watcher) == []

    with system_bus(polkit=False) as own_bus:
        asyncio.run(hold(own_bus))


def test_only_its_user_or_root_releases_a_hold(bus: PrivateBus) -> None:
    async def hold() -> None:
        async with client(bus) as root, client(bus, "member") as member, client(bus, "member") as same_user:
            theirs = await root.call("HoldProfile", "sss", "quiet", "", "")
            with pytest.raises(Refused) as refused:
                await member.call("ReleaseProfile", "u", theirs)
            assert refused.value.name == "NotAuthorized"
            mine = await member.call("HoldProfile", "sss", "quiet", "", "")
            await same_user.call("ReleaseProfile", "u", mine)
            again = await member.call("HoldProfile", "sss", "quiet", "", "")
            await root.call("ReleaseProfile", "u", again)
            await root.call("ReleaseProfile", "u", theirs)
            assert await cookies(root) == []

    asyncio.run(hold())


def test_of_a_thousand_holds_the_first_thirty_two_are_taken(bus: PrivateBus) -> None:
    async def hold() -> None:
        async with client(bus, "nobody") as watcher, client(bus, "member") as greedy, client(bus) as root:
            await watcher.listen()
            taken, refused = 0, set()
            for start in range(0, 1000, 100):
                calls = [greedy.call("HoldProfile", "sss", "quiet", str(start), "x") for _ in range(100)]
                for outcome in await asyncio.gather(*calls, return_exceptions=True):
                    if isinstance(outcome, Refused):
                        refused.add(outcome.name)
                    else:
                        taken += 1
            assert (taken, refused) == (names.MAX_HOLDS_PER_USER, {"Busy"})
            other_users = await root.call("HoldProfile", "sss", "power-saver", "", "")
            assert len(await cookies(watcher)) == names.MAX_HOLDS_PER_USER + 1
            await root.call("ReleaseProfile", "u", other_users)
            await hang_up(greedy.bus)
            await holds_are(watcher, [])
            assert isinstance(await root.call("HoldProfile", "sss", "quiet", "", ""), int)

        async with client(bus, "nobody") as watcher:
            await watcher.listen()
            await holds_are(watcher, [])

    asyncio.run(hold())
