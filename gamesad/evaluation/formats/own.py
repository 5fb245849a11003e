"""What gamesad itself wrote: ``gamesactl record``, ``flight export`` and ``export`` as CSV or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping

from gamesad.errors import Failed
from gamesad.evaluation.formats import delimited
from gamesad.evaluation.formats.columns import number
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source
from gamesad.recording.lines import FIRST
from gamesad.types import Heat, Quantity, Sensor

_EXPORT = "Time,Sensor,Label,Quantity,Unit,"
_GRID_S = 1.0


def is_recording(head: str) -> bool:
    return head.startswith(FIRST.rpartition(" ")[0])


def recording(source: Source) -> Table:
    """The machine itself again, read once a second by the daemon's own sources."""
    from gamesad.recording.load import load  # noqa: PLC0415 - the other formats do without a simulated tree
    from gamesad.recording.replay import Replay  # noqa: PLC0415 - as above
    from gamesad.telemetry.collector import Collector  # noqa: PLC0415 - as above

    found = load(source.path)
    if not found.complete:
        source.tally.note(f"its recorder was stopped after {found.duration_s:.0f} s; what was whole is used")
    now_s = 0.0
    collector = Collector(Replay(found, clock=lambda: now_s).sysfs, clock=lambda: now_s)
    moments = []
    try:
        for sample in found.samples:
            now_s = sample.at_s
            moments.append(collector.sample(now_s))
        sensors = {name: one for name, one in collector.sensors.items() if one.quantity is not Quantity.STATE}
    finally:
        collector.close()
    rows = [[moment.readings.get(name, math.nan) for name in sensors] for moment in moments]
    return Table(list(sensors.values()), [moment.monotonic_s for moment in moments], rows)


def is_flight(head: str) -> bool:
    return head.lstrip().startswith("{") and '"Reason"' in head and '"Began"' in head


def flight(source: Source) -> Table:
    document = _json(source)
    columns, rows = (document.get(key) if isinstance(document, dict) else None for key in ("Columns", "Rows"))
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise Failed(f"{source.path} has no Columns and Rows; make it with gamesactl flight export NUMBER")
    sensors = [_sensor(column) for column in columns]
    times_s, values, stamps = [], [], Stamps("s")
    for number_, row in enumerate(rows, 1):
        cells = [_number(cell) for cell in row] if isinstance(row, list) else []
        at_s = stamps.seconds(str(cells[0])) if cells else None
        if at_s is None:
            source.tally.count("rows without a time left out", number_)
            continue
        times_s.append(at_s)
        values.append((cells[1:] + [math.nan] * len(sensors))[: len(sensors)])
    known = [place for place, sensor in enumerate(sensors) if sensor is not None]
    return Table([one for one in sensors if one], times_s, [[row[i] for i in known] for row in values])


def is_export(head: str) -> bool:
    small = head.lstrip()[:200]
    return small.replace('"', "").startswith(_EXPORT) or (small.startswith("[") and '"Quantity"' in head)


def export(source: Source) -> Table:
    """One row a sensor and time becomes one row a time."""
    moments: dict[float, dict[str, float]] = {}
    sensors: dict[str, Sensor] = {}
    stamps = Stamps()
    for line, row in _exported(source):
        at_s = stamps.seconds(str(row.get("Time", "")))
        if at_s is None:
            source.tally.count("rows without a time left out", line, str(row.get("Time", "")))
        elif (sensor := _sensor({"Name": row.get("Sensor"), **row})) is not None:
            sensors.setdefault(sensor.name, sensor)
            mean = row.get("Mean")
            moments.setdefault(at_s, {})[sensor.name] = number(mean) if isinstance(mean, str) else _number(mean)
    times_s = sorted(moments)
    rows = [[moments[at_s].get(name, math.nan) for name in sensors] for at_s in times_s]
    return Table(list(sensors.values()), times_s, rows)


def _exported(source: Source) -> Iterator[tuple[int, Mapping[str, object]]]:
    if source.text.lstrip().startswith("["):
        document = _json(source)
        found: Iterable[object] = document if isinstance(document, list) else ()
        yield from ((i, row) for i, row in enumerate(found, 1) if isinstance(row, dict))
        return
    rows = delimited.split(source, ",")
    header = delimited.first(source, rows)
    yield from ((line, dict(zip(header, cells, strict=False))) for line, cells in rows)


def _json(source: Source) -> object:
    try:
        return json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise Failed(f"{source.path} is no whole JSON document ({error}); export it again") from None


def _sensor(told: object) -> Sensor | None:
    """None for one whose quantity is none of ours, or a word."""
    fields = told if isinstance(told, dict) else {}
    name, quantity = fields.get("Name"), fields.get("Quantity")
    if not isinstance(name, str) or quantity not in list(Quantity) or quantity == Quantity.STATE:
        return None
    label = fields.get("Label")
    heat = next((heat for heat in Heat if heat == fields.get("Heat")), None)
    return Sensor(
        name, Quantity(quantity), label if isinstance(label, str) and label else name, heat=heat or _heat(name)
    )


def _heat(name: str) -> Heat | None:
    """Of a sensor in an export, which names it as the daemon does: ``hwmon.k10temp-pci-00c3.temp1``."""
    if name.startswith(("hwmon.coretemp", "hwmon.k10temp", "hwmon.zenpower")):
        return Heat.CPU
    return Heat.GPU if name.startswith(("hwmon.amdgpu", "hwmon.nouveau", "hwmon.i915", "hwmon.xe", "nvidia.")) else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
