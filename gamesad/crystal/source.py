"""How bytes of the segment are copied, from the file or from a mapping, and how a record is had whole.

Light: clients import it.
"""

from __future__ import annotations

import os
from binascii import crc32

from gamesad.crystal.errors import Damaged, Torn
from gamesad.crystal.layout import RECORD_HEAD, SLOT, SLOT_HEAD

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would cost a client more than all of this
    import mmap

RETRIES = 1000
"""Tries before Torn. A writer that fills both slots while one is copied does so by chance, not a thousand times."""


class File:
    """Copies with pread(2): a file that is cut off under the reader is an error, where a mapping would be SIGBUS."""

    __slots__ = ("handle",)

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def copy(self, offset: int, length: int) -> bytes:
        """Damaged: the file ends before that."""
        data = os.pread(self.handle, length, offset)
        if len(data) != length:
            raise Damaged(f"the segment was cut off: nothing at {offset + len(data)}; restart gamesad")
        return data

    def word(self, offset: int) -> int:
        return int.from_bytes(self.copy(offset, 8), "little")


class Mapped:
    """Copies from a mapping, without a system call. Nothing but its owner's truncating it in place can hurt."""

    __slots__ = ("memory", "words")

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory
        self.words = memoryview(memory)[: len(memory) & ~7].cast("Q")

    def copy(self, offset: int, length: int) -> bytes:
        """Damaged: the mapping ends before that."""
        data = self.memory[offset : offset + length]
        if len(data) != length:
            raise Damaged(f"the segment is shorter than what it speaks of, {offset + length}; restart gamesad")
        return data

    def word(self, offset: int) -> int:
        try:
            return self.words[offset >> 3]
        except IndexError:
            raise Damaged(f"the segment is shorter than what it speaks of, {offset + 8}; restart gamesad") from None


Source = File | Mapped


def record(source: Source, offset: int, slot_size: int, *, crc: bool) -> bytes:
    """The contents of the record at ``offset``, b"" before the first write. Torn, Damaged."""
    return whole_slot(source, offset, slot_size, crc=crc)[1]


def whole_slot(source: Source, offset: int, slot_size: int, *, crc: bool) -> tuple[int, bytes]:
    """The sequence and the contents."""
    slots = offset + RECORD_HEAD
    sequence = source.word(offset)
    for _ in range(RETRIES):
        data = source.copy(slots + (sequence & 1) * slot_size, slot_size)
        before, sequence = sequence, source.word(offset)
        if before != sequence:
            continue
        if not sequence:
            return 0, b""
        expected, length = SLOT.unpack_from(data)
        if length > slot_size - SLOT_HEAD:
            raise Damaged(f"a record at {offset} says that it is longer than its place; restart gamesad")
        data = data[SLOT_HEAD : SLOT_HEAD + length]
        if not crc or crc32(data) == expected:
            return sequence, data
    raise Torn(f"the record at {offset} was being written in each of {RETRIES} tries; try again")
