"""Any CSV log with a header and a column of times: nvidia-smi --format=csv, GPU-Z, s-tui, spreadsheets, own scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gamesad.errors import Failed
from gamesad.evaluation.formats import delimited
from gamesad.evaluation.formats.columns import columns
from gamesad.evaluation.formats.delimited import Cells
from gamesad.evaluation.formats.stamps import Stamps
from gamesad.evaluation.series import Table
from gamesad.evaluation.text import Source
from gamesad.types import Heat, Quantity, Sensor

_TIME = re.compile(
    r"(?:unix|utc|local)?[_ ]?(?:time|timestamp|date|datetime|date/time|elapsed|epoch|t|seconds?|sec|ms|uptime|"
    r"zeit|uhrzeit|zeitstempel|datum|heure|fecha|hora)\b"
)
_DATES, _CLOCKS = ("date", "datum", "fecha"), ("time", "zeit", "uhrzeit", "heure", "hora")
_DEVICE = ("index", "uuid", "pci.bus_id", "gpu_bus_id")
_BEGINNING = 20


def recognises(head: str) -> bool:
    return delimited.delimiter(head.lstrip().partition("\n")[0]) in head.partition("\n")[0] or "," in head


def parse(source: Source) -> Table:
    rows = list(delimited.split(source, _mark(source)))
    place = next((i for i, (_, cells) in enumerate(rows[:_BEGINNING]) if _is_header(cells)), None)
    if place is None:
        raise Failed(f"{source.path} has no header that names a column of times and one of temperatures; "
                     "put one in its first line, such as: time_s,cpu[°C],cpu[W],cpu[%]")  # fmt: skip
    header = [cell.strip() for cell in rows[place][1]]
    times = _times(header)
    if times is None:
        raise Failed(f"{source.path}: no column of line {rows[place][0]} is a time ({_shown(header)}); name one time_s")
    body = rows[place + 1 :]
    if (device := _device(header, body)) is not None:
        return _several(source, header, body, times, device)
    return delimited.read(body, header, _stamp(header, times), source.tally, skip=times)


def _mark(source: Source) -> str:
    lines = source.head.split("\n")[:_BEGINNING]
    return max((delimited.delimiter(line) for line in lines), key=lambda mark: sum(line.count(mark) for line in lines))


def _is_header(cells: Cells) -> bool:
    """Names, among them something to read; numbers are no names, though one may be cut in two at its comma."""
    words = [cell.strip() for cell in cells]
    numbers = [place for place, word in enumerate(words) if re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?", word)]
    return len(words) > 1 and any(columns(words)) and 0 not in numbers and len(numbers) < len(words) / 2


def _times(header: Sequence[str]) -> tuple[int, ...] | None:
    """The column of times, or those of date and time of day; the first named so."""
    small = [name.lower() for name in header]
    day, clock = (next((small.index(word) for word in words if word in small), None) for words in (_DATES, _CLOCKS))
    if day is not None and clock is not None:
        return day, clock
    first = next((place for place, name in enumerate(small) if _TIME.match(name.replace("_", " "))), None)
    return None if first is None else (first,)


def _stamp(header: Sequence[str], times: tuple[int, ...]) -> delimited.Stamp:
    stamps = Stamps(re.sub(r"[_()\[\]]", " ", header[times[0]]))

    def stamp(cells: Cells) -> float | None:
        return stamps.seconds(" ".join(cells[place].strip() for place in times)) if max(times) < len(cells) else None

    return stamp


def _device(header: Sequence[str], body: Sequence[tuple[int, Cells]]) -> int | None:
    """The column that tells several cards apart, where the log has a row for each of them."""
    for name in _DEVICE:
        if name in header:
            place = header.index(name)
            if len({cells[place] for _, cells in body[:_BEGINNING] if place < len(cells)}) > 1:
                return place
    return None


def _several(
    source: Source, header: list[str], body: Sequence[tuple[int, Cells]], times: tuple[int, ...], device: int
) -> Table:
    """Rows that follow each other, one a device, side by side; a row begins with the first device."""
    width = len(header)
    whole = [(line, cells) for line, cells in body if len(cells) == width]
    if len(whole) < len(body):
        line = next(line for line, cells in body if len(cells) != width)
        source.tally.note(f"rows with another number of columns than the header left out; the first: line {line}")
    names = list(dict.fromkeys(cells[device].strip() for _, cells in whole))
    wide: list[tuple[int, Cells]] = []
    for line, cells in whole:
        place = names.index(cells[device].strip())
        if not wide or place == 0 or any(wide[-1][1][place * width : (place + 1) * width]):
            empty = [""] * (width * len(names))
            wide.append((line, [cells[at] if at in times else cell for at, cell in enumerate(empty)]))
        wide[-1][1][place * width : (place + 1) * width] = cells
    skip = [*times, *(i * width + at for i in range(len(names)) for at in (*times, device))]
    table = delimited.read(wide, header * len(names), _stamp(header, times), source.tally, skip=skip)
    each = len(table.sensors) // len(names)
    sensors = [_of_card(sensor, names[place // each]) for place, sensor in enumerate(table.sensors)]
    return Table(sensors, table.times_s, table.rows, table.lines)


def _of_card(sensor: Sensor, card: str) -> Sensor:
    """Named as the daemon names a card's, so that each card's power and load are known to be its own."""
    kind = "gpu_busy" if re.match(r"utilization\.gpu|gpu.?(?:load|util|busy)", sensor.label) else sensor.label
    name = f"gpu.card{card.replace('.', '-')}.{kind}"
    heat = Heat.GPU if sensor.quantity is Quantity.TEMPERATURE else None
    return Sensor(name, sensor.quantity, f"{sensor.label} of card {card}", heat=heat, critical=heat is not None)


def _shown(header: Sequence[str]) -> str:
    return ", ".join(header)[:60]
