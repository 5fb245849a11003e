"""History at three rates, against a model that keeps every sample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.crystal import layout
from gamesad.crystal.history.history import History
from gamesad.crystal.history.rows import ROW_HEAD
from gamesad.crystal.segment import Segment
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
from tests.crystal.steps import SECOND_US, Steps
from tests.support.in_memory import folder

SAME = {column: column for column in range(COLUMNS)}


@pytest.fixture
def made(place: Path) -> Iterator[Segment]:
    fresh = segment(place)
    yield fresh
    fresh.close()


def assert_is(model: Model, at: Segment) -> None:
    for number, (_, period_s) in enumerate(RINGS):
        for column in range(COLUMNS):
            assert_same(stretches(at, number, column), model.stretches(period_s, column))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32), count=st.integers(1, 250))
def test_every_sample_is_in_every_ring_once(seed: int, count: int) -> None:
    with folder() as path:
        at, model, steps = segment(path), Model(), Steps(seed)
        kept = history(at)
        for _ in range(count):
            model.samples.append(steps.next())
            kept.push(*model.samples[-1])
        kept.flush(coarser=True)
        assert_is(model, at)
        at.close()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_no_spike_averages_away_however_often_a_sensor_is_absent(seed: int) -> None:
    with folder() as path:
        at, model, steps = segment(path), Model(), Steps(seed, absent_s=1)
        kept = history(at)
        for _ in range(200):
            model.samples.append(steps.next())
            kept.push(*model.samples[-1])
        kept.flush(coarser=True)
        for number, (_, period_s) in enumerate(RINGS):
            for column in range(COLUMNS):
                found, expected = stretches(at, number, column), model.stretches(period_s, column)
                extremes = [(time_us, low, high) for time_us, low, _, high in found]
                assert extremes == [(time_us, low, high) for time_us, low, _, high in expected]
                assert all(low <= mean <= high for _, low, mean, high in found)
        at.close()


class Killed(Exception):
    """The process ends here."""


class Stores:
    """Memory whose owner is killed before the store with that number, or in the middle of it."""

    def __init__(self, memory: Any, left: list[int]) -> None:
        self._memory, self._left = memory, left

    def __getitem__(self, place: Any) -> Any:
        return self._memory[place]

    def __setitem__(self, place: Any, value: Any) -> None:
        self._left[0] -= 1
        if self._left[0] < 0:
            if isinstance(place, slice):
                half = (place.stop - place.start) // 2
                self._memory[place.start : place.start + half] = value[:half]
            raise Killed
        self._memory[place] = value


@contextmanager
def killed_after(kept: History, stores: int) -> Iterator[None]:
    left = [stores]
    for ring in kept.rings:
        ring._memory, ring._words = Stores(ring._memory, left), Stores(ring._words, left)  # type: ignore[assignment]
    with pytest.raises(Killed):
        yield


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 1 << 32), lives=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_a_kill_between_any_two_stores_costs_the_period_in_flight(seed: int, lives: list[int]) -> None:
    with folder() as path:
        at, model, steps = segment(path), Model(), Steps(seed)
        kept = history(at)
        for stores in lives:
            before = kept.rings[0].written
            in_flight: list[tuple[int, list[float]]] = []
            with killed_after(kept, stores):
                while True:
                    sample = steps.next()
                    if in_flight and sample[0] // SECOND_US != in_flight[-1][0] // SECOND_US:
                        kept.push(*sample)
                        model.samples += in_flight
                        in_flight, before = [], kept.rings[0].written
                    else:
                        kept.push(*sample)
                    in_flight.append(sample)
            if at.words[at.section(layout.RING_1S)[0] // 8] > before:
                model.samples += in_flight
            following = segment(path)
            kept = history(following)
            assert following.previous
            recovered = kept.recover(following.previous, SAME)
            assert recovered.dropped == 0
            following.publish()
            at.close(unlink=False)
            at = following
        kept.flush(coarser=True)
        assert_is(model, at)
        at.close()


def test_a_row_is_written_when_its_second_is_over(made: Segment) -> None:
    kept = history(made)
    kept.push(START_US, [1.0, 2.0, math.nan])
    kept.push(START_US + 400_000, [3.0, 2.0, math.nan])
    assert stretches(made, 0, 0) == []
    kept.push(START_US + SECOND_US, [9.0, 9.0, 9.0])
    assert stretches(made, 0, 0) == [(START_US + SECOND_US, 1.0, 2.0, 3.0)]
    assert stretches(made, 0, 2) == []


def test_a_mean_is_weighted_by_samples_and_a_sensor_that_slept_does_not_lower_it(made: Segment) -> None:
    kept = history(made)
    for wall_us, first, second in (
        (START_US, 10.0, math.nan),
        (START_US + 300_000, 10.0, math.nan),
        (START_US + 600_000, 10.0, 7.0),
        (START_US + SECOND_US, 50.0, math.nan),
    ):
        kept.push(wall_us, [first, second, math.nan])
    kept.flush(coarser=True)
    assert stretches(made, 1, 0) == [(START_US + 10 * SECOND_US, 10.0, 20.0, 50.0)]
    assert stretches(made, 1, 1) == [(START_US + 10 * SECOND_US, 7.0, 7.0, 7.0)]


def test_rings_go_round(made: Segment) -> None:
    kept = history(made)
    for second in range(RINGS[0][0] * 3):
        kept.push(START_US + second * SECOND_US, [float(second)] * COLUMNS)
    found = stretches(made, 0, 1)
    assert [point[1] for point in found] == [float(n) for n in range(RINGS[0][0] * 2, RINGS[0][0] * 3 - 1)]
    assert len(stretches(made, 1, 1)) == RINGS[0][0] * 3 // 10 - 1
    assert [row.values[0] for row in kept.rings[0].rows(0)] == [point[1] for point in found]


def test_a_clock_that_stands_still_makes_rows_and_no_endless_list(made: Segment) -> None:
    kept = history(made)
    for number in range(1000):
        kept.push(START_US, [float(number)] * COLUMNS)
    assert len(kept._samples) <= 64
    kept.flush()
    assert stretches(made, 0, 0) == [(START_US + SECOND_US, 0.0, 499.5, 999.0)]


def test_values_for_another_number_of_columns_are_refused(made: Segment) -> None:
    with pytest.raises(ValueError, match="2 values for 3 columns"):
        history(made).push(START_US, [1.0, 2.0])


def test_the_coarser_rings_may_come_later(made: Segment) -> None:
    kept, model = History(made), Model()
    assert len(kept.rings) == 1
    for second in range(65):
        model.samples.append((START_US + second * SECOND_US, [float(second)] * COLUMNS))
        kept.push(*model.samples[-1])
    kept.grow()
    kept.push(START_US + 66 * SECOND_US, [9.0] * COLUMNS)
    assert_same(stretches(made, 1, 0), model.stretches(10, 0)[:6])
    model.samples.append((START_US + 66 * SECOND_US, [9.0] * COLUMNS))
    kept.push(START_US + 700 * SECOND_US, [0.0] * COLUMNS)
    assert_same(stretches(made, 1, 0), model.stretches(10, 0))
    assert_same(stretches(made, 2, 0), model.stretches(300, 0))


def successor(made: Segment, place: Path, moved: dict[int, int], **other: Any) -> tuple[Segment, History, Any]:
    following = segment(place, **other)
    kept = history(following)
    assert following.previous
    recovered = kept.recover(following.previous, moved)
    following.publish()
    made.close(unlink=False)
    return following, kept, recovered


def test_sensors_keep_their_rows_when_their_columns_move(made: Segment, place: Path) -> None:
    kept = history(made)
    for second in range(30):
        kept.push(START_US + second * SECOND_US, [10.0 + second, 20.0, 30.0])
    before = [stretches(made, 0, column) for column in range(3)]
    following, _, recovered = successor(made, place, {0: 4, 1: 3, 2: 1, 9: 0, 8: 77}, columns=5)
    assert recovered.kept == 29 + 2
    assert [stretches(following, 0, column) for column in range(5)] == [[], before[2], [], before[1], before[0]]
    following.close()


def test_a_column_whose_sensor_is_not_named_any_more_is_not_anothers(made: Segment, place: Path) -> None:
    kept = history(made)
    for second in range(5):
        kept.push(START_US + second * SECOND_US, [1.0, 2.0, 3.0])
    following, _, _ = successor(made, place, {0: 0, 1: 1})
    assert stretches(following, 0, 2) == []
    following.close()


def test_rows_that_cannot_be_are_dropped_and_counted(made: Segment, place: Path) -> None:
    kept = history(made)
    for second in range(9):
        kept.push(START_US + second * SECOND_US, [1.0, 2.0, 3.0])
    rows = kept.rings[0]
    for number, head in enumerate(
        ((1, 1, 0), (START_US + 17, 1, 0), (START_US, 0, 0), (SECOND_US << 34, 1, 0), (START_US, 1 << 31, 0))
    ):
        at = rows._rows + (rows.first + number) % rows.places * rows._size
        ROW_HEAD.pack_into(made.memory, at, *head)
    following, _, recovered = successor(made, place, SAME)
    assert (recovered.kept, recovered.dropped) == (3, 5)
    following.close()


def test_where_processors_show_stores_late_a_row_counts_by_its_checksum(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    at = segment(place)
    assert at.flags & layout.FLAG_CRC
    kept = history(at)
    for second in range(6):
        kept.push(START_US + second * SECOND_US, [1.0, 2.0, 3.0])
    torn = kept.rings[0]._rows + (kept.rings[0].first + 2) % 400 * kept.rings[0]._size
    at.memory[torn + 24 : torn + 28] = b"\0\0\x81\x3f"
    assert [point[0] for point in stretches(at, 0, 0)] == [START_US + n * SECOND_US for n in (1, 2, 4, 5)]
    following, _, recovered = successor(at, place, SAME)
    assert (recovered.kept, recovered.dropped) == (4, 1)
    assert len(stretches(following, 0, 0)) == 4
    following.close()


def test_a_number_of_rows_that_nobody_wrote_is_no_way_out_of_the_ring(made: Segment, place: Path) -> None:
    kept = history(made)
    for second in range(3):
        kept.push(START_US + second * SECOND_US, [1.0, 2.0, 3.0])
    for number in range(3):
        made.words[made.section(layout.RING_1S + number)[0] // 8] = (1 << 64) - 2
    following, _, recovered = successor(made, place, SAME)
    assert recovered.kept + recovered.dropped <= sum(rows for rows, _ in RINGS)
    following.close()


def test_a_segment_that_is_replaced_goes_on_where_it_was(made: Segment) -> None:
    kept, model = history(made), Model()
    for second in range(95):
        model.samples.append((START_US + second * SECOND_US, [float(second)] * COLUMNS))
        kept.push(*model.samples[-1])
        if second == 47:
            fresh = made.replace()
            kept.move(fresh)
            fresh.publish()
    kept.flush(coarser=True)
    assert_is(model, fresh)
    fresh.close()


def test_the_query_of_the_daemon_is_the_readers(made: Segment) -> None:
    kept = history(made)
    for second in range(3500):
        kept.push(START_US + second * SECOND_US, [float(second), second / 2, 1.0])
    newest = kept.query(0, START_US + 3400 * SECOND_US, FOREVER_US)
    assert [point[1] for point in newest] == [float(n) for n in range(3399, 3499)]
    everything = kept.query(1, 0, FOREVER_US, 7)
    assert (len(everything), everything[0][1], everything[-1][3]) == (7, 0.0, 3498 / 2)
    with pytest.raises(IndexError):
        kept.query(3, 0, FOREVER_US)
