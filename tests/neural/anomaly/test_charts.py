"""Charts say how rare the present is by each series' own past."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.neural.anomaly.charts import Charts
from gamesad.neural.model import Array, Unusable

FINITE = st.floats(-1e15, 1e15, allow_nan=False)


def noise(count: int, size: int = 1, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, size))


def run(charts: Charts, values: Array) -> Array:
    return np.array([charts.step(row) for row in values])


def test_nothing_is_said_before_the_series_is_known() -> None:
    scores = run(Charts(2), noise(400, 2))
    assert np.isnan(scores[:300]).all()
    assert np.isfinite(scores[310:]).all()


def test_a_shift_of_level_is_rarer_than_anything_before() -> None:
    values = noise(4000)
    values[3500:] += 2.0
    scores = run(Charts(1), values)[:, 0]
    assert np.nanmax(scores[3500:3600]) > np.nanmax(scores[:3500]) + 1.0


def test_a_long_fault_that_is_frozen_once_it_was_seen_stays_rare() -> None:
    values = noise(6000)
    values[3500:] += 4.0
    charts = Charts(1)
    usual = np.nanmax(run(charts, values[:3500]))
    seen, scores = np.array([False]), []
    for row in values[3500:]:
        scores.append(charts.step(row, seen)[0])
        seen |= scores[-1] > usual + 1.0
    assert seen
    assert scores[-1] > usual + 1.0, "2500 values later"


def test_a_series_that_begins_to_jump_about_the_same_level_is_seen() -> None:
    values = noise(4000)
    values[3500:] *= 5.0
    scores = run(Charts(1), values)[:, 0]
    assert np.nanmax(scores[3500:3600]) > np.nanmax(scores[:3500])


def test_scores_are_rare_by_their_own_measure() -> None:
    """A score of 3 stands for one value in a thousand; the same episode lasts, so it may be several times that."""
    scores = run(Charts(50), noise(6000, 50))[1000:]
    assert (scores >= 3.0).mean() < 0.005
    assert (scores >= 2.0).mean() > 0.0005


def test_a_frozen_series_is_scored_and_not_learnt_from() -> None:
    charts = Charts(1)
    values = noise(2500)
    values[2000:] += 3.0
    run(charts, values[:2000])
    before = charts.state()["now"].copy()
    frozen = np.array([True])
    scores = [charts.step(row, frozen)[0] for row in values[2000:]]
    after = charts.state()["now"]
    assert max(scores) > 3.0
    assert (before[1:3] == after[1:3]).all(), "baseline and spread stay"


def test_units_do_not_matter() -> None:
    values = noise(1500)
    ours, theirs = run(Charts(1), values), run(Charts(1), values * 1024.0)
    np.testing.assert_array_equal(ours, theirs)


def test_a_missing_value_changes_nothing_and_scores_nothing() -> None:
    values = noise(1000, 2)
    gaps = np.insert(values, 700, np.nan, axis=0)
    ours, theirs = run(Charts(2), values), run(Charts(2), gaps)
    assert np.isnan(theirs[700]).all()
    np.testing.assert_array_equal(np.delete(theirs, 700, axis=0), ours)


def test_permuting_the_series_permutes_the_scores() -> None:
    values = noise(900, 4)
    order = [2, 0, 3, 1]
    np.testing.assert_array_equal(run(Charts(4), values[:, order]), run(Charts(4), values)[:, order])


def test_series_that_stay_keep_what_they_learnt_when_others_come() -> None:
    values = noise(1200, 3)
    whole, part = Charts(3), Charts(2)
    run(part, values[:800, :2])
    grown = part.choose([1, None, 0])
    run(whole, values[:800])
    scores = run(grown, values[800:, [1, 2, 0]])
    np.testing.assert_array_equal(scores[:, [0, 2]], run(whole, values[800:])[:, [1, 0]])
    assert np.isnan(scores[:200, 1]).all(), "the new one begins from nothing"


def test_saved_and_taken_up_it_goes_on_bit_by_bit() -> None:
    values = noise(900, 3)
    one, other = Charts(3), Charts(3)
    run(one, values[:600])
    other.load(one.state())
    np.testing.assert_array_equal(run(one, values[600:]), run(other, values[600:]))


@pytest.mark.parametrize("damage", ["missing", "smaller", "not finite"])
def test_a_damaged_state_is_refused_and_nothing_changes(damage: str) -> None:
    charts = Charts(2)
    run(charts, noise(400, 2))
    before = charts.state()
    damaged = {name: array.copy() for name, array in before.items()}
    match damage:
        case "missing":
            del damaged["tail"]
        case "smaller":
            damaged["now"] = damaged["now"][:, :1]
        case _:
            damaged["now"][0, 0] = np.inf
    with pytest.raises(Unusable):
        charts.load(damaged)
    assert all((charts.state()[name] == array).all() for name, array in before.items())


@settings(max_examples=30, deadline=None)
@given(st.lists(FINITE, min_size=1, max_size=12), st.integers(0, 1000))
def test_whatever_finite_comes_scores_stay_finite(values: list[float], seed: int) -> None:
    charts = Charts(1)
    drawn = np.random.default_rng(seed).choice(np.array([*values, np.nan]), size=400)
    with np.errstate(all="raise", under="ignore"):
        for value in drawn:
            score = charts.step(np.array([value]))
            assert np.isnan(score[0]) or 0.0 <= score[0] <= 60.0
    assert charts.sound()
