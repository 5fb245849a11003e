"""Crystal Core's own cost: a record under the sequence lock, the pool beside LMDB and memcpy, the segment's start.

LMDB gets a transaction around each operation, so that a killed process leaves all of it or nothing, as here; no sync to
a disk; and 1000 records beside the one at hand, as here. What it costs in one long transaction, or with its memory
mapped for writing, is told beside.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import lmdb

from gamesad.crystal import layout
from gamesad.crystal.history import History
from gamesad.crystal.pool import Block, Pool
from gamesad.crystal.record import Record
from gamesad.crystal.segment import Segment
from gamesad.crystal.source import Mapped, RecordReader
from gamesad.crystal.telemetry import Telemetry
from tests.bench.floors import CopyFloor
from tests.bench.harness import Effort, Measurement, Row, interleave, median, quantile
from tests.crystal import publishing

ROOT = Path(__file__).parents[2]
TIMES = 200
"""Operations in one measurement: a clock costs as much as one of them."""
RECORD = 512
KIB = 1024
COPY = 64 * KIB
HOLES = 2000
PLACES = 512
"""32 MiB, more than stays in a cache beside its copy."""
RECORDS = 1000
READERS = ("record mapped", "record", "latest mapped", "latest", "crystal mapped", "crystal") * 2


def crystal(effort: Effort) -> Iterator[Row]:
    with folder() as shm:
        yield from _record(effort, shm)
        yield from _beside_lmdb(effort, shm)
        yield from _copy(effort, shm)
        yield from _holes(effort, shm)
        yield from _start(effort, shm)
        yield _torn(effort, shm)


@contextmanager
def folder() -> Iterator[str]:
    """In shared memory."""
    made = tempfile.mkdtemp(prefix="gamesad-bench-", dir="/dev/shm")
    try:
        yield made
    finally:
        shutil.rmtree(made)


def pool(shm: str, name: str) -> Pool:
    """An empty one in a segment of its own, of which the first MiB is there."""
    made = Pool(publishing.segment(f"{shm}/{name}", pool_max=128 << 20))
    made.free(made.allocate(1))
    return made


def each_us(work: Callable[[], object], times: int = TIMES) -> Measurement:
    """Microseconds of one of so many calls in a row."""

    def measure() -> float:
        turns = range(times)
        started_ns = time.perf_counter_ns()
        for _ in turns:
            work()
        return (time.perf_counter_ns() - started_ns) / 1e3 / times

    return measure


def _record(effort: Effort, shm: str) -> Iterator[Row]:
    made = publishing.segment(f"{shm}/record")
    offset, slot = made.section(layout.LATEST)[0], layout.SLOT_HEAD + RECORD
    one, memory = Record(made, offset, slot), made.memory
    reader = RecordReader(Mapped(memory), offset, slot, crc=False)
    data = bytes(range(256)) * 2
    one.write(data)
    if reader.contents() != data:
        raise RuntimeError("the record does not hold what was written")
    begin = offset + layout.RECORD_HEAD
    place = slice(begin, begin + slot)

    view = memoryview(memory)[place]

    def plain_copy() -> bytes:
        return bytes(view)

    def slice_of_the_mapping() -> bytes:
        return memory[place]

    def plain_store() -> None:
        memory[place.start : place.start + RECORD] = data

    def write_and_read() -> None:
        one.write(data)
        reader.slot()

    reads, copies, slices, writes, stores, both = interleave(
        effort.of(2000, 200), each_us(reader.slot), each_us(plain_copy), each_us(slice_of_the_mapping),
        each_us(lambda: one.write(data)), each_us(plain_store), each_us(write_and_read),
    )  # fmt: skip
    changed_us = median(both) - median(writes)
    note = f"{median(slices):.3f} µs for a slice of the mapping; {changed_us:.2f} µs where it changed"
    yield Row("512 B record, read ÷ plain bytes copy", median(reads), "µs", median(copies), 1.5, 1.2, note)
    yield Row("  written ÷ plain store", median(writes), "µs", median(stores))


def _beside_lmdb(effort: Effort, shm: str) -> Iterator[Row]:
    data = bytes(KIB)
    ours = pool(shm, "beside")
    blocks = [ours.allocate(KIB) for _ in range(RECORDS)]
    for block in blocks:
        ours.write(block, data)

    def life() -> None:
        block = ours.allocate(KIB)
        ours.write(block, data)
        ours.read(block)
        ours.free(block)

    rounds = effort.of(300, 40)
    peers = {name: _Peer(f"{shm}/{name}", data, writemap=name == "writemap") for name in ("default", "writemap")}
    default, mapped = peers["default"], peers["writemap"]
    measured = interleave(
        rounds, each_us(life), each_us(default.put_and_delete), each_us(mapped.put_and_delete), default.in_one_us
    )
    own, put, put_mapped, put_in_one = (median(values) for values in measured)
    note = f"LMDB mapped for writing {put_mapped:.2f} µs, all in one transaction {put_in_one:.2f} µs"
    yield Row("1 KiB allocate + write + read + free ÷ LMDB put + delete", own, "µs", put, 1 / 1.5, 1 / 2, note)
    block = blocks[RECORDS // 2]
    views, gets, gets_in_one = interleave(
        rounds, each_us(lambda: ours.read(block)), each_us(default.get), default.gets_in_one_us
    )
    note = f"LMDB in one transaction {median(gets_in_one):.2f} µs"
    yield Row("view of a block ÷ LMDB zero-copy get", median(views), "µs", median(gets), 1 / 3, 1 / 3.5, note)
    for peer in peers.values():
        peer.environment.close()


class _Peer:
    """LMDB with RECORDS of ``data``; operations on one more."""

    def __init__(self, path: str, data: bytes, *, writemap: bool) -> None:
        self.environment = lmdb.open(path, map_size=64 << 20, sync=False, writemap=writemap, map_async=writemap)
        self.data = data
        self.here, self.fresh = b"%08d" % RECORDS, b"%08d" % (RECORDS + 1)
        with self.environment.begin(write=True) as transaction:
            for number in range(0, 2 * RECORDS, 2):
                transaction.put(b"%08d" % number, data)

    def put_and_delete(self) -> None:
        with self.environment.begin(write=True) as transaction:
            transaction.put(self.fresh, self.data)
        with self.environment.begin(write=True) as transaction:
            transaction.delete(self.fresh)

    def get(self) -> None:
        with self.environment.begin(buffers=True) as transaction:
            transaction.get(self.here)

    def in_one_us(self) -> float:
        with self.environment.begin(write=True) as transaction:

            def both() -> None:
                transaction.put(self.fresh, self.data)
                transaction.delete(self.fresh)

            return each_us(both)()

    def gets_in_one_us(self) -> float:
        with self.environment.begin(buffers=True) as transaction:
            return each_us(lambda: transaction.get(self.here))()


def _copy(effort: Effort, shm: str) -> Iterator[Row]:
    """Into places one after the other, as new blocks come, and again and again into one that stays in the cache."""
    data = bytes(range(256)) * (COPY // 256)
    for places, what, must, aim in ((PLACES, "", 1.2, 1.05), (1, ", the same place each time", None, None)):
        ours = pool(shm, f"copy {places}")
        room = ours.segment.section(layout.POOL)[0] + (64 << 20)
        ours.segment.ensure(room + places * COPY)
        floor = CopyFloor(ours.segment.memory, data)
        held: list[Block] = []
        turns = cycle(range(room, room + places * COPY, COPY))

        def copy_in(ours: Pool = ours, held: list[Block] = held, places: int = places) -> float:
            if len(held) == places:
                for block in held:
                    ours.free(block)
                held.clear()
            held.append(block := ours.allocate(COPY))
            started_ns = time.perf_counter_ns()
            ours.write(block, data)
            return (time.perf_counter_ns() - started_ns) / 1e3

        def memcpy(floor: CopyFloor = floor, turns: Iterator[int] = turns) -> float:
            return floor.copy_us(next(turns))

        own, theirs = interleave(effort.of(20000, 2000), copy_in, memcpy, warm_up=2 * places)
        yield Row(f"64 KiB copied in ÷ memcpy{what}", median(own), "µs", median(theirs), must, aim)
        floor.close()


def _holes(effort: Effort, shm: str) -> Iterator[Row]:
    full, empty = pool(shm, "full"), pool(shm, "empty")
    blocks = [full.allocate(64 + 37 * (number % 97)) for number in range(2 * HOLES)]
    for block in blocks[::2]:
        full.free(block)
    sizes = [64 + 41 * (number % 89) for number in range(TIMES)]

    def allocating(one: Pool) -> Measurement:
        def measure() -> float:
            started_ns = time.perf_counter_ns()
            made = [one.allocate(size) for size in sizes]
            taken_us = (time.perf_counter_ns() - started_ns) / 1e3 / len(sizes)
            for block in made:
                one.free(block)
            return taken_us

        return measure

    own, floor = interleave(effort.of(1000, 100), allocating(full), allocating(empty))
    yield Row(f"allocate with {HOLES} holes ÷ in an empty pool", median(own), "µs", median(floor), 2, 1.2)


def _start(effort: Effort, shm: str) -> Iterator[Row]:
    """A machine of 100 sensors: until readers see a segment, and until the slow rings are there too."""
    published: list[float] = []
    whole: list[float] = []
    for _ in range(effort.of(50, 10)):
        started_s = time.perf_counter()
        made = Segment.create(
            f"{shm}/start", columns=100, tunables=20, version="0", simulated=True, pool_max=256 << 20, stale_after_s=5.0
        )
        telemetry, history = Telemetry(made), History(made)
        telemetry.directory(*publishing.directory())
        Pool(made)
        published.append((time.perf_counter() - started_s) * 1e3)
        history.grow()
        whole.append((time.perf_counter() - started_s) * 1e3)
        made.close()
    note = f"p99 {quantile(published, 0.99):.1f} ms; slow rings too {median(whole):.1f} ms"
    yield Row("start: a segment for 100 sensors", median(published), "ms", must=5, note=note)


def _torn(effort: Effort, shm: str) -> Row:
    """One writer, eight readers, each a process of its own; every byte is looked at."""
    seconds, readers = effort.of(60, 3), READERS[:8]
    command = [sys.executable, "-m", "tests.crystal.hammer"]
    path = f"{shm}/torn"
    with subprocess.Popen(
        [*command, "write", path, str(seconds + 60), "right"], stdout=subprocess.PIPE, cwd=ROOT
    ) as writer:
        try:
            if writer.stdout is None or writer.stdout.readline() != b"writing\n":
                raise RuntimeError("the writer did not begin")
            running = [
                subprocess.Popen([*command, "read", path, str(seconds), one], stdout=subprocess.PIPE, cwd=ROOT)
                for one in readers
            ]
            told = [json.loads(process.communicate()[0]) for process in running]
        finally:
            writer.kill()
    reads, given_up = (sum(one[name] for one in told) for name in ("read", "given up"))
    note = f"{reads} reads, {given_up} given up after a bounded number of tries"
    return Row(f"torn reads, 1 writer, 8 readers, {seconds} s", sum(one["torn"] for one in told), "", must=0, note=note)
