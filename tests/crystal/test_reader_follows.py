"""A client follows a daemon that lives, dies, restarts and moves its segment."""

from __future__ import annotations

import errno
import mmap
import os
import threading
import time

import pytest

from gamesad.crystal import attachment, layout
from gamesad.crystal.directory import Column
from gamesad.crystal.errors import NotThere
from gamesad.crystal.reader import Crystal, attach
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from tests.crystal import publishing

# ---- following


def test_each_tick_is_given_once_and_the_end_is_after_the_timeout(
    crystal: Crystal, daemon: tuple[Segment, Telemetry]
) -> None:
    ticks = crystal.follow(timeout_s=0.3)
    other = crystal.follow(timeout_s=0.3)
    for number in (1, 2, 5):
        publishing.tick(daemon[1], number)
        assert next(ticks).tick == number
        assert next(other).tick == number, "two who follow take nothing from each other"
    begun_s = time.monotonic()
    assert next(ticks, None) is None
    assert 0.3 <= time.monotonic() - begun_s < 5.0


def test_who_follows_sees_ticks_as_they_come_and_goes_on_over_a_restart_and_a_move(shm: str, mapped: bool) -> None:
    path = f"{shm}/segment"
    segment, telemetry = publishing.started(path)
    publishing.tick(telemetry, 1)
    seen: list[tuple[int, int]] = []
    arrived = threading.Condition()

    def watch(crystal: Crystal) -> None:
        for tick in crystal.follow(timeout_s=5.0):
            with arrived:
                seen.append((crystal.generation, tick.tick))
                arrived.notify()
            if tick.tick == 100:
                return

    def wait(*expected: tuple[int, int]) -> None:
        with arrived:
            assert arrived.wait_for(lambda: len(seen) >= len(expected), 5.0), seen
            assert seen == list(expected)

    with attach(path, mapped=mapped) as crystal:
        thread = threading.Thread(target=watch, args=(crystal,))
        thread.start()
        wait((1, 1))
        publishing.tick(telemetry, 2)
        wait((1, 1), (1, 2))
        fresh = segment.replace()  # moved: the tick that is in both is not given twice
        fresh.publish()
        segment.close(unlink=False)
        telemetry = Telemetry(fresh)
        time.sleep(0.2)
        publishing.tick(telemetry, 3)
        wait((1, 1), (1, 2), (2, 3))
        fresh.close()  # stopped, for a while
        time.sleep(0.2)
        segment, telemetry = publishing.started(path)  # and another daemon, whose first tick has the same number
        publishing.tick(telemetry, 3)
        wait((1, 1), (1, 2), (2, 3), (1, 3))
        publishing.tick(telemetry, 100)
        thread.join()
    segment.close()


def test_who_follows_before_there_is_a_tick_waits_for_it(daemon: tuple[Segment, Telemetry], crystal: Crystal) -> None:
    timer = threading.Timer(0.2, publishing.tick, (daemon[1], 9))
    timer.start()
    assert next(crystal.follow(timeout_s=5.0)).tick == 9
    timer.join()


# ---- dead, restarted, moved


def test_a_daemon_that_says_nothing_is_stale_since_then_and_well_again_when_it_speaks(shm: str, mapped: bool) -> None:
    segment, telemetry = publishing.started(f"{shm}/segment", stale_after_s=0.2)
    with attach(segment.path, mapped=mapped) as crystal:
        publishing.tick(telemetry, 1)
        segment.beat()
        last_s = time.time()
        assert crystal.stale_since_s is None
        time.sleep(0.3)
        assert crystal.stale_since_s == pytest.approx(last_s, abs=0.05)
        assert crystal.latest().tick == 1, "what it said last is still there"
        segment.beat()
        assert crystal.stale_since_s is None
    segment.close()


def test_a_heartbeat_of_another_boot_is_stale(crystal: Crystal, daemon: tuple[Segment, Telemetry]) -> None:
    daemon[0].words[layout.HEARTBEAT_AT // 8] = time.monotonic_ns() + 10**12
    assert crystal.stale_since_s is not None


def test_a_file_that_took_the_place_of_a_dead_one_is_found_without_a_mark(shm: str, mapped: bool) -> None:
    """The daemon can be killed after the rename and before it marks the old one."""
    path = f"{shm}/segment"
    old, telemetry = publishing.started(f"{shm}/segment", stale_after_s=0.01)
    publishing.tick(telemetry, 1)
    with attach(path, mapped=mapped) as crystal:
        assert crystal.latest().tick == 1
        os.unlink(path)
        new, telemetry = publishing.started(path)
        publishing.tick(telemetry, 2)
        time.sleep(0.05)
        assert (crystal.latest().tick, crystal.stale_since_s) == (2, None)
    old.close()
    new.close()


def test_one_that_was_closed_and_left_there_is_nobodys(crystal: Crystal, daemon: tuple[Segment, Telemetry]) -> None:
    """A daemon that could not save its history leaves it to the next one."""
    publishing.tick(daemon[1], 1)
    daemon[0].memory[layout.STATE_AT] = layout.CLOSED
    with pytest.raises(NotThere, match="gamesad was stopped"):
        crystal.latest()
    assert crystal.stale_since_s is not None
    assert next(crystal.follow(timeout_s=0.1), None) is None


def test_a_closed_reader_is_closed_and_an_opened_one_leaves_no_handle(daemon: tuple[Segment, Telemetry]) -> None:
    publishing.tick(daemon[1], 1)
    before = os.listdir("/proc/self/fd")
    for mapped in (False, True):
        with attach(daemon[0].path, mapped=mapped) as crystal:
            crystal.latest()
    assert os.listdir("/proc/self/fd") == before


def test_the_sensors_of_another_daemon_are_named_by_its_own_directory(shm: str, mapped: bool) -> None:
    segment, telemetry = publishing.started(f"{shm}/segment")
    publishing.tick(telemetry, 1)
    with attach(segment.path, mapped=mapped) as crystal:
        crystal.latest()
        segment.close()
        segment = publishing.segment(segment.path)
        telemetry = Telemetry(segment)
        telemetry.directory([Column("another.sensor")], [])
        publishing.tick(telemetry, 1)
        assert crystal.latest().values == {"another.sensor": 1.0}
    segment.close()


def test_a_new_segment_that_cannot_be_mapped_is_tried_again(shm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> mmap.mmap:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    path = f"{shm}/segment"
    old, telemetry = publishing.started(path)
    publishing.tick(telemetry, 1)
    with attach(path, mapped=True) as crystal:
        fresh = old.replace()
        fresh.publish()
        old.close(unlink=False)
        with monkeypatch.context() as broken:
            broken.setattr(attachment, "_map", refused)
            for _ in range(2):
                with pytest.raises(OSError, match="Cannot allocate"):
                    crystal.latest()
        assert crystal.latest().tick == 1
    fresh.close()
