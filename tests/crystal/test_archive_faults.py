"""Damaged files of the archive, and disks that fail, are full or do not answer: told once, and nothing else is lost."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from gamesad.crystal.history import ledger as ledger_module
from gamesad.crystal.history import library as library_module
from gamesad.crystal.history import shelf as shelf_module
from gamesad.crystal.history.chunks import Chunk
from tests.crystal.archived import EVERY_S, Daemon, push
from tests.crystal.histories import stretches


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
