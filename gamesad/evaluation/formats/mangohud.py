"""MangoHud's logs: a header of the machine, with banners between since "v1", then a row for each log interval.

``elapsed`` is in ns. The sensors are read twice a second at most and their values held in between, 0 where there is no
such sensor.
"""

from __future__ import annotations

import math

from gamesad.errors import Failed
from gamesad.evaluation.formats import delimited
from gamesad.evaluation.formats.delimited import Cells
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source

_FIRST = "fps,frametime,"
_TIME = "elapsed"
_SENSORS = {
    "cpu_load": "%", "cpu_power": "W", "gpu_load": "%", "cpu_temp": "°C", "gpu_temp": "°C", "gpu_core_clock": "MHz",
    "gpu_mem_clock": "MHz", "gpu_power": "W", "cpu_mhz": "MHz",
}  # fmt: skip
_NEVER_ZERO = ("cpu_power", "cpu_temp", "gpu_power", "gpu_temp")


def recognises(head: str) -> bool:
    return f"\n{_FIRST}" in f"\n{head}" or head.startswith("os,cpu,gpu,")


def parse(source: Source) -> Table:
    rows = delimited.split(source, ",")
    header = next((cells for _, cells in rows if cells[0] == "fps"), None)
    if header is None:
        raise Failed(f"{source.path} has no line that begins with {_FIRST.rstrip(',')}; is it the whole log?")
    if _TIME not in header:
        raise Failed(f"{source.path}: there is no column {_TIME!r}, so no time; MangoHud 0.6 and newer write it")
    at, stamps = header.index(_TIME), Stamps("ns")

    def stamp(cells: Cells) -> float | None:
        return stamps.seconds(cells[at]) if at < len(cells) else None

    named = [f"{name} [{_SENSORS[name]}]" if name in _SENSORS else "" for name in header]
    table = delimited.read(((n, [*c]) for n, c in rows if c != header), named, stamp, source.tally)
    for place, sensor in enumerate(table.sensors):
        if sensor.name in _NEVER_ZERO and all(row[place] in (0.0, math.nan) for row in table.rows):
            source.tally.note(f"{sensor.name} is 0 throughout, which MangoHud writes where it cannot read it: left out")
            for row in table.rows:
                row[place] = math.nan  # type: ignore[index]  # arrays of delimited
    return table
