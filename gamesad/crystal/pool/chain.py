"""The chain of blocks from the pool's start to its end: room is taken from it and given back to it, and it grows.

Each change is one store of one header's first word, made when everything behind it stands, so that whoever walks the
chain, also after the writer was killed, finds runs that fit together. What is free is known twice: in the headers, and
in FreeSpace for the writer. A unit is 64 bytes; ``unit`` counts them from the pool's start.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.layout import POOL_HEAD
from gamesad.crystal.pool.block import FREE_WORD
from gamesad.crystal.pool.free_space import LARGE, FreeSpace

if TYPE_CHECKING:
    from mmap import mmap

STEP = 1 << 20
"""The pool grows by so many bytes at a time."""
_SEQUENCE, _END = layout.POOL_SEQUENCE_AT >> 3, layout.POOL_END_AT >> 3


class OutOfSpace(CrystalFull):
    """No room, in the pool or in the file system; nothing changed."""


class Backing(Protocol):
    """What the pool lies in: a Segment."""

    memory: mmap
    """As long as the pool may ever get; nothing beyond what was ensured may be touched."""

    def section(self, place: int, /) -> tuple[int, int]:
        """Offset and greatest length of the pool."""

    def ensure(self, length: int, /) -> None:
        """Allocates ``memory`` up to there. CrystalFull: nothing changed."""


class Chain:
    """An empty one, in a segment without a pool; it takes its first MiB when it is first used."""

    __slots__ = (
        "_first",
        "_length",
        "_segment",
        "_sequence",
        "_start",
        "bytes",
        "end",
        "free",
        "limit",
        "readable",
        "words",
    )

    def __init__(self, segment: Backing) -> None:
        self._segment = segment
        self._start, limit = segment.section(layout.POOL)
        self.limit = min(limit, layout.POOL_MAX) & -layout.ALIGN
        self.bytes = memoryview(segment.memory)[self._start : self._start + self.limit]
        self.readable = self.bytes.toreadonly()
        self.words = self.bytes.cast("Q")
        self.free = FreeSpace()
        self.end = self._sequence = 0
        self._first, self._length = -1, 0
        """The run at hand: short blocks are cut from it one after the other, and it is not in ``free``."""

    def start(self) -> bool:
        """Takes the first MiB, so that there is a head; False: there is no room."""
        try:
            if not self.end:
                self._grow(1)
        except OutOfSpace:
            return False
        return True

    def take(self, units: int) -> int:
        """The first unit of a run of so many, in the chain as a free one. OutOfSpace.

        A short run of that very length, or what comes next of the run at hand; a long one where it fits best.
        """
        words, at_hand = self.words, self._length
        unit = self.free.take_exact(units) if units < LARGE else -1
        if unit < 0 and (units > at_hand or units >= LARGE):
            unit = self._find(units)
        elif unit < 0:
            unit = self._first
            self._first = unit + units
            self._length = at_hand - units
            if units < at_hand:
                words[(unit + units) << 3] = FREE_WORD | (at_hand - units) << 8
                words[unit << 3] = FREE_WORD | units << 8
        self._sequence = words[_SEQUENCE] = self._sequence + 2
        return unit

    def give(self, unit: int, units: int) -> None:
        """Frees a run and joins it with the free ones beside it."""
        words, end = self.words, unit + units
        words[unit << 3] = FREE_WORD | units << 8  # also where it is joined: nothing that looks used stays behind
        if end == self._first and not self.free.ends_at(unit):
            self._first = unit
            self._length = length = self._length + units
            words[unit << 3] = FREE_WORD | length << 8
            return
        if end == self._first or unit == self._first + self._length:
            self.settle()
        first, length = self.free.give(unit, units)
        if length != units:
            words[first << 3] = FREE_WORD | length << 8

    def settle(self) -> FreeSpace:
        """All that is free, the run at hand too."""
        if self._length:
            self.free.keep(self._first, self._length)
        self._first, self._length = -1, 0
        return self.free

    def moved(self) -> None:
        """A block stands in two places, and is about to leave the first: a walk may have met neither."""
        self._sequence = self.words[_SEQUENCE] = self._sequence + 2

    def close(self) -> None:
        """Lets go of the segment's memory."""
        for view in (self.words, self.readable, self.bytes):
            with suppress(BufferError):  # somebody still reads a block
                view.release()

    def _find(self, units: int) -> int:
        """Where it fits best; what is left there is the run at hand from now on."""
        self.settle()
        unit, length = self.free.take(units)
        if unit < 0:
            self._grow(units)
            unit, length = self.free.take(units)
        if length > units:
            self._first, self._length = unit + units, length - units
            self.words[self._first << 3] = FREE_WORD | self._length << 8
            self.words[unit << 3] = FREE_WORD | units << 8
        return unit

    def _grow(self, units: int) -> None:
        """A free run of so many units at the end."""
        end = self.end or POOL_HEAD
        wanted = end + (units - self.free.last(end >> 6) << 6)
        if wanted > self.limit:
            most = self.free.largest << 6
            raise OutOfSpace(
                f"the pool has no {units << 6} bytes in one piece: the largest is {most}, its limit {self.limit}; "
                "free some blocks, compact it or raise [crystal] size"
            )
        wanted = min(layout.aligned(wanted, STEP), self.limit)
        try:
            self._segment.ensure(self._start + wanted)
        except CrystalFull as error:
            raise OutOfSpace(f"the pool cannot grow: {error}") from error
        if not self.end:
            self.bytes[: len(layout.POOL_MAGIC)] = layout.POOL_MAGIC
        self.words[end >> 3] = FREE_WORD | (wanted - end) >> 6 << 8
        self.words[_END] = self.end = wanted
        self.give(end >> 6, (wanted - end) >> 6)
