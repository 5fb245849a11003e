"""What the writer puts into the fixed region at each tick: latest, the directory, decisions."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from gamesad.crystal import decisions, directory, layout
from gamesad.crystal.decisions import whole_lines
from gamesad.crystal.header import directory_slot, latest_slot
from gamesad.crystal.record import Record

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from gamesad.crystal.directory import Column, TunableRow
    from gamesad.crystal.previous import Previous
    from gamesad.crystal.segment import Segment
    from gamesad.report import Dictionary

_MOST = 1 << 48
"""More decisions than anybody made."""
_FORECAST_SIZE = layout.CONFIDENCE.size + layout.FORECASTS * layout.FORECAST.size

Forecast = tuple[int, int, bytes]
"""Horizons, columns with a forecast, and the bytes as they lie in ``latest``."""
NO_FORECAST: Forecast = (0, 0, bytes(_FORECAST_SIZE))


class Telemetry:
    """The three records of one segment."""

    def __init__(self, segment: Segment) -> None:
        geometry = segment.geometry
        self.columns = geometry.columns
        self._memory, self._words = segment.memory, segment.words
        self._crc = bool(segment.flags & layout.FLAG_CRC)
        self._latest = Record(segment, segment.section(layout.LATEST)[0], latest_slot(self.columns))
        self._directory = Record(
            segment, segment.section(layout.DIRECTORY)[0], directory_slot(self.columns, geometry.tunables)
        )
        self._decisions, self._slots = segment.section(layout.DECISIONS)[0], geometry.decisions
        self._used = layout.DIRECTORY_HEAD.unpack_from(self._directory.data)[1] if self._directory.sequence else 0
        self._gap = bytes(layout.aligned(4 * self.columns) - 4 * self.columns)
        self._states_gap = bytes(layout.aligned(self.columns) - self.columns)

    @property
    def decision_number(self) -> int:
        """Of the newest one; 0: none yet."""
        return self._words[self._decisions // 8]

    def directory(self, columns: Sequence[Column], tunables: Sequence[TunableRow]) -> None:
        """What the columns are from now on, in their places. Before the first ``latest`` that has a new one.

        ValueError: more than the segment was made for, or a name that does not fit.
        """
        self._directory.write(directory.pack(self._directory.sequence + 1, columns, tunables))
        self._used = len(columns)

    def latest(
        self,
        *,
        tick: int,
        monotonic_ns: int,
        wall_ns: int,
        duration_s: float,
        uptime_s: float,
        thermal_state: str,
        mode: str,
        action: str,
        source: str,
        values: array[float],
        limits: array[float],
        ages_s: array[float],
        states: bytearray,
        text: bytes,
        forecast: Forecast = NO_FORECAST,
    ) -> None:
        """One tick. ``values``, ``limits`` (both "d", NaN: none), ``ages_s`` ("f") and ``states`` have ``columns``
        places; ``forecast`` is of ``pack_forecast``, ``text`` of ``layout.to_text``. A text that does not fit loses its
        last lines."""
        text = whole_lines(text, layout.TEXT_SIZE)
        horizons, forecasts, forecast_rows = forecast
        head = layout.LATEST_HEAD.pack(
            tick, monotonic_ns, wall_ns, self.decision_number, duration_s, uptime_s,
            self._directory.sequence, self._used,
            layout.THERMAL_STATES.index(thermal_state), layout.MODES.index(mode), layout.ACTIONS.index(action),
            layout.SOURCES.index(source), len(text), horizons, forecasts,
        )  # fmt: skip
        parts = (head, values, limits, ages_s, self._gap, states, self._states_gap, forecast_rows, text)
        self._latest.write(b"".join(parts))

    def decision(self, since_s: float, action: str, source: str, text: bytes) -> int:
        """One more decision, newest last; its number."""
        number = self.decision_number + 1
        self._put(number, decisions.pack(number, since_s, action, source, text, crc=self._crc))
        return number

    def restore(self, entries: Mapping[int, bytes]) -> None:
        """Decisions of an earlier segment or of the archive, rows by number in rising order; before any own."""
        for number, entry in entries.items():
            self._put(number, entry)

    def take_over(self, previous: Previous) -> tuple[int, int]:
        """Puts the decisions that are whole in ``previous`` first: how many were, and how many were not."""
        found = previous.section(layout.DECISIONS)
        if not found:
            return 0, 0
        memory, slots = previous.memory, previous.header.geometry.decisions
        written = int.from_bytes(memory[found[0] : found[0] + 8], "little")
        if written > _MOST:
            return 0, slots
        first = max(1, written - slots + 2)  # in the place of the one before, the next may have been in flight
        rows: dict[int, bytes] = {}
        for number in range(first, written + 1):
            begin = found[0] + decisions.place(number, slots)
            row = memory[begin : begin + layout.DECISION_SIZE]
            if entry := decisions.whole(row, number, crc=previous.crc):
                text = row[layout.DECISION_HEAD.size :].rstrip(b"\0")
                rows[number] = decisions.pack(number, entry.since_s, entry.action, entry.source, text, crc=self._crc)
        self.restore(rows)
        return len(rows), written + 1 - first - len(rows)

    def last_decisions(self, count: int) -> list[Dictionary]:
        """The newest, oldest first, as a flight recording has them."""
        last = self.decision_number
        found: list[Dictionary] = []
        for number in range(max(1, last - count + 1), last + 1):
            begin = self._decisions + decisions.place(number, self._slots)
            row = self._memory[begin : begin + layout.DECISION_SIZE]
            if entry := decisions.whole(row, number, crc=self._crc):
                found.append({"Action": entry.action, "Source": entry.source, "Since": entry.since_s, **entry.text})
        return found

    def _put(self, number: int, row: bytes) -> None:
        begin = self._decisions + decisions.place(number, self._slots)
        self._memory[begin : begin + len(row)] = row
        self._words[self._decisions // 8] = number


def pack_forecast(
    confidence: float,
    horizon_s: Sequence[float],
    expected: Mapping[int, Sequence[float]],
    upper: Mapping[int, Sequence[float]],
    crossing: Mapping[int, float],
) -> Forecast:
    """By column, the values expected at each horizon, their upper bounds, and the probability of reaching the limit.

    The first columns, as many as the layout has room for.
    """
    horizons, columns = min(len(horizon_s), layout.HORIZONS), list(expected)[: layout.FORECASTS]
    rest = (nan,) * (layout.HORIZONS - horizons)
    rows = [layout.CONFIDENCE.pack(confidence, *horizon_s[:horizons], *rest)]
    for column in columns:
        values = (*expected[column][:horizons], *rest, *upper[column][:horizons], *rest)
        rows.append(layout.FORECAST.pack(column, crossing.get(column, nan), *values))
    return horizons, len(columns), b"".join(rows).ljust(_FORECAST_SIZE, b"\0")
