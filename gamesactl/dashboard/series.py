"""Many sensors over one time base, at no more points than a graph has room for, and without losing an extreme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

MAX_POINTS = 3600
_GAP_STEPS, _GAP_S = 4, 15.0
"""Nothing for so many usual steps, and for so long, is a gap."""

Point = tuple[int, float, float, float]
Row = dict[str, tuple[float, float, float]]


def together(sensors: Mapping[str, Sequence[Point]], since_s: float, until_s: float, points: int) -> dict[str, Any]:
    """``t`` holds only times at which something is known, at the end of each stretch, and one in each gap.

    Stretches begin at multiples of their length, so that a graph which moves on shows the same ones.
    """
    times_us = sorted({point[0] for past in sensors.values() for point in past})
    width_us = 1 if len(times_us) <= points else math.ceil((until_s - since_s) * 1e6 / (points - 1))
    ends = {time_us // width_us: time_us for time_us in times_us}
    columns = [_stretches(past, width_us) for past in sensors.values()]
    slots = _with_gaps(list(ends), width_us)
    made = [[column.get(slot) if slot is not None else None for _, slot in slots] for column in columns]
    return {
        "since": since_s,
        "until": until_s,
        "columns": list(sensors),
        "t": [(ends[slot] if slot is not None else between_us) / 1e6 for between_us, slot in slots],
        **{
            name: [[_digits(one[place]) if one else None for one in column] for column in made]
            for place, name in enumerate(("min", "mean", "max"))
        },
    }


def _stretches(past: Sequence[Point], width_us: int) -> dict[int, tuple[float, float, float]]:
    """By slot. A mean counts for as long as it is after the one before, a slot's length at most."""
    found: dict[int, tuple[float, float, float]] = {}
    weights: dict[int, int] = {}
    before_us = past[0][0] - 1_000_000 if past else 0
    for time_us, low, mean, high in past:
        slot, weight = time_us // width_us, max(1, min(time_us - before_us, width_us))
        before_us = time_us
        if slot in found:
            known = found[slot]
            total = weights[slot] + weight
            mean = (known[1] * weights[slot] + mean * weight) / total  # noqa: PLW2901 - of the whole slot
            low, high, weight = min(low, known[0]), max(high, known[2]), total  # noqa: PLW2901 - as above
        found[slot], weights[slot] = (low, mean, high), weight
    return found


def _with_gaps(slots: Sequence[int], width_us: int) -> list[tuple[float, int | None]]:
    """Each slot; between two that are far apart a time (µs) with none, so that no line is drawn across."""
    steps = [later - earlier for earlier, later in pairwise(slots)]
    most = max(_GAP_STEPS * median(steps), _GAP_S * 1e6 / width_us) if steps else 0
    found: list[tuple[float, int | None]] = []
    for place, slot in enumerate(slots):
        if place and slot - slots[place - 1] > most:
            found.append(((slot + slots[place - 1]) / 2 * width_us, None))
        found.append((0.0, slot))
    return found


def _digits(value: float) -> float:
    """The rings hold 32-bit numbers."""
    return float(f"{value:.6g}")
