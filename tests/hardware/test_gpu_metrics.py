"""The throttle status in amdgpu's binary table, by its revision."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.hardware import gpu_metrics

OWN = {(1, 0): 68, (1, 1): 68, (1, 2): 68, (1, 3): 68, (2, 0): 112, (2, 1): 108, (2, 2): 108, (2, 3): 108, (2, 4): 108}
COMMON = {(1, 3): 112, (2, 2): 120, (2, 3): 120, (2, 4): 120}
SIZES = {
    (1, 0): 80,
    (1, 1): 96,
    (1, 2): 104,
    (1, 3): 120,
    (2, 0): 120,
    (2, 1): 120,
    (2, 2): 128,
    (2, 3): 152,
    (2, 4): 168,
}
"""Where kgd_pp_interface.h lays out the fields, by natural alignment, and how large each table is."""


def table(revision: tuple[int, int], own: int | None = None, common: int | None = None) -> bytes:
    """As the driver makes it: all ones, then what it knows."""
    made = bytearray(b"\xff" * SIZES[revision])
    struct.pack_into("<HBB", made, 0, len(made), *revision)
    if own is not None:
        struct.pack_into("<I", made, OWN[revision], own)
    if common is not None:
        struct.pack_into("<Q", made, COMMON[revision], common)
    return bytes(made)


@pytest.mark.parametrize("revision", OWN)
def test_the_chips_own_status_says_only_whether_it_throttles(revision: tuple[int, int]) -> None:
    assert gpu_metrics.throttle(table(revision, own=0)) == "none"
    assert gpu_metrics.throttle(table(revision, own=1 << 3)) == "throttled"


@pytest.mark.parametrize("revision", COMMON)
def test_the_common_status_names_its_bits(revision: tuple[int, int]) -> None:
    bits = 1 << 0 | 1 << 36 | 1 << 47
    assert gpu_metrics.throttle(table(revision, own=9, common=bits)) == "ppt0 temp_hotspot prochot_gfx"
    assert gpu_metrics.throttle(table(revision, own=9, common=0)) == "none"
    assert gpu_metrics.throttle(table(revision, own=9, common=1 << 60)) == "throttled", "a bit without a name"


@pytest.mark.parametrize(
    ("bit", "name"),
    [(4, "spl"), (16, "tdc_gfx"), (23, "apcc"), (32, "temp_gpu"), (34, "temp_mem"), (35, "temp_edge"),
     (38, "temp_vr_gfx"), (41, "temp_vr_mem1"), (44, "vrhot0"), (56, "ppm"), (57, "fit")],
)  # fmt: skip
def test_bits_are_those_of_amdgpu_smu_h(bit: int, name: str) -> None:
    assert gpu_metrics.throttle(table((1, 3), common=1 << bit)) == name


@pytest.mark.parametrize("revision", OWN)
def test_a_field_that_the_driver_left_as_all_ones_tells_nothing(revision: tuple[int, int]) -> None:
    assert not gpu_metrics.states_throttling(table(revision))


@pytest.mark.parametrize("revision", [(1, 4), (1, 5), (1, 8), (2, 9), (3, 0), (0, 0)])
def test_other_revisions_are_left_out(revision: tuple[int, int]) -> None:
    assert not gpu_metrics.states_throttling(struct.pack("<HBB", 200, *revision) + bytes(196))


def test_a_table_shorter_than_it_says_tells_nothing() -> None:
    whole = table((1, 3), own=0, common=0)
    assert gpu_metrics.states_throttling(whole)
    for size in range(len(whole)):
        assert not gpu_metrics.states_throttling(whole[:size])


@given(st.binary(max_size=300) | st.tuples(st.integers(0, 300), st.integers(0, 4), st.integers(0, 9), st.binary(
    min_size=296, max_size=296)).map(lambda made: struct.pack("<HBB", *made[:3]) + made[3]))  # fmt: skip
def test_whatever_stands_in_it_is_a_word_or_nothing(data: bytes) -> None:
    if gpu_metrics.states_throttling(data):
        assert gpu_metrics.throttle(data).isprintable()
