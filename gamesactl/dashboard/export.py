"""A range of history as a file: the rows of ``gamesactl export``, sent as they are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aiohttp import web

from gamesactl.commands.history import EXPORTED, rows
from gamesactl.dashboard import asked
from gamesactl.dashboard.answers import JSON, bad, text_of
from gamesactl.dashboard.api import past_of
from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.series import MAX_POINTS
from gamesactl.past import Past
from gamesad.crystal.reader import Crystal

_TYPES = {"csv": "text/csv", "json": JSON}
_USUAL_S = 600.0
_SENSORS = 1000

Row = Mapping[str, object]
Piece = Callable[[list[Row]], str]


async def export(desk: Desk, request: web.Request) -> web.StreamResponse:
    """All sensors unless some are named; every row there is unless ``points`` bounds them."""
    query = request.query
    asked.known_only(query, "format", "sensor", "since", "until", "points")
    form = query.get("format", "")
    if form not in _TYPES:
        raise bad(f"format is {form[:50]!r}", "it is csv or json")
    since_s, until_s = asked.period(query, _USUAL_S)
    points = int(asked.number(query, "points", 0, 0, MAX_POINTS))
    known = await desk.past.read(_described)
    wanted = query.getall("sensor", list(known))[:_SENSORS]

    def look(name: str) -> Callable[[Crystal], list[Row]]:
        def work(crystal: Crystal) -> list[Row]:
            past = past_of(crystal, name, since_s, until_s, points)
            return list(rows(Past(int(since_s * 1e6), int(until_s * 1e6), [(known.get(name, {}), past)])))

        return work

    first = (
        await desk.past.read(look(wanted[0])) if wanted else []
    )  # what is refused is refused before anything is sent
    response = web.StreamResponse()
    response.content_type, response.charset = _TYPES[form], "utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="gamesa-{int(since_s)}-{int(until_s)}.{form}"'
    await response.prepare(request)
    head, piece, tail = _csv() if form == "csv" else _json()
    await response.write(head.encode())
    await response.write(piece(first).encode())
    for name in wanted[1:]:
        await response.write(piece(await desk.past.read(look(name))).encode())
    await response.write(tail.encode())
    await response.write_eof()
    return response


def _described(crystal: Crystal) -> dict[str, dict[str, Any]]:
    return {
        column.name: {"Name": column.name, "Label": column.label, "Quantity": column.quantity, "Unit": column.unit}
        for column in crystal.directory().columns
    }


def _csv() -> tuple[str, Piece, str]:
    """With the line ends and quotes of RFC 4180."""

    def piece(found: list[Row]) -> str:
        into = io.StringIO()
        csv.writer(into).writerows(row.values() for row in found)
        return into.getvalue()

    return ",".join(EXPORTED) + "\r\n", piece, ""


def _json() -> tuple[str, Piece, str]:
    before = _commas()

    def piece(found: list[Row]) -> str:
        cleaned = ({key: None if value == "" else value for key, value in row.items()} for row in found)
        return "".join(next(before) + text_of(row) for row in cleaned)

    return "[", piece, "\n]\n"


def _commas() -> Iterator[str]:
    yield "\n"
    while True:
        yield ",\n"
