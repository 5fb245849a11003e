"""Rows of history: how samples become a row, and rows a row of a longer period."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import mul
from typing import NamedTuple
from zlib import crc32

from gamesad.crystal.layout import ROW_HEAD, row_size

SAMPLES_MAX = 1 << 20
_LATEST_US = 1 << 53
"""The year 2255: what lies beyond was never a time."""


class Row(NamedTuple):
    """``time_us``: the wall clock at its end. ``values``: minimum, mean, maximum (f32, NaN: none) of every column."""

    time_us: int
    samples: int
    values: array[float]

    def packed(self, *, crc: bool) -> bytes:
        """As it lies in a ring."""
        head = ROW_HEAD.pack(self.time_us, self.samples, self.check if crc else 0)
        return (head + self.values.tobytes()).ljust(row_size(len(self.values) // 3), b"\0")

    @property
    def check(self) -> int:
        return crc32(self.values)


def unpacked(data: bytes, columns: int) -> Row:
    time_us, samples, _ = ROW_HEAD.unpack_from(data)
    return Row(time_us, samples, array("f", data[ROW_HEAD.size : ROW_HEAD.size + 12 * columns]))


def possible(time_us: int, samples: int, period_us: int) -> bool:
    """Whether a row can say that of itself."""
    return 0 < time_us < _LATEST_US and time_us % period_us == 0 and 0 < samples <= SAMPLES_MAX


def of_one(sample: array[float]) -> array[float]:
    """The values of a row of one sample (f32)."""
    values = array("f", bytes(3 * sample.itemsize * len(sample)))
    values[0::3] = values[1::3] = values[2::3] = sample
    return values


def merged(time_us: int, rows: Sequence[Row]) -> Row:
    """One row of them all: least minimum, mean weighted by samples, greatest maximum; NaN where no row has a value.

    A row has one number of samples for all columns, so a sensor that was absent for a part of it counts as if it had
    not been.
    """
    samples = sum(row.samples for row in rows)
    if len(rows) == 1:
        return Row(time_us, samples, rows[0].values)
    lows, means, highs = ([row.values[part::3] for row in rows] for part in range(3))
    weight = len(rows)
    if len({row.samples for row in rows}) > 1:
        weight = samples
        means = [array("d", [value * row.samples for value in mean]) for mean, row in zip(means, rows, strict=True)]
    columns = list(zip(*means, strict=True))
    totals = [sum(column) / weight for column in columns]
    values = array("f", bytes(len(rows[0].values) * 4))
    values[0::3] = array("f", map(min, *lows))
    values[1::3] = array("f", totals)
    values[2::3] = array("f", map(max, *highs))
    for column, total in enumerate(totals):
        # NaN somewhere in it is not seen by min and max; where there is nothing else, they are right
        if total != total and any(mean == mean for mean in columns[column]):  # noqa: PLR0124 - is it NaN
            values[3 * column : 3 * column + 3] = _of_some(column, rows)
    return Row(time_us, min(samples, SAMPLES_MAX), values)


def _of_some(column: int, rows: Sequence[Row]) -> array[float]:
    """The same for one column that some rows lack."""
    there = [row for row in rows if (mean := row.values[3 * column + 1]) == mean]
    weights = [row.samples for row in there]
    lows, means, highs = zip(*(row.values[3 * column : 3 * column + 3] for row in there), strict=True)
    return array("f", (min(lows), sum(map(mul, weights, means)) / sum(weights), max(highs)))


def bucket(time_us: int, period_us: int) -> int:
    """The number since the epoch of the period that a row which ends at ``time_us`` lies in."""
    return (time_us - 1) // period_us


def grouped(rows: Iterable[Row], period_us: int) -> Iterator[list[Row]]:
    """Neighbours that lie in the same period."""
    for _, group in groupby(rows, lambda row: bucket(row.time_us, period_us)):
        yield list(group)


def folded(group: Sequence[Row], period_us: int) -> Row:
    """The row of one such group."""
    return merged((bucket(group[0].time_us, period_us) + 1) * period_us, group)
