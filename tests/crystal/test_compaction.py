"""The order after a compaction, what counts as read together, and what the built-in adviser proposes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gamesad.bus.names import MAX_PLAN_LENGTH
from gamesad.crystal.layout import COLD, FROZEN, HOT, WARM
from gamesad.crystal.tiering.compaction import GROUP, OFTEN, Stored, advise, groups_of, order
from gamesad.crystal.tiering.plan import parse
from gamesad.crystal.tiering.prefetch import Predictor
from gamesad.crystal.tiering.tiers import Rules
from tests.crystal.traces import repeating

RULES = Rules()
stored = st.builds(
    Stored, st.just(0), st.integers(1, 1 << 20), st.integers(HOT, FROZEN), st.floats(0, 300), st.floats(0, 500)
)
pools = st.lists(stored, max_size=30).map(
    lambda found: [Stored(n, one.size, one.tier, one.heat, one.idle_s) for n, one in enumerate(found, 1)]
)
pairs = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30)), max_size=60)


def block(number: int, tier: int, count: float = 0.0) -> Stored:
    return Stored(number, 1000, tier, count, 500.0)


def test_hot_lies_first_and_cold_last_so_that_what_is_frozen_next_leaves_the_end_free() -> None:
    found = order([block(1, COLD), block(2, FROZEN), block(3, WARM, 20), block(4, WARM, 30), block(5, HOT, 200)], [])
    assert found == [5, 4, 3, 2, 1]


def test_what_is_read_together_lies_together_where_its_hottest_lies() -> None:
    pool = [block(1, WARM, 50), block(2, WARM, 40), block(3, WARM, 45), block(4, WARM, 5), block(5, COLD, 1)]
    assert order(pool, [(2, 4, 5)]) == [1, 3, 2, 4, 5], "5 is of another tier"


def test_a_plan_s_order_comes_first_within_each_tier() -> None:
    pool = [block(1, WARM, 50), block(2, WARM, 40), block(3, HOT, 200), block(4, HOT, 300)]
    assert order(pool, [], first=[2, 3]) == [3, 4, 2, 1]


@given(pools, st.lists(st.lists(st.integers(1, 40), max_size=5), max_size=5), st.lists(st.integers(1, 40), unique=True))
def test_every_block_stands_once_and_tiers_do_not_mix(
    pool: list[Stored], groups: list[list[int]], first: list[int]
) -> None:
    found = order(pool, groups, first)
    assert sorted(found) == [one.block for one in pool]
    tiers = {one.block: (HOT, WARM, FROZEN, COLD).index(one.tier) for one in pool}
    assert [tiers[one] for one in found] == sorted(tiers.values())


def test_blocks_that_follow_each_other_often_are_a_group() -> None:
    predictor = Predictor()
    trace = repeating(6, 60)
    for one in trace:
        predictor.learn(one)
    (found,) = groups_of(predictor.pairs())
    assert sorted(found) == sorted(set(trace))
    rounds = "".join(map(str, trace))
    assert "".join(map(str, found)) in rounds, "in the order in which they are read"


def test_blocks_met_together_by_chance_are_none() -> None:
    assert groups_of([(1, 2, OFTEN - 1), (3, 3, 50)]) == []


@given(pairs)
def test_groups_share_no_block_and_stay_small(found: list[tuple[int, int, int]]) -> None:
    groups = groups_of(found)
    members = [one for group in groups for one in group]
    assert len(members) == len(set(members))
    assert all(1 < len(group) <= GROUP for group in groups)


def test_the_adviser_sees_where_the_rules_end() -> None:
    pool = [block(1, COLD, 500), block(2, WARM, 0), block(3, WARM, 50), block(4, WARM, 300)]
    plan = advise(pool, [(3, 4, 9)], RULES, hot_bytes=1500)
    assert plan.tiers == {1: HOT, 2: FROZEN}, "4 would be hot, if there were room for it"
    assert plan.order == (1, 4, 3, 2) or plan.order == (1, 3, 4, 2)
    assert plan.groups == ((3, 4),)


@given(pools, pairs, st.integers(0, 1 << 21))
def test_what_the_adviser_says_is_a_plan_that_keeps_to_the_room_for_hot(
    pool: list[Stored], found: list[tuple[int, int, int]], hot_bytes: int
) -> None:
    """Also beside what is hot and stays so."""
    plan = advise(pool, found, RULES, hot_bytes=hot_bytes)
    assert parse(plan.document(), {one.block for one in pool}) == plan
    if HOT in plan.tiers.values():
        assert sum(one.size for one in pool if plan.tiers.get(one.block, one.tier) == HOT) <= hot_bytes


def test_a_plan_for_thousands_of_blocks_fits_into_a_message_and_names_what_matters() -> None:
    pool = [Stored(100_000 + n, 1000 + n, COLD, 0.0, 500.0) for n in range(5000)] + [block(7, WARM, 500)]
    pairs = [(100_000 + n, 100_001 + n, 9) for n in range(4000)]
    plan = advise(pool, pairs, RULES, hot_bytes=1 << 20)
    assert len(plan.document()) < MAX_PLAN_LENGTH
    assert plan.tiers[7] == HOT
    assert 105_999 - 1000 in plan.tiers, "the largest"
    assert len(plan.groups) > 10


@given(pools, pairs)
def test_a_plan_followed_is_not_changed_by_the_next_one(pool: list[Stored], found: list[tuple[int, int, int]]) -> None:
    plan = advise(pool, found, RULES, hot_bytes=1 << 30)
    after = [Stored(one.block, one.size, plan.tiers.get(one.block, one.tier), one.heat, one.idle_s) for one in pool]
    assert advise(after, found, RULES, hot_bytes=1 << 30).tiers == {}
