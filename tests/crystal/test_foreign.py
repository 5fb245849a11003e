"""Other users: each reads the same live data, and whatever they do to the file the daemon does not notice."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.history.history import History
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.reader import attach
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from tests.crystal import hammer, publishing

USERS = (65534, 51002)


@pytest.fixture
def daemon(shm: str) -> Iterator[tuple[Segment, Telemetry]]:
    os.chmod(shm, 0o1777)  # as /dev/shm
    segment, telemetry = publishing.started(f"{shm}/segment")
    publishing.tick(telemetry, 1)
    yield segment, telemetry
    segment.close()


@contextmanager
def stranger(uid: int, act: Callable[[], object]) -> Iterator[None]:
    """A process of that user has done ``act``, and keeps what it opened until the end of the block."""
    ready, told = os.pipe()
    kept, go = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(go)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            held = act()
            os.write(told, b"done")
            os.read(kept, 1)
            code = 0 if held is not None else 3
        finally:
            os._exit(code)
    os.close(told)
    os.close(kept)
    try:
        assert os.read(ready, 4) == b"done", "the stranger failed"
        yield
    finally:
        os.close(go)
        os.close(ready)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def watch(path: str, out: int) -> object:
    """Writes the number of each tick to ``out``, until number 20."""
    with attach(path) as crystal:
        for tick in crystal.follow(timeout_s=5.0):
            assert hammer.whole(tick)
            os.write(out, b"%d " % tick.tick)
            if tick.tick == 20:
                return tick
    return None


def test_processes_of_different_users_read_the_same_live_data(daemon: tuple[Segment, Telemetry]) -> None:
    segment, telemetry = daemon
    (one, into_one), (other, into_other) = os.pipe(), os.pipe()
    daemons = os.fork()
    if not daemons:
        tick_until_20(telemetry)
        os._exit(0)
    with (
        stranger(USERS[0], lambda: watch(segment.path, into_one)),
        stranger(USERS[1], lambda: watch(segment.path, into_other)),
    ):
        os.waitpid(daemons, 0)
    for seen in (one, other):
        numbers = [int(number) for number in os.read(seen, 1000).split()]
        assert numbers == sorted(set(numbers)), "each once, in order"
        assert numbers[-1] == 20
        os.close(seen)
    os.close(into_one)
    os.close(into_other)


def tick_until_20(telemetry: Telemetry) -> None:
    for number in range(2, 21):
        publishing.tick(telemetry, number)
        time.sleep(0.06)


def hold_everything(path: str) -> object:
    """Opens, maps, locks and reads each byte, in every way that costs a file system memory elsewhere."""
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    shared = mmap.mmap(handle, 0, mmap.MAP_SHARED, mmap.PROT_READ)
    shared.madvise(mmap.MADV_WILLNEED)
    whole = bytes(shared) + os.pread(handle, 1 << 30, 0)
    views = [attach(path, mapped=mapped) for mapped in (False, True)]
    for view in views:
        view.latest()
        view.blocks()
        view.history(publishing.NAMES[0])
    return handle, shared, whole, views


def test_a_user_who_opens_maps_locks_and_reads_everything_has_no_effect(daemon: tuple[Segment, Telemetry]) -> None:
    segment, telemetry = daemon
    history = History(segment)
    history.grow()
    Pool(segment).allocate(3 << 20)  # never written: allocated, and not touched by anybody
    before = os.stat(segment.path)
    undisturbed_s = work(segment, telemetry, history)
    with stranger(USERS[0], lambda: hold_everything(segment.path)):
        after = os.stat(segment.path)
        assert (after.st_blocks, after.st_size) == (before.st_blocks, before.st_size), "not a byte more memory"
        locked_s = work(segment, telemetry, history)
        assert locked_s < 20 * undisturbed_s + 1.0, "nothing waits for a lock"
        segment.ensure(segment.length + 1)
        moved = segment.replace()
        moved.publish()
        with attach(segment.path) as crystal:
            assert crystal.latest().tick == 200
        moved.close()
        assert not os.path.exists(segment.path)


def work(segment: Segment, telemetry: Telemetry, history: History) -> float:
    """What a daemon does in 200 ticks; how long it took."""
    begun_s = time.monotonic()
    for number in range(1, 201):
        publishing.tick(telemetry, number)
        telemetry.decision(1.0, "noop", "rule", b"")
        history.push(number * 1_000_000, [1.0] * publishing.COLUMNS)
        segment.beat()
    return time.monotonic() - begun_s


def refused_everything(path: str) -> object:
    """Every way to change it is refused by the kernel."""
    handle = os.open(path, os.O_RDONLY)
    attempts: list[Callable[[], object]] = [
        lambda: os.open(path, os.O_RDWR),
        lambda: os.open(path, os.O_WRONLY | os.O_TRUNC),
        lambda: os.open(f"/proc/self/fd/{handle}", os.O_RDWR),
        lambda: os.truncate(path, 0),
        lambda: mmap.mmap(handle, 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE),
        lambda: os.posix_fallocate(handle, 0, 1 << 30),
        lambda: os.unlink(path),
        lambda: os.rename(path, f"{path}.mine"),
        lambda: os.chmod(path, 0o666),
        lambda: os.chown(path, os.getuid(), os.getgid()),
        lambda: os.utime(path),
        lambda: fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK),
    ]
    for attempt in attempts:
        try:
            attempt()
        except OSError as error:
            assert error.errno in (errno.EACCES, errno.EPERM, errno.EBADF), error
        else:
            raise AssertionError(attempt)
    return handle


def test_a_user_can_change_nothing_of_it(daemon: tuple[Segment, Telemetry]) -> None:
    before = Path(daemon[0].path).read_bytes()
    with stranger(USERS[1], lambda: refused_everything(daemon[0].path)):
        assert Path(daemon[0].path).read_bytes() == before


def test_a_users_own_segment_is_that_users_only(shm: str) -> None:
    os.chmod(shm, 0o1777)
    path = f"{shm}/own"

    def publish() -> object:
        segment, telemetry = publishing.started(path)
        publishing.tick(telemetry, 1)
        with attach(path) as crystal:
            assert crystal.latest().tick == 1
        return segment

    with stranger(USERS[0], publish):
        assert os.stat(path).st_uid == USERS[0]

        def read_anothers() -> object:
            try:
                attach(path)
            except Exception as error:  # noqa: BLE001 - its text is looked at
                assert "belongs to user 65534, not to root" in str(error)
                return error
            return None

        with stranger(USERS[1], read_anothers):
            pass


def test_what_is_there_is_not_the_daemons_memory(daemon: tuple[Segment, Telemetry]) -> None:
    """No page of the segment is anything but what was written to it: fresh ones are zero."""
    daemon[0].ensure(daemon[0].section(layout.POOL)[0] + (1 << 20))
    data = Path(daemon[0].path).read_bytes()
    begin = daemon[0].section(layout.POOL)[0]
    assert not any(data[begin:])
