"""The decisions in the segment, for who writes them and who reads them. Light: clients import it."""

from __future__ import annotations

from binascii import crc32

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged

TEXT_SIZE = layout.DECISION_SIZE - layout.DECISION_HEAD.size


class Entry:
    """One decision. ``since_s`` is when it came into force, in s since the epoch; ``text`` has Reason, Profile, Sensor,
    Numbers and Settings, as far as they fit."""

    __slots__ = ("action", "number", "since_s", "source", "text")

    def __init__(self, data: bytes, number: int, *, crc: bool) -> None:
        """From its row. Damaged: it is not the one of that number, or cannot be read."""
        self.number, self.since_s, action, source, _, size, expected = layout.DECISION_HEAD.unpack_from(data)
        if self.number != number or action >= len(layout.ACTIONS) or source >= len(layout.SOURCES) or size > TEXT_SIZE:
            raise Damaged(f"decision {number} is not whole; the others are")
        text = data[layout.DECISION_HEAD.size :][:size]
        if crc and crc32(text) != expected:
            raise Damaged(f"decision {number} has another checksum; the others are whole")
        self.action, self.source = layout.ACTIONS[action], layout.SOURCES[source]
        try:
            self.text: layout.Texts = layout.from_text(text.decode())
        except ValueError as error:
            raise Damaged(f"decision {number} cannot be read ({error}); the others are whole") from None


def whole(row: bytes, number: int, *, crc: bool) -> Entry | None:
    """The decision of that number; None where its row is not whole."""
    try:
        return Entry(row, number, crc=crc)
    except Damaged:
        return None


def pack(number: int, since_s: float, action: str, source: str, text: bytes, *, crc: bool) -> bytes:
    """Its row; a text that does not fit loses its last lines."""
    text = whole_lines(text, TEXT_SIZE)
    places = (layout.ACTIONS.index(action), layout.SOURCES.index(source))
    head = layout.DECISION_HEAD.pack(number, since_s, *places, 0, len(text), crc32(text) if crc else 0)
    return (head + text).ljust(layout.DECISION_SIZE, b"\0")


def place(number: int, slots: int) -> int:
    """Where its row lies, from the section's start."""
    return layout.RING_HEAD + (number - 1) % slots * layout.DECISION_SIZE


def whole_lines(text: bytes, size: int) -> bytes:
    """At most ``size`` bytes of it, up to the end of a line."""
    return text if len(text) <= size else text[: text.rfind(b"\n", 0, size) + 1]
