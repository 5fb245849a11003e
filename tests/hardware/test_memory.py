"""Memory and swap."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamesad.hardware import memory
from tests.support.machines import rewrite, tree
from tests.support.sampling import opened, sampled

MEMINFO = "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  400 kB\nSwapTotal:  200 kB\nSwapFree:  150 kB"


def test_memory_is_bytes_available_and_the_part_in_use(tmp_path: Path) -> None:
    with opened(tree(tmp_path, {"/proc/meminfo": MEMINFO}), memory.probe_sources) as sources:
        assert sampled(sources).readings == {
            "memory.available": 409_600.0,
            "memory.utilization": 0.6,
            "memory.swap_utilization": 0.25,
        }


def test_without_the_kernels_estimate_what_can_be_freed_counts_as_available(tmp_path: Path) -> None:
    text = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 200 kB\nShmem: 80 kB\nSReclaimable: 30 kB"
    with opened(tree(tmp_path, {"/proc/meminfo": text}), memory.probe_sources) as sources:
        assert sampled(sources).readings["memory.utilization"] == pytest.approx(0.7)


def test_without_swap_swap_is_absent_and_not_zero(tmp_path: Path) -> None:
    tree(tmp_path, {"/proc/meminfo": MEMINFO.replace("200", "0").replace("150", "0")})
    with opened(tmp_path, memory.probe_sources) as sources:
        assert sampled(sources).absent["memory.swap_utilization"].cause == "no swap"


@pytest.mark.parametrize("text", ["", "garbage", "MemTotal: x kB", "MemTotal: 1000 kB", "\x00\xff"])
def test_nonsense_is_absent_and_a_good_file_later_is_read(tmp_path: Path, text: str) -> None:
    with opened(tree(tmp_path, {"/proc/meminfo": text}), memory.probe_sources) as sources:
        assert {absence.cause for absence in sampled(sources).absent.values()} == {"unparseable"}
        rewrite(tmp_path, "/proc/meminfo", MEMINFO)
        assert sampled(sources, 2.0).readings["memory.utilization"] == 0.6


def test_more_available_than_there_is_is_rejected(tmp_path: Path) -> None:
    tree(tmp_path, {"/proc/meminfo": MEMINFO.replace("400", "4000")})
    with opened(tmp_path, memory.probe_sources) as sources:
        assert sampled(sources).rejected.keys() == {"memory.available", "memory.utilization"}
