"""Times as programs write them: numbers in some unit, dates in several countries' order, times of day."""

from __future__ import annotations

import math
import re
from datetime import date

_DAY_S = 86400.0
_DATE = r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})"
_TIME = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:[.,]\d+)?))?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|[+-]\d{2}:?\d{2})?"
_STAMP = re.compile(rf"(?:{_DATE})?[T ,_]*(?:{_TIME})?")
_SAID = re.compile(
    r"(?=.*[^\W\d_]{2}).*?\b\d{1,2}\b.*?\b(\d{1,2}):(\d\d):(\d\d(?:[.,]\d+)?)(?:\s*([AaPp][Mm]))?\b(?!:).*"
)
"""A line of date(1) in any language: the day is told by the one before."""
_UNITS = {
    "s": 1.0,
    "sec": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "usec": 1e-6,
    "ns": 1e-9,
    "min": 60.0,
}
_EPOCH = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))
"""From what size on a number can only be nanoseconds, microseconds or milliseconds since 1970."""
_LATEST_S = 1e11
"""Three thousand years: no time of a recording, and still exact to a millisecond."""


class Stamps:
    """The seconds that a column's texts stand for, on a clock of its own; a time of day goes on past midnight."""

    def __init__(self, header: str = "") -> None:
        self.unit = next((scale for word in re.findall(r"[a-zµ]+", header.lower()) if (scale := _UNITS.get(word))), 0.0)
        self._days = 0
        self._last_s = -math.inf
        self._month_first = False

    def seconds(self, text: str) -> float | None:
        """None: no time."""
        text = text.strip().strip('"')
        try:
            number = float(text if "," not in text else text.replace(",", "."))
        except ValueError:
            return self._stamp(text)
        at_s = number * (self.unit or next((scale for size, scale in _EPOCH if abs(number) >= size), 1.0))
        return at_s if abs(at_s) < _LATEST_S else None

    def _stamp(self, text: str) -> float | None:
        match = _STAMP.fullmatch(text)
        if match is None and (said := _SAID.fullmatch(text)):
            return self._with_day(_of_day(said[1], said[2], said[3], said[4], None))
        if match is None or not any(match.groups()):
            return None
        first, second, third, hours, minutes, seconds, half, zone = match.groups()
        try:
            day_s = self._date(int(first), int(second), int(third)) if first else None
        except ValueError:
            return None
        time_s = _of_day(hours, minutes, seconds, half, zone) if hours else 0.0
        return self._with_day(time_s) if day_s is None else day_s + time_s

    def _with_day(self, time_s: float) -> float:
        if time_s + self._days * _DAY_S < self._last_s - _DAY_S / 2:
            self._days += 1
        self._last_s = time_s + self._days * _DAY_S
        return self._last_s

    def _date(self, first: int, second: int, third: int) -> float:
        """Day before month, as HWiNFO and most of the world has it, until a second number over 12 shows otherwise."""
        if first > 31:
            return date(first, second, third).toordinal() * _DAY_S
        self._month_first |= second > 12
        day, month = (second, first) if self._month_first and first <= 12 else (first, second)
        return date(third if third > 99 else 2000 + third, month, day).toordinal() * _DAY_S


def _of_day(hours: str, minutes: str, seconds: str | None, half: str | None, zone: str | None) -> float:
    hour = int(hours)
    if half:
        hour = hour % 12 + (12 if half[0] in "Pp" else 0)
    time_s = hour * 3600.0 + int(minutes) * 60.0 + float((seconds or "0").replace(",", "."))
    if zone and zone != "Z":
        away_s = int(zone[1:3]) * 3600.0 + int(zone[-2:]) * 60.0
        time_s -= away_s if zone[0] == "+" else -away_s
    return time_s
