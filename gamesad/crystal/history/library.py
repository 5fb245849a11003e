"""What of history and decisions lies on disk, for a thread that may wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gamesad.crystal import layout
from gamesad.crystal.decisions import Entry
from gamesad.crystal.errors import Damaged
from gamesad.crystal.history import chunks
from gamesad.crystal.history.chunks import SERIALS, Chunk, Table
from gamesad.crystal.history.rows import Row
from gamesad.crystal.history.shelf import Shelf

MIDDLE, SLOW, DECISIONS = range(3)
KINDS = ("middle", "slow", "decisions")


class Found(NamedTuple):
    """All that is whole, oldest first, and a line for each thing that is not."""

    middle: list[Table]
    slow: list[Table]
    decisions: list[bytes]
    lines: list[str]

    @property
    def names(self) -> set[str]:
        """Of every sensor with history."""
        return {name for table in (*self.middle, *self.slow) for name in table.names}


class Placed(NamedTuple):
    """The rows found, in the columns of a segment. ``serial``: of the next middle row; the last ``pending`` are in no
    slow row."""

    middle: list[Row]
    slow: list[Row]
    serial: int
    pending: int


class Batch(NamedTuple):
    """Rows or entries of one kind that are to be written together; ``serial`` as in Chunk."""

    kind: int
    items: Sequence[Row | bytes]
    period_s: int = 0
    serial: int = 0


class Library:
    """Three shelves in one folder; for one thread at a time."""

    def __init__(self, folder: str, keep: tuple[int, int, int]) -> None:
        self._folder = folder
        self._shelves = [Shelf(folder, kind, count) for kind, count in zip(KINDS, keep, strict=True)]

    def read(self) -> Found:
        found = Found([], [], [], [])
        for kind, shelf in enumerate(self._shelves):
            loaded, lines = shelf.load()
            found.lines.extend(line for line in lines if line not in found.lines)
            for chunk in loaded:
                try:
                    if kind == DECISIONS:
                        found.decisions.extend(_entries(chunk))
                    else:
                        (found.middle, found.slow)[kind].append(chunks.table(chunk))
                except Damaged as damage:
                    found.lines.append(f"a chunk of {self._folder}/{KINDS[kind]}.* is left out: {damage}")
        return found

    def write(self, batches: Sequence[Batch], columns: Mapping[str, int]) -> tuple[list[Batch], OSError | None]:
        """What of the batches is on disk now, and why the rest is not. ``columns``: of each sensor."""
        done: list[Batch] = []
        try:
            for batch in batches:
                self._shelves[batch.kind].append(_chunk(batch, columns))
                done.append(batch)
        except OSError as error:
            return done, error
        return done, None


def _chunk(batch: Batch, columns: Mapping[str, int]) -> Chunk:
    if batch.kind == DECISIONS:
        return Chunk(len(batch.items), 0, 0, b"".join(item for item in batch.items if isinstance(item, bytes)))
    rows = [item for item in batch.items if isinstance(item, Row)]
    return chunks.of_rows(rows, columns, batch.period_s, batch.serial)


def _entries(chunk: Chunk) -> list[bytes]:
    size = layout.DECISION_SIZE
    if chunk.period_s or len(chunk.data) != chunk.size * size:
        raise Damaged("it holds no decisions")
    entries = [chunk.data[at : at + size] for at in range(0, len(chunk.data), size)]
    for entry in entries:
        Entry(entry, int.from_bytes(entry[:8], "little"), crc=False)
    return entries


def placed(found: Found, columns: Mapping[str, int], width: int) -> Placed:
    """A tenth of a second of work, which needs no disk but no tick should wait for either."""
    middle, slow = ([row for table in tables for row in table.rows(columns, width)] for tables in found[:2])
    serial = found.middle[-1].serial + len(found.middle[-1].times_us) if found.middle else 0
    if not found.slow:
        return Placed(middle, slow, serial, len(middle))
    pending = (serial - found.slow[-1].serial) % SERIALS
    if pending > SERIALS // 2:  # slow rows are there, and the middle ones that they were made of did not get there
        return Placed(middle, slow, found.slow[-1].serial, 0)
    return Placed(middle, slow, serial, min(pending, len(middle)))
