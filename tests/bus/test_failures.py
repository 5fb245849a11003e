"""When the service itself breaks, the caller gets an error of ours and no inside: no text, no traceback, no path."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.bus import names
from gamesad.bus.interface import without_folders
from gamesad.bus.members import METHODS, Change, Read, signature
from tests.support.bus_client import Refused, client
from tests.support.bus_values import sensible
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.served import served


@pytest.fixture(scope="module")
def broken(bus_can_be_had: None) -> Iterator[PrivateBus]:
    with system_bus(polkit=False) as bus, served(bus, ["--exploding"]):
        yield bus


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_an_unexpected_error_is_failed_and_says_nothing_of_the_inside(
    broken: PrivateBus, method: Read | Change
) -> None:
    async def ask() -> Refused:
        async with client(broken) as root:
            with pytest.raises(Refused) as refused:
                body = [sensible(part) for part in method.ins]
                await root.call(method.name, signature(method.ins), *body)
            return refused.value

    refused = asyncio.run(ask())
    assert refused.error_name == names.ERROR_FAILED
    assert refused.text == "something went wrong inside; the journal says what"


@pytest.mark.usefixtures("server")
def test_the_faults_of_a_configuration_are_told_without_folders(bus: PrivateBus) -> None:
    async def ask() -> str:
        async with client(bus) as root:
            with pytest.raises(Refused) as refused:
                await root.call("ReloadConfig")
            return refused.value.text

    assert asyncio.run(ask()) == "gamesad.toml:3: temperatur: unknown key; did you mean temperature?"


@given(st.lists(st.text("abc.-_0", min_size=1), min_size=1), st.text("abc.", min_size=1), st.sampled_from("'\" (:,"))
def test_no_folder_survives_in_a_sentence(folders: list[str], file: str, before: str) -> None:
    told = without_folders(f"cannot read{before}/{'/'.join(folders)}/{file}: it is empty, at 0.8 °C/s or 3/4")
    assert told == f"cannot read{before}{file}: it is empty, at 0.8 °C/s or 3/4"
