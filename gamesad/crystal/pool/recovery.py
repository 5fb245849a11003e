"""What is whole in a pool that was left behind. Nothing in it is believed: sizes, states, CRCs and texts are checked,
no byte outside of it is touched, and a walk always ends.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged
from gamesad.crystal.layout import BLOCK, BLOCK_HEAD, BLOCK_MAGIC, BLOCK_SEALED, FREE, FROZEN, POOL_HEAD, USED
from gamesad.crystal.pool.frozen import size_of

_LIMIT = 1 << 63
"""Ids and sequences below it can be counted on."""
_LOW, _HIGH = BLOCK_MAGIC.to_bytes(2, "little")
_MAGIC_AT = 6
"""Bytes before the magic in a header."""


class Kept(NamedTuple):
    """A block as it was found. ``size``: of a frozen block what its data inflate to; ``crc`` None: not sealed."""

    id: int
    size: int
    data: memoryview
    sequence: int
    tier: int
    crc: int | None
    heat: float
    modified_s: int
    owner: bytes


class Found(NamedTuple):
    blocks: list[Kept]
    discarded: int
    """Places where a block was and is not whole. An older version of a block that was found is none of them."""
    next_id: int


def whole_blocks(pool: memoryview) -> Found:
    """``pool``: from the pool's head to the file's end or the section's."""
    pool = pool[: len(pool) & -layout.ALIGN]
    if len(pool) < POOL_HEAD or pool[: len(layout.POOL_MAGIC)] != layout.POOL_MAGIC:
        return Found([], 0, 1)
    words = pool.cast("Q")
    newest: dict[int, tuple[bool, Kept]] = {}
    discarded = 0
    for at, units, known in _used(pool, words):
        kept = _kept(pool, at, units) if units else None
        if kept is None:
            discarded += 1
        elif kept.id not in newest or (known, kept.sequence) > (newest[kept.id][0], newest[kept.id][1].sequence):
            newest[kept.id] = known, kept
    last = words[layout.POOL_NEXT_ID_AT >> 3]
    next_id = max([last if last < _LIMIT else 1, *(one + 1 for one in newest)])
    return Found([kept for _, kept in newest.values()], discarded, next_id)


def _used(pool: memoryview, words: memoryview) -> Iterator[tuple[int, int, bool]]:
    """Offset and units of each used block; 0 units where the chain is broken. False: found behind such a place.

    A broken chain goes on at the next header. What lies there may be a block's contents that look like one.
    """
    end = words[layout.POOL_END_AT >> 3]
    at, known, counted, magics = POOL_HEAD, True, False, b""
    while at < len(pool):
        word = words[at >> 3]
        units, state = word >> 8 & (1 << 40) - 1, word & 0xFF
        if word >> 48 == BLOCK_MAGIC and 0 < units <= len(pool) - at >> 6 and state in (FREE, USED):
            if state == USED:
                yield at, units, known
                counted = False
            at += units << 6
            continue
        if at >= end:  # growth was cut off before its last step, or nothing was here yet
            return
        if not counted:
            yield at, 0, False
        known, counted = False, True
        magics = magics or bytes(pool[_MAGIC_AT :: layout.ALIGN])
        at = _next_header(pool, magics, at)


def _next_header(pool: memoryview, magics: bytes, at: int) -> int:
    unit = magics.find(_LOW, (at >> 6) + 1)
    while unit >= 0 and pool[(unit << 6) + _MAGIC_AT + 1] != _HIGH:
        unit = magics.find(_LOW, unit + 1)
    return unit << 6 if unit >= 0 else len(pool)


def _kept(pool: memoryview, at: int, units: int) -> Kept | None:
    """The block at ``at``, if all of it is as the pool writes blocks."""
    _, identity, stored, sequence, tier, flags, _, crc, heat, modified_s, owner, _ = BLOCK.unpack_from(pool, at)
    if not 0 < stored <= len(pool) or stored + 127 >> 6 != units or not 0 < identity < _LIMIT:
        return None
    if sequence % 2 or not 0 < sequence < _LIMIT or tier > FROZEN or flags & ~BLOCK_SEALED or not math.isfinite(heat):
        return None
    data = pool[at + BLOCK_HEAD : at + BLOCK_HEAD + stored]
    if flags & BLOCK_SEALED and zlib.crc32(data) != crc:
        return None
    owner = owner.rstrip(b"\0")
    try:
        owner.decode()
        size = size_of(data) if tier == FROZEN else stored
    except (UnicodeDecodeError, Damaged):
        return None
    if not 0 < size <= layout.POOL_MAX:
        return None
    return Kept(identity, size, data, sequence, tier, crc if flags else None, heat, modified_s, owner)
