"""The pool's own cost, beside LMDB and memcpy.

LMDB gets a transaction around each operation, so that a killed process leaves all of it or nothing, as here; no sync to
a disk; and 1000 records beside the one at hand, as here. What it costs in one long transaction, or with its memory
mapped for writing, is told beside.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec

from gamesad.crystal import layout
from gamesad.crystal.pool.pool import Block, Pool
from tests.bench.crystal import folder
from tests.bench.floors import CopyFloor
from tests.bench.harness import Effort, Measurement, Row, each_us, interleave, median
from tests.crystal import publishing

KIB = 1024
COPY = 64 * KIB
APART = COPY + layout.BLOCK_HEAD
PLACES = 512
"""32 MiB, more than stays in a cache beside its copy."""
HOLES, ALLOCATIONS = 2000, 200
RECORDS = 1000


def pool(effort: Effort) -> Iterator[Row]:
    with folder() as shm:
        yield from _copy(effort, shm)
        yield from _holes(effort, shm)
        yield from _beside_lmdb(effort, shm)


def empty(shm: str, name: str) -> Pool:
    """An empty one in a segment of its own, of which the first MiB is there."""
    made = Pool(publishing.segment(f"{shm}/{name}", pool_max=128 << 20))
    made.free(made.allocate(1))
    return made


def _beside_lmdb(effort: Effort, shm: str) -> Iterator[Row]:
    if not find_spec("lmdb"):
        raise RuntimeError("LMDB is not there to compare with; pip install lmdb")
    data = bytes(KIB)
    ours = empty(shm, "beside")
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
        import lmdb  # noqa: PLC0415 - the other rows need none

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
    """As recordings and weights are put away: nothing of them is in a cache. And what remains where all of it is."""
    for places, at_once, what, must, aim in ((PLACES, 8, "", 1.2, 1.05), (1, 1, ", all in the cache", None, None)):
        copies = _Copies(empty(shm, f"copy {places}"), places, at_once)
        rounds = effort.of(20000, 3000) // at_once
        own, theirs = interleave(rounds, copies.into_the_pool, copies.memcpy, warm_up=2 * places // at_once)
        yield Row(f"64 KiB copied in ÷ memcpy{what}", median(own), "µs", median(theirs), must, aim)
        copies.floor.close()


class _Copies:
    """So many pieces to as many places in turn, a few at once."""

    def __init__(self, ours: Pool, places: int, at_once: int) -> None:
        self.ours, self.places, self.at_once = ours, places, at_once
        self.pieces = [bytes([number % 256]) * COPY for number in range(places)]
        self.room = ours.segment.section(layout.POOL)[0] + (64 << 20)
        ours.segment.ensure(self.room + places * APART)
        self.floor = CopyFloor(ours.segment.memory, b"".join(self.pieces), COPY)
        self.held: list[Block] = []
        self.turn = 0

    def into_the_pool(self) -> float:
        """Microseconds of the first write of a block."""
        write = self.ours.write
        if len(self.held) == self.places:
            for block in self.held:
                self.ours.free(block)
            self.held.clear()
        made = [(self.ours.allocate(COPY), self.pieces[len(self.held) + number]) for number in range(self.at_once)]
        started_ns = time.perf_counter_ns()
        for block, data in made:
            write(block, data)
        taken_us = (time.perf_counter_ns() - started_ns) / 1e3 / self.at_once
        self.held += [block for block, _ in made]
        return taken_us

    def memcpy(self) -> float:
        """The same to places that are as far apart, and as aligned, as blocks are."""
        self.turn = (self.turn + self.at_once) % self.places
        to = self.room + layout.BLOCK_HEAD + self.turn * APART
        return self.floor.copy_us(to, self.turn, self.at_once, APART)


def _holes(effort: Effort, shm: str) -> Iterator[Row]:
    full, fresh = empty(shm, "full"), empty(shm, "empty")
    blocks = [full.allocate(64 + 37 * (number % 97)) for number in range(2 * HOLES)]
    for block in blocks[::2]:
        full.free(block)
    sizes = [64 + 41 * (number % 89) for number in range(ALLOCATIONS)]

    def allocating(one: Pool) -> Measurement:
        def measure() -> float:
            started_ns = time.perf_counter_ns()
            made = [one.allocate(size) for size in sizes]
            taken_us = (time.perf_counter_ns() - started_ns) / 1e3 / len(sizes)
            for block in made:
                one.free(block)
            return taken_us

        return measure

    own, floor = interleave(effort.of(1000, 100), allocating(full), allocating(fresh))
    yield Row(f"allocate with {HOLES} holes ÷ in an empty pool", median(own), "µs", median(floor), 2, 1.2)
