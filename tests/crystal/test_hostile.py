"""Damaged and hostile segments: a clear error or a whole value, never a crash, a hang, or a read outside the file."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged, Torn, WrongAbi
from gamesad.crystal.header import static_crc
from gamesad.crystal.reader import attach
from gamesad.crystal.telemetry import Telemetry
from tests.crystal import publishing
from tests.crystal.hostile import ASKED, asked, put, refused

pytestmark = pytest.mark.usefixtures("nothing_hangs")


def test_the_image_itself_answers_everything(path: str) -> None:
    for mapped in (False, True):
        assert asked(path, mapped=mapped) == {"answered": len(ASKED), "refused": 0}


def test_random_bytes_are_no_segment(shm: str) -> None:
    path = f"{shm}/segment"
    moments = random.Random(1)
    for size in (0, 1, 8, 100, layout.HEADER_SIZE - 1, layout.HEADER_SIZE, 1 << 20):
        Path(path).write_bytes(moments.randbytes(size))
        with pytest.raises(Damaged, match=f"{path} is not a segment of gamesad; restart gamesad"):
            attach(path)


def test_every_single_byte_of_the_fixed_header_is_vouched_for(path: str, image: bytes) -> None:
    for at in (*range(16), *range(128, 512)):
        put(path, at, bytes([image[at] ^ 0x40]))
        with pytest.raises(WrongAbi if 8 <= at < 16 else Damaged):
            attach(path)
        put(path, at, image[at : at + 1])
    attach(path).close()


def vouched(image: bytes, at: int, data: bytes) -> bytes:
    """The first page with other bytes in it, and the checksum that an attacker would put there too."""
    page = bytearray(image[: layout.HEADER_SIZE])
    page[at : at + len(data)] = data
    page[layout.STATIC_CRC_AT : layout.STATIC_CRC_AT + 4] = static_crc(page).to_bytes(4, "little")
    return bytes(page)


@pytest.mark.parametrize("place", [place for place in range(14) if place != 7])
@pytest.mark.parametrize("value", [0, 2**31, 2**32 - 1])
def test_counts_that_overflow_are_seen_whatever_the_checksum(path: str, image: bytes, place: int, value: int) -> None:
    put(path, 0, vouched(image, layout.GEOMETRY_AT + 4 * place, value.to_bytes(4, "little")))
    with pytest.raises(Damaged, match="restart gamesad"):
        attach(path)


@pytest.mark.parametrize("place", range(2 * layout.SECTIONS))
@pytest.mark.parametrize("value", [0, 8, 2**63, 2**64 - 1])
def test_sections_elsewhere_are_seen_whatever_the_checksum(path: str, image: bytes, place: int, value: int) -> None:
    put(path, 0, vouched(image, layout.SECTIONS_AT + 8 * place, value.to_bytes(8, "little")))
    with pytest.raises(Damaged, match="restart gamesad"):
        attach(path)


@pytest.mark.parametrize("length", [0, 100, 2**40, 2**64 - 1])
def test_a_published_length_that_is_not_there_is_not_believed(path: str, length: int) -> None:
    with attach(path, mapped=True) as crystal, attach(path) as other:
        put(path, layout.LENGTH_AT, length.to_bytes(8, "little"))
        with pytest.raises(Damaged, match="restart gamesad"):
            attach(path)
        for one in (crystal, other):
            for ask in ASKED.values():
                refused(ask, one)


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("rounds", [150, pytest.param(5000, marks=pytest.mark.full)])
def test_random_bytes_behind_a_header_that_is_right(path: str, image: bytes, mapped: bool, rounds: int) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    told = {"answered": 0, "refused": 0}
    for _ in range(rounds):
        damaged = []
        for _ in range(chance.choice((1, 3, 30))):
            at = chance.randrange(layout.LENGTH_AT, len(image) - 64)
            size = chance.choice((1, 8, 64, 4096))
            if at + size <= 128 or at >= 512:
                put(path, at, chance.randbytes(size) if chance.random() < 0.7 else b"\xff" * size)
                damaged.append((at, size))
        for name, count in asked(path, mapped=mapped).items():
            told[name] += count
        for at, size in damaged:
            put(path, at, image[at : at + size])
    print(f"seed {seed}: {told}")
    assert told["answered"] > told["refused"] > 0


def test_everything_behind_the_header_random(path: str, image: bytes) -> None:
    for seed in range(20):
        put(path, 512, random.Random(seed).randbytes(len(image) - 512))
        for mapped in (False, True):
            told = asked(path, mapped=mapped)
            assert told["refused"] >= len(ASKED) - 4, told


@pytest.mark.parametrize("rounds", [100, pytest.param(3000, marks=pytest.mark.full)])
def test_whatever_the_daemon_finds_at_its_start_it_starts(path: str, image: bytes, rounds: int) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    taken = left = 0
    for _ in range(rounds):
        data = bytearray(image[: chance.choice((0, 100, 5000, chance.randrange(len(image)), len(image)))])
        for _ in range(chance.choice((0, 1, 30)) if data else 0):
            at = chance.randrange(len(data))
            data[at : at + 64] = chance.randbytes(min(64, len(data) - at))
        Path(path).write_bytes(data)
        put(path, layout.HEARTBEAT_AT, bytes(8))
        segment = publishing.segment(path)
        telemetry = Telemetry(segment)
        if segment.previous:
            taken += 1
            kept, lost = telemetry.take_over(segment.previous)
            assert 0 <= kept <= 8
            assert 0 <= lost <= 8
            refused(lambda _, found=segment.previous: found.directory(), None)
            for place in range(layout.SECTIONS):
                offset, length = segment.previous.section(place) or (0, 0)
                assert offset + length <= len(segment.previous.memory)
        else:
            left += 1
            assert "\n" not in segment.set_aside
        segment.publish()
        segment.close()
    print(f"seed {seed}: taken over {taken}, replaced {left}")
    assert taken
    assert left


@pytest.mark.parametrize(
    ("section", "at", "value"),
    [
        (layout.LATEST, 52, publishing.COLUMNS + 1),
        (layout.LATEST, 52, 2**32 - 1),
        (layout.LATEST, 56, 0x04),
        (layout.LATEST, 56, 0xFF000000),
        (layout.LATEST, 60, 0),
        (layout.LATEST, 60, 2**32 - 1),
        (layout.LATEST, 64, layout.HORIZONS + 1),
        (layout.LATEST, 68, layout.FORECASTS + 1),
        (layout.DIRECTORY, 4, publishing.COLUMNS - 1),
        (layout.DIRECTORY, 4, 2**32 - 1),
        (layout.DIRECTORY, 8, 2**31),
        (layout.DIRECTORY, 16, 0xFFFFFFFF),
        (layout.DIRECTORY, 16 + 240, 9),
    ],
)
def test_a_record_that_speaks_of_more_than_it_holds_is_damaged(path: str, section: int, at: int, value: int) -> None:
    begin = publishing.offset_of(path, section)
    with open(path, "rb") as file:
        file.seek(begin)
        sequence, slot = struct.unpack("<QQ", file.read(16))
    put(path, begin + layout.RECORD_HEAD + (sequence & 1) * slot + layout.SLOT_HEAD + at, value.to_bytes(4, "little"))
    with attach(path) as crystal, pytest.raises(Damaged, match="restart gamesad"):
        crystal.latest()


# ---- the pool's chain


@pytest.mark.parametrize(
    "word",
    [
        layout.BLOCK_MAGIC << 48 | layout.FREE,
        layout.BLOCK_MAGIC << 48 | layout.USED,
        layout.BLOCK_MAGIC << 48 | ((1 << 40) - 1) << 8 | layout.USED,
        layout.BLOCK_MAGIC << 48 | 2 << 8 | 77,
        0,
        2**64 - 1,
    ],
    ids=[
        "no length: a cycle",
        "a used one without length",
        "a length that overflows",
        "a state that there is not",
        "zeros",
        "ones",
    ],
)
def test_a_broken_chain_of_blocks_ends_in_a_clear_error(path: str, word: int) -> None:
    pool = publishing.offset_of(path, layout.POOL)
    put(path, pool + layout.POOL_HEAD, word.to_bytes(8, "little"))
    for mapped in (False, True):
        with attach(path, mapped=mapped) as crystal, pytest.raises(Damaged, match="the pool is damaged"):
            crystal.blocks()


@pytest.mark.parametrize("end", [0, layout.POOL_HEAD, 2**63, 2**64 - 1])
def test_a_pool_that_ends_where_it_cannot_is_not_walked_beyond(path: str, end: int) -> None:
    put(path, publishing.offset_of(path, layout.POOL) + layout.POOL_END_AT, end.to_bytes(8, "little"))
    with attach(path) as crystal:
        if end <= layout.POOL_HEAD:
            assert crystal.blocks() == []
        else:
            with pytest.raises(Damaged, match="longer than its place"):
                crystal.blocks()


def test_a_chain_that_always_changes_is_torn_after_a_bounded_time(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with attach(path) as crystal:
        word, calls = crystal._at.source.word, iter(range(1 << 30))
        sequence_at = publishing.offset_of(path, layout.POOL) + layout.POOL_SEQUENCE_AT
        monkeypatch.setattr(
            "gamesad.crystal.source.File.word", lambda _, at: next(calls) if at == sequence_at else word(at)
        )
        with pytest.raises(Torn, match="try again"):
            crystal.blocks()


def test_a_frozen_block_that_would_inflate_without_end_is_stopped(path: str) -> None:
    with attach(path) as crystal:
        (frozen,) = (block for block in crystal.blocks() if block.tier == layout.FROZEN)
        at = publishing.offset_of(path, layout.POOL) + frozen.offset + layout.BLOCK_HEAD
        for size in (1, 4999, 5001, 2**64 - 1):
            put(path, at, size.to_bytes(8, "little"))
            with pytest.raises(Damaged, match=f"block {frozen.id} of the pool is damaged"):
                crystal.read(frozen.id)
