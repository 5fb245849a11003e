"""Processes for the tests of torn reads: a writer at full speed, readers that look at every byte.

``python -m tests.crystal.hammer write|read PATH SECONDS VARIANT``. Each prints one JSON object when its time is over.
Version n of a record holds n, and nothing else.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from gamesad.crystal import layout
from gamesad.crystal.errors import NotThere, Torn
from gamesad.crystal.header import Header
from gamesad.crystal.latest import Latest
from gamesad.crystal.reader import attach
from gamesad.crystal.record import Record
from gamesad.crystal.source import File, Mapped, RecordReader, Source
from tests.crystal import publishing

SIZE = 512
SLOT = 576
PLACE = layout.RING_1S
"""The section whose room the small record takes."""


class SequenceFirst(Record):
    """A broken protocol: the sequence is stored before the slot is filled."""

    def write(self, data: bytes) -> None:
        sequence = self._words[self._at] + 1
        self._words[self._at] = sequence
        start = self._slots[sequence & 1]
        layout.SLOT.pack_into(self._memory, start, 0, len(data))
        self._memory[start + layout.SLOT_HEAD : start + layout.SLOT_HEAD + len(data)] = data


class SameSlot(Record):
    """A broken protocol: the slot that readers look at is the one that is written."""

    def write(self, data: bytes) -> None:
        sequence = self._words[self._at] + 1
        for start in self._slots:
            layout.SLOT.pack_into(self._memory, start, 0, len(data))
            self._memory[start + layout.SLOT_HEAD : start + layout.SLOT_HEAD + len(data)] = data
        self._words[self._at] = sequence


RECORDS = {"right": Record, "sequence first": SequenceFirst, "same slot": SameSlot}


def write(path: str, seconds: float, variant: str) -> dict[str, int]:
    """Both records in turn, each version of one value."""
    segment, telemetry = publishing.started(path)
    offset = segment.section(PLACE)[0]
    small = RECORDS[variant](segment, offset, SLOT)
    telemetry._latest.__class__ = RECORDS[variant]
    number, until_s = 0, time.monotonic() + seconds
    while number % 64 or time.monotonic() < until_s:
        number += 1
        small.write(number.to_bytes(8, "little") * (SIZE // 8))
        publishing.tick(telemetry, number)
        if number == 1:
            print("writing", flush=True)
    segment.close()
    return {"written": number}


def read(path: str, seconds: float, variant: str) -> dict[str, int]:
    look = {"record": small, "latest": latest, "crystal": crystal}[variant.partition(" ")[0]](
        path, mapped="mapped" in variant
    )
    found = {"read": 0, "torn": 0, "given up": 0}
    until_s = time.monotonic() + seconds
    while found["read"] % 64 or time.monotonic() < until_s:
        try:
            found["torn"] += not look()
            found["read"] += 1
        except Torn:
            found["given up"] += 1
        except NotThere:
            if time.monotonic() > until_s:
                break
    return found


def small(path: str, *, mapped: bool) -> Callable[[], bool]:
    source, header = opened(path, mapped=mapped)
    offset = header.sections[PLACE][0]
    one = RecordReader(source, offset, SLOT, crc=False)

    def look() -> bool:
        first = source.word(offset)
        data = one.contents()
        number = int.from_bytes(data[:8], "little")
        return first <= number <= source.word(offset) and data == data[:8] * (len(data) // 8)

    return look


def latest(path: str, *, mapped: bool) -> Callable[[], bool]:
    """Without Crystal around it, so that most of the time goes into copying."""
    source, header = opened(path, mapped=mapped)
    at, columns = header.sections[layout.LATEST], header.geometry.columns
    one = RecordReader(source, at[0], (at[1] - layout.RECORD_HEAD) // 2, crc=False)

    def look() -> bool:
        first = source.word(at[0])
        data = one.contents()
        number = int.from_bytes(data[:8], "little")
        return not data or (
            first <= number <= source.word(at[0]) and data[layout.latest_size(columns) :] == publishing.text(number)
        )

    return look


def crystal(path: str, *, mapped: bool) -> Callable[[], bool]:
    view = attach(path, mapped=mapped)

    def look() -> bool:
        return whole(view.latest())

    return look


def whole(tick: Latest) -> bool:
    numbers = {*tick.values.values(), *tick.limits.values(), float(tick.tick)}
    return len(numbers) == 1 and tick.text == {"Number": tick.tick, "Many": str(tick.tick) * 1000}


def opened(path: str, *, mapped: bool) -> tuple[Source, Header]:
    handle = os.open(path, os.O_RDONLY)
    size = os.fstat(handle).st_size
    header = Header(os.pread(handle, layout.HEADER_SIZE, 0), path)
    return (Mapped(mmap.mmap(handle, size, mmap.MAP_SHARED, mmap.PROT_READ)) if mapped else File(handle)), header


if __name__ == "__main__":
    role, where, time_s, kind = sys.argv[1:]
    with suppress(KeyboardInterrupt):
        print(json.dumps({"write": write, "read": read}[role](where, float(time_s), kind)))
