"""What callers say wrongly: wrong types, huge and unprintable texts, numbers that are none."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from dbus_next.signature import Variant
from hypothesis import given
from hypothesis import strategies as st

from gamesad.bus import arguments, names
from gamesad.bus.members import METHODS, Change, signature
from gamesad.bus.signatures import clean
from gamesad.errors import GamesadError, OutOfRange
from tests.support.bus_client import Refused, client
from tests.support.private_bus import PrivateBus

WRONG: dict[str, tuple[Any, ...]] = {
    "": (),
    "s": ("balanced",),
    "u": (1,),
    "i": (-1,),
    "d": (1.5,),
    "b": (True,),
    "as": (["balanced"],),
    "v": (Variant("s", "x"),),
    "ss": ("a", "b"),
    "sv": ("a", Variant("as", ["b"])),
    "a{sv}": ({"a": Variant("s", "b")},),
    "(su)": (["a", 1],),
    "ay": (bytes(300),),
    "sss": ("a", "b", "c"),
    "sd": ("a", 1.0),
    "svu": ("a", Variant("s", "b"), 1),
}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_other_signature_is_invalid_args_and_changes_nothing(bus: PrivateBus, method: Change) -> None:
    async def ask() -> None:
        async with client(bus) as root:
            before = await root.call("GetStatus")
            for wrong, body in WRONG.items():
                if wrong != signature(method.ins):
                    with pytest.raises(Refused) as refused:
                        await root.call(method.name, wrong, *body)
                    assert refused.value.error_name == names.INVALID_ARGS, wrong
            assert await root.call("GetStatus") == before

    asyncio.run(ask())


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("error", "member", "kinds", "body"),
    [
        ("InvalidArgs", "SetProfile", "s", ("x" * 257,)),
        ("InvalidArgs", "SetProfile", "s", ("",)),
        ("InvalidArgs", "SetProfile", "s", ("gam\x1b[31ming",)),
        ("InvalidArgs", "SetProfile", "s", ("gaming\n",)),
        ("UnknownProfile", "SetProfile", "s", ("x" * 256,)),
        ("UnknownProfile", "SetProfile", "s", ("бодрый 🚀",)),
        ("InvalidArgs", "HoldProfile", "sss", ("quiet", "y" * 257, "game")),
        ("InvalidArgs", "HoldProfile", "sss", ("quiet", "why", "y" * 60_000)),
        ("OutOfRange", "SetLimit", "sd", ("hwmon.test-0.temp1", float("nan"))),
        ("OutOfRange", "SetLimit", "sd", ("hwmon.test-0.temp1", float("inf"))),
        ("OutOfRange", "SetLimit", "sd", ("hwmon.test-0.temp1", -40.0)),
        ("UnknownSensor", "SetLimit", "sd", ("hwmon.nothing", 70.0)),
        ("UnknownTunable", "SetTunable", "svu", ("nothing", Variant("s", "x"), 1)),
        ("UnknownTunable", "SetTunable", "svu", ("nothing", Variant("d", 3.0), 1)),
        ("InvalidArgs", "SetTunable", "svu", ("cpufreq.policy0.scaling_governor", Variant("b", value=True), 1)),
        ("InvalidArgs", "SetTunable", "svu", ("cpufreq.policy0.scaling_governor", Variant("d", 1.5), 1)),
        ("InvalidArgs", "SetTunable", "svu", ("cpufreq.policy0.scaling_governor", Variant("d", float("nan")), 1)),
        ("InvalidArgs", "SetTunable", "svu", ("cpufreq.policy0.scaling_governor", Variant("s", "z" * 300), 1)),
        ("InvalidArgs", "SetTunable", "svu", ("cpufreq.policy0.scaling_governor", Variant("v", Variant("s", "x")), 1)),
        ("InvalidArgs", "SetTunable", "svu", ("cpufreq.policy0.scaling_governor", Variant("a{ss}", {"a": "b"}), 1)),
        ("UnknownSensor", "GetHistory", "sttu", ("hwmon.nothing", 0, 0, 1)),
        ("InvalidArgs", "GetHistory", "sttu", ("hwmon\n", 0, 0, 1)),
        ("InvalidArgs", "ApplyLayout", "s", ("x" * 60_001,)),
        ("InvalidArgs", "CrystalHint", "at", ([1] * 257,)),
        ("UnknownHold", "ReleaseProfile", "u", (4_000_000_000,)),
        ("OutOfRange", "ResetModels", "s", ("everything",)),
        ("OutOfRange", "ResetModels", "s", ("All",)),
        ("InvalidArgs", "ResetModels", "s", ("",)),
        ("InvalidArgs", "ResetModels", "s", ("all\n",)),
        ("InvalidArgs", "ResetModels", "s", ("x" * 257,)),
        ("OutOfRange", "SetPolicyMode", "s", ("active",)),
        ("OutOfRange", "SetPolicyMode", "s", ("x" * 256,)),
        ("InvalidArgs", "SetPolicyMode", "s", ("act\x1b[2J",)),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(
    bus: PrivateBus, error: str, member: str, kinds: str, body: tuple[Any, ...]
) -> None:
    async def ask() -> None:
        async with client(bus) as root:
            with pytest.raises(Refused) as refused:
                await root.call(member, kinds, *body)
            assert refused.value.name == error
            assert len(refused.value.text) < 400

    asyncio.run(ask())


@pytest.mark.usefixtures("server")
def test_words_for_people_lose_what_a_terminal_would_obey(bus: PrivateBus) -> None:
    async def hold() -> dict[str, Any]:
        async with client(bus) as root:
            await root.call("HoldProfile", "sss", "quiet", "cooling\x1b[2J\ndown", "\x07game.exe ")
            held = (await root.properties())["Holds"]
            assert isinstance(held, list)
            return dict(held[0])

    hold_seen = asyncio.run(hold())
    assert (hold_seen["Reason"], hold_seen["ApplicationId"]) == ("cooling [2J down", "game.exe")


@given(st.text(max_size=400))
def test_any_text_becomes_a_printable_sentence_or_is_refused(text: str) -> None:
    try:
        said = arguments.sentence(text)
    except GamesadError as error:
        assert error.dbus_name == names.INVALID_ARGS and len(text) > names.MAX_TEXT_LENGTH
    else:
        assert said.isprintable() and len(said) <= names.MAX_TEXT_LENGTH


@given(st.floats())
def test_a_number_that_is_none_is_out_of_range_before_the_service_sees_it(number: float) -> None:
    if math.isfinite(number):
        assert arguments.finite(number) == number
    else:
        with pytest.raises(OutOfRange):
            arguments.finite(number)


@given(st.text(st.characters(codec=None)))
def test_no_text_of_ours_ends_the_connection(text: str) -> None:
    carried = clean(text)
    assert "\0" not in carried
    assert carried.encode().decode() == carried
