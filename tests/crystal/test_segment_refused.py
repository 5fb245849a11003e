"""What stands in the way of a segment: planted files, damage, strangers, no room. One clear line, nothing is lost."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalError, CrystalFull, NotTrusted
from gamesad.crystal.reader import attach
from gamesad.crystal.segment import Segment
from tests.crystal import publishing
from tests.crystal.publishing import killed

NOBODY = 65534


def state(path: str) -> int:
    return int.from_bytes(Path(path).read_bytes()[layout.STATE_AT :][:4], "little")


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
