"""Plain data to the bytes of a reply (D-Bus specification, "Marshaling"), so that an answer is made once, not per call.

dbus-next spends more on one GetStatus than the same service in C on five. What the contract's reading methods answer is
little: b x u d s, arrays and dictionaries of them, and variants typed by ``gamesad.bus.signatures``.
"""

from __future__ import annotations

import struct
from typing import Any

from gamesad.bus.signatures import clean, signature_of
from gamesad.bus.wire import METHOD_RETURN, NO_REPLY_EXPECTED

_UINT32 = struct.Struct("<I")
_NUMBERS = {"b": ("<I", 4), "u": ("<I", 4), "x": ("<q", 8), "d": ("<d", 8)}
_REPLY_SERIAL, _DESTINATION, _SIGNATURE = 5, 6, 8


def marshal(value: Any, signature: str) -> bytes:
    """The value as the only argument of a message. TypeError or struct.error for what does not fit the signature."""
    out = bytearray()
    _write(out, value, signature)
    return bytes(out)


def method_return(serial: int, *, reply_serial: int, destination: str, signature: str, body: bytes) -> bytes:
    """A whole message."""
    fields = bytearray()
    _field(fields, _REPLY_SERIAL, "u", reply_serial)
    _field(fields, _DESTINATION, "s", destination)
    if signature:
        _align(fields, 8)
        fields += bytes([_SIGNATURE, 1, ord("g"), 0])
        _write_signature(fields, signature)
    head = struct.pack("<BBBBIII", ord("l"), METHOD_RETURN, NO_REPLY_EXPECTED, 1, len(body), serial, len(fields))
    return head + fields + bytes(-len(fields) % 8) + body


def _field(out: bytearray, code: int, kind: str, value: object) -> None:
    _align(out, 8)
    out += bytes([code, 1, ord(kind), 0])
    _write(out, value, kind)


def _write(out: bytearray, value: Any, signature: str) -> None:
    match signature[0]:
        case "s":
            text = clean(value).encode()
            _align(out, 4)
            out += _UINT32.pack(len(text)) + text + b"\0"
        case "a":
            _write_array(out, value, signature[1:])
        case "v":
            inner, held = value
            _write_signature(out, inner)
            _write(out, held, inner)
        case kind:
            form, size = _NUMBERS[kind]
            _align(out, size)
            out += struct.pack(form, value)


def _write_array(out: bytearray, value: Any, item: str) -> None:
    _align(out, 4)
    size_at = len(out)
    out += bytes(4)
    if item[0] in "{xd":
        _align(out, 8)
    start = len(out)
    if item[0] == "{":
        for key, entry in value.items():
            _align(out, 8)
            _write(out, key, "s")
            _write(out, (signature_of(entry, key), entry) if item[2] == "v" else entry, item[2:-1])
    else:
        for entry in value:
            _write(out, entry, item)
    _UINT32.pack_into(out, size_at, len(out) - start)


def _write_signature(out: bytearray, signature: str) -> None:
    out += bytes([len(signature)]) + signature.encode() + b"\0"


def _align(out: bytearray, size: int) -> None:
    out += bytes(-len(out) % size)
