"""A pool moves into another segment in steps, while blocks are written, allocated, freed and frozen."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest

from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.layout import COLD, HOT
from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.pool.recovery import whole_blocks
from gamesad.crystal.segment import Segment
from tests.crystal.segments import POOL, segment


def fill(pool: Pool, chance: random.Random, blocks: int) -> dict[Block, bytes]:
    return {block: wrote(pool, block, chance) for block in (pool.allocate(size_of(chance)) for _ in range(blocks))}


def size_of(chance: random.Random) -> int:
    return chance.choice((1, 100, 5000, 70_000, 3 << 20)) + chance.randint(0, 50)


def wrote(pool: Pool, block: Block, chance: random.Random) -> bytes:
    data = chance.randbytes(min(block.size, 64)) * (block.size // 64 + 1)
    pool.write(block, data[: block.size])
    return data[: block.size]


def what_a_walk_finds(segment: Segment) -> dict[int, bytes]:
    start, size = segment.section(POOL)
    end = min(size, segment.length - start)
    found = whole_blocks(memoryview(segment.memory)[start : start + end])
    assert not found.discarded
    return {kept.id: bytes(kept.data) for kept in found.blocks}


@pytest.mark.parametrize("seed", range(1, 9))
def test_nothing_that_happens_meanwhile_is_lost(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    old = segment(tmp_path)
    pool = Pool(old)
    expected = fill(pool, chance, 12)
    never_written = pool.allocate(200)
    order = pool.blocks()
    chance.shuffle(order)
    fresh = old.replace()
    for number, _ in enumerate(pool.moving(fresh, order)):
        what = chance.randrange(5)
        block = chance.choice(list(expected))
        if what == 0:
            expected[block] = wrote(pool, block, chance)
        elif what == 1 and len(expected) > 3:
            pool.free(block)
            del expected[block]
        elif what == 2:
            pool.freeze(block)
        elif what == 3 and number < 60:
            expected |= fill(pool, chance, 1)
        else:
            pool.seal(0.001)
        assert pool.segment is old
    assert pool.segment is fresh
    fresh.publish()
    old.close(unlink=False)
    assert {block.id: bytes(pool.read(block)) for block in expected} == {b.id: data for b, data in expected.items()}
    assert bytes(pool.read(never_written)) == bytes(200)
    pool.seal(10)
    inflated = what_a_walk_finds(fresh)
    assert {block.id: inflated[block.id] for block in expected} == {b.id: data for b, data in expected.items()}
    pool.free(next(iter(expected)))
    assert pool.allocate(10).id > max(inflated)
    fresh.close()


def test_blocks_lie_in_the_order_that_was_asked_for_without_a_gap(tmp_path: Path) -> None:
    old = segment(tmp_path)
    pool = Pool(old)
    blocks = list(fill(pool, random.Random(1), 10))
    for block in blocks[::3]:
        pool.free(block)
    order = [block for block in reversed(blocks) if block.units]
    fresh = old.replace()
    pool.move_to(fresh, order)
    assert [block.offset for block in order] == sorted(block.offset for block in order)
    ends = [block.offset + block.units * 64 for block in order]
    assert [block.offset for block in order[1:]] == ends[:-1]
    fresh.close(unlink=False)
    old.close()


def test_what_a_header_says_moves_along(tmp_path: Path) -> None:
    old = segment(tmp_path)
    pool = Pool(old)
    one, other = pool.allocate(500, HOT, "flight"), pool.allocate(1000, COLD, "model")
    for block in (one, other):
        pool.write(block, b"x" * block.size)
    pool.set_heat(one, 42.5)
    pool.freeze(other)
    pool.seal(1)
    fresh = old.replace()
    pool.move_to(fresh, [other, one])
    start, _ = fresh.section(POOL)
    found = whole_blocks(memoryview(fresh.memory)[start : fresh.length])
    told = {kept.id: (kept.tier, kept.heat, kept.owner.rstrip(b"\0"), kept.crc) for kept in found.blocks}
    assert told[one.id] == (HOT, 42.5, b"flight", zlib.crc32(b"x" * 500))
    assert told[other.id][::2] == (3, b"model")
    assert one.sealed and other.sealed
    fresh.close(unlink=False)
    old.close()


def test_a_pool_that_finds_no_room_stays_where_it_is(tmp_path: Path) -> None:
    old = segment(tmp_path)
    pool = Pool(old)
    expected = fill(pool, random.Random(3), 12)
    before = what_a_walk_finds(old)
    fresh = segment(tmp_path / "small", pool_max=1 << 20)
    with pytest.raises(CrystalFull, match="free some blocks"):
        pool.move_to(fresh, pool.blocks())
    assert pool.segment is old
    assert what_a_walk_finds(old) == before
    assert all(bytes(pool.read(block)) == data for block, data in expected.items())
    fresh.close()
    old.close()
