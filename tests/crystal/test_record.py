"""Records: what is read is whole, at full speed, with a broken protocol seen as such, and after a kill."""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import subprocess
import sys
import time
from binascii import crc32
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gamesad.crystal import layout, source
from gamesad.crystal.errors import Damaged, Torn
from gamesad.crystal.reader import attach
from gamesad.crystal.record import Record
from gamesad.crystal.source import Mapped, record
from tests.crystal import hammer, publishing

HAMMER = [sys.executable, "-m", "tests.crystal.hammer"]
READERS = (
    "record mapped",
    "record mapped",
    "record",
    "latest mapped",
    "latest mapped",
    "latest",
    "crystal mapped",
    "crystal",
)


@contextmanager
def writer(path: str, seconds: float, variant: str = "right") -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*HAMMER, "write", path, str(seconds), variant], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            yield process
        finally:
            process.kill()


def hammered(path: str, seconds: float, variant: str, readers: tuple[str, ...] = READERS) -> list[dict[str, int]]:
    """One writer, these readers, each in a process of its own."""
    with writer(path, seconds + 30, variant):
        running = [
            subprocess.Popen([*HAMMER, "read", path, str(seconds), one], stdout=subprocess.PIPE, text=True)
            for one in readers
        ]
        told = [process.communicate()[0] for process in running]
        assert [process.returncode for process in running] == [0] * len(readers)
    return [json.loads(one) for one in told]


@pytest.mark.parametrize("seconds", [3.0, pytest.param(60.0, marks=pytest.mark.full)])
def test_eight_readers_and_a_writer_at_full_speed_see_no_torn_record(shm: str, seconds: float) -> None:
    found = hammered(f"{shm}/segment", seconds, "right")
    print(*zip(READERS, found, strict=True), sep="\n")
    assert sum(one["torn"] for one in found) == 0
    assert all(one["read"] > 100 for one in found), found


@pytest.mark.parametrize("variant", ["sequence first", "same slot"])
def test_a_broken_protocol_is_seen_by_these_very_readers(shm: str, variant: str) -> None:
    torn = 0
    for _ in range(10):
        torn += sum(one["torn"] for one in hammered(f"{shm}/segment", 1.0, variant))
        if torn:
            return
    pytest.fail("the test of torn reads cannot fail")


class Copying:
    """A mapping, with something that happens in the middle of each copy of it."""

    def __init__(self, memory: mmap.mmap, meanwhile: Callable[[], object]) -> None:
        self.memory = memory
        self.meanwhile = meanwhile

    def __getitem__(self, place: slice) -> bytes:
        middle = (place.start + place.stop) // 2
        first = self.memory[place.start : middle]
        self.meanwhile()
        return first + self.memory[middle : place.stop]


def disturbed(memory: mmap.mmap, meanwhile: Callable[[], object]) -> Mapped:
    source = Mapped(memory)
    source.memory = Copying(memory, meanwhile)  # type: ignore[assignment]
    return source


@pytest.mark.parametrize("seconds", [1.0, pytest.param(60.0, marks=pytest.mark.full)])
def test_a_reader_stopped_in_mid_read_gets_a_whole_value_afterwards(shm: str, seconds: float) -> None:
    path = f"{shm}/segment"
    with writer(path, seconds + 30):
        reader = os.fork()
        if not reader:
            os._exit(_read_while_stopped(path))
        _stopped(reader)
        begun_s, before = time.monotonic(), _number(path)
        time.sleep(seconds)  # the minute that the reader sleeps
        assert (_number(path) - before) / (time.monotonic() - begun_s) > 100, "the writer waits for nobody"
        for _ in range(3):  # tries that the writer overtakes; the one after them it does not
            overtaken = _number(path) + 2
            while _number(path) < overtaken:
                time.sleep(0.001)
            os.kill(reader, signal.SIGCONT)
            _stopped(reader)
    os.kill(reader, signal.SIGCONT)
    while (status := os.waitpid(reader, os.WUNTRACED)[1]) and os.WIFSTOPPED(status):
        os.kill(reader, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(status) == 0


def _read_while_stopped(path: str) -> int:
    """0: whole."""
    there, header = hammer.opened(path, mapped=True)
    assert isinstance(there.memory, mmap.mmap)
    stopping = disturbed(there.memory, lambda: os.kill(os.getpid(), signal.SIGSTOP))
    try:
        data = record(stopping, header.sections[hammer.PLACE][0], hammer.SLOT, crc=False)
    except Torn:
        return 2
    return int(len(data) != hammer.SIZE or data != data[:8] * (len(data) // 8))


def _stopped(child: int) -> None:
    assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])


def _number(path: str) -> int:
    with attach(path) as crystal:
        return crystal.latest().tick


def test_a_writer_that_never_lets_go_is_torn_after_a_bounded_number_of_tries(
    shm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = publishing.segment(f"{shm}/segment")
    one = Record(made, made.section(layout.LATEST)[0], 576)
    overtaken = disturbed(made.memory, lambda: one.write(b"new"))
    with pytest.raises(Torn, match="try again"):
        record(overtaken, made.section(layout.LATEST)[0], 576, crc=False)
    assert one.sequence == 1 + source.RETRIES
    made.close()


def test_a_kill_at_any_moment_leaves_the_last_version_or_the_one_in_flight(shm: str) -> None:
    path, seed = f"{shm}/segment", random.randrange(1 << 32)
    print("seed", seed)
    moments = random.Random(seed)
    for _ in range(20):
        with writer(path, 30.0) as process:
            time.sleep(moments.uniform(0.0, 0.02))
            process.send_signal(signal.SIGKILL)
            process.wait()
        with attach(path) as crystal:
            before = crystal.latest()
            assert hammer.whole(before)
            assert before.tick > 0
        there, header = hammer.opened(path, mapped=False)
        data = record(there, header.sections[hammer.PLACE][0], hammer.SLOT, crc=False)
        assert data == data[:8] * 64
        assert int.from_bytes(data[:8], "little") - before.tick in (0, 1), "the one is written before the other"
        os.unlink(path)


def test_where_processors_reorder_stores_a_slot_counts_by_its_crc_too(
    shm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    made, telemetry = publishing.started(f"{shm}/segment")
    assert made.flags & layout.FLAG_CRC
    publishing.tick(telemetry, 1)
    number = telemetry.decision(1.0, "throttle", "rule", b"s\tReason\thot\n")
    offset, length = made.section(layout.LATEST)
    slot = (length - layout.RECORD_HEAD) // 2
    data = record(Mapped(made.memory), offset, slot, crc=True)
    start = offset + layout.RECORD_HEAD + slot  # slot 1, of the first version
    assert layout.SLOT.unpack_from(made.memory, start) == (crc32(data), len(data))
    with attach(made.path) as crystal:
        assert hammer.whole(crystal.latest())
        assert [one.number for one in crystal.decisions()] == [number]
        made.memory[start + layout.SLOT_HEAD + 8] ^= 1  # a store that is not seen yet
        monkeypatch.setattr(source, "RETRIES", 10)
        with pytest.raises(Torn):
            crystal.latest()
        row = made.section(layout.DECISIONS)[0] + layout.RING_HEAD
        made.memory[row + layout.DECISION_HEAD.size + 10] ^= 1
        assert crystal.decisions() == []
    made.close()


def test_a_record_takes_no_more_than_it_has_room_for_and_believes_no_length(shm: str) -> None:
    made = publishing.segment(f"{shm}/segment")
    offset = made.section(layout.LATEST)[0]
    one = Record(made, offset, 576)
    one.write(b"a" * one.capacity)
    with pytest.raises(ValueError, match="561 bytes for a record of 560"):
        one.write(b"a" * (one.capacity + 1))
    assert (one.data, one.sequence) == (b"a" * 560, 1)
    layout.SLOT.pack_into(made.memory, offset + layout.RECORD_HEAD + 576, 0, 561)
    with pytest.raises(Damaged, match="longer than its place"):
        record(Mapped(made.memory), offset, 576, crc=False)
    made.close()
