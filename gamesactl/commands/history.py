"""What sensors showed: for people as tables and small graphs, for programs as rows."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence

from gamesactl import graph, past
from gamesactl.arguments import Arguments
from gamesactl.errors import Usage
from gamesactl.graph import Point
from gamesactl.output import Output
from gamesactl.past import Past
from gamesactl.render import Cell, Column, Fields, reading, table, text, to_json
from gamesactl.suggest import did_you_mean
from gamesactl.values import clock, duration_s, span

_SINCE = "10m"
_POINTS, _POINTS_MOST = 20, 100_000
_OVERVIEW = ("temperature", "power", "frequency", "utilization", "fan")
_GRAPH, _COURSE = 32, 24
_FORMATS = ("csv", "json")
EXPORTED = ("Time", "Sensor", "Label", "Quantity", "Unit", "Minimum", "Mean", "Maximum")
_ALL = (
    Column("NAME", shrink=20),
    Column("LABEL", shrink=12, drop=2),
    Column("LEAST", right=True),
    Column("MEAN", right=True),
    Column("MOST", right=True),
    Column("COURSE", drop=1),
)


def history(arguments: Arguments, output: Output) -> None:
    """Of one sensor every point, of all of them the extremes."""
    name, since_s = arguments.word(0), duration_s(arguments.option("since") or _SINCE)
    points = _points(arguments)
    if output.json:
        choose = past.named([name] if name is not None else [])
        output.document(_document(past.look(choose, since_s, points, output.note)))
    elif name is not None:
        output.lines(_one(past.look(past.named([name]), since_s, points, output.note), output))
    else:
        found = past.look(_shown, since_s, 4 * _COURSE, output.note)
        shown = found if arguments.given("all") else without_alike(found)
        output.lines(courses(shown, output))
        if hidden := len(found.sensors) - len(shown.sensors):
            said = f"{hidden} like these, and not as high, are left out; gamesactl history --all shows them"
            output.line(output.style("dim", said))


def export(arguments: Arguments, output: Output) -> None:
    """One row per sensor and time, in the order of the sensors; what is unknown is empty (csv) or null (json)."""
    form = arguments.option("format") or ("json" if output.json else "")
    if form not in _FORMATS:
        wrong = f"--format {form!r}{did_you_mean(form, _FORMATS)}: it is" if form else "--format is missing: it is"
        raise Usage(f"{wrong} csv or json")
    since_s = duration_s(arguments.option("since") or _SINCE)
    found = past.look(past.named(arguments.every("sensor")), since_s, 0, output.note)
    if form == "csv":
        import csv  # noqa: PLC0415 - where asked for

        writer = csv.writer(sys.stdout)  # with the line ends and quotes of RFC 4180
        writer.writerow(EXPORTED)
        writer.writerows(row.values() for row in rows(found))
        return
    before = "["
    for row in rows(found):
        output.line(before + to_json({key: None if value == "" else value for key, value in row.items()}))
        before = ","
    output.line("]" if before == "," else "[]")


def rows(found: Past) -> Iterator[Mapping[str, object]]:
    for sensor, points in found.sensors:
        told = [text(sensor, key) for key in ("Name", "Label", "Quantity", "Unit")]
        for time_us, *values in points:
            numbers = [value if math.isfinite(value) else "" for value in values]
            yield dict(zip(EXPORTED, [_moment(time_us), *told, *numbers], strict=True))


def _moment(time_us: int) -> str:
    """``2026-01-31T13:05:01.000+00:00``"""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - where asked for

    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time_us)).isoformat(timespec="milliseconds")


def _shown(sensors: Sequence[Fields]) -> Sequence[Fields]:
    return [one for one in sensors if one.get("Quantity") in _OVERVIEW]


def without_alike(found: Past) -> Past:
    """Of sensors whose names differ in digits only, the one that went highest: sixteen cores say the same."""
    highest: dict[str, tuple[Fields, list[Point]]] = {}
    for one in found.sensors:
        kind = "".join(letter for letter in text(one[0], "Name") if not letter.isdigit())
        if kind not in highest or _most(one[1]) > _most(highest[kind][1]):
            highest[kind] = one
    return Past(found.since_us, found.until_us, list(highest.values()))


def _most(points: Sequence[Point]) -> float:
    return max((point[3] for point in points), default=-math.inf)


def courses(found: Past, output: Output) -> list[str]:
    """A row for each sensor that showed anything; the course begins where the recording does."""
    rows: list[list[Cell]] = []
    begin_us = max(found.since_us, min((points[0][0] for _, points in found.sensors if points), default=0))
    for sensor, points in found.sensors:
        if not points:
            continue
        low, high = min(one[1] for one in points), _most(points)
        mean = math.fsum(one[2] for one in points) / len(points)
        values = [_value(sensor, value) for value in (low, mean, high)]
        course = graph.course(points, begin_us, found.until_us, _COURSE)
        rows.append([text(sensor, "Name"), text(sensor, "Label"), *values, course])
    if not rows:
        return [_nothing(found)]
    return table(_ALL, rows, output.width, output.style)


def _one(found: Past, output: Output) -> list[str]:
    sensor, points = found.sensors[0] if found.sensors else ({}, [])
    if not points:
        return [_nothing(found)]
    low, high = min(one[1] for one in points), _most(points)
    left, right = _value(sensor, low), _value(sensor, high)
    scale = left + right.rjust(_GRAPH - len(left))
    columns = [Column("TIME"), *(Column(name, right=True) for name in ("LEAST", "MEAN", "MOST")), Column(scale, drop=1)]
    rows = [_point_row(sensor, one, low, high) for one in points]
    head = f"{text(sensor, 'Label') or text(sensor, 'Name')}, {_period(found)}"
    return [output.style("bold", head), *table(columns, rows, output.width, output.style)]


def _point_row(sensor: Fields, point: Point, low: float, high: float) -> list[Cell]:
    time_us, *values = point
    return [clock(time_us / 1e6), *(_value(sensor, one) for one in values), graph.extent(point, low, high, _GRAPH)]


def _value(sensor: Fields, value: float) -> str:
    return reading({**sensor, "Value": value})


def _nothing(found: Past) -> str:
    return f"nothing is recorded of the {_period(found)}"


def _period(found: Past) -> str:
    return f"last {span((found.until_us - found.since_us) / 1e6)}"


def _document(found: Past) -> object:
    return {
        "Since": found.since_us / 1e6,
        "Until": found.until_us / 1e6,
        "Sensors": [
            {
                **{key: sensor.get(key, "") for key in ("Name", "Label", "Quantity", "Unit")},
                "Points": [
                    {"Time": point[0] / 1e6, "Minimum": point[1], "Mean": point[2], "Maximum": point[3]}
                    for point in points
                ],
            }
            for sensor, points in found.sensors
        ],
    }


def _points(arguments: Arguments) -> int:
    given = arguments.option("points")
    if given is None:
        return _POINTS
    if not given.isascii() or not given.isdigit() or int(given) > _POINTS_MOST:
        raise Usage(f"--points: {given!r} is not a number from 0 (all) to {_POINTS_MOST}")
    return int(given)
