"""The head of a D-Bus message, as far as the relay must understand it (D-Bus specification, "Message Format").

The bus daemon has validated every message that reaches us; this only finds sizes and the fields that decide whether a
message is let in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

METHOD_CALL, METHOD_RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY_EXPECTED = 1
FIXED_SIZE = 16
_BODY_SIZE_AT = 4
_SERIAL_AT = 8
_LITTLE, _BIG = struct.Struct("<I"), struct.Struct(">I")
_LITTLE_HEAD, _BIG_HEAD = struct.Struct("<I4xI"), struct.Struct(">I4xI")
_NAMES = {1: "path", 2: "interface", 3: "member", 7: "sender", 8: "signature"}
_SIGNATURE, _LAST_FIELD = 8, 9


@dataclass(slots=True)
class Head:
    """What the first bytes of a message say. ``signature_at`` is where its text starts, 0 without one."""

    message_type: int
    flags: int
    size: int
    body_size: int
    serial: int = 0
    path: bytes = b""
    interface: bytes = b""
    member: bytes = b""
    sender: bytes = b""
    signature: bytes = b""
    signature_at: int = 0


def sizes(data: bytearray) -> tuple[int, int]:
    """The sizes of head (padding included) and body of the message that starts here; needs FIXED_SIZE bytes."""
    body_size, fields_size = (_LITTLE_HEAD if data[0] == ord("l") else _BIG_HEAD).unpack_from(data, _BODY_SIZE_AT)
    return FIXED_SIZE + ((fields_size + 7) & ~7), body_size


def read_head(data: bytes | bytearray, head_size: int, body_size: int) -> Head | None:
    """The head, or None when it has a field that is not in the specification."""
    number = _LITTLE if data[0] == ord("l") else _BIG
    head = Head(data[1], data[2], head_size, body_size, *number.unpack_from(data, _SERIAL_AT))
    (fields_size,) = number.unpack_from(data, FIXED_SIZE - 4)
    at, end = FIXED_SIZE, FIXED_SIZE + fields_size
    while at < end:
        at = (at + 7) & ~7
        code, kind = data[at], data[at + 2]
        at += 4
        if code > _LAST_FIELD:
            return None
        if kind == ord("g"):
            size = data[at]
            start, at = at + 1, at + size + 2
        else:
            if kind not in b"sou" or data[at - 3] != 1:
                return None
            (size,) = number.unpack_from(data, at)  # already at a multiple of four
            start, at = at + 4, at + 4 + (0 if kind == ord("u") else size + 1)
        if code in _NAMES:
            setattr(head, _NAMES[code], bytes(data[start : start + size]))
        if code == _SIGNATURE:
            head.signature_at = start
    return head


def without_body(message: bytearray, head: Head, *, signature: bytes | None = None) -> bytearray:
    """The message's head alone, saying that no body follows; ``signature`` replaces one of the same length."""
    message = message[: head.size]
    message[_BODY_SIZE_AT : _BODY_SIZE_AT + 4] = bytes(4)
    if signature is not None:
        message[head.signature_at : head.signature_at + len(signature)] = signature
    return message


def variant_signature(message: bytearray, head: Head) -> bytes:
    """The signature of the variant that follows a string at the start of the body, as in ``sv...``."""
    number = _LITTLE if message[0] == ord("l") else _BIG
    (text_size,) = number.unpack_from(message, head.size)
    at = head.size + 4 + text_size + 1
    return bytes(message[at + 1 : at + 1 + message[at]])
