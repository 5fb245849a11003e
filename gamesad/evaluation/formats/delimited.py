"""Rows of cells under a header, as every CSV log has them; which columns hold the time is for its format to say."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence

from gamesad.errors import Failed
from gamesad.evaluation.formats.columns import columns, number
from gamesad.evaluation.series import Table
from gamesad.evaluation.tally import Tally
from gamesad.evaluation.text import Source

Cells = list[str]
Stamp = Callable[[Cells], float | None]
_DELIMITERS = (",", ";", "\t", "|")
_NOTHING = frozenset(
    (
        "",
        "-",
        "--",
        "n/a",
        "na",
        "n.a.",
        "[n/a]",
        "nan",
        "null",
        "none",
        "[not supported]",
        "not supported",
        "[unknown error]",
    )
)
"""Words for: it could not be read."""


def delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def split(source: Source, mark: str) -> Iterator[tuple[int, Cells]]:
    """The lines that are not empty, in cells."""
    for number_, line in source.lines():
        if not line.strip():
            continue
        if '"' not in line:
            yield number_, line.split(mark)
            continue
        try:
            yield number_, next(csv.reader([line], delimiter=mark))
        except (csv.Error, StopIteration):
            source.tally.count("lines that are no rows left out", number_, line)


def first(source: Source, rows: Iterator[tuple[int, Cells]]) -> Cells:
    """The header; raises Failed."""
    for _line, cells in rows:
        return cells
    raise Failed(f"{source.path} holds no header; is it the whole log?")


def read(
    rows: Iterable[tuple[int, Cells]], header: Cells, stamp: Stamp, tally: Tally, skip: Sequence[int] = ()
) -> Table:
    """``skip``: the places of columns that are no readings, the time's among them."""
    body = _Body([cell.strip() for cell in header], stamp, tally, frozenset(skip))
    for line, cells in rows:
        body.take(line, cells)
    return body.table()


class _Body:
    def __init__(self, header: Cells, stamp: Stamp, tally: Tally, skip: frozenset[int]) -> None:
        self._header, self._stamp, self._tally = header, stamp, tally
        self._columns = columns(["" if place in skip else text for place, text in enumerate(header)])
        self._names = frozenset(header)
        self._at = [one.place for one in self._columns]
        self._times_s: list[float] = []
        self._rows: list[array[float]] = []
        self._lines: list[int] = []

    def take(self, line: int, cells: Cells) -> None:
        if self._is_header(cells):
            self._move([cell.strip() for cell in cells], line)
            return
        at_s = self._stamp(cells)
        if at_s is None:
            self._tally.count("rows without a time left out", line, cells[0])
            return
        if len(cells) < len(self._header) - 1:
            self._tally.count("rows with fewer columns than the header", line)
        self._times_s.append(at_s)
        self._lines.append(line)
        self._rows.append(array("d", [self._value(cells, at, line) for at in self._at]))

    def table(self) -> Table:
        sensors = []
        for place, one in enumerate(self._columns):
            known = sorted(row[place] for row in self._rows if math.isfinite(row[place]))
            if known:
                scale, offset, told = one.measure(known[len(known) // 2], known[-1])
                for row in self._rows if scale != 1.0 or offset else ():
                    row[place] = row[place] * scale + offset
                if told:
                    self._tally.count(told, where=one.sensor.label)
            sensors.append(one.sensor)
        return Table(sensors, self._times_s, self._rows, self._lines)

    def _value(self, cells: Cells, at: int, line: int) -> float:
        if not 0 <= at < len(cells):
            return float("nan")
        text = cells[at]
        value = number(text)
        if not math.isfinite(value) and text.strip().lower() not in _NOTHING:
            self._tally.count("cells that are no numbers left out", line, text.strip())
        return value

    def _is_header(self, cells: Cells) -> bool:
        """The first cell is the first column's name; a text among the first readings would be no name of a column."""
        first = [cell.strip() for cell in cells[:20]]
        return first[0] == self._header[0] and sum(cell in self._names for cell in first) > len(first) / 2

    def _move(self, header: Cells, line: int) -> None:
        """A header again, as after the program was started anew: the same, or with other columns."""
        if header == self._header:
            self._tally.count("headers repeated", line)
            return
        places = {key: place for place, key in enumerate(_keys(header))}
        known = _keys(self._header)
        self._at = [places.get(known[one.place], -1) for one in self._columns]
        self._tally.count("headers with other columns; only those of the first are used", line)


def _keys(header: Cells) -> list[tuple[str, int]]:
    """Each column's name, and which of those so named it is."""
    seen: dict[str, int] = {}
    keys = []
    for name in header:
        seen[name] = seen.get(name, -1) + 1
        keys.append((name, seen[name]))
    return keys
