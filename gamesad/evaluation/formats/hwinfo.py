"""HWiNFO's CSV logs (Windows): up to five hundred columns, names that repeat, the header and the sensors' devices once
more at the end; latin-1, or UTF-8 with pieces in the encoding of its country."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gamesad.evaluation.formats import delimited
from gamesad.evaluation.formats.delimited import Cells
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source

_BEGINNING = re.compile(r"date(?:,time,|;time;|/time[,;])")


def recognises(head: str) -> bool:
    first = _first(head)
    return _BEGINNING.match(first.replace('"', "").lower()) is not None and "[" in first


def parse(source: Source) -> Table:
    rows = delimited.split(source, delimited.delimiter(_first(source.head)))
    header = delimited.first(source, rows)
    places = (0, 1) if header[0].lower() == "date" else (0,)
    stamps = Stamps()

    def stamp(cells: Cells) -> float | None:
        return stamps.seconds(" ".join(cells[: len(places)]))

    return delimited.read(_readings(rows, header[0]), header, stamp, source.tally, skip=places)


def _first(head: str) -> str:
    return head.lstrip().partition("\n")[0]


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
