"""The segment's own cost: a record under the sequence lock, the start, and torn reads, of which there are none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gamesad.crystal import layout
from gamesad.crystal.history.history import History
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.record import Record
from gamesad.crystal.segment import Segment
from gamesad.crystal.source import Mapped, RecordReader
from gamesad.crystal.telemetry import Telemetry
from tests.bench.harness import Effort, Row, each_us, interleave, median, quantile
from tests.crystal import publishing

ROOT = Path(__file__).parents[2]
RECORD = 512
READERS = ("record mapped", "record", "latest mapped", "latest", "crystal mapped", "crystal", "record mapped", "record")


def segment(effort: Effort) -> Iterator[Row]:
    with folder() as shm:
        yield from _record(effort, shm)
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
    seconds, readers = effort.of(60, 3), READERS
    # Nine that never wait need time slices, which real-time processes have none of.
    command = ["chrt", "--other", "0", sys.executable, "-m", "tests.crystal.hammer"]
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
