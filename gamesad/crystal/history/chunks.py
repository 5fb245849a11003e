"""History and decisions as they lie on disk: chunks, one behind the other, each with its own checksum.

A chunk is CHUNK, then zlib data. Of decisions: entries as in the segment. Of rows: NAMES, the sensors' names with a
line end between them, u64 times, u32 samples, then for each name the minima, means and maxima of all rows (f32): values
of one sensor are alike, so they pack well side by side. Little-endian.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from struct import Struct, error
from typing import NamedTuple

from gamesad.crystal.errors import Damaged
from gamesad.crystal.header import MAX_COLUMNS
from gamesad.crystal.history.rows import Row, possible

CHUNK = Struct("<4s6I")
"""MAGIC; rows or entries; period in s (0: decisions); serial; bytes stored, inflated; CRC-32 of that and the data."""
MAGIC = b"GSH1"
NAMES = Struct("<I")
"""Bytes of names."""
COUNT_MAX = 1024
"""Rows or entries in one chunk."""
SERIALS = 1 << 32
_INFLATED_MAX = 64 << 20


class Chunk(NamedTuple):
    """``serial``: of the first row, counted since the first ever, modulo SERIALS; in a chunk of slow rows, that of the
    first middle row which these and those before were not made of."""

    size: int
    """Rows or entries."""
    period_s: int
    serial: int
    data: bytes


def packed(chunk: Chunk) -> bytes:
    stored = zlib.compress(chunk.data)
    head = CHUNK.pack(MAGIC, chunk.size, chunk.period_s, chunk.serial, len(stored), len(chunk.data), 0)
    return head[:-4] + zlib.crc32(stored, zlib.crc32(head[:-4])).to_bytes(4, "little") + stored


def unpacked(data: bytes) -> Iterator[tuple[int, Chunk]]:
    """Each chunk and where it ends. Damaged, with a sentence, at the first that is not whole."""
    at = 0
    while at < len(data):
        try:
            magic, count, period_s, serial, size, inflated, check = CHUNK.unpack_from(data, at)
        except error:
            raise Damaged(f"it ends in the middle of a chunk, at byte {at}") from None
        stored = data[at + CHUNK.size : at + CHUNK.size + size]
        if magic != MAGIC:
            raise Damaged(f"there is no chunk at byte {at}")
        if len(stored) != size:
            raise Damaged(f"it ends in the middle of the chunk at byte {at}")
        if check != zlib.crc32(stored, zlib.crc32(data[at : at + CHUNK.size - 4])):
            raise Damaged(f"the chunk at byte {at} does not match its checksum")
        yield at + CHUNK.size + size, Chunk(count, period_s, serial, _inflated(stored, inflated, at))
        at += CHUNK.size + size


def _inflated(stored: bytes, size: int, at: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(stored, min(size, _INFLATED_MAX) + 1)
    except zlib.error as problem:
        raise Damaged(f"the chunk at byte {at} cannot be inflated ({problem})") from None
    if len(data) != size or not inflater.eof:
        raise Damaged(f"the chunk at byte {at} is not as long as it says")
    return data


def of_rows(rows: Sequence[Row], columns: Mapping[str, int], period_s: int, serial: int) -> Chunk:
    """``columns``: which sensor has which; those without any value are left out."""
    flat = array("f")
    for row in rows:
        flat.extend(row.values)
    stride = len(rows[0].values)
    names, values = [], array("f")
    for name, column in columns.items():
        if "\n" not in name and any(mean == mean for mean in flat[3 * column + 1 :: stride]):  # noqa: PLR0124 - not NaN
            names.append(name)
            for part in range(3 * column, 3 * column + 3):
                values.extend(flat[part::stride])
    text = "\n".join(names).encode(errors="replace")
    times = array("Q", (row.time_us for row in rows))
    samples = array("I", (row.samples for row in rows))
    data = b"".join((NAMES.pack(len(text)), text, times, samples, values))
    return Chunk(len(rows), period_s, serial, data)


class Table(NamedTuple):
    """The rows of one chunk, by sensor."""

    period_s: int
    serial: int
    names: list[str]
    times_us: array[int]
    samples: array[int]
    values: array[float]

    def rows(self, columns: Mapping[str, int], width: int) -> Iterator[Row]:
        """With ``width`` columns; sensors without one are left out, as are rows that cannot be."""
        count, stride = len(self.times_us), 3 * width
        flat = array("f", [nan]) * (count * stride)
        for place, name in enumerate(self.names):
            column = columns.get(name)
            if column is not None:
                for part in range(3):
                    begin = (3 * place + part) * count
                    flat[3 * column + part :: stride] = self.values[begin : begin + count]
        for n, (time_us, samples) in enumerate(zip(self.times_us, self.samples, strict=True)):
            if possible(time_us, samples, self.period_s * 1_000_000):
                yield Row(time_us, samples, flat[n * stride : (n + 1) * stride])


def table(chunk: Chunk) -> Table:
    """Damaged: the chunk is not one of rows."""
    count, data = chunk.size, chunk.data
    if not (0 < count <= COUNT_MAX and chunk.period_s and len(data) >= NAMES.size):
        raise Damaged("it holds no rows")
    end = NAMES.size + NAMES.unpack_from(data)[0]
    try:
        names = data[NAMES.size : end].decode().split("\n") if end > NAMES.size else []
    except UnicodeDecodeError:
        raise Damaged("its names are not text") from None
    if len(names) > MAX_COLUMNS or len(data) != end + count * (12 + 12 * len(names)):
        raise Damaged("its rows are not as many as it says")
    times_us, samples, values = array("Q"), array("I"), array("f")
    for numbers, size in ((times_us, 8 * count), (samples, 4 * count), (values, 12 * count * len(names))):
        numbers.frombytes(data[end : end + size])
        end += size
    return Table(chunk.period_s, chunk.serial, names, times_us, samples, values)
