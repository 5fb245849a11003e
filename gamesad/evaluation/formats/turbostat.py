"""turbostat's output (tools/power/x86/turbostat): a header and rows again and again, after what it says of the machine.

The row with ``-`` for a processor is of the whole machine. A package's temperature stands in the row of its first
processor, a core's in that of its first thread.
"""

from __future__ import annotations

import math
import re

from gamesad.errors import Failed
from gamesad.evaluation.formats.columns import number, temperature
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source
from gamesad.types import Heat, Quantity, Sensor

_COLUMN = "Busy%"
_OTHERS = frozenset(("PkgTmp", "CoreTmp", "PkgWatt", "Bzy_MHz", "CorWatt", "GFXWatt"))
"""Two of these make a header, too: --show leaves out what is not asked for."""
_TIME = "Time_Of_Day_Seconds"
_INTERVAL = re.compile(r"Measurement interval: ([\d.]+) sec")
_DEFAULT_S = 5.0
"""turbostat(8): --interval."""
_WHOLE = {
    "PkgWatt": Sensor("PkgWatt", Quantity.POWER, "packages", heat=Heat.CPU),
    "CorWatt": Sensor("CorWatt", Quantity.POWER, "cores"),
    "GFXWatt": Sensor("GFXWatt", Quantity.POWER, "graphics"),
    "RAMWatt": Sensor("RAMWatt", Quantity.POWER, "memory"),
    "Busy%": Sensor("Busy%", Quantity.UTILIZATION, "processors busy", heat=Heat.CPU),
    "Bzy_MHz": Sensor("Bzy_MHz", Quantity.FREQUENCY, "busy processors"),
    "GFXMHz": Sensor("GFXMHz", Quantity.FREQUENCY, "graphics"),
}
_SCALES = {"Busy%": 0.01, "Bzy_MHz": 1e6, "GFXMHz": 1e6}


def recognises(head: str) -> bool:
    return head.startswith("turbostat version ") or any(_is_header(line.split()) for line in head.split("\n"))


def parse(source: Source) -> Table:
    reader = _Reader(source)
    for line, text in source.lines():
        reader.take(line, text.split("\t") if "\t" in text else text.split())
    return reader.table()


class _Row:
    """One line's cells by their columns' names."""

    def __init__(self, places: dict[str, int], cells: list[str]) -> None:
        self._places, self._cells = places, cells

    def text(self, name: str) -> str:
        place = self._places.get(name)
        return self._cells[place].strip() if place is not None and place < len(self._cells) else ""

    @property
    def whole(self) -> bool:
        """Of the whole machine; with --Summary there are no others, and no column that says so."""
        return self.text("CPU") in ("-", "")


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._places: dict[str, int] = {}
        self._stamps = Stamps()
        self._found: dict[str, Sensor] = {}
        self._moments: list[dict[str, float]] = []
        self._times: list[float | None] = []
        self._lines: list[int] = []

    def take(self, line: int, cells: list[str]) -> None:
        if _is_header(cells):
            self._places = {name.strip(): place for place, name in enumerate(cells)}
            return
        row = _Row(self._places, cells)
        busy = [row.text(_COLUMN)] if _COLUMN in self._places else [cell for cell in cells if cell.strip() != "-"]
        if not self._places or not busy or not all(math.isfinite(number(cell)) for cell in busy):
            return  # what turbostat says of the machine, and of itself
        if row.whole:
            self._times.append(self._stamps.seconds(row.text(_TIME)))
            self._moments.append({})
            self._lines.append(line)
            for name, sensor in _WHOLE.items():
                self._put(sensor, line, row.text(name), _SCALES.get(name, 1.0))
        elif not self._moments:
            self._source.tally.count("rows of processors before the first of the whole machine left out", line)
            return
        package, core = row.text("Package"), row.text("Core")
        of = f" {package}" if package.isdigit() else ""
        if not row.whole or "CPU" not in self._places:
            self._put(temperature(f"PkgTmp{of}", f"package{of}", Heat.CPU), line, row.text("PkgTmp"))
        if not row.whole:
            self._put(temperature(f"CoreTmp{of} {core}", f"core{of} {core}", Heat.CPU), line, row.text("CoreTmp"))

    def _put(self, sensor: Sensor, line: int, text: str, scale: float = 1.0) -> None:
        value = number(text) * scale
        if math.isfinite(value):
            self._found.setdefault(sensor.name, sensor)
            self._moments[-1].setdefault(sensor.name, value)
        elif text:
            self._source.tally.count("cells that are no numbers left out", line, text)

    def table(self) -> Table:
        if not self._places:
            raise Failed(f"{self._source.path} has no header with {_COLUMN}; is it all of turbostat's output?")
        rows = [[moment.get(name, math.nan) for name in self._found] for moment in self._moments]
        return Table(list(self._found.values()), self._seconds(), rows, self._lines)

    def _seconds(self) -> list[float]:
        """Without a column of times turbostat's own interval, or what it is by default."""
        known = [at_s for at_s in self._times if at_s is not None]
        if len(known) == len(self._times):
            return known
        interval = _INTERVAL.search(self._source.text)
        step_s = float(interval[1]) if interval else _DEFAULT_S
        where = "as its interval says" if interval else "turbostat's own interval"
        self._source.tally.note(f"there is no time in it; {step_s:g} s between rows assumed, {where}")
        return [step_s * row for row in range(len(self._times))]


def _is_header(cells: list[str]) -> bool:
    return (_COLUMN in cells and len(cells) > 3) or len(_OTHERS.intersection(cells)) > 1
