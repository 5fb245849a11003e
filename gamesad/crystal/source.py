"""How bytes of the segment are copied, from the file or from a mapping, and how a record is had whole.

Light: clients import it.
"""

from __future__ import annotations

import os
from binascii import crc32

from gamesad.crystal.errors import Damaged, Torn
from gamesad.crystal.layout import RECORD_HEAD, SLOT, SLOT_HEAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

RETRIES = 1000
"""Tries before Torn. A writer that fills both slots while one is copied does so by chance, not a thousand times."""


class Source:
    """``memory`` gives bytes for a slice, ``words`` u64 by number; both may end before what the segment speaks of."""

    __slots__ = ("memory", "words")

    memory: mmap.mmap | _FileBytes
    words: memoryview | _FileWords

    def copy(self, offset: int, length: int) -> bytes:
        """Damaged: there are fewer."""
        data = self.memory[offset : offset + length]
        if len(data) != length:
            raise Damaged(f"the segment was cut off: nothing at {offset + len(data)}; restart gamesad")
        return data

    def word(self, offset: int) -> int:
        """The u64 there. Damaged: there is none."""
        try:
            return self.words[offset >> 3]
        except IndexError:
            raise Damaged(f"the segment was cut off: nothing at {offset}; restart gamesad") from None


class Mapped(Source):
    """Without a system call. Nothing but its owner's truncating it in place can hurt, by SIGBUS."""

    __slots__ = ()

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory
        self.words = memoryview(memory)[: len(memory) & ~7].cast("Q")


class File(Source):
    """With pread(2): of a file that is cut off under the reader there is less to read, and that is all."""

    __slots__ = ()

    def __init__(self, handle: int) -> None:
        self.memory = _FileBytes(handle)
        self.words = _FileWords(handle)


class _FileBytes:
    __slots__ = ("handle",)

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __getitem__(self, place: slice) -> bytes:
        return os.pread(self.handle, place.stop - place.start, place.start)


class _FileWords:
    __slots__ = ("handle",)

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __getitem__(self, number: int) -> int:
        data = os.pread(self.handle, 8, number << 3)
        if len(data) != 8:
            raise IndexError(number)
        return int.from_bytes(data, "little")


class RecordReader:
    """One record of a source. Who reads it often keeps it."""

    __slots__ = ("_at", "_crc", "_memory", "_place", "_sequence", "_slots", "_words")

    def __init__(self, source: Source, offset: int, slot_size: int, *, crc: bool) -> None:
        """Damaged: there is no such place."""
        first = offset + RECORD_HEAD
        self._memory, self._words, self._at = source.memory, source.words, offset >> 3
        self._slots = (slice(first, first + slot_size), slice(first + slot_size, first + 2 * slot_size))
        self._crc = crc
        self._sequence = source.word(offset)
        self._place = self._slots[self._sequence & 1]

    def slot(self) -> bytes:
        """The newest slot as it lies there, its head and what is behind the contents included.

        While the sequence is what it was at the last look, nothing was written: then one copy and one load are all.
        Torn; IndexError where the source is cut off.
        """
        slot = self._memory[self._place]
        return slot if self._words[self._at] == self._sequence else self._newer_slot()

    def contents(self) -> bytes:
        """What was written last, b"" if nothing was. Torn, Damaged."""
        size = self._place.stop - self._place.start
        for _ in range(RETRIES):
            try:
                slot = self.slot()
            except IndexError:
                slot = b""
            if len(slot) != size:
                raise Damaged("the segment was cut off: a record is not all there; restart gamesad")
            expected, length = SLOT.unpack_from(slot)
            if length > size - SLOT_HEAD:
                raise Damaged("a record says that it is longer than its place; restart gamesad")
            data = slot[SLOT_HEAD : SLOT_HEAD + length]
            if not self._crc or crc32(data) == expected:
                return data
        raise Torn(f"a record did not match its checksum in any of {RETRIES} tries; restart gamesad")

    def _newer_slot(self) -> bytes:
        sequence = self._words[self._at]
        for _ in range(RETRIES):
            slot = self._memory[self._slots[sequence & 1]]
            before, sequence = sequence, self._words[self._at]
            if before == sequence:
                self._sequence, self._place = sequence, self._slots[sequence & 1]
                return slot
        raise Torn(f"a record was being written in each of {RETRIES} tries; try again")


def record(source: Source, offset: int, slot_size: int, *, crc: bool) -> bytes:
    """The contents of the record at ``offset``, b"" before the first write. Torn, Damaged."""
    return RecordReader(source, offset, slot_size, crc=crc).contents()
