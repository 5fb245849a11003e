"""A plain model of the pool, memory to put a pool in, and what must hold of every pool at any time."""

from __future__ import annotations

import mmap
import random
from collections import Counter

from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.layout import BLOCK, FREE, FROZEN, POOL_HEAD, USED
from gamesad.crystal.pool.block import Block
from gamesad.crystal.pool.chain import STEP, OutOfSpace
from gamesad.crystal.pool.frozen import inflated
from gamesad.crystal.pool.pool import NoSuchBlock, OutOfBounds, Pool
from gamesad.crystal.pool.recovery import whole_blocks

START = 8192
"""Of the pool in its memory, as if other sections lay before it."""
MOST_BLOCKS = 60


class Memory:
    """As a Segment is for the pool: grown before use, up to ``room`` bytes of pool if that is less than ``limit``."""

    def __init__(self, limit: int = 2 * STEP, room: int | None = None) -> None:
        self.memory = mmap.mmap(-1, START + limit)
        self.limit, self.room = limit, limit if room is None else room
        self.length = 0

    def section(self, place: int) -> tuple[int, int]:
        assert place == layout.POOL
        return START, self.limit

    def ensure(self, length: int) -> None:
        if length > START + self.room:
            raise CrystalFull(f"no {length} bytes")
        self.length = max(self.length, length)

    @property
    def pool(self) -> memoryview:
        """What a successor would find."""
        return memoryview(self.memory)[START : max(self.length, START)]


def chain(memory: Memory) -> list[tuple[int, int, int]]:
    """Offset, units and state of each run from the pool's start to its end; they must fit together."""
    words = memory.pool.cast("Q")
    runs, at, end = [], POOL_HEAD, words[layout.POOL_END_AT >> 3] if words else POOL_HEAD
    while at < end:
        word = words[at >> 3]
        assert word >> 48 == layout.BLOCK_MAGIC, f"no header at {at}"
        runs.append((at, word >> 8 & (1 << 40) - 1, word & 0xFF))
        at += runs[-1][1] << 6
    assert at == end, f"the last block reaches to {at}, the pool to {end}"
    return runs


def check(pool: Pool, memory: Memory, contents: dict[int, bytes]) -> None:
    """Chain, free space, headers and statistics agree with each other and with ``contents`` (by id)."""
    blocks = {block.offset: block for block in pool.blocks()}
    assert {block.id: block.size for block in blocks.values()} == {i: len(data) for i, data in contents.items()}
    free: dict[int, int] = {}
    joined = True
    for at, units, state in chain(memory):
        block = blocks.pop(at, None)
        assert state == (USED if block and block.generation else FREE), f"state {state} of {block} at {at}"
        if block:
            assert units == block.units == -(-block.stored // 64) + 1
            if block.generation:
                check_header(block, memory)
            joined = True
        else:
            assert joined, f"two free runs touch at {at}"
            free[at >> 6], joined = units, False
    assert not blocks, f"not in the chain: {blocks}"
    assert pool._chain.settle().runs() == free
    assert sum(free.values()) << 6 == pool.statistics()["free"]
    assert max(free.values(), default=0) << 6 == pool.statistics()["largest_free"]
    check_statistics(pool.statistics())
    beyond = memory.memory[max(memory.length, START) :]
    assert beyond == bytes(len(beyond)), "touched before it was allocated"


def check_header(block: Block, memory: Memory) -> None:
    found = BLOCK.unpack_from(memory.pool, block.offset)
    assert found[1:6] == (block.id, block.stored, 2 * block.generation, block.tier, int(block.sealed))
    assert (found[8], found[9], found[11]) == (block.heat, block.modified_s, block.generation & 0xFFFFFFFF)
    assert found[10].rstrip(b"\0") == block.owner_bytes


def check_statistics(found: dict[str, int]) -> None:
    assert tuple(found) == layout.STATISTICS
    assert found["used"] == sum(found[f"{tier}_bytes"] for tier in layout.TIERS)
    assert found["used"] + found["free"] + (POOL_HEAD if found["size"] else 0) == found["size"]
    alive = sum(found[f"{tier}_blocks"] for tier in layout.TIERS)
    assert found["allocations"] + found["recovered"] - found["frees"] == alive


def survivors(memory: Memory) -> dict[int, bytes]:
    """By id, what a successor finds whole, inflated."""
    found = whole_blocks(memory.pool)
    assert not found.discarded, f"{found.discarded} blocks are not whole"
    return {
        kept.id: inflated(kept.data, kept.size) if kept.tier == FROZEN else bytes(kept.data) for kept in found.blocks
    }


class Run:
    """Random operations on a pool and on the model; after each they must agree. ``counts``: what was done."""

    def __init__(self, seed: int, room: int = STEP, *, checked: bool = True) -> None:
        self.random = random.Random(seed)
        self.checked = checked
        self.memory = Memory(room=room)
        self.pool = Pool(self.memory)
        self.contents: dict[int, bytes] = {}
        self.written: set[int] = set()
        self.last_id = 0
        self.counts: Counter[str] = Counter()

    def steps(self, number: int) -> None:
        actions = [self.allocate] * 9 + [self.write] * 8 + [self.read] * 3 + [self.free] * 4
        actions += [self.freeze] * 2 + [self.thaw, self.seal, self.retier, self.misuse, self.recover, self.move]
        for _ in range(number):
            action = self.random.choice(actions)
            self.counts[action.__name__] += 1
            try:
                action()
            except CrystalFull:
                self.counts["out of space"] += 1
            if self.checked:
                check(self.pool, self.memory, self.contents)

    @property
    def kept(self) -> dict[int, bytes]:
        """By id, what a successor must find if the writer dies now."""
        return {identity: self.contents[identity] for identity in self.written}

    def some(self) -> Block | None:
        return self.random.choice(self.pool.blocks()) if self.contents else None

    def size(self) -> int:
        largest = self.random.choice([64, 200, 4000, 5000, 20_000, 300_000])
        return self.random.randint(1, largest)

    def data(self, size: int) -> bytes:
        """Half of them such that freezing makes them smaller."""
        return self.random.randbytes(size) if self.random.random() < 0.5 else self.random.randbytes(1) * size

    def allocate(self) -> None:
        if len(self.contents) < MOST_BLOCKS:
            size, tier = self.size(), self.random.randrange(FROZEN)
            block = self.pool.allocate(size, tier, self.random.choice(["", "flight", "zwölf Bytes"]))
            assert (block.size, block.tier, block.address) == (size, tier, layout.BASE + block.offset)
            assert block.id > self.last_id
            self.last_id = block.id
            self.contents[block.id] = bytes(size)

    def write(self) -> None:
        if not (block := self.some()):
            return
        old = self.contents[block.id]
        if self.random.random() < 0.5:
            new = self.data(block.size)
            self.pool.write(block, memoryview(new) if self.random.random() < 0.5 else new)
        else:
            offset = self.random.randint(0, block.size)
            part = self.data(self.random.randint(0, block.size - offset))
            self.pool.write(block, part, offset)
            new = old[:offset] + part + old[offset + len(part) :]
        self.contents[block.id] = new
        self.written.add(block.id)

    def read(self) -> None:
        if block := self.some():
            view = self.pool.read(block)
            assert view.readonly
            assert view == self.contents[block.id]
            assert self.pool.by_id(block.id) is block
            self.written.add(block.id)

    def free(self) -> None:
        if block := self.some():
            view = self.pool.read(block) if self.random.random() < 0.3 else None
            self.pool.free(block)
            self.written.discard(block.id)
            del self.contents[block.id]
            assert view is None or _released(view), "a view outlives its block"

    def freeze(self) -> None:
        if block := self.some():
            units = block.units
            frozen = self.pool.freeze(block)
            assert block.units < units if frozen else block.units == units

    def thaw(self) -> None:
        if block := self.some():
            self.pool.thaw(block)
            assert block.tier != FROZEN

    def seal(self) -> None:
        left = self.pool.seal(self.random.choice([0.0, 1.0]))
        assert left == sum(1 for block in self.pool.blocks() if block.generation and not block.sealed)

    def retier(self) -> None:
        if (block := self.some()) and block.tier != FROZEN:
            self.pool.set_tier(block, self.random.randrange(FROZEN))
            self.pool.set_heat(block, float(self.random.randrange(1000)))

    def misuse(self) -> None:
        if not (block := self.some()):
            return
        for offset, size in ((-1, 1), (block.size, 1), (0, block.size + 1), (1, block.size)):
            try:
                self.pool.write(block, bytes(size), offset)
            except OutOfBounds:
                continue
            raise AssertionError(f"wrote {size} bytes at {offset} of {block}")
        gone = self.pool.allocate(100)
        self.last_id = gone.id
        self.pool.free(gone)
        for use in (self.pool.free, self.pool.read, self.pool.freeze, lambda block: self.pool.write(block, b"x" * 100)):
            try:
                use(gone)
            except NoSuchBlock:
                continue
            raise AssertionError(f"{use} of a block that was freed")

    def recover(self) -> None:
        """The writer dies here: the next one finds all that was written."""
        expected = self.kept
        assert survivors(self.memory) == expected
        self.follow_on(Memory(room=self.memory.room))
        self.contents = expected

    def follow_on(self, memory: Memory) -> None:
        pool = Pool(memory)
        recovered = pool.recover(self.memory.pool)
        if recovered[1]:  # in another order they may need more room
            raise OutOfSpace("starting anew")
        assert recovered == (len(self.written), 0)
        self.pool, self.memory = pool, memory
        fresh = pool.allocate(1)
        assert fresh.id > self.last_id, "an id was used twice"
        self.last_id = fresh.id
        pool.free(fresh)

    def move(self) -> None:
        memory = Memory(room=self.memory.room)
        order = self.pool.blocks()
        self.random.shuffle(order)
        self.pool.move_to(memory, order)
        self.memory = memory


def _released(view: memoryview) -> bool:
    try:
        len(view)
    except ValueError:
        return True
    return False
