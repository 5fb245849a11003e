"""Files that outlive a power cut, on disks that answer, refuse and do not answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesad.durable import DurableFile, Silent, replace
from tests.support.silent_disk import PATIENCE_S, Disk, disk


@pytest.fixture
def slow() -> Iterator[Disk]:
    with disk() as slow:
        yield slow


def ended(file: DurableFile) -> None:
    deadline_s = time.monotonic() + 60
    while not file.answered:
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def test_contents_are_synced_before_they_get_their_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    rename = os.rename
    monkeypatch.setattr(os, "fsync", lambda handle: done.append(os.readlink(f"/proc/self/fd/{handle}")))
    monkeypatch.setattr(os, "rename", lambda *names: (done.append("rename"), rename(*names)))
    DurableFile(f"{tmp_path}/file").keep(b"new")
    assert done == [f"{tmp_path}/file.new", "rename", str(tmp_path)]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_nothing_to_keep_is_no_file_and_a_missing_folder_is_made(tmp_path: Path) -> None:
    file = DurableFile(f"{tmp_path}/folder/file")
    file.keep(None)
    assert not list(tmp_path.iterdir())
    file.keep(b"new")
    file.keep(None)
    assert not list((tmp_path / "folder").iterdir())


def test_a_silent_disk_costs_its_patience_once_and_what_it_wrote_then_counts(tmp_path: Path, slow: Disk) -> None:
    file = DurableFile(f"{tmp_path}/file")
    slow.fall_silent()
    begun_s = time.monotonic()
    with pytest.raises(Silent):
        file.keep(b"new")
    assert time.monotonic() - begun_s >= PATIENCE_S
    begun_s = time.monotonic()
    for _ in range(10):
        with pytest.raises(Silent):
            file.keep(b"new")
    assert time.monotonic() - begun_s < PATIENCE_S
    assert not (tmp_path / "file").exists()
    slow.answer()
    ended(file)
    file.keep(b"new")
    file.keep(b"new")
    assert slow.syncs == 2, "of the file and of the folder, once each"
    assert (tmp_path / "file").read_bytes() == b"new"


def test_what_is_to_be_kept_instead_follows_what_is_under_way(tmp_path: Path, slow: Disk) -> None:
    file = DurableFile(f"{tmp_path}/file")
    slow.fall_silent()
    for data in (b"one", b"two", b"three"):
        with pytest.raises(Silent):
            file.keep(data)
    assert sum(thread.name == "disk" for thread in threading.enumerate()) == 1
    slow.answer()
    file.keep(b"three", patience_s=60)
    assert (tmp_path / "file").read_bytes() == b"three"
    assert slow.syncs == 4, "two was never begun"


def test_a_disk_that_refuses_in_the_end_is_heard_once_and_tried_again(
    tmp_path: Path, slow: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = DurableFile(f"{tmp_path}/file")
    file.keep(b"old")
    slow.fall_silent()
    with monkeypatch.context() as faulty:
        faulty.setattr(os, "rename", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(Silent):
            file.keep(b"new")
        slow.answer()
        ended(file)
    with pytest.raises(OSError, match="Input/output error"):
        file.keep(b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    file.keep(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_where_no_task_can_be_started_it_is_an_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(BlockingIOError, match="file"):
        DurableFile(f"{tmp_path}/file").keep(b"new")


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "file.new").mkdir()
    with pytest.raises(OSError):
        replace(f"{tmp_path}/file", b"new")
    assert (tmp_path / "file").read_text() == "old"
