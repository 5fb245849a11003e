"""Everything that can happen to blocks, in any order, with the keeper at work in between, against a plain table."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from gamesad.crystal.layout import FROZEN, POOL, TIERS
from gamesad.crystal.pool.frozen import inflated
from gamesad.crystal.pool.pool import Block, OutOfSpace
from gamesad.crystal.pool.recovery import whole_blocks
from gamesad.crystal.tiering.plan import PlanError
from gamesad.crystal.tiering.prefetch import Budget
from gamesad.crystal.tiering.tiers import Rules, Settings
from tests.crystal.kept import Kept, text

STEPS = 400
RULES = Rules(promote_above=6, demote_below=1, half_life_s=60, dwell_s=20)
SETTINGS = Settings(RULES, Budget(resident_bytes=1 << 20, cpu_share=1.0), hot_bytes=300_000, trial_s=60)


class Life:
    """Does things at random, and knows what every block must hold."""

    def __init__(self, folder: Path, seed: int, pool_max: int) -> None:
        self.kept = Kept(folder, SETTINGS, pool_max)
        self.chance = random.Random(seed)
        self.expected: dict[Block, bytes] = {}
        self.counts: Counter[str] = Counter()

    def go_on(self) -> None:
        actions = [self.allocate] * 4 + [self.read] * 8 + [self.write] * 3 + [self.free] * 2 + [self.maintain] * 12
        action = self.chance.choice([*actions, self.compact, self.plan, self.hint])
        if action not in (self.allocate, self.maintain, self.compact) and not self.expected:
            action = self.allocate
        try:
            action()
            self.counts[action.__name__] += 1
        except OutOfSpace:
            self.counts["no room"] += 1
            if self.expected:
                self.free()

    def contents(self, size: int) -> bytes:
        start = self.chance.randrange(60)
        return text(size + 60)[start : start + size] if self.chance.random() < 0.7 else self.chance.randbytes(size)

    def allocate(self) -> None:
        size = self.chance.choice((1, 90, 3000, 70_000, 400_000)) + self.chance.randrange(100)
        data = self.contents(size)
        self.expected[self.kept.allocate(data, tier=self.chance.randrange(3))] = data

    def write(self) -> None:
        block = self.some()
        old = self.expected[block]
        at = self.chance.randrange(len(old))
        data = self.contents(self.chance.randint(0, len(old) - at))
        self.kept.pool.write(block, data, at)
        self.expected[block] = old[:at] + data + old[at + len(data) :]

    def read(self) -> None:
        block = self.some()
        assert bytes(self.kept.pool.read(block)) == self.expected[block]

    def free(self) -> None:
        block = self.some()
        self.kept.pool.free(block)
        del self.expected[block]

    def maintain(self) -> None:
        self.kept.now_s += self.chance.choice((0.5, 2.0, 15.0))
        self.kept.keeper.maintain(self.kept.now_s, self.chance.choice((0.0, 0.0002, 0.005)))

    def compact(self) -> None:
        self.kept.keeper.compact()

    def hint(self) -> None:
        self.kept.keeper.hint([self.some().address for _ in range(5)])

    def plan(self) -> None:
        some = {self.some().id for _ in range(4)}
        blocks = {str(block): self.chance.choice(TIERS) for block in some}
        try:
            self.kept.keeper.apply(json.dumps({"blocks": blocks, "order": sorted(some)[::-1]}))
        except PlanError as error:
            assert "another one is on trial" in str(error) or "would be hot" in str(error)

    def some(self) -> Block:
        return self.chance.choice(list(self.expected))

    def check(self) -> None:
        """By this process, and by one that finds the segment as it is now."""
        pool, made = self.kept.pool, self.kept.segments[-1]
        assert pool.segment is made
        start, size = made.section(POOL)
        found = whole_blocks(memoryview(made.memory)[start : min(made.length, start + size)])
        assert not found.discarded
        stored = {kept.id: kept for kept in found.blocks}
        assert stored.keys() == {block.id for block in self.expected}
        for block, data in self.expected.items():
            kept = stored[block.id]
            assert (kept.tier, kept.size) == (block.tier, len(data))
            assert kept.tier == FROZEN or bytes(kept.data) == data


@pytest.mark.parametrize("pool_max", [3 << 20, 64 << 20], ids=["a small pool", "room"])
@pytest.mark.parametrize("seed", range(1, 9))
def test_no_block_changes_whatever_happens(tmp_path: Path, seed: int, pool_max: int) -> None:
    life = Life(tmp_path, seed, pool_max)
    for step in range(STEPS):
        life.go_on()
        if step % 10 == 0:
            life.check()
    life.check()
    for block, data in life.expected.items():
        stored = life.kept.pool.stored(block)
        assert (inflated(stored, len(data)) if block.tier == FROZEN else bytes(stored)) == data
    told = life.kept.pool.statistics()
    print(f"seed {seed}: {dict(life.counts)}; {len(life.kept.segments) - 1} compactions, {told['freezes']} freezes, "
          f"{told['thaws']} thaws, {told['promotions']} promotions")  # fmt: skip
    assert len(life.kept.segments) > 1
    assert told["freezes"] > 3
    assert told["thaws"] > 0
    life.kept.close()
