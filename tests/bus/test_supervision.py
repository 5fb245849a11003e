"""The bus goes, comes back, stalls, or was never there; and somebody else has our name."""

from __future__ import annotations

import asyncio
import sys

import pytest

from gamesad.bus import names
from gamesad.bus.connection import NameTaken, serve
from tests.support.bus_client import client
from tests.support.memory_service import MemoryService
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.served import Served, served, serving


def test_after_a_restart_of_the_bus_everything_is_there_again_but_the_holds() -> None:
    async def hold(bus: PrivateBus) -> None:
        async with client(bus) as root:
            await root.call("SetProfile", "s", "gaming")
            await root.call("HoldProfile", "sss", "power-saver", "", "")
            assert (await root.properties())["ActiveProfile"] == "power-saver"
            await asyncio.to_thread(bus.kill_bus)

    async def look(bus: PrivateBus) -> None:
        async with client(bus) as root, client(bus, "stranger") as stranger:
            values = await root.properties()
            assert (values["ActiveProfile"], values["Holds"]) == ("gaming", [])
            await stranger.listen()
            await root.call("SetProfile", "s", "quiet")
            assert (await stranger.signal("ProfileChanged"))[0] == "quiet"

    with system_bus() as bus, served(bus) as server:
        for _ in range(2):
            asyncio.run(hold(bus))
            assert server.next_state() == "the connection to the bus is lost"
            bus.start_bus()
            bus.start_polkit()
            server.wait_until_on()
            asyncio.run(look(bus))


def test_a_server_that_is_first_waits_for_the_bus() -> None:
    with system_bus() as bus:
        bus.kill_bus()
        with served(bus, wait=False) as server:
            assert server.next_state() == "no system bus: Connection refused"
            bus.start_bus()
            server.wait_until_on()


def test_a_second_server_ends_with_one_and_the_first_goes_on(bus: PrivateBus, server: Served) -> None:
    assert server.process.poll() is None
    with served(bus, wait=False) as second:
        assert second.next_state() == f"taken: {names.BUS_NAME} is owned by somebody else"
        assert second.process.wait(timeout=10) == 1

    async def ask() -> None:
        async with client(bus) as root:
            await root.call("GetStatus")

    asyncio.run(ask())


def test_a_bus_that_stalls_gets_the_latest_when_it_reads_again() -> None:
    async def stall(bus: PrivateBus) -> None:
        service = MemoryService(sensor_count=100)
        async with serving(service, bus), client(bus, "nobody") as watcher:
            await watcher.listen()
            bus.freeze_bus()
            for number in range(800):
                service.tell("StatusChanged", {**service.status(), "Number": number})
                service.tell("PropertiesChanged", {"Mode": f"mode {number}"})
                service.tell("ThermalAlert", {"Sensor": f"s{number % 3}", "Number": number})
                await asyncio.sleep(0)
            bus.thaw_bus()
            numbers: list[int] = []
            while not numbers or numbers[-1] != 799:
                [status] = await watcher.signal("StatusChanged")
                numbers.append(status["Number"])
            assert len(numbers) < 400, "nothing was left out"
            assert numbers == sorted(numbers)
            assert (await watcher.properties())["Version"] == service.version, "the connection had to be made anew"

    with system_bus() as bus:
        asyncio.run(stall(bus))


def test_a_cancelled_server_gives_the_name_back() -> None:
    async def run(bus: PrivateBus) -> None:
        for _ in range(2):  # the second would find the name taken
            async with serving(MemoryService(), bus):
                pass
        with served(bus), pytest.raises(NameTaken):
            await serve(MemoryService(), address=bus.address)

    with system_bus(polkit=False) as bus:
        asyncio.run(run(bus))


def test_an_address_that_is_none_is_said_once_and_tried_again() -> None:
    async def run() -> list[str]:
        states: list[str] = []
        with pytest.raises(TimeoutError):
            trying = serve(MemoryService(), address="tcp:host=localhost", on_state=states.append)
            await asyncio.wait_for(trying, 1.0)
        return states

    assert asyncio.run(run()) == ["no system bus: 'tcp:host=localhost' names no Unix socket"]


def test_whoever_may_not_own_the_name_is_told_what_to_look_at(bus: PrivateBus) -> None:
    program = (
        "import asyncio; from gamesad.bus.connection import serve; "
        "from tests.support.memory_service import MemoryService; "
        "asyncio.run(asyncio.wait_for(serve(MemoryService(), on_state=print), 1))"
    )
    done = bus.run_as("nobody", [sys.executable, "-u", "-c", program])
    assert "the bus does not let user 65534 own org.gamesa.Gamesad1 (is its policy file installed?)" in done.stdout
