"""Which ring answers, and how many points."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.crystal import points
from gamesad.crystal.history.history import History
from gamesad.crystal.segment import Segment
from tests.crystal.histories import COLUMNS, FOREVER_US, RINGS, START_US, history, ring, segment
from tests.support.in_memory import folder

SECOND_US = 1_000_000


@pytest.fixture
def made() -> Iterator[Segment]:
    with folder() as path:
        at = segment(path)
        yield at
        at.close()


def push(kept: History, seconds: range, value: Callable[[int], float] = float) -> None:
    for second in seconds:
        kept.push(START_US + second * SECOND_US, [value(second)] * COLUMNS)


def asked(at: Segment, since_s: int, until_s: int | None = None, most: int = 0) -> list[points.Point]:
    until_us = FOREVER_US if until_s is None else START_US + until_s * SECOND_US
    return points.query([ring(at, n) for n in range(3)], 0, START_US + since_s * SECOND_US, until_us, most)


def seconds(found: list[points.Point]) -> list[int]:
    return [(point[0] - START_US) // SECOND_US for point in found]


def test_the_finest_ring_that_reaches_back_answers(made: Segment) -> None:
    push(history(made), range(3600))
    assert seconds(asked(made, 3500)) == [*range(3500, 3600)]
    assert seconds(asked(made, 3100))[:3] == [3110 - 10, 3110, 3120]
    assert seconds(asked(made, 300))[:3] == [300, 600, 900]


def test_a_rings_whole_length_may_be_asked_of_it(made: Segment) -> None:
    push(history(made), range(5008))
    assert seconds(asked(made, 5008 - 400)) == [*range(4609, 5008)]
    assert seconds(asked(made, 5008 - 3000))[:2] == [2020, 2030]


def test_what_is_too_new_for_a_coarse_ring_comes_from_the_finer(made: Segment) -> None:
    push(history(made), range(3655))
    found = seconds(asked(made, 0))
    assert found == [*range(300, 3601, 300), *range(3610, 3651, 10), *range(3651, 3655)]


def test_a_young_history_is_shown_as_fine_as_it_is(made: Segment) -> None:
    push(history(made), range(330))
    assert seconds(asked(made, -100_000)) == [*range(1, 330)]


def test_a_row_of_a_clock_that_was_years_behind_does_not_hide_the_hours(made: Segment) -> None:
    kept = history(made)
    push(kept, range(2000))
    kept.push(5 * SECOND_US, [1.0] * COLUMNS)
    push(kept, range(2000, 2100))
    assert seconds(asked(made, 100))[:2] == [100, 110]
    assert points.query([ring(made, n) for n in range(3)], 0, 0, FOREVER_US)[0][0] < START_US


def test_the_span_is_kept_to_on_both_sides(made: Segment) -> None:
    push(history(made), range(300))
    assert seconds(asked(made, 100, 110)) == [*range(100, 111)]
    assert asked(made, 400, 500) == []
    assert asked(made, 110, 100) == []


def test_an_empty_ring_and_no_ring_have_no_points(made: Segment) -> None:
    history(made)
    assert asked(made, 0) == []
    assert points.query([], 0, 0, FOREVER_US) == []


def test_where_a_sensor_was_absent_there_is_no_point(made: Segment) -> None:
    push(history(made), range(30), lambda second: math.nan if 10 <= second < 20 else float(second))
    assert seconds(asked(made, 0)) == [*range(1, 11), *range(21, 30)]


def test_a_sensor_that_woke_late_is_shown_as_fine_as_the_others(made: Segment) -> None:
    push(history(made), range(300), lambda second: math.nan if second < 250 else 1.0)
    assert seconds(asked(made, 100)) == [*range(251, 300)]


ROWS = st.tuples(st.integers(1, 500), st.integers(1, 20), st.floats(-50, 150, width=32))


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=80), most=st.integers(1, 30))
def test_fewer_points_keep_every_extreme_and_the_mean(rows: list[tuple[int, int, float]], most: int) -> None:
    class Given(points.Ring):
        def rows(self, column: int) -> list[points.Row]:
            return [(t * SECOND_US, samples, value - 1, value, value + 2) for t, samples, value in rows]

    found = points.query([Given(None, 0, 1, (1000, 1), crc=False)], 0, 0, FOREVER_US, most)  # type: ignore[arg-type]
    assert len(found) <= most
    assert [point[0] for point in found] == sorted({point[0] for point in found})
    assert min(point[1] for point in found) == min(value for _, _, value in rows) - 1
    assert max(point[3] for point in found) == max(value for _, _, value in rows) + 2
    if most == 1:
        mean = sum(samples * value for _, samples, value in rows) / sum(samples for _, samples, _ in rows)
        assert math.isclose(found[0][2], mean, abs_tol=1e-9)
    else:
        assert len(found) > 1 or len({t for t, _, _ in rows}) == 1


def test_numbers_that_cannot_be_are_left_out(made: Segment) -> None:
    kept = history(made)
    push(kept, range(9))
    place = kept.rings[0]._rows + kept.rings[0].first % RINGS[0][0] * kept.rings[0]._size
    for number, values in enumerate(
        ((3.0, 2.0, 1.0), (-math.inf, 0.0, 1.0), (0.0, 1.0, math.inf), (math.nan, 1.0, 2.0))
    ):
        points.layout.ROW_COLUMN.pack_into(made.memory, place + number * kept.rings[0]._size + 16, *values)
    assert seconds(asked(made, 0)) == [*range(5, 9)]


def test_a_status_does_not_pay_for_points() -> None:
    code = "import sys, gamesad.crystal.points; print(*sorted({'zlib', 'mmap', 'typing', 'array'} & {*sys.modules}))"
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); {code}"],
                            capture_output=True, text=True, check=True)  # fmt: skip
    assert loaded.stdout.split() == []
