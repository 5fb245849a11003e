"""Recordings of the time around an alert, a failsafe or a crash, as the daemon kept them in the segment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gamesactl import describe, segment
from gamesactl.arguments import Arguments
from gamesactl.commands.history import courses, without_alike
from gamesactl.errors import Failed, Usage
from gamesactl.graph import Point
from gamesactl.output import Output
from gamesactl.past import Past
from gamesactl.render import Cell, Column, Fields, items, number, table, text, wrap
from gamesactl.suggest import did_you_mean
from gamesactl.values import UNKNOWN, clock, span

if TYPE_CHECKING:
    from gamesad.crystal.reader import Crystal

_WHAT = ("list", "show", "export")
_OWNER = "flight"
_SHORT = ("Reason", "Text", "Began", "Ended")
_LIST = (
    Column("NUMBER", right=True),
    Column("BEGAN"),
    Column("LASTS", right=True, drop=1),
    Column("REASON"),
    Column("TEXT", wraps=True),
)
_EVENTS = (Column("TIME"), Column("EVENT", drop=1), Column("TEXT", wraps=True))
_DECISIONS = (Column("SINCE"), Column("ACTION"), Column("PROFILE", drop=1), Column("REASON", wraps=True))


def flight(arguments: Arguments, output: Output) -> None:
    what, wanted = arguments.words[0], arguments.word(1)
    if what not in _WHAT:
        raise Usage(f"flight {what!r}{did_you_mean(what, _WHAT)}: it is list, show or export")
    if what == "list":
        if wanted is not None:
            raise Usage(f"flight list takes no number; one recording is shown by: gamesactl flight show {wanted}")
        _list(output)
    elif wanted is None:
        raise Usage(f"which recording? gamesactl flight {what} NUMBER; gamesactl flight list lists them")
    else:
        found = _one(segment.attach(), wanted)
        if output.json or what == "export":
            output.document(found)
        else:
            output.lines(_shown(found, output))


def _list(output: Output) -> None:
    crystal = segment.attach()
    if output.json:
        output.document(listed(crystal))
        return
    rows = [_row(block, recording(crystal, block)) for block in numbers(crystal)]
    output.lines(table(_LIST, rows, output.width, output.style) if rows else ["nothing has been recorded"])


def listed(crystal: Crystal) -> list[dict[str, object]]:
    """All of them in short, oldest first."""
    found = [(block, recording(crystal, block)) for block in numbers(crystal)]
    return [{"Number": block, **{key: one[key] for key in _SHORT if key in one}} for block, one in found]


def numbers(crystal: Crystal) -> list[int]:
    """Oldest first."""
    return sorted(block.id for block in crystal.blocks() if block.owner == _OWNER)


def _row(block: int, found: Fields) -> list[Cell]:
    return [str(block), _time(found, "Began"), _length(found), text(found, "Reason"), text(found, "Text")]


def _one(crystal: Crystal, wanted: str) -> Fields:
    if wanted not in map(str, numbers(crystal)):
        raise Failed(f"there is no recording {wanted}; gamesactl flight list lists them")
    return recording(crystal, int(wanted))


def recording(crystal: Crystal, block: int) -> Fields:
    """One of them whole."""
    try:
        document = json.loads(crystal.read(block))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Failed(f"recording {block} is none that this gamesactl knows; compare: gamesactl version")
    return document


def _shown(recording: Fields, output: Output) -> Iterator[str]:
    """What happened, what was told and decided meanwhile, and the course of every sensor."""
    style, width = output.style, output.width
    reason = text(recording, "Reason") or "unknown"
    yield style("bold", f"{reason}, {_time(recording, 'Began')}, {_length(recording)} recorded")
    yield from wrap(text(recording, "Text"), width)
    events = [
        [_time(one, "Time"), text(one, "Kind").replace("_", " "), text(one, "Text")]
        for one in items(recording, "Events")
    ]
    decisions = [
        [_time(one, "Since"), text(one, "Action"), text(one, "Profile"), describe.reason(one)]
        for one in items(recording, "Decisions")
    ]
    for columns, rows in ((_EVENTS, events), (_DECISIONS, decisions)):
        if rows:
            yield ""
            yield from table(columns, rows, width, style)
    found = _past(recording)
    shown = without_alike(Past(found.since_us, found.until_us, [one for one in found.sensors if _moved(one[1])]))
    yield ""
    yield from courses(shown, output)
    if hidden := len(found.sensors) - len(shown.sensors):
        why = "that did not move, or not as high as one like them, are left out"
        said = f"{hidden} {why}; gamesactl flight export has all"
        yield from (style("dim", line) for line in wrap(said, width))


def _moved(points: Sequence[Point]) -> bool:
    return any(point[1] != points[0][1] for point in points)


def _past(recording: Fields) -> Past:
    columns, rows = items(recording, "Columns"), _rows(recording)
    times_us = [int(row[0] * 1e6) for row in rows if row[0] is not None]
    sensors = []
    for place, column in enumerate(columns, 1):
        points: list[Point] = [
            (int(row[0] * 1e6), value, value, value)
            for row in rows
            if row[0] is not None and place < len(row) and (value := row[place]) is not None
        ]
        sensors.append((column, points))
    return Past(min(times_us, default=0), max(times_us, default=0), sensors)


def _rows(recording: Fields) -> list[list[float | None]]:
    """A time and then a number for each column; None where there is none."""
    rows = recording.get("Rows")
    found = [row for row in rows if isinstance(row, list) and row] if isinstance(rows, list) else []
    return [[number({"": value}, "") for value in row] for row in found]


def _time(fields: Fields, key: str) -> str:
    known = number(fields, key)
    return clock(known) if known is not None else UNKNOWN


def _length(recording: Fields) -> str:
    found = _past({"Rows": recording.get("Rows")})
    return span((found.until_us - found.since_us) / 1e6)
