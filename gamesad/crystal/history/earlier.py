"""The rows of a segment that was there before, which nobody vouches for."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from math import nan
from typing import TYPE_CHECKING

from gamesad.crystal import layout
from gamesad.crystal.history.rows import Row, possible, unpacked

if TYPE_CHECKING:
    from gamesad.crystal.previous import Previous


def earlier_rows(
    previous: Previous, place: int, moved: Mapping[int, int], columns: int, *, crc: bool
) -> Iterator[bytes | None]:
    """Each row of the ring in section ``place``, oldest first, as it lies in a ring of ``columns`` columns.

    None for a row that cannot be. ``moved``: their columns to ours; what is not in it becomes NaN.
    """
    section, geometry = previous.section(place), previous.header.geometry
    if section is None:
        return
    memory, start = previous.memory, section[0] + layout.RING_HEAD
    places, period_s = geometry.rings[place - layout.RING_1S]
    size = layout.row_size(geometry.columns)
    move = _Move(moved, geometry.columns, columns)
    written = int.from_bytes(memory[section[0] : section[0] + 8], "little")
    for number in range(written - places + 1, written):
        at = start + number % places * size
        data = memory[at : at + size]
        time_us, samples, check = layout.ROW_HEAD.unpack_from(data)
        if not time_us:
            continue
        row = unpacked(data, geometry.columns)
        if not possible(time_us, samples, period_s * 1_000_000) or (previous.crc and row.check != check):
            yield None
        elif move.changes(data) or previous.crc != crc:
            yield Row(time_us, samples, move.values(row.values)).packed(crc=crc)
        else:
            yield data


class _Move:
    """Columns from their places to ours, neighbours together."""

    def __init__(self, moved: Mapping[int, int], theirs: int, ours: int) -> None:
        self._empty = array("f", [nan] * (3 * ours))
        self._runs: list[tuple[int, int, int]] = []
        for begin, new in sorted(moved.items()):
            if begin >= theirs or new >= ours:
                continue
            if self._runs and (begin, new) == (self._runs[-1][0] + self._runs[-1][2], sum(self._runs[-1][1:])):
                self._runs[-1] = (*self._runs[-1][:2], self._runs[-1][2] + 1)
            else:
                self._runs.append((begin, new, 1))
        stays = theirs == ours and len(self._runs) == 1 and self._runs[0][:2] == (0, 0)
        used = 3 * self._runs[0][2] if stays else 0
        padding = bytes(layout.row_size(ours) - layout.ROW_HEAD.size - self._empty.itemsize * 3 * ours)
        self._rest = self._empty[used:].tobytes() + padding if stays else None

    def changes(self, row: bytes) -> bool:
        """Whether anything would: mostly the columns are those of before, and the rest of them unused."""
        return self._rest is None or not row.endswith(self._rest)

    def values(self, values: array[float]) -> array[float]:
        moved = self._empty[:]
        for begin, new, count in self._runs:
            moved[3 * new : 3 * (new + count)] = values[3 * begin : 3 * (begin + count)]
        return moved
