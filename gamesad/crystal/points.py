"""Points of a graph out of rings of history: which ring, which rows, how rows become fewer.

The same for the daemon and for every reader. Only struct and math are imported, beside the layout.
"""

from __future__ import annotations

from math import inf
from struct import Struct

from gamesad.crystal import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gamesad.crystal.source import Source

    Row = tuple[int, int, float, float, float]
    Point = tuple[int, float, float, float]

_PIECE = 512
"""Rows copied at once: few calls, and the copies stay in the processor's cache."""


class Ring:
    """One ring of ``source`` at ``offset``, of which every byte is there: the caller has looked at the length."""

    __slots__ = ("_crc", "_offset", "_source", "columns", "period_us", "places", "row_size")

    def __init__(
        self, source: Source, offset: int, columns: int, rows_and_period_s: tuple[int, int], *, crc: bool
    ) -> None:
        self._source = source
        self._offset = offset
        self._crc = crc
        self.columns = columns
        self.row_size = layout.row_size(columns)
        self.places = rows_and_period_s[0]
        self.period_us = rows_and_period_s[1] * 1_000_000

    @property
    def written(self) -> int:
        return self._source.word(self._offset)

    def rows(self, column: int) -> list[Row]:
        """Time in µs at a row's end, samples, minimum, mean, maximum: in the order written, NaN where there is none.

        A row that the writer may have touched meanwhile is left out, as is an empty one. IndexError: no such column.
        """
        if not 0 <= column < self.columns:
            raise IndexError(f"column {column} of {self.columns}")
        before = layout.ROW_COLUMN.size * column
        behind = self.row_size - layout.ROW_HEAD.size - before - layout.ROW_COLUMN.size
        shape = Struct(f"<QI{4 + before}x3f{behind}x")
        written = self.written
        rows: list[Row] = []
        for piece in self._pieces(written % self.places):
            rows += shape.iter_unpack(self._without_torn(piece) if self._crc else piece)
        del rows[: self.written - written + 1]
        return [row for row in rows if row[0] and row[1]]

    def _pieces(self, oldest: int) -> Iterator[bytes]:
        start = self._offset + layout.RING_HEAD
        for begin, end in ((oldest, self.places), (0, oldest)):
            for place in range(begin, end, _PIECE):
                count = min(_PIECE, end - place)
                yield self._source.copy(start + place * self.row_size, count * self.row_size)

    def _without_torn(self, piece: bytes) -> bytes:
        """With rows emptied whose stores have not all been seen yet."""
        from zlib import crc32  # noqa: PLC0415 - only where processors show stores in another order

        rows = [piece[at : at + self.row_size] for at in range(0, len(piece), self.row_size)]
        behind = layout.ROW_HEAD.size + self.columns * layout.ROW_COLUMN.size
        empty = bytes(self.row_size)
        return b"".join(
            row if crc32(row[layout.ROW_HEAD.size : behind]) == layout.ROW_HEAD.unpack_from(row)[2] else empty
            for row in rows
        )


def query(rings: Sequence[Ring], column: int, since_us: int, until_us: int, max_points: int = 0) -> list[Point]:
    """Time in µs at its end, minimum, mean and maximum of each stretch from ``since_us`` to ``until_us``, in order.

    From the finest ring that reaches back to ``since_us`` (where none does: as far as any), and what is too new to be
    in it from the finer ones. ``rings``: from fine to coarse. At most ``max_points`` (0: no bound): neighbours are
    merged, so that no extreme is lost. Where there was no value there is no point.
    """
    read: list[tuple[Ring, list[Row]]] = []
    for ring in rings:
        rows = sorted(ring.rows(column))  # a clock that was set back wrote earlier times later
        if rows:
            read.append((ring, rows))
            if _reaches(ring, rows, since_us):
                break
    if not read:
        return []
    back_to = max(since_us, min(rows[0][0] for _, rows in read))
    used = next((n for n, (ring, rows) in enumerate(read) if _reaches(ring, rows, back_to)), len(read) - 1)
    taken: list[Row] = []
    known_us = since_us - 1
    for _, rows in reversed(read[: used + 1]):
        taken += [row for row in rows if known_us < row[0] <= until_us]
        known_us = taken[-1][0] if taken else known_us
    taken = [row for row in taken if -inf < row[2] <= row[3] <= row[4] < inf]
    if not taken:
        return []
    step_us = (taken[-1][0] - taken[0][0]) // max_points + 1 if max_points > 0 else 1
    return _merged(taken, step_us)


def _reaches(ring: Ring, rows: list[Row], since_us: int) -> bool:
    """A ring's whole length is not quite there: its newest row is not over yet, its oldest is being replaced. And one
    with a row from a clock that was years behind reaches back no further for it."""
    return rows[0][0] - 3 * ring.period_us <= since_us and rows[-1][0] - since_us <= ring.places * ring.period_us


def _merged(rows: list[Row], step_us: int) -> list[Point]:
    """One point for each step from the first row on; ``rows`` in the order of time."""
    points: list[Point] = []
    first_us = rows[0][0]
    slot, end_us, weight, low, total, high = -1, 0, 0, inf, 0.0, -inf
    for time_us, samples, minimum, mean, maximum in rows:
        if (time_us - first_us) // step_us != slot:
            if weight:
                points.append((end_us, low, total / weight, high))
            slot, weight, low, total, high = (time_us - first_us) // step_us, 0, inf, 0.0, -inf
        end_us = time_us
        weight += samples
        total += samples * mean
        low = min(low, minimum)
        high = max(high, maximum)
    points.append((end_us, low, total / weight, high))
    return points
