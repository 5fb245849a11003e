"""Compaction into a new file, and layout plans on trial: kept when they help, taken back when they do not."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.layout import COLD, FROZEN, HOT, WARM
from gamesad.crystal.pool.pool import Block
from gamesad.crystal.reader import attach
from gamesad.crystal.tiering.plan import PlanError
from gamesad.crystal.tiering.tiers import Settings
from tests.crystal.kept import Kept, text

TRIAL_S = 300.0


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path, Settings(trial_s=TRIAL_S))
    yield made
    made.close()


def places(blocks: list[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: block.offset)


def being_frozen(kept: Kept) -> None:
    """Until a block is in the middle of it."""
    for _ in range(1000):
        kept.keeper.maintain(kept.now_s, 0.0001)
        if kept.keeper._work:
            return
    raise AssertionError("no block is being frozen")


# ---- compaction


def test_a_compaction_packs_by_heat_into_a_smaller_file_that_readers_find(kept: Kept) -> None:
    blocks = [kept.allocate(text(300_000 + n), count=float(10 + n)) for n in range(12)]
    cold = kept.allocate(text(5000), tier=COLD)
    hot = kept.allocate(text(5000), tier=HOT, count=500)
    for block in blocks[::2]:
        kept.pool.free(block)
    del blocks[::2]
    before = kept.segments[0]
    with_reader = attach(before.path)
    generation = with_reader.generation
    kept.keeper.compact()
    kept.later(10)
    assert places([*blocks, cold, hot]) == [hot, *reversed(blocks), cold]
    assert len(kept.segments) == 2
    assert kept.segments[1].length < before.length
    assert kept.pool.statistics()["free"] == kept.pool.statistics()["largest_free"]
    after = attach(before.path)
    assert after.generation == generation + 1
    assert {found.id for found in after.blocks()} == {block.id for block in kept.pool.blocks()}
    assert after.read(blocks[0].id) == kept.read(blocks[0])
    assert kept.said == [f"compacted: {before.length} bytes are {kept.segments[1].length}"]
    assert kept.keeper.statistics()["compaction"] == kept.said[0]


def test_what_the_ticks_wrote_meanwhile_is_in_the_new_file(kept: Kept) -> None:
    old = kept.segments[0]
    for _ in range(6):
        kept.allocate(text(3 << 20), count=50)
    at = layout.HEADER_SIZE + 8 * 100
    kept.keeper.compact()
    steps = 0
    while kept.keeper.compacting:
        steps += 1
        old.words[at // 8] = steps
        old.memory[layout.HEADER_SIZE + 4000 : layout.HEADER_SIZE + 4008] = steps.to_bytes(8, "little")
        kept.keeper.maintain(1.0, 0.0005)
    assert steps > 5
    assert kept.segments[1].words[at // 8] == steps
    assert kept.segments[1].memory[layout.HEADER_SIZE + 4000] == steps


def test_a_second_compaction_waits_for_nobody_and_changes_nothing(kept: Kept) -> None:
    kept.allocate(text(3 << 20), count=50)
    kept.keeper.compact()
    kept.keeper.compact()
    kept.later(10)
    assert len(kept.segments) == 2


def test_blocks_read_together_lie_together_afterwards(kept: Kept) -> None:
    blocks = [kept.allocate(text(20_000), count=50.0) for _ in range(10)]
    for _ in range(8):
        for block in (blocks[7], blocks[2], blocks[5]):
            kept.read(block)
        kept.read(blocks[0])
        kept.later(1)
    kept.keeper.compact()
    kept.later(10)
    order = places(blocks)
    first = order.index(blocks[7])
    assert order[first : first + 3] == [blocks[7], blocks[2], blocks[5]]


def test_a_block_moved_while_it_was_being_frozen_is_frozen_afterwards(kept: Kept) -> None:
    block = kept.allocate(text(8 << 20), tier=COLD)
    kept.later(110)
    kept.now_s += 20
    being_frozen(kept)
    kept.keeper.compact()
    kept.later(20)
    assert block.tier == FROZEN
    assert len(kept.segments) == 2
    assert kept.read(block) == text(8 << 20)


def test_a_plan_is_followed_through_a_compaction(kept: Kept) -> None:
    """The rules leave what a plan on trial has placed, so nobody else would freeze it."""
    block = kept.allocate(text(8 << 20), count=50)
    kept.later(10)
    kept.keeper.apply(json.dumps({"blocks": {str(block.id): "frozen"}}))
    being_frozen(kept)
    kept.keeper.compact()
    kept.later(10)
    assert len(kept.segments) == 2
    assert block.tier == FROZEN


def test_hot_blocks_stay_locked_where_they_lie_now(kept: Kept) -> None:
    block = kept.allocate(text(100_000), tier=HOT, count=1e6)
    kept.later(10)
    kept.keeper.compact()
    kept.later(10)
    assert len(kept.segments) == 2
    assert kept.keeper.statistics()["locked_bytes"] == pytest.approx(100_000, abs=8192)
    assert places(kept.pool.blocks())[0] is block


def test_a_file_that_cannot_be_put_in_place_leaves_everything_as_it_was(kept: Kept, tmp_path: Path) -> None:
    block = kept.allocate(text(100_000), count=50)
    kept.later(10)
    kept.keeper.compact()
    path = Path(kept.segments[0].path)
    path.unlink()
    path.mkdir()
    (path / "somebody's").touch()
    kept.later(10)
    assert len(kept.segments) == 1
    assert len(kept.said) == 1
    assert kept.said[0].startswith("not compacted: ")
    assert kept.read(block) == text(100_000)
    assert [file.name for file in tmp_path.iterdir()] == ["gamesad"]
    (path / "somebody's").unlink()
    path.rmdir()


# ---- plans


def use(kept: Kept, blocks: list[Block], seconds: float) -> None:
    """Reads all of them every 10 s."""
    for _ in range(int(seconds / 10)):
        for block in blocks:
            kept.read(block)
        kept.later(10)


def test_a_plan_that_makes_it_worse_is_taken_back(kept: Kept) -> None:
    """It freezes what is read all the time; every read thaws it, and the rules would be slow to say so."""
    used = [kept.allocate(text(1 << 20), count=60.0, tier=tier) for tier in (HOT, WARM, WARM, WARM)]
    use(kept, used, 600)
    tiers = {block.id: block.tier for block in used}
    offsets = [block.offset for block in places(used)]
    order = [block.id for block in reversed(used)]
    report = kept.keeper.apply(json.dumps({"blocks": {str(block.id): "frozen" for block in used}, "order": order}))
    assert (report["blocks"], report["order"], report["trial_s"]) == (4, 4, TRIAL_S)
    kept.later(1)
    assert all(block.tier == FROZEN for block in used)
    assert kept.keeper.statistics()["plan"] == "on trial"
    use(kept, used, TRIAL_S - 20)
    assert kept.keeper.statistics()["plan"] == "on trial"
    use(kept, used, 60)
    outcome = kept.keeper.statistics()["plan"]
    assert isinstance(outcome, str)
    assert outcome.startswith("taken back: cost ")
    assert f"layout plan {outcome}" in kept.said
    assert {block.id: block.tier for block in used} == tiers
    assert used[0].tier == HOT
    assert [block.offset for block in places(used)] == offsets
    assert [block.id for block in places(used)] == [block.id for block in used]


def test_a_plan_that_frees_memory_nobody_misses_is_kept(kept: Kept) -> None:
    used = [kept.allocate(text(200_000), count=60.0) for _ in range(2)]
    unused = [kept.allocate(text(1 << 20), count=80.0) for _ in range(4)]
    use(kept, used, 600)
    kept.keeper.apply(json.dumps({"blocks": {str(block.id): "frozen" for block in unused}}))
    use(kept, used, TRIAL_S + 30)
    outcome = str(kept.keeper.statistics()["plan"])
    assert outcome.startswith("kept: cost 0.")
    assert all(block.tier == FROZEN for block in unused)


def test_a_plan_that_changes_nothing_is_kept(kept: Kept) -> None:
    used = [kept.allocate(text(20_000), count=60.0) for _ in range(4)]
    use(kept, used, 600)
    kept.keeper.apply('{"order": [4, 3, 2, 1]}')
    use(kept, used, TRIAL_S + 30)
    assert str(kept.keeper.statistics()["plan"]).startswith("kept: cost 1.0")
    assert [block.id for block in places(used)] == [4, 3, 2, 1]


def test_the_rules_leave_what_a_plan_on_trial_has_placed_and_go_on_after(kept: Kept) -> None:
    block, used = kept.allocate(text(100_000)), kept.allocate(text(1000), count=60)
    use(kept, [used], 100)
    kept.keeper.apply(json.dumps({"blocks": {str(block.id): "hot"}}))
    use(kept, [used], TRIAL_S - 20)
    assert block.tier == HOT
    use(kept, [used], 600)
    assert block.tier > HOT


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ('{"blocks": {"1": "hot", "2": "hot"}}', "plan: blocks: 20000000 bytes would be hot and 16777216 may"),
        ('{"blocks": {"1": "frozen"}}', "plan: blocks.1: it has more than the 8388608 bytes that are frozen; leave it"),
        ('{"blocks": {"9": "frozen"}}', "plan: blocks: there is no block 9"),
    ],
)
def test_a_plan_that_cannot_be_followed_changes_nothing(kept: Kept, plan: str, message: str) -> None:
    blocks = [kept.allocate(bytes(10_000_000), count=50) for _ in range(2)]
    kept.later(10)
    with pytest.raises(PlanError, match=message):
        kept.keeper.apply(plan)
    kept.later(10)
    assert [block.tier for block in blocks] == [WARM, WARM]
    assert kept.keeper.statistics()["plan"] == ""


def test_one_plan_at_a_time(kept: Kept) -> None:
    kept.allocate(text(1000), count=50)
    kept.keeper.apply('{"order": [1]}')
    kept.later(10)
    with pytest.raises(PlanError, match="another one is on trial"):
        kept.keeper.apply('{"order": [1]}')


def test_the_adviser_s_plan_is_a_plan_and_the_survey_says_what_it_needs(kept: Kept) -> None:
    used, unused = kept.allocate(text(50_000)), kept.allocate(text(400_000))
    kept.read(used, 200)
    kept.later(130)
    advice = json.loads(kept.keeper.advice())
    survey = json.loads(kept.keeper.survey())
    assert advice["blocks"] == {str(unused.id): "frozen"}
    assert [block["id"] for block in survey["blocks"]] == [used.id, unused.id]
    assert survey["blocks"][0]["count"] == pytest.approx(200 * 0.5 ** (120 / 600), rel=0.1)
    assert survey["pairs"] == [[used.id, used.id, survey["pairs"][0][2]]]
    assert survey["rules"]["hot_bytes"] == 16 << 20
    kept.keeper.apply(json.dumps(advice))
    kept.later(TRIAL_S + 30)
    assert unused.tier == FROZEN


def test_compacting_a_large_pool_holds_up_nobody() -> None:
    """150 MiB, some thousand blocks: many short calls. What they cost is processor time, and on a busy machine a call
    may cost more of that too, but not in each of five compactions, as one does that is long by itself."""
    longest_s = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        kept = Kept(Path(folder), pool_max=256 << 20)
        for size in (16 << 20, 96 << 20, *[20_000] * 2000):
            kept.allocate(bytes(size), count=50)
        kept.later(10)
        for _ in range(5):
            kept.keeper.compact()
            took_s = []
            while kept.keeper.compacting:
                began_s = time.thread_time()
                kept.keeper.maintain(kept.now_s, 0.0005)
                took_s.append(time.thread_time() - began_s)
            assert len(took_s) > 50
            longest_s.append(max(took_s))
        kept.close()
    assert min(longest_s) < 0.012, longest_s
