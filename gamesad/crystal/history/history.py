"""History in the segment: three rings, of which each coarser one is made from the rows of the finer.

A row is written when its period is over. Rows carry the wall clock: where that was set back, a ring holds the same time
twice, in the order written, and ``points.query`` makes one point of both.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from gamesad.crystal import layout, points
from gamesad.crystal.history.earlier import earlier_rows
from gamesad.crystal.history.rows import Row, bucket, folded, grouped, merged, of_one, unpacked
from gamesad.crystal.source import Mapped

if TYPE_CHECKING:
    from gamesad.crystal.points import Point
    from gamesad.crystal.previous import Previous
    from gamesad.crystal.segment import Segment

_SAMPLES_MAX = 64
"""Samples kept apart until their period is over; a clock that stands still makes more rows instead."""


class RingWriter:
    """A ring as its writer holds it. Row numbers start at the ring's size, so that older rows still fit in below."""

    def __init__(self, segment: Segment, place: int) -> None:
        self.columns = segment.geometry.columns
        self.places, period_s = segment.geometry.rings[place - layout.RING_1S]
        self.period_us = period_s * 1_000_000
        self._place = place
        self._size = layout.row_size(self.columns)
        self.move(segment)
        if not self.written:
            self._words[self._at] = self.places
        self.first = self.written
        """Of the oldest row there is."""
        self.unfolded = self.written
        """Of the first row that the next ring does not have yet."""

    def move(self, segment: Segment) -> None:
        """To another segment with the same contents."""
        self._memory, self._words = segment.memory, segment.words
        self.crc = bool(segment.flags & layout.FLAG_CRC)
        offset, _ = segment.section(self._place)
        self._at = offset // 8
        self._rows = offset + layout.RING_HEAD

    @property
    def written(self) -> int:
        """The number of the next row."""
        return self._words[self._at]

    @property
    def oldest(self) -> int:
        """Of the oldest row that is still there."""
        return max(self.first, self.written - self.places + 1)

    def append(self, row: Row) -> None:
        self.append_packed(row.packed(crc=self.crc))

    def append_packed(self, row: bytes) -> None:
        number = self.written
        self._put(number, row)
        self._words[self._at] = number + 1

    def prepend(self, row: Row) -> bool:
        """An older row than all that are there; False: there is no room."""
        number = self.first - 1
        if number <= self.written - self.places:
            return False
        self._put(number, row.packed(crc=self.crc))
        self.first = number
        return True

    def row(self, number: int) -> Row:
        at = self._rows + number % self.places * self._size
        return unpacked(self._memory[at : at + self._size], self.columns)

    def rows(self, begin: int) -> Iterator[Row]:
        """From number ``begin`` on, as far as they are there."""
        return map(self.row, range(max(begin, self.oldest), self.written))

    def time_us(self, number: int) -> int:
        return self._words[(self._rows + number % self.places * self._size) // 8]

    def samples(self, number: int) -> int:
        return self._words[(self._rows + number % self.places * self._size) // 8 + 1] & 0xFFFFFFFF

    def fold_into(self, coarser: RingWriter, now_us: int | None) -> None:
        """Rows for each of its periods that is over at ``now_us`` (None: for all)."""
        if self.unfolded == self.written:
            return
        now = None if now_us is None else now_us // coarser.period_us
        if bucket(self.time_us(self.unfolded), coarser.period_us) == now:
            return
        groups = list(grouped(self.rows(self.unfolded), coarser.period_us))
        self.unfolded = self.written
        if groups and bucket(groups[-1][0].time_us, coarser.period_us) == now:
            self.unfolded -= len(groups.pop())
        for group in groups:
            coarser.append(folded(group, coarser.period_us))

    def resume(self, coarser: RingWriter) -> None:
        """Finds ``unfolded`` after a writer that was killed: the last period's rows but those whose row is there."""
        begin = self.written
        while begin > self.oldest and self._same_period(begin - 1, self.written - 1, coarser.period_us):
            begin -= 1
        self.unfolded = begin
        if begin < self.written and coarser.written > coarser.oldest:
            self.unfolded += _already(list(self.rows(begin)), coarser.row(coarser.written - 1), coarser.period_us)

    def _same_period(self, one: int, other: int, period_us: int) -> bool:
        return bucket(self.time_us(one), period_us) == bucket(self.time_us(other), period_us)

    def _put(self, number: int, data: bytes) -> None:
        """The time last: a row whose time is 0 is not there yet."""
        at = self._rows + number % self.places * self._size
        self._memory[at + 8 : at + self._size] = data[8:]
        self._words[at // 8] = int.from_bytes(data[:8], "little")


def _already(group: list[Row], made: Row, period_us: int) -> int:
    """How many rows of the group came before those that ``made`` lacks: mostly it was made of all or of none."""
    for end in range(len(group), 0, -1):
        for begin in range(end):
            some = group[begin:end]
            if sum(row.samples for row in some) == made.samples:
                again = folded(some, period_us)
                if again.packed(crc=False) == made.packed(crc=False):
                    return end
    return 0


class Recovered(NamedTuple):
    kept: int
    dropped: int


class History:
    """The rings of one segment. Belongs to the thread that ticks."""

    def __init__(self, segment: Segment) -> None:
        """The coarser rings are used as soon as they are allocated, at the latest after ``grow``."""
        self._segment = segment
        self.rings = [RingWriter(segment, layout.RING_1S)]
        self._open_coarser()
        self._period = -1
        self._samples: list[array[float]] = []

    def grow(self) -> None:
        """Room for the coarser rings. CrystalFull: as before."""
        self._segment.ensure(sum(self._segment.section(layout.RING_5MIN)))
        self._open_coarser()

    def _open_coarser(self) -> None:
        for place in range(layout.RING_1S + len(self.rings), layout.RING_5MIN + 1):
            if sum(self._segment.section(place)) <= self._segment.length:
                self.rings.append(RingWriter(self._segment, place))

    def move(self, segment: Segment) -> None:
        """To a segment that was made with ``replace``."""
        self._segment = segment
        for ring in self.rings:
            ring.move(segment)

    def push(self, wall_us: int, values: Sequence[float]) -> None:
        """One value for each column, NaN for none, at the wall clock's time."""
        if len(values) != self.rings[0].columns:
            raise ValueError(f"{len(values)} values for {self.rings[0].columns} columns")
        period = wall_us // self.rings[0].period_us
        if period != self._period or len(self._samples) == _SAMPLES_MAX:
            self._close_period()
            self._period = period
            for finer, coarser in pairwise(self.rings):
                finer.fold_into(coarser, wall_us)
        self._samples.append(array("f", values))

    def flush(self, *, coarser: bool = False) -> None:
        """What was pushed becomes rows, though their period is not over; ``coarser``: in the coarser rings too."""
        self._close_period()
        if coarser:
            for finer, next_ring in pairwise(self.rings):
                finer.fold_into(next_ring, None)

    def _close_period(self) -> None:
        if self._samples:
            time_us = (self._period + 1) * self.rings[0].period_us
            self.rings[0].append(merged(time_us, [Row(time_us, 1, of_one(sample)) for sample in self._samples]))
            self._samples = []

    def recover(self, previous: Previous, columns: Mapping[int, int]) -> Recovered:
        """Take over the rows of an earlier segment, after ``grow`` and before the first ``push``.

        ``columns``: its columns to ours.
        """
        kept = dropped = 0
        for ring, place in zip(self.rings, range(layout.RING_1S, layout.RING_5MIN + 1), strict=False):
            for row in earlier_rows(previous, place, columns, ring.columns, crc=ring.crc):
                if row is None:
                    dropped += 1
                else:
                    ring.append_packed(row)
                    kept += 1
        for finer, coarser in pairwise(self.rings):
            finer.resume(coarser)
        return Recovered(kept, dropped)

    def last(self, seconds: float) -> list[tuple[float, array[float]]]:
        """The last seconds there are: when each ended, in s since the epoch, and the mean of every column."""
        rows = list(self.rings[0].rows(0))
        since_us = rows[-1].time_us - seconds * 1e6 if rows else 0.0
        return [(row.time_us / 1e6, array("d", row.values[1::3])) for row in rows if row.time_us > since_us]

    def query(self, column: int, since_us: int, until_us: int, max_points: int = 0) -> list[Point]:
        """See ``points.query``. IndexError: no such column."""
        geometry, source = self._segment.geometry, Mapped(self._segment.memory)
        crc = bool(self._segment.flags & layout.FLAG_CRC)
        rings = [
            points.Ring(source, self._segment.section(place)[0], geometry.columns, geometry.rings[n], crc=crc)
            for n, place in enumerate(range(layout.RING_1S, layout.RING_1S + len(self.rings)))
        ]
        return points.query(rings, column, since_us, until_us, max_points)
