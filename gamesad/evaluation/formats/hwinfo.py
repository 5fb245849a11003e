"""HWiNFO's CSV logs (Windows): up to five hundred columns, names that repeat, the header and the sensors' devices once
more at the end; latin-1, or UTF-8 with pieces in the encoding of its country."""

from __future__ import annotations

from collections.abc import Iterator

from gamesad.errors import Failed
from gamesad.evaluation.formats import delimited
from gamesad.evaluation.formats.delimited import Cells
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source

_BEGINNINGS = tuple(
    f"date{between}time{mark}" for between, marks in ((",", ","), (";", ";"), ("/", ",;")) for mark in marks
)


def recognises(head: str) -> bool:
    first = head.lstrip().partition("\n")[0]
    return first.replace('"', "").lower().startswith(_BEGINNINGS) and "[" in first


def parse(source: Source) -> Table:
    rows = delimited.split(source, delimited.delimiter(source.head.lstrip().partition("\n")[0]))
    header = next((cells for _, cells in rows), None)
    if header is None:
        raise Failed(f"{source.path} holds no header; is it the whole log?")
    stamps = Stamps()
    apart = header[0].strip('"').lower() == "date"

    def stamp(cells: Cells) -> float | None:
        return stamps.seconds(f"{cells[0]} {cells[1]}" if apart and len(cells) > 1 else cells[0])

    return delimited.read(_readings(rows, header[0]), header, stamp, source.tally, skip=(0, 1) if apart else (0,))


def _readings(rows: Iterator[tuple[int, Cells]], first: str) -> Iterator[tuple[int, Cells]]:
    """Without the header and the line of devices that end a log."""
    ending: tuple[int, Cells] | None = None
    for line, cells in rows:
        if not cells[0].strip():
            ending = None
            continue
        if ending is not None:
            yield ending
        ending = (line, cells) if cells[0] == first else None
        if ending is None:
            yield line, cells
