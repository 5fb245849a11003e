"""The whole predictor: what it learns, what it says of limits, and how it is saved, doubted and given other sensors."""

from __future__ import annotations

import numpy as np
import pytest

from gamesad.neural.model import Unusable
from gamesad.neural.thermal import Effort, Thermal
from tests.neural.thermal.made import bits, names, only, rows, run, walk

WAVE = np.rint(60 + 8 * np.sin(np.arange(1000) / 4))[:, None]


def test_a_wave_is_foretold() -> None:
    thermal = Thermal(names(1), seed=0)
    run(thermal, rows(WAVE))
    score = thermal.scores()[names(1)[0]]
    assert score["Skill"] > 0.7
    assert 0.87 < score["Coverage"] < 0.95
    assert score["Samples"] == len(WAVE) - 1
    assert sum(score["Members"].values()) == pytest.approx(1.0)


def test_power_tells_what_readings_do_not() -> None:
    rng = np.random.default_rng(0)
    power = np.repeat(rng.choice([5.0, 60.0], 160), 6)[:900, None]
    warmth = np.zeros_like(power)
    for second in range(1, len(power)):
        warmth[second] = 0.85 * warmth[second - 1] + 0.15 * power[second - 1]
    temperatures = np.rint(35 + warmth)
    skills = []
    for known in (power, None):
        thermal = Thermal(names(1), seed=0)
        run(thermal, rows(temperatures, known))
        skills.append(thermal.scores()[names(1)[0]]["Skill"])
    assert skills[0] > skills[1] + 0.1


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.full), pytest.param(2, marks=pytest.mark.full)])
def test_nothing_to_learn_costs_next_to_nothing(seed: int) -> None:
    """A random walk, and readings that hardly ever change: no worse than persistence by more than 1 %."""
    rng = np.random.default_rng(seed)
    wander = np.rint(50 + np.cumsum(rng.normal(size=1200)) * 0.5)
    rare = 40.0 + np.cumsum(rng.random(1200) < 0.01) % 2
    thermal = Thermal(names(2), seed=0)
    run(thermal, rows(np.column_stack((wander, rare))))
    for score in thermal.scores().values():
        assert score["Error"] < score["Persistence"] * 1.01 + 0.002


def test_forecasts_lie_on_the_sensors_grid() -> None:
    thermal = Thermal(names(1), seed=0)
    for said in run(thermal, rows(WAVE[:300])):
        assert np.array_equal(said.expected, np.rint(said.expected))


def test_a_limit_is_reached_as_often_as_was_said() -> None:
    rng = np.random.default_rng(1)
    temperatures = np.rint(60 + 8 * np.sin(np.arange(2500) / 7) + rng.normal(size=2500) * 2)[:, None]
    thermal = Thermal(names(1), seed=0)
    chances = np.array([said.crossing[0] for said in run(thermal, rows(temperatures, limits=[67.0]))])
    came = np.array([temperatures[second + 1 : second + 6].max() >= 67 for second in range(2490)])
    late = chances[1000:2490]
    for low, high in ((0.0, 0.1), (0.3, 0.7), (0.9, 1.0)):
        here = (late >= low) & (late <= high)
        assert here.any()
        assert low - 0.12 < came[1000:][here].mean() < high + 0.12
    assert thermal.crossing(np.array([200.0]))[0] < 0.01
    assert thermal.crossing(np.array([0.0]))[0] > 0.99
    assert np.isnan(thermal.crossing(np.array([np.nan]))[0])


def test_what_came_often_in_the_last_minutes_is_expected_again() -> None:
    """Spikes without a sign before them, for four minutes many and for four hardly any."""
    rng = np.random.default_rng(3)
    seconds = np.arange(3000)
    busy = seconds // 250 % 2 == 1
    spikes = rng.random(3000) < np.where(busy, 0.15, 0.003)
    temperatures = np.where(spikes, 80.0, 50.0) + np.rint(rng.normal(size=3000))
    said = run(Thermal(names(1), seed=0), rows(temperatures[:, None], limits=[75.0]))
    chances = np.array([one.crossing[0] for one in said])
    came = np.array([spikes[second + 1 : second + 6].any() for second in seconds])
    late = (seconds > 1000) & (seconds < 2990) & (seconds % 250 > 60) & ~spikes
    for here, error in ((late & busy, 0.25), (late & ~busy, 0.02)):
        assert abs(chances[here].mean() - came[here].mean()) < error
    assert chances[late & busy].mean() > 10 * chances[late & ~busy].mean()


def test_less_effort_learns_less_and_says_persistence_at_least() -> None:
    seconds = walk(100, 2)
    thermal = Thermal(names(2), seed=0)
    run(thermal, seconds)
    before = thermal.state()
    run(thermal, seconds[:20], Effort.MIXTURE)
    after = thermal.state()
    assert before["networks/parameters"].tobytes() == after["networks/parameters"].tobytes()
    assert before["ridge/weights"].tobytes() == after["ridge/weights"].tobytes()
    assert before["mixture/_regrets"].tobytes() != after["mixture/_regrets"].tobytes()
    for row in seconds[20:30]:
        said = thermal.step(row, Effort.PERSISTENCE)
        assert np.array_equal(said.expected, np.repeat(row.temperatures[:, None], 5, axis=1))
    late = run(thermal, seconds[30:60])
    assert any(
        np.abs(said.expected - row.temperatures[:, None]).any() for said, row in zip(late, seconds[30:], strict=False)
    )


def test_sensors_come_and_go_and_the_others_take_no_notice() -> None:
    seconds = walk(120, 3)
    everything = run(Thermal(names(3), seed=2), seconds)
    thermal = Thermal(names(3), seed=2)
    run(thermal, seconds[:50])
    thermal.rename([names(3)[2], "new", names(3)[0]])
    assert thermal.names == (names(3)[2], "new", names(3)[0])
    late = run(thermal, [only(row, [2, 1, 0]) for row in seconds[50:]])
    assert bits(late, [2, 0]) == bits(everything[50:], [0, 2])
    fresh = Thermal(["new"], seed=2)
    ours, theirs = thermal.state(), fresh.state()
    assert ours["lessons/count"][1] < ours["lessons/count"][0]
    assert not theirs["window/count"].any()


def test_what_was_saved_of_other_sensors_is_taken_up_by_name() -> None:
    seconds = walk(80, 3)
    saved = Thermal(names(3), seed=2)
    run(saved, seconds[:60])
    thermal = Thermal([names(3)[1], "new"], seed=2)
    thermal.load(saved.state())
    assert thermal.names == (names(3)[1], "new")
    late = run(thermal, [only(row, [1, 0]) for row in seconds[60:]])
    assert bits(late, [0]) == bits(run(saved, seconds[60:]), [1])


@pytest.mark.parametrize("key", sorted(Thermal(["one"], seed=0).state()))
def test_a_damaged_state_is_refused_and_changes_nothing(key: str) -> None:
    thermal = Thermal(names(2), seed=2)
    run(thermal, walk(30, 2))
    before, good = thermal.state(), thermal.state()[key]
    damages = [None, np.zeros((7, 7)), good.astype(np.str_) if good.dtype.kind != "U" else np.zeros(2)]
    if good.dtype.kind == "f":
        damages.append(np.full_like(good, np.inf))
    for damage in damages:
        state = {name: value for name, value in before.items() if name != key}
        if damage is not None:
            state[key] = damage
        with pytest.raises(Unusable, match=r"saved"):
            thermal.load(state)
        after = thermal.state()
        assert all(after[name].tobytes() == before[name].tobytes() for name in before)


@pytest.mark.parametrize("part", ["ridge/weights", "networks/parameters", "mixture/_regrets", "bounds/_record"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30])
def test_a_poisoned_model_is_not_sound(part: str, value: float) -> None:
    thermal = Thermal(names(2), seed=2)
    run(thermal, walk(30, 2))
    assert thermal.sound()
    name, attribute = part.split("/")
    getattr(thermal._parts[name], attribute)[1].flat[0] = value
    assert not thermal.sound()


def test_a_machine_without_temperatures_has_nothing_to_foretell() -> None:
    thermal = Thermal([], seed=0)
    nothing = rows(np.zeros((20, 0)), np.zeros((20, 0)))
    assert all(said.expected.shape == (0, 5) for said in run(thermal, nothing))
    thermal.load(thermal.state())
    thermal.rename(names(2))
    said = run(thermal, walk(40, 2))[-1]
    assert thermal.sound()
    assert np.isfinite(said.expected).all()


def test_names_are_given_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        Thermal(["one", "one"], seed=0)
