"""What scores mean: computed by hand where that can be done, and the same whatever the order, the unit or the file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.config import NeuralConfig
from gamesad.evaluation.baselines import STEPS, Rises, Trends
from gamesad.evaluation.crossing import average_precision, following, moments, together
from gamesad.evaluation.groups import pools
from gamesad.evaluation.score import Group, Score, score
from gamesad.neural.model import Array
from tests.evaluation import logs
from tests.evaluation.test_formats import loaded

SETTINGS = NeuralConfig()


def wave(rows: int = 400, period: float = 40.0) -> str:
    """A processor that heats and cools, and a sensor that never moves."""
    return "time_s,cpu[°C],board[°C],cpu[W]\n" + "".join(
        f"{t},{60 + 15 * math.sin(math.tau * t / period):.1f},40,{30 + 12 * math.cos(math.tau * t / period):.1f}\n"
        for t in range(rows)
    )


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Score:
    return score(loaded(tmp_path_factory.mktemp("wave"), wave()), SETTINGS)


def test_the_errors_of_persistence_are_what_they_are_by_hand(scored: Score) -> None:
    sensor = scored.sensors[0]
    seen = scored.fed.course.seen[:, 0]
    for step in range(1, STEPS + 1):
        first = len(seen) - step - sensor.errors.samples[step - 1]
        by_hand = np.abs(seen[first + step :] - seen[first : len(seen) - step]).mean()
        assert sensor.errors.persistence[step - 1] == pytest.approx(by_hand)


def test_what_can_be_learnt_is_learnt(scored: Score) -> None:
    """A sine is easy: every method with a trend beats persistence, and the learnt one is not the worst of them."""
    errors = scored.sensors[0].errors
    assert (errors.damped < errors.persistence).all()
    skill = errors.mean_skill()
    assert skill is not None and skill > 0.3
    assert errors.skill().tolist() == pytest.approx((1 - errors.learnt / errors.persistence).tolist())


def test_a_sensor_that_never_moves_is_called_that_and_has_no_skill(scored: Score) -> None:
    moving, still = scored.sensors
    assert (moving.group, still.group) == (Group.MOVING, Group.STILL)
    assert still.errors.mean_skill() is None
    assert float(still.errors.learnt.max()) == 0.0


def test_bounds_are_counted_where_all_of_the_next_five_was_seen(scored: Score) -> None:
    course = scored.fed.course
    for place, sensor in enumerate(scored.sensors):
        kept = known = 0
        for t in range(len(course.seen) - STEPS):
            if np.isfinite(course.upper[t, place]):
                known += 1
                kept += course.seen[t + 1 : t + 1 + STEPS, place].max() <= course.upper[t, place]
        assert (sensor.covered, sensor.bounds) == (kept, known)
        assert sensor.coverage is not None and 0.8 < sensor.coverage <= 1.0


def test_limits_are_the_sensors_own_percentiles_unless_one_is_asked_for(tmp_path: Path, scored: Score) -> None:
    values = scored.series.values[:, 0]
    assert [one.limit_c for one in scored.sensors[0].crossings] == pytest.approx(
        np.percentile(values, (90, 97)).tolist()
    )
    asked = score(scored.series, SETTINGS, 70.0)
    assert [(one.limit_c, one.origin) for one in asked.sensors[0].crossings] == [(70.0, "asked for")]
    assert (asked.fed.course.expected == scored.fed.course.expected)[np.isfinite(scored.fed.course.expected)].all()


def test_the_same_recording_scores_the_same_bit_by_bit(scored: Score) -> None:
    again = score(scored.series, SETTINGS)
    for one, other in zip(scored.fed.course, again.fed.course, strict=True):
        assert one.tobytes() == other.tobytes()


def test_gaps_are_no_readings(tmp_path: Path) -> None:
    """Ten minutes of suspend in between: nothing is foretold across them, and nothing scored."""
    lines = wave().splitlines()
    cut = [
        lines[0],
        *lines[1:200],
        *(f"{600 + int(t)},{rest}" for t, _, rest in (one.partition(",") for one in lines[200:])),
    ]
    broken = score(loaded(tmp_path, "\n".join(cut)), SETTINGS)
    errors, course = broken.sensors[0].errors, broken.fed.course
    missing = np.isnan(course.seen[:, 0])
    assert 0 < missing.sum() < 100, "a long gap is a few rows of nothing"
    assert np.isnan(course.expected[missing, 0]).all()
    whole = score(loaded(tmp_path, wave(), "whole"), SETTINGS).sensors[0].errors
    assert errors.samples[4] < whole.samples[4]
    assert errors.persistence.tolist() == pytest.approx(whole.persistence.tolist(), rel=0.05), "a jump would show"


def test_crossings_by_hand() -> None:
    seen = np.array([1.0, 2, 3, 9, 9, 1, 1, 1, 1, 1, 1, 1])
    chances = np.array([0.2, 0.6, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    found = moments(seen, chances, np.zeros(12), 5.0)
    assert found.came.tolist() == [True, True, True, False, False], "those above it, and the last five, do not count"
    assert (found.precision, found.recall) == (1.0, pytest.approx(2 / 3))
    assert found.leads == (2,), "foretold from the second reading on, two before it came"
    assert found.average_precision == 1.0
    both = together([found, found])
    assert (len(both.came), both.leads) == (10, (2, 2))


def test_average_precision_is_that_of_every_threshold() -> None:
    came = np.array([True, False, True, False, False])
    chances = np.array([0.9, 0.8, 0.7, 0.7, 0.1])
    assert average_precision(chances, came) == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 4)
    assert average_precision(np.full(5, 0.3), came) == pytest.approx(2 / 5)
    assert average_precision(chances, np.zeros(5, bool)) is None


def test_following_ends_where_the_recording_does() -> None:
    ahead = following(np.arange(7.0))
    assert ahead[0].tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(ahead[-1]).all() and ahead[-2, 0] == 6


def run(method: Trends, seen: Array) -> list[Array]:
    return [np.stack(method.step(row)) for row in seen]


def test_trends_follow_a_line_and_the_damped_one_falls_short() -> None:
    holt, damped, tuned = run(Trends(1), np.arange(0.0, 400.0)[:, None])[-1]
    assert holt[0].tolist() == pytest.approx([400, 401, 402, 403, 404], abs=0.01)
    assert (damped[0] < holt[0]).all() and (damped[0] > 399).all()
    assert tuned[0].tolist() == pytest.approx([400, 401, 402, 403, 404], abs=0.5)


def test_holt_by_hand() -> None:
    """Two steps of the textbook's recursion with α 0.8, β 0.1."""
    trends = Trends(1)
    trends.step(np.array([10.0]))
    holt, damped, _ = trends.step(np.array([12.0]))
    level, trend = 10 + 0.8 * 2, 0.1 * 1.6
    assert holt[0].tolist() == pytest.approx([level + k * trend for k in range(1, 6)])
    reach = np.cumsum(0.9 ** np.arange(1, 6))
    assert damped[0].tolist() == pytest.approx((level + reach * trend).tolist())


@given(st.lists(st.one_of(st.floats(-50, 150), st.just(math.nan)), min_size=2, max_size=60))
@settings(max_examples=100, deadline=None)
def test_baselines_stay_finite_once_something_was_seen(values: list[float]) -> None:
    trends, rises = Trends(1), Rises(1)
    for place, value in enumerate(values):
        found = np.stack(trends.step(np.array([value])))
        chance = rises.step(np.array([value]), np.array([[60.0]]))
        if any(map(math.isfinite, values[: place + 1])):
            assert np.isfinite(found).all()
        assert np.isnan(chance).all() or 0.0 <= float(chance[0, 0]) <= 1.0


def pooled(tmp_path: Path, *said: str) -> list[Score]:
    return [score(loaded(tmp_path, one, f"log{i}"), SETTINGS) for i, one in enumerate(said)]


def test_pools_hold_every_trace_once(tmp_path: Path, scored: Score) -> None:
    scores = [*pooled(tmp_path, logs.plain(60), wave(300, 25.0)), scored]
    found = pools(scores)
    assert sum(len(pool.traces) for pool in found) == sum(len(one.sensors) for one in scores)
    (moving,) = (pool for pool in found if pool.group is Group.MOVING)
    learnt = sum(t.sensor.errors.learnt * t.sensor.errors.samples for t in moving.traces)
    persistence = sum(t.sensor.errors.persistence * t.sensor.errors.samples for t in moving.traces)
    assert moving.skill.tolist() == pytest.approx((1 - learnt / persistence).tolist())
    assert moving.worst is not None and min(moving.worst.sensor.errors.samples) >= 250
    held = sum(t.sensor.covered for t in moving.traces) / sum(t.sensor.bounds for t in moving.traces)
    long = [t.sensor.coverage for t in moving.traces if t.sensor.bounds >= 250]
    assert moving.coverage == (min(long), held, max(long)), "all moments are also those of what is short"
    assert [origin for origin, _ in moving.crossings] == ["90th percentile", "97th percentile"]
    assert len(moving.crossings[0][1].came) == sum(len(t.sensor.crossings[0].moments.came) for t in moving.traces)


def test_a_slower_recording_is_counted_in_its_own_steps(tmp_path: Path) -> None:
    quick = score(loaded(tmp_path, wave(300)), SETTINGS)
    slow_said = "\n".join(
        line if i == 0 else f"{2.5 * (i - 1)},{line.partition(',')[2]}" for i, line in enumerate(wave(300).splitlines())
    )
    slow = score(loaded(tmp_path, slow_said, "slow"), SETTINGS)
    assert slow.series.period_s == 2.5
    early = slow_said.replace("\n100.0,", "\n98.0,")
    steps = [one.monotonic_s for one in loaded(tmp_path, early, "early").snapshots()]
    assert steps == list(range(300)), "a reading that comes early is one of its own, and costs no other its place"
    assert slow.sensors[0].errors.learnt.tolist() == quick.sensors[0].errors.learnt.tolist()
