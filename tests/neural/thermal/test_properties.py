"""What holds for every input: finite, blind to order and units, the same after save and load, untaught by gaps."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gamesad.neural.model import Array
from gamesad.neural.thermal import Effort, Thermal, bounds, mixture
from tests.neural.thermal.made import bits, names, only, rows, run, walk

ABSURD = st.one_of(
    st.floats(allow_nan=True, allow_infinity=False, width=64),
    st.sampled_from([np.nan, 1e308, -1e308, 5e-324, 0.0, 50.0, 50.0, 51.0, np.inf, -np.inf]),
)
FEW = settings(max_examples=5, deadline=None)


def _finite_where_read(thermal: Thermal, temperatures: Array, power: Array, effort: Effort) -> None:
    for row in rows(temperatures, power, limits=[60.0, np.nan]):
        said = thermal.step(row, effort)
        read = np.isfinite(row.temperatures)
        assert np.isfinite(said.expected).all(axis=1).tolist() == read.tolist()
        assert np.isfinite(said.upper).all(axis=1).tolist() == read.tolist()
        assert np.isfinite(said.upper_of_maximum).tolist() == read.tolist()
        assert np.isnan(said.crossing[~read | [False, True]]).all()
        assert ((said.crossing >= 0) & (said.crossing <= 1)).tolist() == (read & [True, False]).tolist()
        assert not np.isinf(said.residual).any()
        assert thermal.sound()


@FEW
@given(arrays.arrays(float, (45, 2, 2), elements=ABSURD), st.sampled_from(list(Effort)))
def test_finite_for_every_input_and_silent_without_one(values: Array, effort: Effort) -> None:
    thermal = Thermal(names(2), seed=0)
    run(thermal, walk(30, 2), effort)
    _finite_where_read(thermal, values[:, 0], values[:, 1], effort)
    _finite_where_read(thermal, np.full((12, 2), 47.0), np.full((12, 2), 9.0), Effort.TRAINING)


@pytest.mark.parametrize(
    "strange",
    [
        np.full(300, 47.0),
        np.where(np.arange(300) % 60 == 59, 1e308, 47.0),
        np.where(np.arange(300) % 2, 1e-320, 0.0),
        np.where(np.arange(300) % 97 < 40, np.nan, 50.0),
        np.where(np.arange(300) % 2, -1e308, 1e308),
        np.linspace(0, 1e308, 300),
    ],
    ids=["constant", "spiky", "denormal", "mostly missing", "absurd", "beyond all"],
)
def test_strange_series_leave_finite_models(strange: Array) -> None:
    thermal = Thermal(names(2), seed=0)
    _finite_where_read(
        thermal, np.column_stack((strange, strange[::-1])), np.column_stack((strange, strange)), Effort.TRAINING
    )
    _finite_where_read(thermal, np.full((30, 2), 45.0), np.full((30, 2), 5.0), Effort.TRAINING)


@FEW
@given(st.permutations(range(5)), st.sampled_from([0.0, 0.05]), st.integers(0, 99))
def test_sensors_in_another_order_get_the_same_bits(order: list[int], missing: float, seed: int) -> None:
    seconds = walk(70, 5, seed=seed, missing=missing)
    ours = run(Thermal(names(5), seed=3), seconds)
    theirs = run(Thermal([names(5)[place] for place in order], seed=3), [only(row, order) for row in seconds])
    assert bits(ours, order) == bits(theirs)


@FEW
@given(st.integers(-3, 6), st.integers(-300, 300), st.integers(-3, 6))
def test_units_do_not_matter(power_of_two: int, shift: int, watts: int) -> None:
    factor = 2.0**power_of_two
    seconds = walk(90, 3, missing=0.02)
    changed = [
        replace(row, temperatures=row.temperatures * factor + shift, power=row.power * 2.0**watts) for row in seconds
    ]
    pairs = zip(run(Thermal(names(3), seed=1), seconds), run(Thermal(names(3), seed=1), changed), strict=True)
    for second, (ours, theirs) in enumerate(pairs):
        assert np.array_equal(ours.expected * factor + shift, theirs.expected, equal_nan=True)
        if second > 10:  # once each sensor has changed
            assert np.allclose(ours.upper * factor + shift, theirs.upper, rtol=1e-9, equal_nan=True)
        assert np.allclose(ours.residual, theirs.residual, rtol=1e-9, equal_nan=True)


def test_a_shift_that_rounds_changes_forecasts_by_rounding_only() -> None:
    rng = np.random.default_rng(5)
    smooth = 50 + np.cumsum(rng.normal(size=(200, 2)), axis=0) * 0.1
    ours = run(Thermal(names(2), seed=1), rows(smooth))
    theirs = run(Thermal(names(2), seed=1), rows(smooth + 273.15))
    apart = [np.abs(a.expected + 273.15 - b.expected) for a, b in zip(ours, theirs, strict=True)]
    assert np.max(apart) < 1e-3


@FEW
@given(st.sampled_from([0.0, 0.002, 0.05]), st.integers(0, 99))
def test_what_is_left_out_while_nothing_changes_changes_nothing(missing: float, seed: int) -> None:
    """A window that forgets in every second what was known works everything out again, and takes every mask as one."""
    seconds = walk(200, 3, seed=seed, missing=missing)
    seconds = [replace(row, power=row.power * np.where(row.second % 90 < 80, 1.0, np.nan)) for row in seconds]
    thermal, careful = Thermal(names(3), seed=5), Thermal(names(3), seed=5)
    ours, theirs = [], []
    for row in seconds:
        ours.append(thermal.step(row))
        careful._window._pattern = careful._window._lows = b""
        with pytest.MonkeyPatch.context() as patch:
            for module in (bounds, mixture):
                patch.setattr(module, "where", lambda mask: mask)
            theirs.append(careful.step(row))
    assert bits(ours) == bits(theirs)
    before, after = thermal.state(), careful.state()
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)


@FEW
@given(st.integers(0, 60), st.integers(0, 99))
def test_saved_and_loaded_it_goes_on_with_the_same_bits(at: int, seed: int) -> None:
    seconds = walk(90, 3, seed=seed, missing=0.03)
    thermal = Thermal(names(3), seed=4)
    run(thermal, seconds[:at])
    kept = io.BytesIO()
    np.savez(kept, **thermal.state())
    kept.seek(0)
    again = Thermal(names(3), seed=4)
    with np.load(kept, allow_pickle=False) as state:
        again.load(dict(state))
    assert bits(run(thermal, seconds[at:])) == bits(run(again, seconds[at:]))


def test_a_seed_and_a_name_decide_and_nothing_else() -> None:
    seconds = walk(120, 2)
    same = [bits(run(Thermal(names(2), seed=seed), seconds)) for seed in (7, 7, 8)]
    assert same[0] == same[1] != same[2]
    renamed = bits(run(Thermal(["other", names(2)[1]], seed=7), seconds), [1])
    assert renamed == bits(run(Thermal(names(2), seed=7), seconds), [1])


@FEW
@given(st.integers(0, 99), st.integers(1, 30))
def test_what_was_not_read_is_never_learnt(seed: int, gap: int) -> None:
    """Once what was read before the gap is learnt, the models stay as they are."""
    seconds = walk(60, 2, seed=seed)
    silent = [replace(row, temperatures=np.full(2, np.nan)) for row in seconds[: gap + 10]]
    thermal = Thermal(names(2), seed=0)
    run(thermal, [*seconds, *silent[:10]])
    before = thermal.state()
    run(thermal, silent)
    after = thermal.state()
    learnt = (
        "lessons/store",
        "ridge/weights",
        "networks/parameters",
        "mixture/_regrets",
        "bounds/_record",
        "crossing/_weights",
    )
    assert all(before[name].tobytes() == after[name].tobytes() for name in learnt)
    said = run(thermal, seconds[:12])
    persistence = [
        np.array_equal(one.expected, row.temperatures[:, None] + np.zeros(5))
        for one, row in zip(said, seconds, strict=False)
    ]
    assert all(persistence[:7]), "eight readings of ten before anything else is said"


@pytest.mark.full
@settings(max_examples=300, deadline=None)
@given(arrays.arrays(float, (60, 2, 2), elements=ABSURD), st.sampled_from(list(Effort)))
def test_finite_for_very_many_inputs(values: Array, effort: Effort) -> None:
    thermal = Thermal(names(2), seed=0)
    run(thermal, walk(30, 2), effort)
    _finite_where_read(thermal, values[:, 0], values[:, 1], effort)


@pytest.mark.full
def test_a_day_of_everything_stays_finite_and_of_one_size() -> None:
    thermal = Thermal(names(3), seed=0)
    rng = np.random.default_rng(0)
    sizes = set()
    for _hour in range(24):
        run(thermal, walk(3000, 3, seed=int(rng.integers(1000)), missing=0.02))
        values = 10.0 ** rng.uniform(-320, 308, (600, 3)) * rng.choice([-1, 1], (600, 3))
        finite = [np.isfinite(thermal.step(row).expected).all() for row in rows(values, values[::-1])]
        assert all(finite) and thermal.sound()
        sizes.add(sum(value.nbytes for value in thermal.state().values()))
    assert len(sizes) == 1
