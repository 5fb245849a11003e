"""The coarser rings and decisions on disk: nothing is lost or counted twice over restarts, reboots and power cuts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.crystal.history import ledger as ledger_module
from gamesad.crystal.segment import Segment
from tests.crystal.archived import EVERY_S, KEEP, Daemon, push
from tests.crystal.histories import COLUMNS, RINGS, START_US, Model, assert_same, stretches
from tests.crystal.steps import SECOND_US, Steps
from tests.support.in_memory import folder

ENDS = ("stop", "kill", "save and kill", "save and power cut")


def assert_coarser(model: Model, at: Segment) -> None:
    for number in (1, 2):
        for column in range(COLUMNS):
            assert_same(stretches(at, number, column), model.stretches(RINGS[number][1], column))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    lives=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(ENDS)), min_size=1, max_size=5),
)
def test_no_row_is_lost_or_counted_twice_over_restarts(seed: int, lives: list[tuple[int, str]]) -> None:
    with folder() as path:
        model, steps = Model(), Steps(seed)
        daemon = Daemon(path)
        for count, end in lives:
            for _ in range(count):
                model.samples.append(steps.next())
                daemon.history.push(*model.samples[-1])
            if end == "save and power cut":
                daemon.history.flush()
                daemon.history.rings[0].fold_into(daemon.history.rings[1], None)
            elif end != "stop":
                daemon.history.flush()
            if end.startswith("save"):
                daemon.save()
            if end == "stop":
                daemon.stop()
            elif end.endswith("power cut"):
                daemon.lose_power()
            before = daemon.segment
            daemon = Daemon(path)
            before.close(unlink=False)
            daemon.settle()
            assert daemon.lines == []
        daemon.history.flush(coarser=True)
        assert_coarser(model, daemon.segment)
        daemon.stop()


def test_after_a_power_cut_slow_rows_that_were_not_written_are_made_of_the_middle_rows(place: Path) -> None:
    daemon, model = Daemon(place), Model()
    for second in range(1000):
        model.samples.append((START_US + second * SECOND_US, [float(second)] * COLUMNS))
        daemon.history.push(*model.samples[-1])
    daemon.save()
    daemon.lose_power()
    assert not list((place / "history").glob("slow.*"))
    daemon = Daemon(place)
    daemon.settle()
    model.samples = [sample for sample in model.samples if sample[0] < START_US + 990 * SECOND_US]
    assert_coarser(model, daemon.segment)
    daemon.stop()


def test_slow_rows_that_were_made_of_middle_rows_are_written_with_the_next(place: Path) -> None:
    daemon = Daemon(place)
    push(daemon, range(301))
    daemon.save()
    daemon.lose_power()
    daemon = Daemon(place)
    daemon.settle()
    assert [point[3] for point in stretches(daemon.segment, 2, 0)] == [299.0]
    push(daemon, range(1000, 1100))
    daemon.stop()
    for _ in range(2):
        daemon = Daemon(place)
        daemon.settle()
        assert [point[3] for point in stretches(daemon.segment, 2, 0)] == [299.0, 1099.0]
        daemon.stop()


def test_what_is_more_than_a_chunk_is_written_one_after_the_other(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "COUNT_MAX", 5)
    daemon = Daemon(place)
    for second in range(0, 6000, 10):
        push(daemon, range(second, second + 1))
    held = [stretches(daemon.segment, number, 0) for number in (1, 2)]
    daemon.settle()
    daemon.now_s += EVERY_S + 1
    daemon.archive.tend(daemon.now_s)
    daemon.lose_power()
    daemon = Daemon(place)
    daemon.settle()
    assert stretches(daemon.segment, 1, 0) == held[0][:5]
    assert stretches(daemon.segment, 2, 0) == held[1]
    push(daemon, range(7200, 7231))
    daemon.save()
    daemon.lose_power()
    daemon = Daemon(place)
    daemon.settle()
    assert [point[1:] for point in stretches(daemon.segment, 2, 0)[-1:]] == [(7200.0, 7214.5, 7229.0)]
    daemon.stop()


def test_all_that_is_new_is_written_at_a_stop(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "COUNT_MAX", 7)
    daemon = Daemon(place)
    push(daemon, range(1500))
    for number in range(20):
        daemon.decide(f"decision {number}")
    daemon.stop()
    daemon = Daemon(place)
    daemon.settle()
    assert len(stretches(daemon.segment, 1, 0)) == 150
    assert len(daemon.decided()) == 20
    daemon.stop()


def test_what_is_on_disk_stands_below_what_was_pushed_meanwhile(place: Path) -> None:
    daemon = Daemon(place)
    push(daemon, range(100))
    daemon.stop()
    daemon = Daemon(place)
    push(daemon, range(500, 540))
    daemon.settle()
    assert [point[0] // SECOND_US - START_US // SECOND_US for point in stretches(daemon.segment, 1, 0)] == [
        *range(10, 101, 10), *range(510, 531, 10)
    ]  # fmt: skip
    daemon.stop()


def test_only_what_is_new_is_written(place: Path) -> None:
    daemon = Daemon(place)
    push(daemon, range(1000))
    daemon.save()
    middle = next((place / "history").glob("middle.*"))
    size = middle.stat().st_size
    daemon.save()
    assert middle.stat().st_size == size
    push(daemon, range(1000, 1020))
    daemon.save()
    files = sorted((place / "history").glob("middle.*"))
    assert size < sum(file.stat().st_size for file in files) < size * 1.5
    daemon.stop()


def test_files_hold_what_the_rings_hold_and_no_more(place: Path) -> None:
    daemon = Daemon(place)
    for begin in range(0, 20000, 100):
        push(daemon, range(begin, begin + 100))
        daemon.save()
    shelf = daemon.archive._library._shelves[0]
    kept = sum(shelf._counts.values())
    assert KEEP[0] <= kept <= KEEP[0] * 1.25
    assert len(list((place / "history").glob("middle.*"))) == len(shelf._counts) <= 10
    held = stretches(daemon.segment, 1, 0)
    daemon.lose_power()
    daemon = Daemon(place)
    daemon.settle()
    assert stretches(daemon.segment, 1, 0)[-1] == held[-1]
    assert len(stretches(daemon.segment, 1, 0)) == RINGS[1][0] - 1
    daemon.stop()


def test_sensors_are_told_by_their_names(place: Path) -> None:
    daemon = Daemon(place)
    for second in range(100):
        daemon.history.push(START_US + second * SECOND_US, [1.0, 2.0, 3.0])
    daemon.stop()
    daemon = Daemon(place, {"fan": 0, "disk": 1, "cpu": 4, "x": 3, "y": 2})
    assert daemon.found.names == {"cpu", "gpu", "disk"}
    daemon.settle()
    assert [{point[1] for point in stretches(daemon.segment, 1, column)} for column in range(5)] == [
        set(), {3.0}, set(), set(), {1.0}
    ]  # fmt: skip
    daemon.stop()


def test_decisions_come_back_with_new_numbers(place: Path) -> None:
    daemon = Daemon(place)
    for number in range(3):
        daemon.decide(f"decision {number}")
    daemon.stop()
    daemon = Daemon(place)
    daemon.decide("decision 3")
    daemon.settle()
    assert daemon.decided() == [f"decision {number}" for number in range(4)]
    daemon.stop()
    daemon = Daemon(place)
    assert daemon.decided() == [f"decision {number}" for number in range(4)]
    daemon.settle()
    daemon.stop()


def test_another_segment_of_the_same_daemon_has_what_is_on_disk_too(place: Path) -> None:
    daemon = Daemon(place)
    push(daemon, range(400))
    daemon.decide("a decision")
    daemon.save()
    daemon.segment.close()
    daemon.start()
    assert (daemon.decided(), daemon.found.names) == (["a decision"], {"cpu", "gpu", "disk"})
    daemon.settle()
    assert len(stretches(daemon.segment, 1, 0)) == 39
    daemon.stop()


def test_off_is_off(place: Path) -> None:
    daemon = Daemon(place, every_s=0)
    push(daemon, range(400))
    for now_s in range(0, 5000, 500):
        daemon.archive.tend(now_s)
    assert not daemon.archive.close(1)
    assert not (place / "history").exists()
    assert daemon.archive._errand is None
    daemon.segment.close()
