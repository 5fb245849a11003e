"""The pool's keeper: tiers follow use, freezing is cut in steps, frozen blocks are thawed before they are read."""

from __future__ import annotations

import errno
import random
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gamesad.crystal.layout import COLD, FROZEN, HOT, WARM
from gamesad.crystal.pool.pool import Block, OutOfSpace
from gamesad.crystal.tiering.accesses import HINTS
from gamesad.crystal.tiering.freezer import LARGEST
from gamesad.crystal.tiering.locked import Locked
from gamesad.crystal.tiering.prefetch import Budget
from gamesad.crystal.tiering.tiers import Rules, Settings
from tests.crystal.kept import Kept, text
from tests.crystal.traces import repeating

DWELL_S = Rules().dwell_s


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.close()


def test_what_nobody_reads_becomes_cold_and_then_frozen_and_is_the_same_when_read(kept: Kept) -> None:
    data = text(100_000)
    block = kept.allocate(data)
    kept.later(DWELL_S + 20)
    assert block.tier == COLD
    kept.later(DWELL_S + 20)
    assert block.tier == FROZEN
    assert block.stored < len(data) / 5
    assert kept.read(block) == data
    assert block.tier == WARM
    told = kept.pool.statistics()
    assert (told["demotions"], told["freezes"], told["thaws"]) == (2, 1, 1)


def test_what_is_read_often_becomes_hot_and_is_locked_in_memory(kept: Kept) -> None:
    block = kept.allocate(text(100_000))
    kept.read(block, 150)
    kept.later(20)
    assert block.tier == WARM, "it has not dwelt there"
    kept.later(DWELL_S)
    assert block.tier == HOT
    assert kept.keeper.statistics()["locked_bytes"] == pytest.approx(100_000, abs=8192)
    kept.pool.write(block, text(100_000))
    kept.later(10)
    assert locked(kept) == kept.keeper.statistics()["locked_bytes"], "it lies elsewhere now"


def test_a_lock_that_is_refused_is_told_once_and_again_when_it_holds(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.allocate(text(100_000), count=1e6)
    with monkeypatch.context() as refusing:
        refusing.setattr(Locked, "_call", lambda *_: errno.ENOMEM)
        kept.later(DWELL_S + 60)
        kept.allocate(text(100_000), count=1e6)
        kept.later(DWELL_S + 60)
    (said,) = kept.said
    assert "not locked in memory (Cannot allocate memory)" in said
    kept.allocate(text(100_000), count=1e6)
    kept.later(DWELL_S + 60)
    assert kept.said[1:] == ["all hot blocks are locked in memory again"]


def locked(kept: Kept) -> int:
    """Bytes that the kernel says are locked of the segment."""
    found, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            ours = kept.segments[-1].path in line
        elif ours and (match := re.match(r"Locked:\s+(\d+) kB", line)):
            found += int(match[1]) * 1024
    return found


def test_no_more_becomes_hot_than_may_be_locked(tmp_path: Path) -> None:
    kept = Kept(tmp_path, Settings(hot_bytes=250_000))
    blocks = [kept.allocate(text(100_000), count=1e6) for _ in range(4)]
    kept.later(DWELL_S + 20)
    assert sorted(block.tier for block in blocks) == [HOT, HOT, WARM, WARM]
    kept.close()


def test_counts_survive_in_the_headers(kept: Kept) -> None:
    block = kept.allocate(text(1000))
    kept.read(block, 64)
    kept.later(600)
    assert block.heat == pytest.approx(32, rel=0.05)


def test_a_block_that_does_not_get_smaller_stays_and_is_not_tried_again(kept: Kept) -> None:
    block = kept.allocate(random.Random(1).randbytes(300_000), tier=COLD)
    kept.later(DWELL_S + 20)
    assert block.tier == COLD
    spent_s = time.process_time()
    kept.later(3600)
    assert time.process_time() - spent_s < 0.3, "compressing it takes 10 ms each time"
    kept.pool.write(block, text(300_000))
    kept.later(20)
    assert block.tier == FROZEN, "its new contents do"


def test_a_block_too_large_to_be_thawed_while_somebody_waits_is_not_frozen(kept: Kept) -> None:
    block = kept.allocate(text(LARGEST + 1), tier=COLD)
    kept.later(3600)
    assert block.tier == COLD


def test_freezing_the_largest_block_takes_many_short_steps(kept: Kept) -> None:
    block = kept.allocate(text(LARGEST), tier=COLD)
    kept.now_s = 2 * DWELL_S
    took_s: list[float] = []
    kept.keeper.maintain(0.0, 0.0)
    while block.tier == COLD and len(took_s) < 1000:
        kept.now_s += 0.5
        began_s = time.thread_time()
        kept.keeper.maintain(kept.now_s, 0.002)
        took_s.append(time.thread_time() - began_s)
    assert block.tier == FROZEN
    assert len(took_s) > 10
    assert sorted(took_s)[-2] < 0.010, took_s
    assert kept.read(block) == text(LARGEST)


@pytest.mark.parametrize("what", ["written", "freed"])
def test_a_block_that_changes_while_it_is_frozen_is_left_as_it_is(kept: Kept, what: str) -> None:
    data = text(LARGEST)
    block = kept.allocate(data, tier=COLD)
    kept.later(DWELL_S)
    kept.now_s += 20
    for _ in range(1000):
        kept.keeper.maintain(kept.now_s, 0.0001)
        if kept.keeper._work:
            break
    assert kept.keeper._work
    if what == "freed":
        kept.pool.free(block)
    else:
        kept.pool.write(block, b"new" * 1000, 100)
    kept.later(100)
    assert kept.said == []
    if what == "written":
        assert block.tier == FROZEN, "as it is now"
        assert kept.read(block) == data[:100] + b"new" * 1000 + data[3100:]


def test_a_frozen_block_that_is_damaged_is_named_once_and_stays(kept: Kept) -> None:
    block = kept.allocate(text(100_000), count=5000.0)
    assert kept.pool.freeze(block)
    memory, at = kept.segments[0].memory, kept.segments[0].section(6)[0] + block.offset + 64 + 40
    memory[at : at + 4] = b"\xff\x00\xff\x00"
    kept.later(4 * DWELL_S)
    assert len(kept.said) == 1
    assert kept.said[0].startswith(f"block {block.id} (test) stays frozen: a frozen block ")
    assert block.tier == FROZEN


def test_a_full_pool_is_told_once_and_tried_again_when_there_is_room(tmp_path: Path) -> None:
    kept = Kept(tmp_path, pool_max=1 << 20)
    block = kept.allocate(text(500_000), tier=COLD)
    rest = [kept.allocate(bytes(random.Random(n).randbytes(3000)), count=50.0) for n in range(170)]
    while True:
        try:
            rest.append(kept.allocate(b"x", count=50.0))
        except OutOfSpace:
            break
    tried = 0
    freeze = kept.pool.freeze

    def counted(block: Block, data: bytes | None = None) -> bool:
        nonlocal tried
        tried += 1
        return freeze(block, data)

    kept.pool.freeze = counted  # type: ignore[method-assign]
    kept.later(DWELL_S + 200)
    assert block.tier == COLD
    assert len(kept.said) == 1
    assert 2 <= tried <= 4, "once a minute"
    assert "cannot change its tier: the pool has no" in kept.said[0]
    assert kept.keeper.statistics()["problems"] == kept.said[0]
    for one in rest[:60]:
        kept.pool.free(one)
    kept.later(100)
    assert block.tier == FROZEN
    assert kept.keeper.statistics()["problems"] == ""
    kept.close()


# ---- prediction


def predicting(folder: Path, budget: Budget | None, rules: Rules | None = None) -> Kept:
    """Blocks that are frozen again soon after each read."""
    rules = rules or Rules(dwell_s=5, half_life_s=1)
    return Kept(folder, Settings(rules, budget), pool_max=256 << 20)


def frozen_waits(kept: Kept, trace: list[int], blocks: dict[int, object]) -> tuple[int, float]:
    """How many reads found the block frozen, and what all of them waited."""
    thaws = 0
    waited_s = kept.pool.waited_s
    for number in trace:
        block = blocks[number]
        thaws += block.tier == FROZEN  # type: ignore[attr-defined]
        kept.read(block)  # type: ignore[arg-type]
        kept.later(40)
    return thaws, kept.pool.waited_s - waited_s


@pytest.mark.parametrize("budget", [Budget(), None], ids=["with prediction", "without"])
def test_a_trace_that_repeats_finds_its_blocks_thawed(tmp_path: Path, budget: Budget | None) -> None:
    kept = predicting(tmp_path, budget)
    blocks: dict[int, object] = {number: kept.allocate(text(64 << 10)) for number in range(1, 17)}
    kept.later(100)
    assert all(block.tier == FROZEN for block in kept.pool.blocks())
    frozen_waits(kept, repeating(16, 64), blocks)
    found_frozen, _ = frozen_waits(kept, repeating(16, 64), blocks)
    told = kept.pool.statistics()
    if budget:
        assert found_frozen <= 2
        assert told["prefetch_hits"] >= 60
        assert kept.keeper.statistics()["prefetch"] == "on"
        assert kept.keeper.statistics()["prefetch_cpu_s"] > 0
    else:
        assert found_frozen == 64
        assert told["prefetch_hits"] == 0
        assert told["prefetch_misses"] == 128
    kept.close()


# ---- hints


def test_hints_count_as_reads_and_what_names_no_block_counts_for_nothing(kept: Kept) -> None:
    block, other = kept.allocate(text(1000)), kept.allocate(text(1000))
    assert kept.keeper.hint([block.address, 0, -5, block.address + 64, 1 << 80, other.address]) == 6
    kept.later(10)
    assert (block.heat, other.heat) == (pytest.approx(1, rel=0.05), pytest.approx(1, rel=0.05))
    assert kept.keeper.statistics()["accesses"] == 2


def test_hints_are_taken_up_to_a_bound_in_a_second(kept: Kept) -> None:
    block = kept.allocate(text(1000))
    endless = iter(lambda: block.address, None)
    assert kept.keeper.hint(endless) == HINTS
    for _ in range(3):  # each request is followed by a step
        assert kept.keeper.hint([block.address]) == 0
        kept.later(0.2)
        kept.keeper.maintain(kept.now_s, 0.001)
    kept.later(1.0)
    assert kept.keeper.hint([block.address]) == 1
    kept.later(10)
    assert kept.keeper.statistics()["accesses"] == HINTS + 1


def test_a_client_that_reads_a_frozen_block_warms_it(kept: Kept) -> None:
    block = kept.allocate(text(10_000))
    kept.pool.freeze(block)
    for _ in range(int(DWELL_S / 10) + 2):
        kept.keeper.hint([block.address] * 50)
        kept.later(10)
    assert block.tier < FROZEN
    assert kept.keeper.statistics()["read_wait_us"] > 0


# ---- time


@pytest.mark.parametrize("blocks", [0, 2000])
def test_a_pool_at_rest_costs_next_to_nothing_between_reviews(kept: Kept, blocks: int) -> None:
    for _ in range(blocks):
        kept.allocate(b"x" * 100, count=50.0)
    kept.later(30)
    began_s = time.thread_time()
    for _ in range(100):
        kept.keeper.maintain(kept.now_s, 0.002)
    assert (time.thread_time() - began_s) / 100 < 100e-6


def test_everything_is_done_within_the_budget_and_one_step(kept: Kept) -> None:
    """Thousands of blocks, thousands of accesses, all of them due: many short calls, none of them long."""
    blocks = [kept.allocate(text(2000 + 10 * n)) for n in range(2000)]
    took_s = []
    for n in range(1500):
        for block in random.Random(n).sample(blocks, 20):
            kept.pool.touched.append(block.id)
        kept.now_s += 0.5
        began_s = time.thread_time()
        kept.keeper.maintain(kept.now_s, 0.001)
        took_s.append(time.thread_time() - began_s)
    took_s.sort()
    assert took_s[-15] < 0.006, took_s[-20:]
    assert kept.pool.statistics()["freezes"] > 0


def test_what_was_thawed_ahead_waits_for_its_read_and_not_for_ever(tmp_path: Path) -> None:
    kept = Kept(tmp_path, Settings(Rules(dwell_s=30, half_life_s=10)))
    blocks = {number: kept.allocate(text(64 << 10)) for number in range(1, 17)}
    kept.later(100)
    for number in repeating(16, 80):
        kept.read(blocks[number])
        kept.later(100)
    assert kept.keeper.statistics()["prefetch_wasted"] == 0, "the last of them waits for minutes"
    ahead = int(kept.keeper.statistics()["prefetch_resident_bytes"]) >> 16
    assert ahead > 1
    kept.later(2000)
    assert kept.keeper.statistics()["prefetch_resident_bytes"] == 0
    assert kept.keeper.statistics()["prefetch_wasted"] == ahead
    assert all(block.tier == FROZEN for block in blocks.values())
    kept.close()


def test_what_finds_no_room_to_be_thawed_ahead_is_tried_once_for_each_bet(tmp_path: Path) -> None:
    kept = Kept(tmp_path, Settings(Rules(dwell_s=5, half_life_s=1)), pool_max=2 << 20)
    blocks = {number: kept.allocate(text(64 << 10)) for number in range(1, 17)}
    kept.later(100)
    for number in repeating(16, 80):
        kept.read(blocks[number])
        kept.later(40)
    assert kept.keeper.statistics()["prefetch"] == "on"
    kept.later(1000)
    for size in (1 << 16, 1 << 10):
        with suppress(OutOfSpace):
            while True:
                kept.allocate(random.Random(size).randbytes(size), count=50)
    tried, thaw = 0, kept.pool.thaw

    def counted(block: Block, data: bytes | bytearray | None = None) -> None:
        nonlocal tried
        tried += 1
        thaw(block, data)

    kept.pool.thaw = counted  # type: ignore[method-assign]
    kept.pool.touched.append(blocks[repeating(16, 80)[-1]].id)
    kept.later(30)
    assert 1 <= tried <= 8
    assert len(kept.said) == 1
    kept.close()
