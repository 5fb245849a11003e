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
_TIMES = ("Time_Of_Day_Seconds", "usec")
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
        elif (
            self._places
            and len(cells) > 1
            and math.isfinite(number(cells[self._places[_COLUMN]]) if len(cells) > self._places[_COLUMN] else math.nan)
        ):
            self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> None:
        def cell(name: str) -> str:
            place = self._places.get(name)
            return cells[place].strip() if place is not None and place < len(cells) else ""

        if cell("CPU") in ("-", ""):
            self._times.append(
                next((at_s for name in _TIMES if (at_s := self._stamps.seconds(cell(name))) is not None), None)
            )
            self._moments.append({})
            self._lines.append(line)
            for name, sensor in _WHOLE.items():
                if name in self._places:
                    self._put(sensor, number(cell(name)) * _SCALES.get(name, 1.0), line, cell(name))
            if "CPU" not in self._places and cell("PkgTmp"):
                self._put(temperature("PkgTmp", "package", Heat.CPU), number(cell("PkgTmp")), line, cell("PkgTmp"))
            return
        if not self._moments:
            self._source.tally.count("rows of processors before the first of the whole machine left out", line)
            return
        package, core = cell("Package"), cell("Core")
        many = f" {package}" if package else ""
        if cell("PkgTmp"):
            name = f"PkgTmp{many}"
            self._put(temperature(name, f"package{many}", Heat.CPU), number(cell("PkgTmp")), line, cell("PkgTmp"))
        if cell("CoreTmp"):
            name = f"CoreTmp{many} {core}"
            self._put(temperature(name, f"core{many} {core}", Heat.CPU), number(cell("CoreTmp")), line, cell("CoreTmp"))

    def _put(self, sensor: Sensor, value: float, line: int, text: str) -> None:
        if not math.isfinite(value):
            if text:
                self._source.tally.count("cells that are no numbers left out", line, text)
            return
        self._found.setdefault(sensor.name, sensor)
        self._moments[-1].setdefault(sensor.name, value)

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
    return _COLUMN in cells and len(cells) > 3
