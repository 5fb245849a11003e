"""Small graphs of text."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[int, float, float, float]
"""Time in µs, minimum, mean, maximum."""

_LEVELS = "▁▂▃▄▅▆▇█"


def course(points: Sequence[Point], since_us: int, until_us: int, width: int) -> str:
    """The highest value of each part of the time, as blocks between the least and the most; a gap stays a gap.

    At most ``width`` parts, and so few that each has points where there is no gap.
    """
    width = max(1, min(width, len(points) // 2))
    highest: list[float | None] = [None] * width
    for time_us, _, _, maximum in points:
        place = min(width - 1, max(0, (time_us - since_us) * width // max(1, until_us - since_us)))
        before = highest[place]
        highest[place] = maximum if before is None else max(before, maximum)
    low = min((minimum for _, minimum, _, _ in points), default=0.0)
    high = max((maximum for _, _, _, maximum in points), default=0.0)
    return "".join(" " if value is None else _LEVELS[_place(value, low, high, len(_LEVELS))] for value in highest)


def extent(point: Point, low: float, high: float, width: int) -> str:
    """``  ──●───``: from minimum to maximum with the mean in it, on a scale from ``low`` to ``high``."""
    first, middle, last = (_place(value, low, high, width) for value in point[1:])
    line = "─" * (last - first + 1)
    return " " * first + line[: middle - first] + "●" + line[middle - first + 1 :]


def _place(value: float, low: float, high: float, width: int) -> int:
    if high <= low:
        return 0
    return min(width - 1, max(0, int((value - low) / (high - low) * width)))
