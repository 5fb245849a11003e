"""What a frozen block holds: FROZEN_HEAD and zlib data. The CRC in the head is that of the inflated bytes."""

from __future__ import annotations

import zlib

from gamesad.crystal.errors import Damaged
from gamesad.crystal.layout import FROZEN_HEAD

LEVEL = 1
"""Three to five times as fast as zlib's own 6 where that gains anything, for a quarter more bytes at most."""


def packed(data: bytes | memoryview) -> bytes:
    """``data`` as a frozen block holds them; may be longer than they are."""
    return FROZEN_HEAD.pack(len(data), zlib.crc32(data)) + zlib.compress(data, LEVEL)


def size_of(stored: bytes | memoryview) -> int:
    """Inflated bytes as the head states them. Damaged: there is no head."""
    if len(stored) < FROZEN_HEAD.size:
        raise Damaged("a frozen block is shorter than its head")
    size, _ = FROZEN_HEAD.unpack_from(stored)
    return int(size)


def inflated(stored: bytes | memoryview, most: int) -> bytes:
    """The bytes that were packed, at most so many. Damaged: they are not what they were."""
    size = size_of(stored)
    if size > most:
        raise Damaged(f"a frozen block states {size} bytes, and {most} are the most it can have")
    _, crc = FROZEN_HEAD.unpack_from(stored)
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(stored[FROZEN_HEAD.size :], size + 1)
    except zlib.error as error:
        raise Damaged(f"a frozen block does not inflate ({error})") from None
    if len(data) != size or zlib.crc32(data) != crc:
        raise Damaged(f"a frozen block inflates to {len(data)} bytes that are not the {size} it was made from")
    return data
