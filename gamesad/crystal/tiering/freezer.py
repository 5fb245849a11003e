"""``frozen.packed`` and ``frozen.inflated`` in steps, so that a tick never waits for a large block.

Nothing here touches the pool: the block stays as it is until the result is whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from gamesad.crystal.errors import Damaged
from gamesad.crystal.layout import FROZEN_HEAD
from gamesad.crystal.pool.frozen import LEVEL, size_of

STEP = 64 << 10
"""Bytes between two looks at the clock: about a millisecond."""
LARGEST = 8 << 20
"""Larger blocks are not frozen: whoever reads a frozen one waits for the whole of it."""
_WORTH = 8
"""A block must get smaller by this part of itself at least, or it stays."""

Clock = Callable[[], float]


class Freezing:
    """Compresses ``data``, which must not change meanwhile.

    ``frozen`` is None until all is done, and b"" where the data do not get smaller by an eighth.
    """

    def __init__(self, data: memoryview) -> None:
        self.frozen: bytes | None = None
        self._data, self._at, self._crc = data, 0, 0
        self._packer = zlib.compressobj(LEVEL)
        self._parts = [bytes(FROZEN_HEAD.size)]
        self._room = len(data) - len(data) // _WORTH - FROZEN_HEAD.size

    def step(self, until_s: float, clock: Clock) -> bool:
        """Goes on until ``clock`` shows ``until_s``, for one step at least. True: it is done."""
        while self.frozen is None:
            part = self._data[self._at : self._at + STEP]
            self._at += len(part)
            self._crc = zlib.crc32(part, self._crc)
            self._add(self._packer.compress(part))
            if self._at == len(self._data):
                self._add(self._packer.flush())
                self._parts[0] = FROZEN_HEAD.pack(len(self._data), self._crc)
                self.frozen = b"".join(self._parts) if self._room >= 0 else b""
            elif self._room < 0:
                self.frozen = b""
            elif clock() >= until_s:
                return False
        self._parts.clear()
        return True

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._room -= len(part)


class Thawing:
    """Inflates ``stored``; ``data`` is None until all is done and its CRC is right."""

    def __init__(self, stored: memoryview, most: int) -> None:
        """Damaged: ``stored`` is no frozen block, or states more than ``most`` bytes."""
        self.data: bytearray | None = None
        self.size = size_of(stored)
        if self.size > most:
            raise Damaged(f"a frozen block states {self.size} bytes, and {most} are the most it can have")
        _, self._expected = FROZEN_HEAD.unpack_from(stored)
        self._crc, self._into = 0, bytearray()
        self._unpacker = zlib.decompressobj()
        self._rest: bytes | memoryview = stored[FROZEN_HEAD.size :]

    def step(self, until_s: float, clock: Clock) -> bool:
        """As Freezing.step; Damaged where the data are not what was frozen."""
        while self.data is None:
            try:
                part = self._unpacker.decompress(self._rest, STEP)
            except zlib.error as error:
                raise Damaged(f"a frozen block does not inflate ({error})") from None
            self._rest = self._unpacker.unconsumed_tail
            self._crc = zlib.crc32(part, self._crc)
            self._into += part
            if self._unpacker.eof and (len(self._into), self._crc) == (self.size, self._expected):
                self.data = self._into
            elif self._unpacker.eof or not part or len(self._into) > self.size:
                raise Damaged(f"a frozen block inflates to something else than the {self.size} bytes it was made from")
            elif clock() >= until_s:
                return False
        return True
