"""Compressing and inflating in steps: the same bytes as at once, within a time, and nothing that is not smaller."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.crystal.errors import Damaged
from gamesad.crystal.pool.frozen import inflated, packed
from gamesad.crystal.tiering.freezer import STEP, Freezing, Thawing


class Ticking:
    """A clock that goes on by one at each look."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1.0
        return self._now


def by_steps(work: Freezing | Thawing) -> int:
    """Every step as short as it may be; how many there were."""
    steps = 1
    while not work.step(0.0, Ticking()):
        steps += 1
    return steps


DATA = [b"a", bytes(STEP), bytes(STEP - 1) + b"x", (b"temperature 61.5 power 44.1 " * 40_000)[: 5 * STEP + 3]]


@pytest.mark.parametrize("original", DATA, ids=lambda one: f"{len(one)} bytes")
def test_what_was_frozen_in_steps_inflates_at_once_and_the_other_way_round(original: bytes) -> None:
    frozen = packed(original)
    thawing = Thawing(memoryview(frozen), len(original))
    by_steps(thawing)
    assert thawing.data == original
    freezing = Freezing(memoryview(original))
    by_steps(freezing)
    if len(original) > 1:
        assert freezing.frozen is not None
        assert inflated(freezing.frozen, len(original)) == original


def test_a_step_takes_so_many_bytes_and_no_more() -> None:
    freezing = Freezing(memoryview(bytes(10 * STEP)))
    assert by_steps(freezing) == 10
    assert freezing.frozen
    thawing = Thawing(memoryview(freezing.frozen), 10 * STEP)
    assert by_steps(thawing) >= 10
    assert thawing.data == bytes(10 * STEP)


def test_what_does_not_get_smaller_is_given_up_before_its_end() -> None:
    freezing = Freezing(memoryview(random.Random(1).randbytes(64 * STEP)))
    steps = by_steps(freezing)
    assert freezing.frozen == b""
    assert steps < 60


@given(st.binary(min_size=17, max_size=400), st.integers(0, 3000), st.binary(min_size=1, max_size=4))
def test_damage_is_found_whatever_it_is(original: bytes, at: int, other: bytes) -> None:
    frozen = bytearray(packed(original * 5))
    at %= len(frozen)
    frozen[at : at + len(other)] = other
    try:
        thawing = Thawing(memoryview(frozen), len(original) * 5)
        by_steps(thawing)
    except Damaged as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert thawing.data == original * 5


@pytest.mark.parametrize("cut", [0, 5, 15, 16, 30, -1])
def test_a_frozen_block_that_was_cut_off_is_damaged(cut: int) -> None:
    frozen = packed(b"something " * 100)[:cut]
    with pytest.raises(Damaged):
        by_steps(Thawing(memoryview(frozen), 1000))


def test_a_whole_stream_of_other_bytes_is_damaged() -> None:
    """zlib's own checksum is right; the head's is not."""
    swapped = packed(b"A" * 5000)[:16] + packed(b"B" * 5000)[16:]
    with pytest.raises(Damaged, match="something else"):
        by_steps(Thawing(memoryview(swapped), 5000))


def test_a_small_stream_that_inflates_to_a_large_one_is_not_followed() -> None:
    """The head says 100 bytes, the stream holds 64 MiB of zeros: it stops at the first step past the head's size."""
    bomb = packed(bytes(64 << 20))
    lie = packed(bytes(100))[:16] + bomb[16:]
    thawing = Thawing(memoryview(lie), 100)
    with pytest.raises(Damaged, match="something else than the 100 bytes"):
        by_steps(thawing)
    assert thawing.data is None
