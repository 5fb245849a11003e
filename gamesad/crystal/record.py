"""The writer's side of a record: two slots and a sequence that says which one is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from gamesad.crystal.layout import FLAG_CRC, RECORD_HEAD, SLOT, SLOT_HEAD

if TYPE_CHECKING:
    from gamesad.crystal.segment import Segment


class Record:
    """One record at ``offset``. Belongs to the one thread that writes."""

    def __init__(self, segment: Segment, offset: int, slot_size: int) -> None:
        self._memory, self._words = segment.memory, segment.words
        self._crc = bool(segment.flags & FLAG_CRC)
        self._at = offset // 8
        self._slots = (offset + RECORD_HEAD, offset + RECORD_HEAD + slot_size)
        self.capacity = slot_size - SLOT_HEAD
        self._words[self._at + 1] = slot_size

    @property
    def sequence(self) -> int:
        """How often it was written."""
        return self._words[self._at]

    @property
    def data(self) -> bytes:
        """What it holds."""
        start = self._slots[self.sequence & 1]
        _, length = SLOT.unpack_from(self._memory, start)
        return self._memory[start + SLOT_HEAD : start + SLOT_HEAD + length]

    def write(self, data: bytes) -> None:
        """Readers see all of it or what was there before, at whatever moment this process is killed."""
        length = len(data)
        if length > self.capacity:
            raise ValueError(f"{length} bytes for a record of {self.capacity}")
        sequence = self._words[self._at] + 1
        start = self._slots[sequence & 1]
        SLOT.pack_into(self._memory, start, crc32(data) if self._crc else 0, length)
        self._memory[start + SLOT_HEAD : start + SLOT_HEAD + length] = data
        self._words[self._at] = sequence  # one aligned store; pack_into would store byte by byte
