"""A history and a plain model of it that keeps every sample."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gamesad.crystal import points
from gamesad.crystal.history.history import History
from gamesad.crystal.segment import Segment
from gamesad.crystal.source import Mapped

RINGS = ((400, 1), (300, 10), (200, 300))
COLUMNS = 3
START_US = 1_800_000_000_000_000
FOREVER_US = 1 << 60


def segment(folder: Path, *, columns: int = COLUMNS, rings: tuple[tuple[int, int], ...] = RINGS) -> Segment:
    return Segment.create(
        str(folder / "gamesad"), columns=columns, tunables=1, version="0.2", simulated=True, pool_max=1 << 16,
        stale_after_s=10.0, rings=rings, decisions=64,
    )  # fmt: skip


def history(at: Segment) -> History:
    made = History(at)
    made.grow()
    return made


def ring(at: Segment, place: int) -> points.Ring:
    """As a reader sees it; place 0 is the finest."""
    geometry = at.geometry
    return points.Ring(
        Mapped(at.memory), at.section(3 + place)[0], geometry.columns, geometry.rings[place], crc=bool(at.flags & 1)
    )


def stretches(at: Segment, place: int, column: int) -> list[points.Point]:
    return points.query([ring(at, place)], column, 0, FOREVER_US)


class Model:
    """Every sample that was pushed, by time."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, Sequence[float]]] = []

    def stretches(self, period_s: int, column: int) -> list[points.Point]:
        """What a ring must hold that has room for all of it."""
        buckets: dict[int, list[float]] = defaultdict(list)
        for wall_us, values in self.samples:
            if not math.isnan(values[column]):
                buckets[wall_us // (period_s * 1_000_000)].append(float(np.float32(values[column])))
        return [
            ((bucket + 1) * period_s * 1_000_000, min(values), math.fsum(values) / len(values), max(values))
            for bucket, values in sorted(buckets.items())
        ]


def assert_same(found: Iterable[points.Point], expected: Iterable[points.Point]) -> None:
    """Times and extremes to the bit, means to the f32 of what was added up."""
    found, expected = list(found), list(expected)
    assert [point[0] for point in found] == [point[0] for point in expected]
    for (time_us, low, mean, high), (_, low_, mean_, high_) in zip(found, expected, strict=True):
        assert (low, high) == (low_, high_), time_us
        assert math.isclose(mean, mean_, abs_tol=5e-7 * max(abs(low), abs(high))), (time_us, mean, mean_)
