"""Who may: the real polkit decides about every change, before anything happens."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from dbus_next.constants import MessageFlag

from gamesad.bus import names
from gamesad.bus.members import METHODS, Change
from tests.support.bus_client import Client, Refused, client
from tests.support.bus_values import sensible
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.served import served

CHANGES = [method for method in METHODS if isinstance(method, Change)]
FOR_MEMBERS = {
    names.ACTION_SET_PROFILE,
    names.ACTION_HOLD_PROFILE,
    names.ACTION_SET_LIMIT,
    names.ACTION_HINT_CRYSTAL,
}


async def outcome(caller: Client, change: Change, flags: MessageFlag = MessageFlag.NONE) -> str:
    """The last part of the error's name, or "allowed" for an answer or an error that only comes after polkit."""
    body = [sensible(part) for part in change.ins]
    try:
        await caller.call(change.name, "".join(part.signature for part in change.ins), *body, flags=flags)
    except Refused as refused:
        return "NotAuthorized" if refused.name == "NotAuthorized" else "allowed"
    return "allowed"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_each_change_is_for_root_and_whom_polkit_allows(bus: PrivateBus, change: Change) -> None:
    async def ask() -> dict[str, str]:
        outcomes = {}
        for user in ("root", "member", "stranger", "nobody"):
            async with client(bus, user) as caller:
                before = await caller.call("GetStatus")
                outcomes[user] = await outcome(caller, change)
                if outcomes[user] == "NotAuthorized":
                    assert await caller.call("GetStatus") == before, "a refused call changed something"
        async with client(bus) as root:
            await root.call("Resume")
        return outcomes

    member = "allowed" if change.action in FOR_MEMBERS else "NotAuthorized"
    expected = {"root": "allowed", "member": member, "stranger": "NotAuthorized", "nobody": "NotAuthorized"}
    assert asyncio.run(ask()) == expected


@pytest.mark.usefixtures("server")
def test_a_program_of_another_user_is_refused_with_a_sentence(bus: PrivateBus) -> None:
    tool = ["gdbus", "call", "--system", "--dest", names.BUS_NAME, "--object-path", names.OBJECT_PATH, "--method"]
    refused = bus.run_as("nobody", [*tool, f"{names.INTERFACE}.SetProfile", "gaming"])
    assert refused.returncode == 1
    assert (
        f"{names.ERROR_NOT_AUTHORIZED}: polkit does not allow {names.ACTION_SET_PROFILE} to user 65534"
        in refused.stderr
    )
    assert bus.run_as("nobody", [*tool, f"{names.INTERFACE}.GetStatus"]).returncode == 0


@pytest.mark.usefixtures("server")
def test_nobody_but_root_can_own_the_name(bus: PrivateBus) -> None:
    async def take() -> None:
        async with client(bus, "member") as member:
            with pytest.raises(Refused) as refused:
                await member.call_bus("RequestName", "su", names.BUS_NAME, 4)
            assert refused.value.name == "AccessDenied"

    asyncio.run(take())


@pytest.mark.usefixtures("server")
def test_a_password_is_asked_for_only_when_the_caller_says_so(bus: PrivateBus) -> None:
    async def ask(flags: MessageFlag) -> str:
        async with client(bus, "stranger") as stranger:
            with pytest.raises(Refused) as refused:
                await stranger.call("Pause", "u", 1, flags=flags)
            assert refused.value.name == "NotAuthorized"
            return refused.value.text

    assert "the caller does not allow it to be asked" in asyncio.run(ask(MessageFlag.NONE))
    assert "nobody is there to ask for it" in asyncio.run(ask(MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION))


def test_without_polkit_only_root_may_and_is_told_why() -> None:
    async def ask(bus: PrivateBus) -> None:
        async with client(bus) as root, client(bus, "member") as member:
            await root.call("SetProfile", "s", "quiet")
            with pytest.raises(Refused, match="polkit is not running, so only root may do this") as refused:
                await member.call("SetProfile", "s", "gaming")
            assert refused.value.name == "NotAuthorized"
            assert (await member.call("GetStatus"))["ActiveProfile"] == "quiet"

    with system_bus() as bus, served(bus):
        bus.kill_polkit()
        asyncio.run(ask(bus))


def test_polkit_that_dies_over_a_question_is_a_refusal_and_its_return_is_noticed() -> None:
    async def ask(bus: PrivateBus) -> None:
        async with client(bus, "member") as member:
            await member.call("SetProfile", "s", "gaming")  # known to the server, so that polkit is asked at once
            bus.freeze_polkit()
            asked = asyncio.create_task(member.call("SetProfile", "s", "quiet"))
            assert (await member.call("GetStatus"))["ActiveProfile"] == "gaming", "the others are answered meanwhile"
            bus.kill_polkit()
            with pytest.raises(Refused, match="polkit has left the bus") as refused:
                await asked
            assert refused.value.name == "NotAuthorized"
            await asyncio.to_thread(bus.start_polkit)
            await member.call("SetProfile", "s", "quiet")

    with system_bus() as bus, served(bus):
        asyncio.run(ask(bus))


@contextmanager
def mocked_polkit(bus: PrivateBus) -> Iterator[None]:
    """polkit as python-dbusmock has it, which allows on command: no session with a seat is to be had here."""
    mock = subprocess.Popen(
        ["/usr/bin/python3", "-m", "dbusmock", "--system", "--template", "polkitd"],
        env=bus.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        bus.wait_for_name("org.freedesktop.PolicyKit1")
        yield
    finally:
        mock.kill()
        mock.wait()


def test_what_an_active_session_may_is_allowed_and_no_more() -> None:
    async def ask(bus: PrivateBus) -> dict[str, str]:
        async with client(bus) as root:
            allowed = sorted(FOR_MEMBERS)
            await root.call(
                "SetAllowed", "as", allowed, interface="org.freedesktop.DBus.Mock",
                destination="org.freedesktop.PolicyKit1", path="/org/freedesktop/PolicyKit1/Authority",
            )  # fmt: skip
        async with client(bus, "stranger") as stranger:
            return {change.name: await outcome(stranger, change) for change in CHANGES}

    with system_bus(polkit=False) as bus, mocked_polkit(bus), served(bus):
        expected = {change.name: "allowed" if change.action in FOR_MEMBERS else "NotAuthorized" for change in CHANGES}
        assert asyncio.run(ask(bus)) == expected
