"""The segment's file: how it is made, grown, put in place, taken over, and left."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalError, CrystalFull, InUse, NotThere, NotTrusted
from gamesad.crystal.reader import attach
from gamesad.crystal.segment import STEP, Segment
from gamesad.crystal.telemetry import Telemetry
from tests.crystal import hammer, publishing

NOBODY = 65534


def killed(path: str, ticks: int = 1) -> None:
    """Leaves what a daemon leaves that is killed after so many ticks."""
    child = os.fork()
    if not child:
        _, telemetry = publishing.started(path)
        for number in range(1, ticks + 1):
            publishing.tick(telemetry, number)
            telemetry.decision(float(number), "throttle", "rule", f"s\tReason\tnumber {number}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def state(path: str) -> int:
    return int.from_bytes(Path(path).read_bytes()[layout.STATE_AT :][:4], "little")


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


# ---- what may be planted


@pytest.mark.parametrize("where", ["segment", "segment.new"])
def test_a_planted_link_is_not_followed(shm: str, where: str) -> None:
    victim = Path(f"{shm}/victim")
    victim.write_text("precious")
    os.symlink(victim, f"{shm}/{where}")
    segment = publishing.segment(f"{shm}/segment")
    assert not os.path.islink(segment.path)
    assert (victim.read_text(), segment.previous) == ("precious", None)
    assert segment.set_aside == (
        "" if where == "segment.new" else f"what was at {segment.path} is not ours and was replaced unread"
    )
    segment.close()


def test_a_hard_link_to_a_segment_is_not_marked_nor_taken_over(shm: str) -> None:
    path = f"{shm}/segment"
    killed(path)
    os.link(path, f"{shm}/other")
    segment = publishing.segment(path)
    assert segment.previous is None
    assert state(f"{shm}/other") == layout.LIVE
    segment.close()


@pytest.mark.parametrize("kind", ["fifo", "socket", "stranger's file", "stranger's segment"])
def test_whatever_else_lies_there_is_replaced_unread(shm: str, kind: str) -> None:
    path = f"{shm}/segment"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
    elif kind == "stranger's file":
        Path(path).write_bytes(b"x" * 100)
        os.chown(path, NOBODY, NOBODY)
    else:
        killed(path)
        os.chown(path, NOBODY, NOBODY)
    begun_s = time.monotonic()
    segment = publishing.segment(path)
    assert (segment.previous, segment.set_aside) == (None, f"what was at {path} is not ours and was replaced unread")
    assert time.monotonic() - begun_s < 5, "a FIFO is not waited for"
    assert state(path) == layout.LIVE
    segment.close()


@pytest.mark.parametrize("where", ["segment", "segment.new"])
def test_a_folder_in_the_way_is_one_clear_line_and_nothing_is_left_behind(shm: str, where: str) -> None:
    os.mkdir(f"{shm}/{where}")
    with pytest.raises(NotTrusted, match=f"{shm}/{where} .*; remove it"):
        publishing.segment(f"{shm}/segment")
    assert os.listdir(shm) == [where]


def test_a_file_of_our_own_that_is_no_segment_is_kept_beside(shm: str) -> None:
    path = f"{shm}/segment"
    Path(path).write_text("somebody's thesis")
    segment = publishing.segment(path)
    assert segment.set_aside.startswith(f"{path} is not a segment of gamesad")
    assert Path(f"{path}.damaged").read_text() == "somebody's thesis"
    segment.close()


def test_a_damaged_header_is_said_and_the_rest_goes_on(shm: str) -> None:
    path = f"{shm}/segment"
    killed(path)
    with open(path, "r+b") as file:
        file.seek(layout.GEOMETRY_AT)
        file.write(b"\xff")
    old = attach_ignoring(path)
    segment = publishing.segment(path)
    assert (segment.previous, state(path)) == (None, layout.LIVE)
    assert "its header does not match its checksum" in segment.set_aside
    assert int.from_bytes(os.pread(old, 4, layout.STATE_AT), "little") == layout.REPLACED
    os.close(old)
    segment.close()


def attach_ignoring(path: str) -> int:
    return os.open(path, os.O_RDONLY)


def test_another_abi_is_replaced_and_said(shm: str) -> None:
    path = f"{shm}/segment"
    killed(path)
    with open(path, "r+b") as file:
        file.seek(8)
        file.write(b"\x09")
    segment = publishing.segment(path)
    assert segment.previous is None
    assert "has ABI 9, this program reads ABI 1" in segment.set_aside
    segment.close()


# ---- no room


def test_a_full_file_system_is_a_clear_error_at_each_step_and_changes_nothing(
    shm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{shm}/segment"
    allocate = os.posix_fallocate

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    killed(path, ticks=2)
    with monkeypatch.context() as faulty:
        faulty.setattr(os, "posix_fallocate", full)
        with pytest.raises(CrystalFull, match=rf"{path} needs \d+ more bytes \(No space left on device\)"):
            publishing.segment(path)
    assert (os.listdir(shm), attach(path).latest().tick) == (["segment"], 2)
    segment, telemetry = publishing.started(path)
    segment.publish()
    publishing.tick(telemetry, 3)
    before = segment.length
    with monkeypatch.context() as faulty:
        faulty.setattr(os, "posix_fallocate", full)
        with pytest.raises(CrystalFull):
            segment.ensure(before + 1)
        with pytest.raises(CrystalFull):
            segment.replace()
        assert (segment.length, os.stat(path).st_size, os.listdir(shm)) == (before, before, ["segment"])
        publishing.tick(telemetry, 4)
    calls = 0

    def full_at_second(*arguments: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            full()
        allocate(*arguments)

    segment.ensure(segment.section(layout.POOL)[0])
    with monkeypatch.context() as faulty:
        faulty.setattr(os, "posix_fallocate", full_at_second)
        with pytest.raises(CrystalFull):
            segment.replace()
    assert (calls, os.listdir(shm), attach(path).latest().tick) == (2, ["segment"], 4)
    segment.close()


_ON_A_SMALL_ONE = """
import os, sys
from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalFull
from tests.crystal import publishing
path = sys.argv[1] + "/segment"
segment, telemetry = publishing.started(path)
try:
    for megabyte in range(1, 9):
        segment.ensure(segment.length + (1 << 20))
        segment.memory[segment.length - 8 : segment.length] = b"to the e"
except CrystalFull as error:
    print(megabyte, error)
publishing.tick(telemetry, 5)
try:
    publishing.segment(sys.argv[1] + "/second")
except CrystalFull as error:
    print(error)
print(sorted(os.listdir(sys.argv[1])), os.stat(path).st_size == segment.length)
"""


def test_on_a_real_full_file_system_the_same(shm: str) -> None:
    script = f"mount -t tmpfs -o size=3m none {shm} && exec {sys.executable} -c '{_ON_A_SMALL_ONE}' {shm}"
    line = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    grown, second, left, _ = done.stdout.split("\n")
    assert grown.startswith("3 ")
    assert "(No space left on device); free room in" in grown
    assert "(No space left on device); free room in" in second
    assert left == "['segment'] True"


def test_more_address_space_than_there_is_is_a_clear_error_too(shm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr("mmap.mmap", refused)
    with pytest.raises(CrystalFull, match=r"cannot be mapped \(Cannot allocate memory\); lower"):
        publishing.segment(f"{shm}/segment")
    assert os.listdir(shm) == []


def test_a_missing_folder_is_a_clear_error(shm: str) -> None:
    with pytest.raises(CrystalError, match=r"cannot be made \(No such file or directory\)"):
        publishing.segment(f"{shm}/nowhere/segment")


@pytest.mark.parametrize(
    "wrong", [{"columns": 0}, {"pool_max": 1}, {"pool_max": 5 << 30}, {"rings": ((1, 1), (0, 10), (1, 300))}]
)
def test_impossible_sizes_are_a_mistake_of_the_caller(shm: str, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no segment with"):
        publishing.segment(f"{shm}/segment", **wrong)
    assert os.listdir(shm) == []


@pytest.mark.parametrize(("what", "value"), [("byteorder", "big"), ("maxsize", (1 << 31) - 1)])
def test_a_processor_that_stores_otherwise_goes_without(
    shm: str, monkeypatch: pytest.MonkeyPatch, what: str, value: object
) -> None:
    with monkeypatch.context() as other:
        other.setattr(sys, what, value)
        with pytest.raises(CrystalError, match="little-endian 64-bit"):
            publishing.segment(f"{shm}/segment")
    assert os.listdir(shm) == []


def test_a_user_cannot_replace_what_root_left(shm: str) -> None:
    os.chmod(shm, 0o1777)
    path = f"{shm}/segment"
    killed(path)
    before = Path(path).read_bytes()
    child = os.fork()
    if not child:
        os._exit(_replace_as_nobody(path))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (Path(path).read_bytes(), os.listdir(shm)) == (before, ["segment"])


def _replace_as_nobody(path: str) -> int:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    try:
        Segment.create(path, columns=1, tunables=1, version="", simulated=False, pool_max=1 << 20, stale_after_s=1.0)
    except NotTrusted as error:
        return int("cannot be replaced (Operation not permitted)" not in str(error))
    return 2
