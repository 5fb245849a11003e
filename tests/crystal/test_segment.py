"""The segment's file: how it is made, grown, put in place, taken over, and left."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.errors import InUse, NotThere
from gamesad.crystal.reader import attach
from gamesad.crystal.segment import STEP
from gamesad.crystal.telemetry import Telemetry
from tests.crystal import hammer, publishing
from tests.crystal.publishing import killed


def test_the_file_is_as_long_as_what_is_allocated_and_has_no_holes(shm: str) -> None:
    segment = publishing.segment(f"{shm}/segment")
    for length in (segment.length + 1, segment.section(layout.POOL)[0] + 1, 5 * STEP + 17):
        segment.ensure(length)
        status = os.stat(segment.path)
        assert length <= segment.length == status.st_size < length + STEP
        assert status.st_blocks * 512 >= status.st_size
        assert segment.words[layout.LENGTH_AT // 8] == segment.length
    segment.ensure(len(segment.memory))
    assert segment.length == segment.section(layout.POOL)[0] + (8 << 20), "never longer than the pool may get"
    segment.close()


def test_it_is_mode_644_whatever_the_umask(shm: str) -> None:
    before = os.umask(0o077)
    segment = publishing.segment(f"{shm}/segment")
    os.umask(before)
    assert stat.S_IMODE(os.stat(segment.path).st_mode) == 0o644
    segment.close()


def test_a_view_stays_where_it_is_when_the_file_grows(shm: str) -> None:
    segment = publishing.segment(f"{shm}/segment")
    view = memoryview(segment.memory)[layout.HEADER_SIZE : layout.HEADER_SIZE + 8]
    segment.ensure(6 << 20)
    view[:] = b"in place"
    assert Path(segment.path).read_bytes()[layout.HEADER_SIZE :][:8] == b"in place"
    view.release()
    segment.close()


def test_what_a_status_needs_is_there_at_once_and_the_slower_rings_later(shm: str) -> None:
    segment = publishing.segment(f"{shm}/segment", rings=layout.RINGS)
    offset, length = segment.section(layout.RING_1S)
    assert segment.length >= offset + length
    assert segment.length < sum(segment.section(layout.RING_5MIN))
    segment.close()


def test_where_nothing_was_it_is_in_place_at_once_and_gone_after_a_clean_stop(shm: str) -> None:
    segment, telemetry = publishing.started(f"{shm}/segment")
    publishing.tick(telemetry, 1)
    assert (segment.generation, segment.previous, os.listdir(shm)) == (1, None, ["segment"])
    with attach(segment.path) as crystal:
        segment.close()
        assert os.listdir(shm) == []
        with pytest.raises(NotThere, match="systemctl start gamesad"):
            crystal.latest()
        assert crystal.stale_since_s is not None


def test_what_a_killed_daemon_left_is_taken_over_and_then_replaced(shm: str) -> None:
    path = f"{shm}/segment"
    killed(path, ticks=11)
    old = attach(path)
    assert old.latest().tick == 11
    segment = publishing.segment(path)
    assert segment.previous is not None
    assert attach(path).latest().tick == 11, "not in place before it holds what was there"
    telemetry = Telemetry(segment)
    assert telemetry.take_over(segment.previous) == (7, 0)
    assert [column.name for column in segment.previous.directory().columns] == publishing.NAMES
    telemetry.directory(*publishing.directory())
    publishing.tick(telemetry, 1)
    kept = os.open(path, os.O_RDONLY)
    segment.publish()
    assert int.from_bytes(os.pread(kept, 4, layout.STATE_AT), "little") == layout.REPLACED
    os.close(kept)
    assert os.listdir(shm) == ["segment"]
    assert segment.previous is None
    assert f"{path} (deleted)" not in Path("/proc/self/maps").read_text(), "the memory of what was replaced is free"
    assert (old.latest().tick, old.generation, segment.generation) == (1, 2, 2)
    assert [one.text["Reason"] for one in old.decisions()] == [f"number {n}" for n in range(5, 12)]
    assert telemetry.decision(1.0, "noop", "rule", b"") == 12, "numbers go on"
    segment.close()


def test_decisions_that_are_not_whole_are_left_out_and_counted(shm: str) -> None:
    path = f"{shm}/segment"
    killed(path, ticks=11)
    with open(path, "r+b") as file:
        begin = publishing.offset_of(path, layout.DECISIONS) + layout.RING_HEAD
        file.seek(begin)
        file.write(b"\xff" * layout.DECISION_SIZE)  # of number 9
        file.seek(begin + 2 * layout.DECISION_SIZE + layout.DECISION_HEAD.size)
        file.write(b"\xff")  # in the text of number 11
    segment = publishing.segment(path)
    telemetry = Telemetry(segment)
    assert segment.previous is not None
    assert telemetry.take_over(segment.previous) == (5, 2)
    segment.publish()
    with attach(path) as crystal:
        assert [one.number for one in crystal.decisions()] == [5, 6, 7, 8, 10]
        assert [one.number for one in crystal.decisions(2)] == [10]
    segment.close()


def test_more_decisions_than_anybody_made_are_not_looked_at(shm: str) -> None:
    path = f"{shm}/segment"
    killed(path)
    with open(path, "r+b") as file:
        file.seek(publishing.offset_of(path, layout.DECISIONS))
        file.write(b"\xff" * 8)
    segment = publishing.segment(path)
    assert segment.previous is not None
    assert Telemetry(segment).take_over(segment.previous) == (0, 8)
    segment.close()


def test_killed_before_the_rename_the_old_one_is_whole_and_the_next_start_takes_it(shm: str) -> None:
    path = f"{shm}/segment"
    killed(path, ticks=3)
    child = os.fork()
    if not child:
        publishing.segment(path)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert sorted(os.listdir(shm)) == ["segment", "segment.new"]
    assert attach(path).latest().tick == 3
    segment = publishing.segment(path)
    assert segment.previous is not None
    segment.publish()
    assert os.listdir(shm) == ["segment"]
    segment.close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["open", "ftruncate", "posix_fallocate", "rename", "pwrite", "unlink"])
def test_killed_at_any_step_of_a_takeover_one_of_the_two_is_there_whole(shm: str, call: str, when: str) -> None:
    path = f"{shm}/segment"
    killed(path, ticks=3)
    child = os.fork()
    if not child:
        deadly(call, when)
        segment, telemetry = publishing.started(path)
        publishing.tick(telemetry, 9)
        segment.publish()
        segment.close()
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    if call != "unlink":
        with attach(path) as crystal:
            tick = crystal.latest()
        assert hammer.whole(tick)
        assert tick.tick == (9 if call == "pwrite" or (call, when) == ("rename", "after") else 3)
    publishing.segment(path).publish()
    assert os.listdir(shm) == ["segment"]


def deadly(call: str, when: str) -> None:
    """The first such call of this process from now on kills it."""
    original = getattr(os, call)

    def kill(*arguments: object) -> object:
        if when == "after":
            original(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(os, call, kill)


def test_two_daemons_do_not_share_a_path_while_both_live(shm: str) -> None:
    path = f"{shm}/segment"
    with hammering(path) as process:
        with pytest.raises(InUse, match=rf"process {process.pid}\) publishes at {path}; stop it or use --shm"):
            publishing.segment(path)
        assert os.listdir(shm) == ["segment"]
        process.kill()
        process.wait()
    segment = publishing.segment(path)
    assert segment.previous is not None, "with a heartbeat that is fresh, of a process that is gone"
    segment.close()


def hammering(path: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crystal.hammer", "write", path, "30", "right"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def test_a_moved_segment_is_the_same_without_the_pool_and_readers_follow(shm: str) -> None:
    segment, telemetry = publishing.started(f"{shm}/segment")
    publishing.tick(telemetry, 7)
    telemetry.decision(1.0, "throttle", "rule", b"s\tReason\thot\n")
    with attach(segment.path) as crystal:
        before = (crystal.started_s, crystal.generation, crystal.latest().tick)
        fresh = segment.replace()
        assert crystal.generation == 1, "not before publish"
        again = Telemetry(fresh)
        fresh.publish()
        segment.close(unlink=False)
        assert (crystal.latest().tick, crystal.generation, crystal.started_s) == (before[2], 2, before[0])
        assert [one.number for one in crystal.decisions()] == [1]
        publishing.tick(again, 8)
        assert hammer.whole(crystal.latest())
        assert again.decision(2.0, "noop", "rule", b"") == 2
    fresh.close()
    assert os.listdir(shm) == []


def test_closing_leaves_alone_what_somebody_else_put_there(shm: str) -> None:
    segment = publishing.segment(f"{shm}/segment")
    os.unlink(segment.path)
    Path(segment.path).write_text("another's")
    segment.close()
    assert Path(segment.path).read_text() == "another's"
