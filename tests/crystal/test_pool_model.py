"""The pool against a plain model, over random operations; and that broken pools are caught by it."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable

import pytest

from gamesad.crystal.errors import CrystalError
from gamesad.crystal.pool import chain, frozen, pool
from gamesad.crystal.pool.block import Block
from gamesad.crystal.pool.chain import Chain
from gamesad.crystal.pool.free_space import FreeSpace
from gamesad.crystal.pool.pool import Pool
from tests.crystal.pool_model import Run

STEPS = 400
SEEDS = range(30)
Patch = pytest.MonkeyPatch


def run(seeds: range, steps: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seed in seeds:
        one = Run(seed)
        try:
            one.steps(steps)
        except BaseException as error:
            error.add_note(f"seed {seed}, after {one.counts.total()} operations")
            raise
        counts += one.counts
    return counts


def test_whatever_is_done_the_pool_agrees_with_the_model() -> None:
    counts = run(SEEDS, STEPS)
    print(f"seeds {SEEDS.start} to {SEEDS.stop - 1}: {dict(counts)}")
    assert counts["out of space"] > 20
    assert (
        min(counts[name] for name in ("allocate", "write", "free", "freeze", "thaw", "seal", "recover", "move")) > 200
    )


@pytest.mark.full
def test_the_same_for_long() -> None:
    seeds = range(1000, 1200)
    print(f"seeds {seeds.start} to {seeds.stop - 1}: {dict(run(seeds, 1000))}")


def no_joining(patch: Patch) -> None:
    def give(self: FreeSpace, first: int, units: int) -> tuple[int, int]:
        self.keep(first, units)
        return first, units

    patch.setattr(FreeSpace, "give", give)


def span_one_short(patch: Patch) -> None:
    patch.setattr(pool, "_units", lambda size: size + 63 >> 6)


def run_one_short(patch: Patch) -> None:
    took = FreeSpace.take
    patch.setattr(FreeSpace, "take", lambda self, units: took(self, max(1, units - 1)))


def wrong_free_list(patch: Patch) -> None:
    kept = FreeSpace.keep

    def keep(self: FreeSpace, first: int, length: int) -> None:
        kept(self, first, length)
        if 1 < length < 40:
            self._small[length].discard(first)
            self._small[length + 1].add(first)
            self._which |= 1 << length + 1

    patch.setattr(FreeSpace, "keep", keep)


def forgotten_at_hand(patch: Patch) -> None:
    def settle(self: Chain) -> FreeSpace:
        self._first, self._length = -1, 0
        return self.free

    patch.setattr(Chain, "settle", settle)


def freed_but_used_in_its_header(patch: Patch) -> None:
    patch.setattr(chain, "FREE_WORD", pool.USED_WORD)


def old_place_not_freed(patch: Patch) -> None:
    gave = Chain.give

    def give(self: Chain, unit: int, units: int) -> None:
        if self._sequence % 10:
            gave(self, unit, units)

    patch.setattr(Chain, "give", give)


def written_in_place(patch: Patch) -> None:
    """A generation that does not count: the next writer cannot tell which is newer."""
    shown = Pool._show

    def show(self: Pool, block: Block) -> None:
        block.generation = 1
        shown(self, block)

    patch.setattr(Pool, "_show", show)


def crc_of_something_else(patch: Patch) -> None:
    crc32 = zlib.crc32
    patch.setattr(pool.zlib, "crc32", lambda data, crc=0: crc32(data, crc) ^ 1)


def frozen_without_its_end(patch: Patch) -> None:
    patch.setattr(pool, "packed", lambda data: frozen.packed(bytes(data[:-1]) + b"?"))


def views_that_stay(patch: Patch) -> None:
    patch.setattr(pool, "_let_go", lambda block: setattr(block, "view", None))


def view_of_before(patch: Patch) -> None:
    patch.setattr(pool, "_let_go", lambda block: None)


def bounds_one_off(patch: Patch) -> None:
    rewrite = Pool._rewrite

    def wider(self: Pool, block: Block, data: bytes, offset: int) -> None:
        block.size += 1
        try:
            rewrite(self, block, data, offset)
        finally:
            block.size -= 1

    patch.setattr(Pool, "_rewrite", wider)


def touched_before_it_grew(patch: Patch) -> None:
    grow = Chain._grow

    def early(self: Chain, units: int) -> None:
        if self.end and self.end + 8 <= self.limit:
            self.words[self.end >> 3] = 1
        grow(self, units)

    patch.setattr(Chain, "_grow", early)


def ids_used_again(patch: Patch) -> None:
    patch.setattr(pool, "_NEXT_ID", 40)


MUTATIONS = [
    no_joining, span_one_short, run_one_short, wrong_free_list, forgotten_at_hand, freed_but_used_in_its_header,
    old_place_not_freed, written_in_place, crc_of_something_else, frozen_without_its_end, views_that_stay,
    view_of_before, bounds_one_off, touched_before_it_grew, ids_used_again,
]  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_pool_that_is_broken_does_not_agree(mutation: Callable[[Patch], None], monkeypatch: Patch) -> None:
    mutation(monkeypatch)
    with pytest.raises((AssertionError, LookupError, ValueError, CrystalError)) as found:
        run(SEEDS, STEPS)
    print(f"{mutation.__name__}: {type(found.value).__name__}, {found.value.__notes__[0]}")
