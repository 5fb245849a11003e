"""A process that writes history as fast as it can, is read meanwhile and killed again and again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamesad.crystal import points
from gamesad.crystal.previous import Previous
from gamesad.crystal.source import Mapped
from tests.crystal.histories import (
    COLUMNS,
    FOREVER_US,
    RINGS,
    START_US,
    Model,
    assert_same,
    history,
    segment,
    stretches,
)
from tests.support.in_memory import folder

SECOND_US = 1_000_000
WRITER = """
import sys
from pathlib import Path
from tests.crystal.histories import START_US, history, segment
place, second, columns = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
at = segment(place, columns=columns)
kept = history(at)
if at.previous:
    kept.recover(at.previous, {0: 0, 1: 1, 2: 2})
    at.publish()
while True:
    kept.push(START_US + second * 1_000_000, [float(second % 1000), float(second), -float(second)] * (columns // 3))
    second += 1
"""


def sample(second: int) -> tuple[int, list[float]]:
    return START_US + second * SECOND_US, [float(second % 1000), float(second), -float(second)]


@contextmanager
def writer(place: Path, second: int, columns: int = COLUMNS) -> Iterator[None]:
    """Runs for the time of the body, and is killed."""
    command = [sys.executable, "-c", WRITER, str(place), str(second), str(columns)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.kill()
        assert process.wait() == -signal.SIGKILL


def newest_second(place: Path) -> int:
    """Of the finest ring of what lies there."""
    found, _ = Previous.find(str(place / "gamesad"))
    if found is None:
        return -1
    rows = ring_of(found, 0).rows(0)
    found.close()
    return rows[-1][0] // SECOND_US - START_US // SECOND_US - 1 if rows else -1


def ring_of(found: Previous, number: int, kind: type[points.Ring] = points.Ring) -> points.Ring:
    section, geometry = found.section(3 + number), found.header.geometry
    assert section
    return kind(Mapped(found.memory), section[0], geometry.columns, geometry.rings[number], crc=False)


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.full)])
def test_each_kill_costs_the_second_in_flight_and_nothing_else(kills: int) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}, {kills} kills")
    delays = random.Random(seed)
    model, begin = Model(), 0
    with folder() as place:
        for _ in range(kills):
            with writer(place, begin):
                time.sleep(delays.uniform(0, 0.06))  # the moment of the kill
            newest = newest_second(place)
            model.samples += [sample(second) for second in range(begin, newest + 1)]
            begin = max(begin, newest + 2)
        at = segment(place)
        kept = history(at)
        assert at.previous
        assert kept.recover(at.previous, {0: 0, 1: 1, 2: 2}).dropped == 0
        at.publish()
        kept.flush(coarser=True)
        print(f"{len(model.samples)} samples")
        for number, (places, period_s) in enumerate(RINGS):
            for column in range(COLUMNS):
                found, expected = stretches(at, number, column), model.stretches(period_s, column)
                assert len(found) >= min(len(expected), places - 2 * kills)
                assert_same(found, expected[-len(found) :])
        at.close()


class Careless(points.Ring):
    """Does not look again whether the writer was at what it copied."""

    _first: int | None = None

    @property
    def written(self) -> int:
        first, self._first = self._first, None
        if first is None:
            self._first = first = super().written
        return first


def torn(finest: points.Ring, seconds: float, stop_at: int) -> tuple[int, int]:
    """Rows seen in that time, and how many of them were never written, ``stop_at`` of those at most."""
    rows = wrong = 0
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s and wrong < stop_at:
        for column in (0, finest.columns // 2, finest.columns - 1):
            seen = points.query([finest], column, 0, FOREVER_US)
            rows += len(seen)
            for time_us, low, mean, high in seen:
                second = (time_us - START_US) // SECOND_US - 1
                wrong += not low == mean == high == sample(second)[1][column % COLUMNS]
    return rows, wrong


def test_a_reader_beside_a_writer_at_full_speed_never_sees_a_torn_row() -> None:
    with folder() as place, writer(place, 0, columns=1500):
        until_s = time.monotonic() + 60
        while newest_second(place) < 500:
            assert time.monotonic() < until_s
        found, _ = Previous.find(str(place / "gamesad"))
        assert found
        rows, wrong = torn(ring_of(found, 0), 1.5, 1)
        print(f"{rows} rows")
        assert (wrong, rows > 1000) == (0, True)
        assert torn(ring_of(found, 0, Careless), 60, 1)[1] >= 1, "this test could not tell"
        found.close()
