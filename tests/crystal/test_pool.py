"""What the pool promises who uses it: exact sizes, views, errors that say what to do, growth, placement, statistics."""

from __future__ import annotations

import time

import pytest

from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalError, CrystalFull, Damaged
from gamesad.crystal.layout import BASE, COLD, FROZEN, HOT, POOL_HEAD, STATISTICS, WARM
from gamesad.crystal.pool import frozen
from gamesad.crystal.pool.chain import STEP, Chain
from gamesad.crystal.pool.pool import NoSuchBlock, OutOfBounds, OutOfSpace, Pool
from tests.crystal.pool_model import Memory, chain


@pytest.fixture
def memory() -> Memory:
    return Memory(limit=8 * STEP)


@pytest.fixture
def pool(memory: Memory) -> Pool:
    return Pool(memory)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 100, 4096, 70_000])
def test_who_asks_for_so_many_bytes_gets_so_many(pool: Pool, size: int) -> None:
    block = pool.allocate(size)
    pool.write(block, b"x" * size)
    assert len(pool.read(block)) == block.size == size
    for data, offset in ((b"x" * (size + 1), 0), (b"x", size), (b"x", -1)):
        with pytest.raises(OutOfBounds, match=f"block {block.id}, which has {size}; nothing was written"):
            pool.write(block, data, offset)
    with pytest.raises(IndexError):
        pool.read(block)[size]
    assert pool.read(block) == b"x" * size


def test_a_block_is_zero_where_nobody_wrote_it_also_in_a_place_that_was_used(pool: Pool) -> None:
    before = pool.allocate(1000)
    pool.write(before, b"secret" * 166 + b"seed")
    pool.free(before)
    again, part = pool.allocate(1000), pool.allocate(1000)
    assert again.offset == before.offset
    pool.write(part, b"end", 997)
    assert pool.read(again) == bytes(1000)
    assert pool.read(part) == bytes(997) + b"end"


def test_blocks_are_aligned_and_addresses_are_offsets_from_the_base(pool: Pool) -> None:
    blocks = [pool.allocate(size) for size in (1, 64, 65)]
    assert [block.address - BASE for block in blocks] == [POOL_HEAD, POOL_HEAD + 128, POOL_HEAD + 256]
    assert all(block.address % layout.ALIGN == 0 for block in blocks)


def test_reading_copies_nothing_and_cannot_change_anything(pool: Pool, memory: Memory) -> None:
    block = pool.allocate(5)
    pool.write(block, b"first")
    view = pool.read(block)
    memory.memory[memory.memory.find(b"first")] = ord("F")
    assert view == b"First"
    with pytest.raises(TypeError, match="read-only"):
        view[0] = 0


def test_a_view_does_not_outlive_what_it_shows(pool: Pool) -> None:
    rewritten, freed = pool.allocate(5), pool.allocate(5)
    views = []
    for block in (rewritten, freed):
        pool.write(block, b"first")
        views.append(pool.read(block))
    pool.write(rewritten, b"again")
    pool.free(freed)
    for view in views:
        with pytest.raises(ValueError, match="released"):
            bytes(view)
    assert pool.read(rewritten) == b"again"


def test_what_was_freed_is_no_block_any_more(pool: Pool) -> None:
    block = pool.allocate(10)
    pool.free(block)
    for use in (pool.free, pool.read, pool.freeze, pool.thaw, lambda gone: pool.write(gone, b"0123456789")):
        with pytest.raises(NoSuchBlock, match=f"block {block.id} is not in the pool; it was freed"):
            use(block)
    with pytest.raises(NoSuchBlock, match=f"there is no block {block.id}"):
        pool.by_id(block.id)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ((0,), "0 bytes"), ((-1,), "-1 bytes"), ((1, FROZEN), "starts hot, warm or cold"), ((1, 9), "tier 9"),
        ((1, WARM, "thirteen byte"), "at most 12 bytes"), ((1, WARM, "a\0b"), "without a zero byte"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(pool: Pool, asked: tuple[int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as found:
        pool.allocate(*asked)
    assert "\n" not in str(found.value)
    assert pool.blocks() == []


def test_it_grows_in_steps_of_a_mib_before_it_uses_them(pool: Pool, memory: Memory) -> None:
    lengths = set()
    for _ in range(30):
        block = pool.allocate(100_000)
        pool.write(block, b"x" * 100_000)
        assert memory.length >= memory.section(layout.POOL)[0] + block.offset + 64 + 100_000
        lengths.add(memory.length - memory.section(layout.POOL)[0])
    assert lengths == {STEP, 2 * STEP, 3 * STEP}


def test_a_block_of_many_mib_takes_as_many_steps_as_it_needs(pool: Pool) -> None:
    pool.allocate(5 * STEP)
    assert pool.statistics()["size"] == 6 * STEP


@pytest.mark.parametrize("limit", [STEP, STEP + 12_345, layout.POOL_MAX])
def test_all_of_a_pool_can_be_one_block_from_one_mib_to_four_gib(limit: int) -> None:
    memory = Memory(limit=limit)
    pool = Pool(memory)
    most = (limit & -layout.ALIGN) - POOL_HEAD - layout.BLOCK_HEAD
    with pytest.raises(OutOfSpace):
        pool.allocate(most + 1)
    block = pool.allocate(most)
    pool.free(block)
    pool.allocate(most - 128)
    last = pool.allocate(64)
    pool.write(last, b"e" * 64)
    assert last.address + 128 == BASE + (limit & -layout.ALIGN)
    assert pool.read(last) == b"e" * 64


def test_out_of_space_says_how_much_there_is_and_changes_nothing(pool: Pool, memory: Memory) -> None:
    kept = pool.allocate(6 * STEP)
    pool.write(kept, b"x" * kept.size)
    before = (pool.statistics(), chain(memory), bytes(memory.pool))
    for size in (3 * STEP, 8 * STEP, 1 << 40):
        with pytest.raises(OutOfSpace, match=r"the pool has no \d+ bytes in one piece.*raise \[crystal\] size"):
            pool.allocate(size)
    with pytest.raises(CrystalFull):
        pool.write(kept, b"y" * kept.size)
    assert (pool.statistics(), chain(memory), bytes(memory.pool)) == before
    assert pool.read(kept) == b"x" * kept.size
    pool.free(kept)
    pool.allocate(6 * STEP)


def test_a_file_system_without_room_is_told_as_such(memory: Memory) -> None:
    memory.room = 2 * STEP
    pool = Pool(memory)
    pool.allocate(STEP)
    with pytest.raises(OutOfSpace, match="the pool cannot grow: no"):
        pool.allocate(2 * STEP)
    memory.room = 8 * STEP
    pool.allocate(2 * STEP)


def test_what_is_freed_joins_with_both_neighbours(pool: Pool) -> None:
    blocks = [pool.allocate(1000) for _ in range(5)]
    for place in (1, 3, 2):
        pool.free(blocks[place])
    middle = pool.allocate(3 * 1088 - 64)
    assert middle.offset == blocks[1].offset, "the three places are one"


def test_a_large_block_goes_where_it_fits_best(pool: Pool) -> None:
    sizes = [90_000, 50_000, 70_000]
    blocks = []
    for size in sizes:
        blocks.append(pool.allocate(size))
        pool.allocate(100)
    for block in blocks:
        pool.free(block)
    assert pool.allocate(60_000).offset == blocks[2].offset
    assert pool.allocate(60_000).offset == blocks[0].offset
    assert pool.allocate(40_000).offset == blocks[1].offset


def test_a_small_block_takes_a_free_place_of_its_size(pool: Pool) -> None:
    blocks = [pool.allocate(size) for size in (200, 300, 400, 500)]
    pool.free(blocks[1])
    assert pool.allocate(301).offset == blocks[1].offset, "the same five units and head"


def test_holes_are_used_before_the_pool_grows(pool: Pool) -> None:
    blocks = [pool.allocate(1000) for _ in range(STEP // 1088)]
    for block in blocks[::2]:
        pool.free(block)
    size = pool.statistics()["size"]
    for _ in blocks[::2]:
        pool.allocate(500)
    assert pool.statistics()["size"] == size


def test_frozen_contents_take_less_room_and_come_back_as_they_were(pool: Pool) -> None:
    data = b"the same again and again " * 1000
    block = pool.allocate(len(data), COLD)
    pool.write(block, data)
    assert pool.freeze(block)
    assert (block.tier, block.size) == (FROZEN, len(data))
    assert block.units << 6 < len(data) / 10
    assert pool.read(block) == data
    assert block.tier == WARM
    assert {name: pool.statistics()[name] for name in ("freezes", "thaws", "frozen_blocks")} == {
        "freezes": 1, "thaws": 1, "frozen_blocks": 0,
    }  # fmt: skip


def test_what_gets_no_smaller_stays(pool: Pool) -> None:
    block = pool.allocate(10, HOT)
    pool.write(block, b"0123456789")
    assert not pool.freeze(block)
    assert block.tier == HOT


def test_a_frozen_block_that_was_damaged_is_not_given_out(pool: Pool, memory: Memory) -> None:
    block = pool.allocate(100_000)
    pool.write(block, b"ab" * 50_000)
    pool.freeze(block)
    at = memory.section(layout.POOL)[0] + block.offset + 64 + block.stored
    memory.memory[at - 1] ^= 1
    with pytest.raises(Damaged, match="frozen block"):
        pool.read(block)
    assert block.tier == FROZEN
    pool.write(block, b"cd" * 50_000)
    assert pool.read(block) == b"cd" * 50_000


@pytest.mark.parametrize("field", [(4, 8), (1 << 20, 0), (1, 8), (-1, 0)], ids=str)
def test_frozen_bytes_that_inflate_to_something_else_are_damaged(field: tuple[int, int]) -> None:
    """More, less, or as many as the head states, but others."""
    change, at = field
    data = bytearray(frozen.packed(b"ab" * 1000))
    found = int.from_bytes(data[at : at + 4], "little")
    data[at : at + 4] = (found + change & 0xFFFFFFFF).to_bytes(4, "little")
    with pytest.raises(Damaged, match="frozen block"):
        frozen.inflated(bytes(data), 1 << 20)
    with pytest.raises(Damaged, match="shorter than its head"):
        frozen.inflated(bytes(data[:15]), 1 << 20)


def test_a_walk_can_tell_that_blocks_moved(pool: Pool, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool's sequence grows between the moments that one walk must not mix, and stays even."""
    seen: list[int] = []

    def watched(kind: type, name: str) -> None:
        done = getattr(kind, name)

        def watch(*arguments: object) -> None:
            seen.append(memory.pool[layout.POOL_SEQUENCE_AT :].cast("Q")[0])
            done(*arguments)

        monkeypatch.setattr(kind, name, watch)

    blocks = [pool.allocate(1000) for _ in range(3)]
    for block in blocks:
        pool.write(block, b"x" * 1000)
    watched(Chain, "give")
    watched(Pool, "_show")
    pool.write(blocks[1], b"y" * 1000)
    pool.free(blocks[0])
    pool.free(blocks[1])
    pool.write(pool.allocate(1000), b"z" * 1000)
    pool.write(blocks[2], b"z" * 1000)
    shown, old_place_freed, freed, freed_too, shown_again, *_ = seen
    assert shown < old_place_freed <= freed <= freed_too < shown_again, "joined, then written over"
    assert not any(number % 2 for number in seen)


def test_sealing_keeps_to_its_budget_and_goes_on_where_it_was(pool: Pool) -> None:
    block = pool.allocate(6 * STEP)
    pool.write(block, b"x" * block.size)
    assert pool.seal(0.0) == 1
    calls, longest_s, left = 0, 0.0, 1
    while left:
        began_s = time.perf_counter()
        left = pool.seal(1e-5)
        longest_s = max(longest_s, time.perf_counter() - began_s)
        calls += 1
    assert block.sealed
    assert calls > 3, "one call computed all of it"


def test_sealing_begins_anew_where_a_block_was_written_meanwhile(pool: Pool, memory: Memory) -> None:
    block = pool.allocate(STEP)
    pool.write(block, b"x" * STEP)
    pool.seal(1e-5)
    pool.write(block, b"y" * STEP)
    while pool.seal(1e-5):
        pass
    assert Pool(Memory(8 * STEP)).recover(memory.pool) == (1, 0)


def test_readers_find_the_statistics_in_the_head(pool: Pool, memory: Memory) -> None:
    pool.free(pool.allocate(100, HOT))
    pool.write(pool.allocate(1000), b"x" * 1000)
    pool.allocate(5000, COLD)
    pool.publish()
    words = memory.pool[layout.POOL_STATISTICS_AT :].cast("Q")
    published = dict(zip(STATISTICS, words, strict=False))
    assert published == pool.statistics()
    expected = {"warm_blocks": 1, "warm_bytes": 1088, "cold_blocks": 1, "cold_bytes": 5120, "hot_blocks": 0}
    expected |= {"used": 6208, "size": STEP, "allocations": 3, "frees": 1, "limit": 8 * STEP}
    assert {name: published[name] for name in expected} == expected


def test_fragmentation_is_what_the_largest_run_leaves_of_the_free_bytes(pool: Pool) -> None:
    assert pool.statistics()["fragmentation_ppm"] == 0
    blocks = [pool.allocate(300_000) for _ in range(3)]
    pool.free(blocks[0])
    found = pool.statistics()
    assert found["largest_free"] < found["free"]
    assert found["fragmentation_ppm"] == 1_000_000 - found["largest_free"] * 1_000_000 // found["free"] > 0


def test_every_error_is_a_crystal_error() -> None:
    assert all(issubclass(one, CrystalError) for one in (NoSuchBlock, OutOfBounds, OutOfSpace))
