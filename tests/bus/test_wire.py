"""Bytes: what we marshal is what dbus-next reads, and heads are read as dbus-next writes them."""

from __future__ import annotations

import io
from typing import Any

from dbus_next._private.unmarshaller import Unmarshaller  # the only reader of bytes at hand; tests only
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.bus import wire
from gamesad.bus.link import unix_paths
from gamesad.bus.marshal import marshal, method_return
from gamesad.bus.signatures import body, plain
from tests.support.raw_messages import raw_message

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NUMBER = st.integers(-(2**63), 2**63 - 1)
SIMPLE = st.one_of(st.booleans(), NUMBER, st.floats(allow_nan=False), TEXT)
LISTS = st.one_of(
    st.lists(TEXT, min_size=1), st.lists(st.floats(allow_nan=False), min_size=1), st.lists(NUMBER, min_size=1)
)
DICTS = st.recursive(
    st.dictionaries(TEXT, st.one_of(SIMPLE, LISTS), max_size=4),
    lambda inner: st.dictionaries(TEXT, st.one_of(SIMPLE, LISTS, inner, st.lists(inner, max_size=3)), max_size=4),
    max_leaves=20,
)


def read(data: bytes) -> Any:
    unmarshaller: Any = Unmarshaller
    message = unmarshaller(io.BytesIO(data)).unmarshall()
    assert message is not None
    return message


@settings(max_examples=40, deadline=None)
@given(DICTS, st.integers(1, 2**32 - 1))
def test_a_reply_made_once_is_read_as_the_same_data(data: dict[str, Any], serial: int) -> None:
    reply = method_return(
        serial, reply_serial=7, destination=":1.9", signature="a{sv}", body=marshal(data, "a{sv}")
    )  # fmt: skip
    message = read(reply)
    assert (message.serial, message.reply_serial, message.destination) == (serial, 7, ":1.9")
    assert plain(message.body[0]) == data


@settings(max_examples=40, deadline=None)
@given(st.lists(DICTS, max_size=3))
def test_both_ways_to_the_bus_give_the_same_types(data: list[dict[str, Any]]) -> None:
    reply = method_return(1, reply_serial=7, destination=":1.9", signature="aa{sv}", body=marshal(data, "aa{sv}"))
    assert read(reply).body == [body(data, "aa{sv}")]


def test_cookies_and_empty_lists_have_the_type_of_the_contract() -> None:
    data = {"Holds": [{"Cookie": 3}], "Rejected": [], "Temperatures": []}
    reply = method_return(1, reply_serial=7, destination=":1.9", signature="a{sv}", body=marshal(data, "a{sv}"))
    values = read(reply).body[0]
    assert values["Rejected"].signature == "as"
    assert values["Temperatures"].signature == "aa{sv}"
    assert values["Holds"].value[0]["Cookie"].signature == "u"


@given(
    st.sampled_from(["GetStatus", "SetProfile", "A" * 200]),
    st.sampled_from(["", "s", "a{sv}"]),
    st.integers(1, 2**32 - 1),
)
def test_a_head_is_read_as_it_was_written(member: str, signature: str, serial: int) -> None:
    fields = {1: "/a/b", 2: "org.example.I", 3: member, 6: "org.gamesa.Gamesad1", 7: ":1.5"}
    written = raw_message(1, serial, {**fields, 8: signature} if signature else fields, flags=1, body=b"12345")
    assert read(raw_message(1, serial, fields)).member == member, "dbus-next reads it too"
    head = wire.read_head(written, *wire.sizes(bytearray(written)))
    assert head is not None
    assert (head.member, head.signature, head.serial) == (member.encode(), signature.encode(), serial)
    assert (head.path, head.interface, head.sender) == (b"/a/b", b"org.example.I", b":1.5")
    assert (head.flags, head.size + head.body_size) == (wire.NO_REPLY_EXPECTED, len(written))


def test_addresses_are_unquoted_and_only_unix_sockets_count() -> None:
    assert unix_paths("unix:path=/run/a%20b,guid=00;tcp:host=x;unix:abstract=here") == ["/run/a b", "\0here"]
    assert unix_paths("nonsense;unix:;=,") == []
