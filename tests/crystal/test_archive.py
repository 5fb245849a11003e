"""The coarser rings and decisions on disk: over restarts, reboots, power cuts and disks that fail."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.crystal.decisions import Entry
from gamesad.crystal.history import ledger as ledger_module
from gamesad.crystal.history import library as library_module
from gamesad.crystal.history import shelf as shelf_module
from gamesad.crystal.history.archive import Archive, renumbered
from gamesad.crystal.history.chunks import Chunk
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from tests.crystal.histories import COLUMNS, RINGS, START_US, Model, assert_same, history, segment, stretches
from tests.crystal.steps import SECOND_US, Steps
from tests.support.in_memory import folder

NAMES = {"cpu": 0, "gpu": 1, "disk": 2}
KEEP = (RINGS[1][0], RINGS[2][0], 64)
EVERY_S = 900.0
ENDS = ("stop", "kill", "save and kill", "save and power cut")


class Daemon:
    """As much of one as an archive needs: a segment, its history, decisions, and a clock."""

    def __init__(
        self, place: Path, names: dict[str, int] = NAMES, every_s: float = EVERY_S, patience_s: float = 10.0
    ) -> None:
        self.place = place
        self.patience_s = patience_s
        self.lines: list[str] = []
        self.archive = Archive(str(place / "history"), KEEP, every_s, self.lines.append)
        self.now_s = 0.0
        self.start(names)

    def start(self, names: dict[str, int] = NAMES) -> None:
        self.segment = segment(self.place, columns=max(COLUMNS, len(names)))
        self.telemetry = Telemetry(self.segment)
        self.history = history(self.segment)
        if self.segment.previous:
            self.telemetry.take_over(self.segment.previous)
            self.history.recover(self.segment.previous, {column: column for column in names.values()})
            self.segment.publish()
        else:
            self.found = self.archive.wait(self.patience_s)
            self.telemetry.restore(renumbered(self.found.decisions, crc=False))
        self.archive.attach(self.segment, self.history, lambda: names)

    def settle(self) -> None:
        """Until everything that is due has been done."""
        until_s = monotonic() + 10
        while monotonic() < until_s:
            if self.archive._errand is not None:
                assert self.archive._errand.ended(10)
            self.archive.tend(self.now_s)
            if self.archive._errand is None and self.archive._ready:
                return
        raise AssertionError("the archive is not ready")

    def save(self) -> None:
        self.settle()
        self.now_s += EVERY_S + 1
        self.settle()
        self.archive.tend(self.now_s)
        self.settle()

    def stop(self) -> None:
        assert self.archive.close(10)
        self.segment.close()

    def lose_power(self) -> None:
        """What is on disk stays, nothing else."""
        if self.archive._errand is not None:
            assert self.archive._errand.ended(10)
        self.segment.close()

    def decided(self) -> list[str]:
        numbers = range(max(1, self.telemetry.decision_number - 62), self.telemetry.decision_number + 1)
        assert self.archive._ledger
        return [str(Entry(self.archive._ledger._decision(n), n, crc=False).text["Reason"]) for n in numbers]

    def decide(self, reason: str) -> None:
        self.telemetry.decision(1.8e9, "throttle", "rule", f"s\tReason\t{reason}\n".encode())


@pytest.fixture
def place() -> Iterator[Path]:
    with folder() as path:
        yield path


def push(daemon: Daemon, seconds: range, value: Callable[[int], float] = float) -> None:
    for second in seconds:
        daemon.history.push(START_US + second * SECOND_US, [value(second)] * daemon.segment.geometry.columns)


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


def damaged(path: Path, change: Callable[[bytearray], Any]) -> None:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.__delitem__(slice(-5, None)), "it ends in the middle of the chunk at byte"),
        (lambda data: data.extend(b"GSH1"), "it ends in the middle of a chunk, at byte"),
        (lambda data: data.extend(bytes(64)), "there is no chunk at byte"),
        (lambda data: data.__setitem__(-9, data[-9] ^ 1), "does not match its checksum"),
        (lambda data: data.__setitem__(8, data[8] ^ 1), "the chunk at byte 0 does not match its checksum"),
    ],
    ids=["cut off", "half a head", "zeros", "a bit of the data", "a bit of the head"],
)
def test_a_damaged_file_is_set_aside_and_what_stands_before_is_used(
    place: Path, change: Callable[[bytearray], Any], said: str
) -> None:
    daemon = Daemon(place)
    for begin in (0, 300):
        push(daemon, range(begin, begin + 300))
        daemon.save()
    daemon.lose_power()
    file = next((place / "history").glob("middle.*"))
    damaged(file, change)
    bytes_found = file.read_bytes()
    daemon = Daemon(place)
    daemon.settle()
    (line,) = daemon.lines
    assert said in line
    assert line.startswith(f"{file} is damaged: ")
    assert Path(f"{file}.damaged").read_bytes() == bytes_found
    assert len(stretches(daemon.segment, 1, 0)) in {59, 29, 0}
    push(daemon, range(600, 700))
    daemon.stop()
    daemon = Daemon(place)
    daemon.settle()
    assert daemon.lines == [], "what is written after a damage is whole"
    assert len(stretches(daemon.segment, 1, 0)) >= 9
    daemon.stop()


def test_random_bytes_in_any_file_cost_that_file_only(place: Path) -> None:
    daemon = Daemon(place)
    push(daemon, range(400))
    daemon.decide("a decision")
    daemon.stop()
    for kind in ("middle", "slow", "decisions"):
        (place / f"history/{kind}.000007").write_bytes(os.urandom(5000))
    daemon = Daemon(place)
    daemon.settle()
    assert len(daemon.lines) == 3
    assert len(stretches(daemon.segment, 1, 0)) == 40
    daemon.stop()


def test_what_is_no_file_is_not_read_and_not_in_the_way(place: Path) -> None:
    history_folder = place / "history"
    history_folder.mkdir()
    os.mkfifo(history_folder / "middle.000001")
    (history_folder / "middle.000002").symlink_to("/etc/passwd")
    (history_folder / "slow.000001").mkdir()
    daemon = Daemon(place)
    daemon.settle()
    assert len(daemon.lines) == 3, daemon.lines
    push(daemon, range(400))
    daemon.stop()
    daemon = Daemon(place)
    daemon.settle()
    assert len(stretches(daemon.segment, 1, 0)) == 40
    daemon.stop()


@pytest.mark.parametrize("problem", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_takes_nothing_is_told_once_and_loses_nothing(
    place: Path, problem: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "COUNT_MAX", 4)
    daemon = Daemon(place)
    push(daemon, range(100))
    daemon.settle()
    calls = []

    def fails(*arguments: Any) -> int:
        calls.append(arguments)
        raise OSError(problem, os.strerror(problem))

    with monkeypatch.context() as patch:
        patch.setattr(shelf_module.os, "pwrite", fails)
        daemon.save()
        daemon.save()
        assert not daemon.archive.close(10)
    assert len(calls) == 3
    (line,) = daemon.lines
    assert os.strerror(problem) in line
    assert "waits in memory" in line
    daemon.save()
    assert daemon.lines[1:] == [f"{place}/history keeps history and decisions again"]
    daemon.stop()
    daemon = Daemon(place)
    daemon.settle()
    assert len(stretches(daemon.segment, 1, 0)) == 10
    daemon.stop()


def test_a_write_that_was_cut_short_leaves_no_trace(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(place)
    push(daemon, range(100))
    daemon.save()
    push(daemon, range(100, 200))
    pwrite = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(shelf_module.os, "pwrite", lambda handle, data, at: pwrite(handle, data[:20], at))
        daemon.save()
    assert "No space left" in daemon.lines[0]
    daemon.lose_power()
    daemon = Daemon(place)
    daemon.settle()
    assert daemon.lines == []
    assert len(stretches(daemon.segment, 1, 0)) == 9
    daemon.stop()


def test_a_chunk_that_could_not_be_synced_leaves_no_trace(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelf_module.Shelf(str(place), "middle", 100)
    short, long = Chunk(1, 10, 0, b"short"), Chunk(1, 10, 0, os.urandom(1000))
    shelf.append(short)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="lost"):
        patch.setattr(shelf_module.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("lost")))
        shelf.append(long)
    shelf.append(short)
    assert shelf_module.Shelf(str(place), "middle", 100).load() == ([short, short], [])


def test_a_disk_that_does_not_answer_holds_up_no_tick_and_no_stop(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()
    fsync = os.fsync

    def slow(handle: int) -> None:
        answers.wait(30)
        fsync(handle)

    daemon = Daemon(place)
    push(daemon, range(100))
    daemon.settle()
    monkeypatch.setattr(shelf_module.os, "fsync", slow)
    daemon.now_s += EVERY_S + 1
    daemon.archive.tend(daemon.now_s)
    slowest = 0.0
    for second in range(100, 300):
        began_s = monotonic()
        push(daemon, range(second, second + 1))
        daemon.archive.tend(daemon.now_s + second)
        slowest = max(slowest, monotonic() - began_s)
    assert slowest < 5
    (line,) = daemon.lines
    assert "the disk does not answer" in line
    began_s = monotonic()
    assert not daemon.archive.close(0.2)
    assert monotonic() - began_s < 10
    answers.set()
    daemon.stop()
    daemon = Daemon(place)
    daemon.settle()
    assert len(stretches(daemon.segment, 1, 0)) == 30
    daemon.stop()


def test_a_disk_that_does_not_answer_at_the_start_is_waited_for_so_long_only(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(place)
    push(daemon, range(100))
    daemon.stop()
    answers = threading.Event()
    read = shelf_module._read
    monkeypatch.setattr(shelf_module, "_read", lambda path: (answers.wait(30), read(path))[1])
    began_s = monotonic()
    daemon = Daemon(place, patience_s=0.1)
    assert monotonic() - began_s < 10
    assert daemon.found.names == set()
    push(daemon, range(400, 500))
    answers.set()
    daemon.settle()
    assert len(stretches(daemon.segment, 1, 0)) == 10 + 9
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


def test_no_more_threads_is_one_line(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(place)
    push(daemon, range(100))
    daemon.settle()
    with monkeypatch.context() as patch:

        def refused(*_: Any) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", refused)
        for _ in range(3):
            daemon.now_s += EVERY_S + 1
            daemon.archive.tend(daemon.now_s)
        assert not daemon.archive.close(1)
    (line,) = daemon.lines
    assert os.strerror(errno.EAGAIN) in line
    daemon.stop()


def test_the_folder_may_vanish(place: Path) -> None:
    daemon = Daemon(place)
    push(daemon, range(100))
    daemon.save()
    for file in (place / "history").iterdir():
        file.unlink()
    (place / "history").rmdir()
    push(daemon, range(100, 200))
    daemon.save()
    assert daemon.lines == []
    daemon.stop()
    daemon = Daemon(place)
    daemon.settle()
    assert [point[1] for point in stretches(daemon.segment, 1, 0)] == [90.0, *range(100, 200, 10)]
    daemon.stop()


def test_a_mistake_on_the_disks_thread_comes_out_on_the_daemons(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module.Library, "read", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        Daemon(place)
