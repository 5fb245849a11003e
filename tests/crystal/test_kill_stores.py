"""The writer dies at each single store of each operation: what was written is there, old or new, and the chain fits."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

import pytest

from gamesad.crystal.layout import COLD, FROZEN, POOL_HEAD
from gamesad.crystal.pool import chain as chain_module
from gamesad.crystal.pool import pool as pool_module
from gamesad.crystal.pool.block import FIELDS, FREE_WORD, USED_WORD, Block
from gamesad.crystal.pool.chain import STEP, Chain
from gamesad.crystal.pool.pool import Pool
from tests.crystal.pool_model import Run, chain, check, survivors

SEEDS = range(8)
Patch = pytest.MonkeyPatch


class Killed(BaseException):
    pass


class Stores:
    """Counts down to the store at which the writer dies."""

    def __init__(self, left: int) -> None:
        self.left = left

    def dies(self) -> bool:
        self.left -= 1
        return self.left < 0


class Watched:
    """Memory of which each store is counted; one that copies counts twice: not begun, and cut off in the middle."""

    def __init__(self, memory: memoryview, stores: Stores) -> None:
        self.memory, self.stores = memory, stores

    def __getitem__(self, key: int | slice) -> int | memoryview:
        return self.memory[key]

    def __setitem__(self, key: int | slice, value: int | bytes | memoryview) -> None:
        if self.stores.dies():
            raise Killed
        if isinstance(key, slice) and self.stores.dies():
            start, half = key.start or 0, len(value) // 2
            self.memory[start : start + half] = value[:half]
            raise Killed
        self.memory[key] = value


class WatchedFields:
    """A header's fields, packed as one copy."""

    def pack_into(self, memory: Watched, offset: int, *values: object) -> None:
        memory[offset : offset + FIELDS.size] = Struct(FIELDS.format).pack(*values)


def prepared(seed: int) -> Run:
    """A pool with some history, the same for each seed; its last blocks' neighbours are used, free, and the end."""
    run = Run(seed, room=2 * STEP, checked=False)
    actions = [run.allocate, run.allocate, run.allocate, run.write, run.write, run.free, run.freeze, run.seal]
    for _ in range(40):
        run.random.choice(actions)()
    for size in (500, 3000, 100_000):
        block = run.pool.allocate(size)
        run.contents[block.id] = run.random.randbytes(1) * size
        run.pool.write(block, run.contents[block.id])
        run.written.add(block.id)
        if size == 3000:
            run.pool.freeze(block)
    run.pool.seal(1.0)
    return run


def first_write(run: Run) -> None:
    block = run.pool.allocate(700)
    run.contents[block.id] = run.data(700)
    run.pool.write(block, run.contents[block.id])
    run.written.add(block.id)


def part_of_a_fresh_block(run: Run) -> None:
    block = run.pool.allocate(700)
    run.contents[block.id] = bytes(650) + b"x" * 50
    run.pool.write(block, b"x" * 50, 650)
    run.written.add(block.id)


def growth(run: Run) -> None:
    size = run.memory.limit - POOL_HEAD - 64 - (run.pool.statistics()["used"])
    block = run.pool.allocate(min(size, STEP // 2 + run.pool.statistics()["largest_free"]))
    run.contents[block.id] = bytes(block.size)
    run.pool.read(block)
    run.written.add(block.id)


def free_all(run: Run) -> None:
    for block in sorted(run.pool.blocks(), key=lambda block: block.id % 3):
        run.pool.free(block)
    run.contents.clear()
    run.written.clear()


def freeze_all(run: Run) -> None:
    for block in run.pool.blocks():
        run.pool.freeze(block)


def thaw_all(run: Run) -> None:
    for block in run.pool.blocks():
        run.pool.thaw(block)


def seal(run: Run) -> None:
    first_write(run)
    run.pool.seal(1.0)


def tiers(run: Run) -> None:
    for block in run.pool.blocks():
        if block.tier != FROZEN:
            run.pool.set_tier(block, COLD)
            run.pool.set_heat(block, 2.0)


OPERATIONS: list[Callable[[Run], None]] = [
    first_write, part_of_a_fresh_block, growth, Run.write, free_all, freeze_all, thaw_all, seal, tiers,
]  # fmt: skip


def killed_everywhere(operation: Callable[[Run], None], patch: Patch) -> int:
    """How many stores the operation made, each of which was one at which the writer died."""
    points = 0
    for seed in SEEDS:
        left, alive = 0, False
        done = prepared(seed)
        operation(done)
        check(done.pool, done.memory, done.contents)
        while not alive:
            run = prepared(seed)
            before, stores = run.kept, Stores(left)
            run.pool._chain.words = Watched(run.pool._chain.words, stores)
            run.pool._chain.bytes = Watched(run.pool._chain.bytes, stores)
            with patch.context() as watched:
                watched.setattr(pool_module, "FIELDS", WatchedFields())
                try:
                    operation(run)
                    alive = True
                except Killed:
                    points += 1
            chain(run.memory)
            found, after = survivors(run.memory), done.kept
            assert all(found.get(one) in (before.get(one), after.get(one)) for one in before | after), f"store {left}"
            assert found.keys() <= before.keys() | after.keys()
            left += 1
    return points


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_no_store_is_one_too_many(operation: Callable[[Run], None], monkeypatch: Patch) -> None:
    points = killed_everywhere(operation, monkeypatch)
    print(f"{operation.__name__}: died at {points} stores, seeds {SEEDS.start} to {SEEDS.stop - 1}")
    assert points >= 4 * len(SEEDS)


def word_before_the_rest(patch: Patch) -> None:
    show = Pool._show

    def early(self: Pool, block: Block) -> None:
        self._chain.words[block.offset >> 3] = USED_WORD | block.units << 8
        show(self, block)

    patch.setattr(Pool, "_show", early)


def old_place_freed_first(patch: Patch) -> None:
    def replace(self: Pool, block: Block, data: bytes, tier: int) -> None:
        self._chain.give(block.offset >> 6, block.units)
        unit = self._chain.take(pool_module._units(len(data)))
        block.tier = tier
        block.generation += 1
        self._place(block, unit, data)

    patch.setattr(Pool, "_replace", replace)


def cut_before_the_rest_has_a_header(patch: Patch) -> None:
    def take(self: Chain, units: int) -> int:
        if self.settle().largest < units:
            self._grow(units)
        unit, length = self.free.take(units)
        self.words[unit << 3] = FREE_WORD | units << 8
        if length > units:
            self.free.keep(unit + units, length - units)
            self.words[unit + units << 3] = FREE_WORD | length - units << 8
        return unit

    patch.setattr(Chain, "take", take)


def end_before_there_is_a_header(patch: Patch) -> None:
    grow = Chain._grow

    def early(self: Chain, units: int) -> None:
        if self.end:
            self.words[chain_module._END] = self.end + STEP
        grow(self, units)

    patch.setattr(Chain, "_grow", early)


MUTATIONS = [
    (word_before_the_rest, Run.write), (old_place_freed_first, Run.write),
    (cut_before_the_rest_has_a_header, first_write), (end_before_there_is_a_header, growth),
]  # fmt: skip


@pytest.mark.parametrize(("mutation", "operation"), MUTATIONS, ids=lambda part: part.__name__)
def test_another_order_of_stores_is_caught(
    mutation: Callable[[Patch], None], operation: Callable[[Run], None], monkeypatch: Patch
) -> None:
    mutation(monkeypatch)
    with pytest.raises(AssertionError):
        killed_everywhere(operation, monkeypatch)
