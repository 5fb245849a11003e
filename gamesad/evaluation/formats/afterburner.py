"""MSI Afterburner's logs (HardwareMonitoring.hml, Windows): each row begins with what it is, and with a time.

0 the program, 1 the card, 2 the columns' names, 3 what each looks like in a graph, 80 readings.
"""

from __future__ import annotations

import re

from gamesad.errors import Failed
from gamesad.evaluation.formats import delimited
from gamesad.evaluation.formats.delimited import Cells
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source

_BEGINNING = re.compile(r"0+\s*[,;][^,;]*[,;]\s*Hardware monitoring log")
_NAMES, _READINGS = "2", "80"


def recognises(head: str) -> bool:
    return _BEGINNING.match(head) is not None


def parse(source: Source) -> Table:
    mark = delimited.delimiter(source.head.partition("\n")[0])
    rows = [(line, cells) for line, cells in delimited.split(source, mark) if len(cells) > 2]
    names = next((cells for _, cells in rows if _kind(cells) == _NAMES), None)
    if names is None:
        raise Failed(f"{source.path} has no row {_NAMES} with the columns' names; is it the whole log?")
    stamps = Stamps()
    readings = ((line, cells) for line, cells in rows if _kind(cells) == _READINGS)
    return delimited.read(readings, names, lambda cells: stamps.seconds(cells[1]), source.tally, skip=(0, 1))


def _kind(cells: Cells) -> str:
    return cells[0].strip().lstrip("0")
