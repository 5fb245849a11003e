"""Tier rules: promoted by use, demoted by rest, one step at a time, and never back and forth."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.crystal.layout import COLD, FROZEN, HOT, WARM
from gamesad.crystal.tiering.tiers import Heat, Rules, decayed, next_tier

RULES = Rules(promote_above=100, demote_below=10, half_life_s=600, dwell_s=120)
DWELT = RULES.dwell_s


@pytest.mark.parametrize(
    ("tier", "count", "dwelt_s", "expected"),
    [
        (WARM, 101, DWELT, HOT),
        (FROZEN, 101, DWELT, COLD),
        (HOT, 5000, DWELT, HOT),
        (WARM, 9, DWELT, COLD),
        (COLD, 0, DWELT, FROZEN),
        (FROZEN, 0, DWELT, FROZEN),
        (WARM, 100, DWELT, WARM),
        (WARM, 10, DWELT, WARM),
        (WARM, 101, DWELT - 1, WARM),
        (WARM, 0, DWELT - 1, WARM),
    ],
)
def test_a_block_moves_one_tier_past_a_bound_once_it_has_dwelt(
    tier: int, count: float, dwelt_s: float, expected: int
) -> None:
    assert next_tier(tier, count, dwelt_s, RULES) == expected


def test_a_count_halves_in_a_half_life() -> None:
    assert decayed(80, 600, 600) == 40
    assert decayed(80, 1800, 600) == 10


def test_a_clock_that_went_back_changes_no_count() -> None:
    heat = Heat(8.0, 100.0)
    heat.touch(50.0, 600)
    assert (heat.count, heat.at_s) == (9.0, 100.0)


def test_rules_under_which_everything_would_flap_are_refused() -> None:
    with pytest.raises(ValueError, match="must be below promote_above"):
        Rules(promote_above=10, demote_below=10)


def tiers_over_time(arrivals_s: list[float], hours: float) -> list[tuple[float, int]]:
    """Each change of tier of a WARM block that is accessed at these times and looked at every 10 s."""
    heat, tier, changes = Heat(0.0, 0.0), WARM, []
    waiting = sorted(arrivals_s)
    for now in range(0, int(hours * 3600), 10):
        while waiting and waiting[0] <= now:
            heat.touch(waiting.pop(0), RULES.half_life_s)
        found = next_tier(tier, heat.now(now, RULES.half_life_s), now - heat.since_s, RULES)
        if found != tier:
            assert abs(found - tier) == 1
            tier, heat.since_s = found, now
            changes.append((now, tier))
    return changes


@given(st.integers(1, 1200), st.floats(0, 1))
def test_at_a_steady_rate_a_block_turns_round_once_at_most_and_comes_to_rest(period_s: int, phase: float) -> None:
    """Whatever the rate, also where the count settles at a bound: it may rest at first, and be found busy then."""
    hours = 4
    changes = tiers_over_time([(n + phase) * period_s for n in range(hours * 3600 // period_s)], hours)
    tiers = [WARM, *(tier for _, tier in changes)]
    up = [later < earlier for earlier, later in itertools.pairwise(tiers)]
    assert up == sorted(up), tiers
    assert all(at < 7200 for at, _ in changes), changes


@given(st.lists(st.floats(0, 7200), max_size=400))
def test_no_block_moves_twice_within_the_dwell_time(arrivals_s: list[float]) -> None:
    times = [at for at, _ in tiers_over_time(arrivals_s, 3)]
    assert all(later - earlier >= RULES.dwell_s for earlier, later in itertools.pairwise(times))


@given(st.lists(st.floats(0, 7200), max_size=400))
def test_turning_round_takes_the_half_lives_between_the_bounds(arrivals_s: list[float]) -> None:
    """From promoted to demoted at least log2(100 / 10) half-lives pass."""
    changes = tiers_over_time(arrivals_s, 4)
    for (at, tier), (later, next_) in itertools.pairwise(changes):
        if tier == HOT and next_ == WARM:
            assert later - at >= 3.3 * RULES.half_life_s
