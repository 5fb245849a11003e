"""D-Bus messages made by hand, also such as no library would send."""

from __future__ import annotations

import socket
import struct


def raw_message(kind: int, serial: int, fields: dict[int, str], *, flags: int = 0, body: bytes = b"") -> bytes:
    """A whole message; ``fields`` by code: 1 path, 2 interface, 3 member, 6 destination, 7 sender, 8 signature."""
    coded = bytearray()
    for code, text in fields.items():
        type_of = {1: "o", 8: "g"}.get(code, "s")
        coded += bytes(-len(coded) % 8) + bytes([code, 1, ord(type_of), 0])
        coded += bytes([len(text)]) if type_of == "g" else struct.pack("<I", len(text))
        coded += text.encode() + b"\0"
    head = struct.pack("<BBBBIII", ord("l"), kind, flags, 1, len(body), serial, len(coded))
    return head + coded + bytes(-len(coded) % 8) + body


def raw_connection(address: str) -> socket.socket:
    """A connection that has said hello by hand."""
    bus = "org.freedesktop.DBus"
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    end.connect(address.removeprefix("unix:path="))
    end.sendall(b"\0AUTH EXTERNAL 30\r\n")
    assert end.recv(1000).startswith(b"OK")
    end.sendall(b"BEGIN\r\n" + raw_message(1, 1, {1: "/org/freedesktop/DBus", 2: bus, 3: "Hello", 6: bus}))
    assert end.recv(1000)
    return end
