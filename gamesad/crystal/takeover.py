"""What a new segment takes from the one of a gamesad that was killed, beside history and decisions."""

from __future__ import annotations

import logging
from array import array
from typing import TYPE_CHECKING

from gamesad.crystal import decisions, layout
from gamesad.crystal.errors import CrystalError

if TYPE_CHECKING:
    from gamesad.crystal.flight import Row
    from gamesad.crystal.history.history import History
    from gamesad.crystal.previous import Previous
    from gamesad.crystal.segment import Segment
    from gamesad.report import Dictionary

_DECISIONS = 16
"""How many of the last ones begin a flight recording."""
_LOG = logging.getLogger(__name__)


def former_sensors(previous: Previous) -> list[str]:
    """Their names, by column."""
    try:
        return [column.name for column in previous.directory().columns]
    except CrystalError as error:
        _LOG.warning("the sensors of the segment before are not known, so their history is not kept: %s", error)
        return []


def last_rows(history: History, seconds: float) -> list[Row]:
    """The mean of every column in each of the last seconds there are."""
    ring = history.rings[0]
    rows = list(ring.rows(ring.written - ring.places))
    since_us = rows[-1].time_us - seconds * 1e6 if rows else 0.0
    return [(row.time_us / 1e6, array("d", row.values[1::3])) for row in rows if row.time_us > since_us]


def last_decisions(segment: Segment) -> list[Dictionary]:
    """The last ones, oldest first."""
    start, _ = segment.section(layout.DECISIONS)
    last = segment.words[start // 8]
    found: list[Dictionary] = []
    for number in range(max(1, last - _DECISIONS + 1), last + 1):
        at = start + decisions.place(number, segment.geometry.decisions)
        try:
            entry = decisions.Entry(segment.memory[at : at + layout.DECISION_SIZE], number, crc=False)
        except CrystalError:
            continue
        found.append({"Action": entry.action, "Source": entry.source, "Since": entry.since_s, **entry.text})
    return found
