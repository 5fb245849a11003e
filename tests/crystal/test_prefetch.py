"""Prediction: what repeats is thawed before it is read, chance is left alone, and nothing grows without bound."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.crystal.tiering.prefetch import FOLLOWERS, ORDER, Budget, Predictor, Prefetch
from tests.crystal.traces import at_random, mixed, recorded, repeating

SIZE = 64 << 10
THAW_S = 0.0002
BETWEEN_S = 10.0


class Store:
    """Blocks that are all frozen again after each read, and prediction that thaws some of them in time."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.thawed: set[int] = set()
        self.prefetch = Prefetch(budget or Budget(resident_bytes=8 * SIZE), lambda block: block not in self.thawed)
        self.now_s, self.most_resident = 0.0, 0

    def read(self, trace: list[int]) -> float:
        """Reads all of it; the part that was found thawed."""
        hits = self.prefetch.counts.hits
        for block in trace:
            self.prefetch.accessed(block, was_frozen=block not in self.thawed)
            self.thawed.discard(block)
            self.now_s += BETWEEN_S
            while (wanted := self.prefetch.wanted(self.now_s, lambda _: SIZE)) is not None:
                self.thawed.add(wanted)
                self.prefetch.thawed(wanted, SIZE, THAW_S)
            while (lost := self.prefetch.lost()) is not None:
                self.thawed.discard(lost)
            self.most_resident = max(self.most_resident, self.prefetch.resident)
        return (self.prefetch.counts.hits - hits) / len(trace)


def test_a_trace_that_repeats_is_thawed_ahead() -> None:
    store = Store()
    store.read(repeating(64, 4 * 64))
    assert store.read(repeating(64, 1000)) >= 0.98
    assert store.prefetch.counts.wasted <= 2


@pytest.mark.parametrize("seed", range(1, 6))
def test_chance_is_left_alone(seed: int) -> None:
    store = Store()
    store.read(at_random(64, 5000, seed))
    counts = store.prefetch.counts
    assert not store.prefetch.on
    assert counts.wasted <= 50, counts


@pytest.mark.parametrize("seed", range(1, 6))
def test_it_switches_itself_off_while_it_loses_and_on_again(seed: int) -> None:
    store = Store()
    store.read(repeating(64, 500, seed))
    assert store.prefetch.on
    store.read(at_random(64, 2000, seed))
    counts = store.prefetch.counts
    assert not store.prefetch.on
    wasted = counts.wasted
    assert 0 < wasted <= 100, "what it takes to find out, and no more"
    store.read(at_random(64, 2000, seed + 100))
    assert counts.wasted <= wasted + 50
    store.read(repeating(64, 1000, seed + 1))
    assert store.prefetch.on
    assert (counts.switched_on, counts.switched_off) >= (2, 1)
    assert store.read(repeating(64, 640, seed + 1)) >= 0.9


def test_a_read_in_between_does_not_end_a_pattern() -> None:
    store = Store()
    store.read(mixed(64, 1000, 0.1))
    assert store.read(mixed(64, 2000, 0.1, seed=1)) >= 0.5


def test_recorded_states_of_machines_never_waste_more_than_they_hit(recordings: Path) -> None:
    for name, trace in recorded(recordings).items():
        store = Store()
        store.read(trace)
        counts = store.prefetch.counts
        assert counts.wasted <= counts.hits + 16, (name, counts)


def test_what_is_thawed_ahead_stays_within_the_bytes_allowed() -> None:
    store = Store(Budget(resident_bytes=2 * SIZE + 5))
    store.read(repeating(64, 1000))
    assert store.most_resident == 2 * SIZE


def test_a_block_larger_than_what_is_allowed_is_never_thawed_ahead() -> None:
    store = Store(Budget(resident_bytes=SIZE - 1))
    store.read(repeating(64, 1000))
    assert (store.prefetch.on, store.prefetch.counts.thawed) == (True, 0)


def test_time_that_is_spent_comes_back_at_the_share_allowed() -> None:
    """1 % of 10 s is 0.1 s between two reads; each thaw is said to take 0.3 s."""
    store = Store(Budget(resident_bytes=64 * SIZE, cpu_share=0.01, burst_s=0.3))
    store.read(repeating(64, 300))
    counts, began_s = store.prefetch.counts, store.now_s
    spent_s = counts.cpu_s
    for block in repeating(64, 640):
        store.prefetch.accessed(block, was_frozen=True)
        store.now_s += BETWEEN_S
        while (wanted := store.prefetch.wanted(store.now_s, lambda _: SIZE)) is not None:
            store.prefetch.thawed(wanted, SIZE, 0.3)
    share = (counts.cpu_s - spent_s) / (store.now_s - began_s)
    assert 0.008 <= share <= 0.0105


@given(st.lists(st.integers(1, 12), max_size=300), st.integers(4, 40))
def test_memory_is_bounded_whatever_is_read(trace: list[int], most: int) -> None:
    predictor = Predictor(most)
    for block in trace:
        predictor.learn(block)
        assert len(predictor) <= most
    assert all(len(context.counts) <= FOLLOWERS for context in predictor._contexts.values())


@given(st.lists(st.integers(1, 6), min_size=2, max_size=200))
def test_pairs_are_what_was_read_one_after_the_other(trace: list[int]) -> None:
    predictor = Predictor()
    for block in trace:
        predictor.learn(block)
    read = set(itertools.pairwise(trace))
    assert {(first, second) for first, second, _ in predictor.pairs()} <= read


def test_the_longest_sequence_that_is_known_speaks_and_a_shorter_one_otherwise() -> None:
    """After 2, 3 comes 4 or 5 by what came before 2; after an unknown beginning the last access alone tells."""
    predictor = Predictor()
    for _ in range(8):
        for block in (1, 2, 3, 4, 9, 2, 3, 5, 7, 8):
            predictor.learn(block)
    for block in (1, 2, 3):
        predictor.learn(block)
    assert predictor.likely(1, 0.5) == [4]
    for block in (9, 2, 3):
        predictor.learn(block)
    assert predictor.likely(1, 0.5) == [5]
    for block in (50, 51, 7):
        predictor.learn(block)
    assert predictor.likely(1, 0.5) == [8]
    assert ORDER == 3


def test_a_change_of_pattern_is_learned_within_a_few_rounds() -> None:
    store = Store()
    store.read(repeating(32, 2000))
    store.read(repeating(32, 32 * 8, seed=2))
    assert store.read(repeating(32, 320, seed=2)) >= 0.9
