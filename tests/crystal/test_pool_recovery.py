"""A pool that was left behind is not believed: whatever its bytes are, what is whole is kept, the rest is counted."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

import pytest

from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalError
from gamesad.crystal.layout import BLOCK, BLOCK_SEALED, FROZEN, POOL_HEAD, WARM
from gamesad.crystal.pool.block import USED_WORD
from gamesad.crystal.pool.chain import STEP
from gamesad.crystal.pool.pool import Block, Pool
from gamesad.crystal.pool.recovery import whole_blocks
from tests.crystal.pool_model import Memory, Run, check

BLOCKS = 20
Left = tuple[bytearray, list[Block], dict[int, bytes]]


@pytest.fixture
def left() -> Left:
    """The bytes of a pool with sealed blocks, every second followed by a free place; its blocks and contents."""
    memory = Memory()
    pool = Pool(memory)
    contents = {}
    for number in range(2 * BLOCKS):
        block = pool.allocate(100 + 150 * number, owner="somebody")
        pool.write(block, bytes([number]) * block.size)
        contents[block.id] = bytes([number]) * block.size
    for block in pool.blocks()[::2]:
        pool.free(block)
        del contents[block.id]
    pool.freeze(pool.blocks()[-1])
    pool.seal(10.0)
    return bytearray(memory.pool), pool.blocks(), contents


def recovered(data: bytes | bytearray) -> tuple[dict[int, bytes], int]:
    """Contents by id, and the number of places that were not whole."""
    memory = Memory()
    pool = Pool(memory)
    number, discarded = pool.recover(memoryview(data))
    assert number == len(pool.blocks())
    contents = {}
    for block in pool.blocks():
        try:
            contents[block.id] = bytes(pool.read(block))
        except CrystalError:  # frozen, not sealed, and damaged
            pool.free(block)
    check(pool, memory, contents)
    return contents, discarded


def test_all_is_kept_with_id_tier_owner_heat_and_time(left: Left) -> None:
    data, blocks, contents = left
    assert recovered(data) == (contents, 0)
    pool = Pool(Memory())
    pool.recover(memoryview(data))
    fields = ("id", "size", "tier", "owner", "heat", "modified_s", "generation", "sealed")
    assert [[getattr(one, name) for name in fields] for one in pool.blocks()] == [
        [getattr(one, name) for name in fields] for one in blocks
    ]
    assert pool.statistics()["recovered"] == BLOCKS
    assert pool.allocate(1).id == 2 * BLOCKS + 1


def test_a_pool_recovers_before_it_is_used(left: Left) -> None:
    pool = Pool(Memory())
    pool.allocate(1)
    with pytest.raises(ValueError, match="before anything is allocated"):
        pool.recover(memoryview(left[0]))


def test_a_changed_byte_of_a_block_costs_that_block_alone(left: Left) -> None:
    data, blocks, contents = left
    for block in blocks:
        damaged = bytearray(data)
        damaged[block.offset + 64 + block.stored // 2] ^= 1
        expected = {identity: found for identity, found in contents.items() if identity != block.id}
        assert recovered(damaged) == (expected, 1), block


def test_a_header_that_is_gone_costs_that_block_alone(left: Left) -> None:
    data, blocks, contents = left
    for block in blocks:
        damaged = bytearray(data)
        damaged[block.offset : block.offset + 64] = bytes(64)
        expected = {identity: found for identity, found in contents.items() if identity != block.id}
        assert recovered(damaged) == (expected, 1), block


def test_a_block_without_a_checksum_is_whole_by_its_sequence(left: Left) -> None:
    data, blocks, contents = left
    block = blocks[3]
    struct.pack_into("<I", data, block.offset + 36, 0)
    struct.pack_into("<B", data, block.offset + 33, 0)
    assert recovered(data) == (contents, 0)
    struct.pack_into("<Q", data, block.offset + 24, 3)
    del contents[block.id]
    assert recovered(data) == (contents, 1)


def test_of_two_blocks_with_one_id_the_newer_one_counts(left: Left) -> None:
    data, blocks, contents = left
    older, newer = blocks[3], blocks[4]
    struct.pack_into("<QQQ", data, newer.offset + 8, older.id, newer.stored, 2 * older.generation + 2)
    contents[older.id] = contents.pop(newer.id)
    assert recovered(data) == (contents, 0)


def test_contents_that_look_like_blocks_are_none(left: Left) -> None:
    """Also where the header before them is gone, they do not take the place of the real ones."""
    _, _, contents = left
    memory = Memory()
    pool = Pool(memory)
    real = pool.allocate(1000)
    pool.write(real, b"real" * 250)
    forger = pool.allocate(4096)
    forged = bytearray(4096)
    BLOCK.pack_into(
        forged, 0, USED_WORD | 4 << 8, real.id, 150, 1000, WARM, BLOCK_SEALED, 0, zlib.crc32(bytes(150)), 0.0, 1, b"", 5
    )
    pool.write(forger, bytes(forged))
    pool.seal(1.0)
    contents = {real.id: b"real" * 250, forger.id: bytes(forged)}
    data = bytearray(memory.pool)
    assert recovered(data) == (contents, 0)
    data[forger.offset : forger.offset + 8] = bytes(8)
    found, discarded = recovered(data)
    assert found == {real.id: b"real" * 250}
    assert discarded >= 1


HOSTILE: dict[str, Callable[[bytearray, int], None]] = {
    "no block is that long": lambda data, at: struct.pack_into("<Q", data, at, USED_WORD | (1 << 40) - 1 << 8),
    "a block without length": lambda data, at: struct.pack_into("<Q", data, at, USED_WORD),
    "a state that is none": lambda data, at: struct.pack_into("<B", data, at, 9),
    "id 0": lambda data, at: struct.pack_into("<Q", data, at + 8, 0),
    "the last id": lambda data, at: struct.pack_into("<Q", data, at + 8, (1 << 64) - 1),
    "more bytes than the place has": lambda data, at: struct.pack_into("<Q", data, at + 16, 1 << 63),
    "no bytes": lambda data, at: struct.pack_into("<Q", data, at + 16, 0),
    "a tier that is none": lambda data, at: struct.pack_into("<B", data, at + 32, 4),
    "flags that are none": lambda data, at: struct.pack_into("<B", data, at + 33, 0x80),
    "heat that is no number": lambda data, at: struct.pack_into("<f", data, at + 40, float("nan")),
    "an owner that is no text": lambda data, at: struct.pack_into("<4s", data, at + 48, b"\xff\xfe\xfd\xfc"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_costs_its_block_alone(left: Left, name: str) -> None:
    data, blocks, contents = left
    HOSTILE[name](data, blocks[5].offset)
    del contents[blocks[5].id]
    found, discarded = recovered(data)
    assert (found, discarded >= 1) == (contents, True)


def test_a_frozen_block_that_would_inflate_to_more_than_there_is_memory_for(left: Left) -> None:
    data, blocks, contents = left
    bomb = blocks[-1]
    assert bomb.tier == FROZEN
    struct.pack_into("<Q", data, bomb.offset + 64, 1 << 62)
    struct.pack_into("<B", data, bomb.offset + 33, 0)
    del contents[bomb.id]
    assert recovered(data) == (contents, 1)
    struct.pack_into("<Q", data, bomb.offset + 64, 1 << 30)
    pool = Pool(Memory())
    pool.recover(memoryview(data))
    with pytest.raises(CrystalError, match="inflates to"):
        pool.read(pool.by_id(bomb.id))


@pytest.mark.parametrize("length", [0, 1, 63, 64, POOL_HEAD - 1, POOL_HEAD, POOL_HEAD + 1, 20_000, STEP - 1])
def test_a_pool_that_was_cut_off_gives_what_is_left_of_it(left: Left, length: int) -> None:
    data, blocks, contents = left
    whole = {block.id for block in blocks if block.offset + (block.units << 6) <= length}
    found, discarded = recovered(data[:length])
    assert found == {identity: contents[identity] for identity in whole}
    assert discarded <= 1


def test_room_that_was_not_yet_part_of_the_pool_is_no_loss(left: Left) -> None:
    data, _, contents = left
    assert recovered(data + bytes(STEP)) == (contents, 0)


def test_a_head_that_lies_changes_nothing_about_the_blocks(left: Left) -> None:
    data, _, contents = left
    for at in (layout.POOL_SEQUENCE_AT, layout.POOL_END_AT, layout.POOL_NEXT_ID_AT, layout.POOL_STATISTICS_AT):
        for value in (0, 1, POOL_HEAD, 1 << 32, (1 << 64) - 1):
            lying = bytearray(data)
            struct.pack_into("<Q", lying, at, value)
            found, discarded = recovered(lying)
            assert found == contents
            assert discarded <= 1
            pool = Pool(Memory())
            pool.recover(memoryview(lying))
            assert pool.allocate(1).id > max(contents)
    data[:8] = b"POOL\0\0\0\2"
    assert recovered(data) == ({}, 0)


@pytest.mark.parametrize("rounds", [40, pytest.param(2000, marks=pytest.mark.full)])
def test_random_bytes_anywhere_end_in_no_crash_and_no_block_that_was_not_there(left: Left, rounds: int) -> None:
    """What is found is right, as far as the CRC vouches for it: id and flags of a header are left alone.

    The magic is put in often, so that chains break in all places.
    """
    data, blocks, contents = left
    spared = {at for block in blocks for at in range(block.offset + 1, block.offset + 40)}
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print("seed", seed)
    kept = 0
    for _ in range(rounds):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 200)):
            at = chance.randrange(POOL_HEAD, POOL_HEAD + 140_000) & -chance.choice([1, 8, 64])
            noise = chance.choice([chance.randbytes(8), struct.pack("<Q", USED_WORD | chance.randrange(1 << 12) << 8)])
            if at not in spared:
                damaged[at : at + 8] = noise
        found, discarded = recovered(damaged)
        assert all(contents.get(identity) == one for identity, one in found.items()), f"seed {seed}"
        kept += len(found)
        assert len(found) + discarded >= 1
    assert 0 < kept < rounds * BLOCKS


def test_nothing_but_noise_is_read_to_its_end() -> None:
    noise = random.Random(5).randbytes(4 * STEP)
    data = layout.POOL_MAGIC + noise[8:]
    found = whole_blocks(memoryview(data))
    assert found.blocks == []
    hostile = layout.POOL_MAGIC + bytes(POOL_HEAD - 8) + struct.pack("<QQ", USED_WORD | 1 << 8, 0) * (STEP // 16)
    assert whole_blocks(memoryview(hostile)).blocks == []


def test_what_finds_no_room_is_counted_as_not_kept(left: Left) -> None:
    data, _, _ = left
    pool = Pool(Memory(room=0))
    assert pool.recover(memoryview(data)) == (0, BLOCKS)
    assert pool.statistics()["discarded"] == BLOCKS


def test_the_view_of_the_old_pool_is_let_go(left: Left) -> None:
    view = memoryview(left[0])
    pool = Pool(Memory())
    pool.recover(view)
    view.release()
    left[0].clear()


def test_a_long_life_survives_many_deaths() -> None:
    run = Run(77, checked=False)
    for _ in range(5):
        run.steps(100)
        before = run.kept
        run.recover()
        assert run.kept == before
    check(run.pool, run.memory, run.contents)
