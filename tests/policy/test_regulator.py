"""The law itself: one level, one temperature, one step at a time."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from gamesad.config import ControlConfig
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.regulator import FULL, Level, Trend, demand, regulate
from gamesad.policy.shaping import shaped
from gamesad.types import Controls, Heat, Role, Tunable
from tests.support.policy_machines import CPU, MAX, NO_TURBO, PL1, POWER, intent, limit, snapshot, tunables

TUNING = ControlConfig()
LIMITS = {CPU: limit()}
PL2 = PL1.replace("constraint_0", "constraint_1")


def test_a_second_cut_waits_for_what_the_first_one_does() -> None:
    first = regulate(FULL, 10.0, 5.0, -5.0, TUNING)
    assert first.value < 1.0
    assert regulate(first, 11.5, 5.0, -5.0, TUNING) == first
    assert regulate(first, 12.5, 5.0, -5.0, TUNING).value < first.value


def test_what_comes_on_top_is_cut_at_once() -> None:
    first = regulate(FULL, 10.0, 5.0, -5.0, TUNING)
    second = regulate(first, 10.5, 12.0, -12.0, TUNING)
    at_once = regulate(FULL, 10.0, 12.0, -12.0, TUNING)
    assert second.value == pytest.approx(at_once.value)


def test_cuts_that_do_not_help_become_stronger_and_start_afresh_later() -> None:
    level, cuts = FULL, []
    for step in range(4):
        after = regulate(level, 10.0 + 2.5 * step, 2.0 + 0.1 * step, -2.0, TUNING)
        cuts.append(level.value - after.value)
        level = after
    assert all(later > 1.3 * earlier for earlier, later in itertools.pairwise(cuts[:3]))
    later = regulate(level, 60.0, 2.0, -2.0, TUNING)
    assert level.value - later.value == pytest.approx(cuts[0])


def test_a_step_up_fills_at_most_half_of_the_room_at_once() -> None:
    """A whole level is worth 35 °C within seconds."""
    for spare_c in (4.0, 5.0, 8.0, 20.0):
        level = regulate(Level(0.5), 10.0, 0.0, spare_c, TUNING)
        assert 0.0 < (level.value - 0.5) * 35.0 <= 0.5 * spare_c


def test_a_step_up_that_is_taken_back_makes_the_next_smaller_and_later() -> None:
    before = regulate(Level(0.5), 10.0, 0.0, 5.0, TUNING)
    cut = regulate(before, 13.0, 1.0, -1.0, TUNING)
    assert regulate(cut, 18.5, 0.0, 5.0, TUNING) == cut, "the dwell is longer"
    again = regulate(cut, 20.5, 0.0, 5.0, TUNING)
    assert 0.0 < again.value - cut.value < before.value - 0.5
    lasting = regulate(again, 30.0, 0.0, 5.0, TUNING)
    assert lasting.gain_c < again.gain_c, "until steps last"


def test_nothing_is_given_back_within_the_band_nor_blindly_nor_while_it_creeps() -> None:
    held = Level(0.5)
    assert regulate(held, 10.0, 0.0, 3.4, TUNING) == held
    assert regulate(held, 10.0, 0.0, None, TUNING) == held
    creeping = demand(Trend(85.0, 10.0, 0.3, 0.3), 95.0, TUNING, own=False)
    assert regulate(held, 10.0, 0.0, creeping.spare_c, TUNING) == held


def test_the_answer_to_an_own_step_up_is_no_reason_to_cut() -> None:
    rising = Trend(91.0, 10.0, 2.0, 0.8)
    assert demand(rising, 95.0, TUNING, own=False).excess_c > 0.0
    assert demand(rising, 95.0, TUNING, own=True).excess_c <= 0.0
    assert demand(Trend(88.0, 10.0, 15.0, 6.0), 95.0, TUNING, own=True).excess_c > 0.0, "but a new load is"


def test_a_jump_that_is_over_is_not_looked_ahead_for() -> None:
    over = Trend(91.0, 10.0, 0.1, 1.5)
    assert demand(over, 95.0, TUNING, own=False).excess_c <= 0.0


def test_one_sensor_of_whole_degrees_that_flickers_asks_for_nothing() -> None:
    trend = Trend(91.0, 0.0)
    for tick in range(1, 60):
        trend = trend.then(91.0 + (tick // 2) % 2, tick * 0.5, {})
        assert demand(trend, 95.0, TUNING, own=False).excess_c <= 0.0


def test_both_power_limits_fall_together_and_the_short_one_stays_above() -> None:
    controls = with_short_limit()
    for level in (0.98, 0.8, 0.6, 0.4, 0.2, 0.05, 0.0):
        settings = shaped({}, controls, {Heat.CPU: level}, {POWER: 80.0})
        short_uw, long_uw = settings[PL2], settings.get(PL1, 45_000_000)
        assert isinstance(short_uw, int) and isinstance(long_uw, int)
        assert long_uw <= short_uw <= max(28_750_000, 88_000_000 * (level + 0.2))
    assert settings[PL1] == 11_250_000, "its floor"


def test_a_burst_runs_into_the_short_limit_before_the_sustained_one_is_touched() -> None:
    settings = shaped({}, with_short_limit(), {Heat.CPU: 0.9}, {POWER: 80.0})
    assert settings == {PL2: 80_000_000}


def test_a_users_power_limit_holds_for_bursts_too() -> None:
    wish = intent(power_limits_w={POWER: 20.0})
    now = snapshot(0.0, {CPU: 60.0, POWER: 45.0})
    decision, _state = decide(Regulation(), now, None, wish, {CPU: limit()}, with_short_limit())
    assert decision.settings == {PL1: 20_000_000, PL2: 28_750_000}, "the short one's own floor"


def test_where_frequencies_are_a_table_boost_goes_first_and_only_its_values_are_set() -> None:
    controls = tunables(rapl=False)
    steps = (1_400_000, 1_900_000, 4_800_000)
    table = dataclasses.replace(controls.tunables[MAX], steps=steps)
    controls = Controls({**controls.tunables, MAX: table}, controls.found)
    assert shaped({}, controls, {Heat.CPU: 0.98}, {}) == {NO_TURBO: "1"}
    for percent in range(0, 100, 5):
        value = shaped({}, controls, {Heat.CPU: percent / 100}, {}).get(MAX, steps[-1])
        assert value in {*steps, 1_200_000}, "the floor is a quarter of the highest"


def test_a_power_limit_that_means_none_is_left_where_power_is_not_measured() -> None:
    controls = tunables()
    rated = dataclasses.replace(controls.tunables[PL1], maximum=4_095_000_000, default=None)
    controls = Controls({**controls.tunables, PL1: rated}, {**controls.found, PL1: 4_095_000_000})
    settings = shaped({}, controls, {Heat.CPU: 0.9}, {})
    assert PL1 not in settings
    assert int(settings[MAX]) < 4_800_000, "the frequency falls from the start"


def test_a_rise_after_an_own_step_up_is_let_be() -> None:
    controls = tunables()
    _decision, state = decide(Regulation(), snapshot(9.0, {CPU: 90.0}), None, intent(), LIMITS, controls)
    state = dataclasses.replace(state, trends={CPU: Trend(91.0, 9.0, 0.8, 0.8)})
    told = {}
    for given_s in (-100.0, 8.0):
        level = Level(0.5, moved_s=8.0, given_s=given_s)
        before = dataclasses.replace(state, levels={Heat.CPU: level})
        told[given_s] = decide(before, snapshot(9.5, {CPU: 91.4}), None, intent(), LIMITS, controls)[1].levels[Heat.CPU]
    assert told[-100.0].value < 0.5
    assert told[8.0].value == 0.5


def test_a_reading_taken_off_the_tick_counts_from_when_it_was_taken() -> None:
    """Two degrees in ten seconds are no jump because they show in one tick."""
    state, controls = Regulation(), tunables()
    for tick in range(21):
        age_s = tick * 0.5 if tick < 20 else 0.0
        now = snapshot(tick * 0.5, {CPU: 91.0 if tick < 20 else 93.0}, ages_s={CPU: age_s})
        decision, state = decide(state, now, None, intent(), LIMITS, controls)
        assert decision.settings == {}


def test_the_reason_names_the_hottest_of_the_cool() -> None:
    limits = {name: dataclasses.replace(limit(name, critical=False), label=name) for name in ("cold", "warm", "cool")}
    state = Regulation(levels={Heat.CPU: Level(0.5, moved_s=0.0)})
    _first, state = decide(state, snapshot(1.0, {"cold": 30.0}), None, intent(), limits, tunables())
    now = snapshot(20.0, {"cold": 30.0, "warm": 50.0, "cool": 40.0})
    decision, _state = decide(state, now, None, intent(), limits, tunables())
    assert decision.reason.startswith("boost: warm 50.0 °C")


def test_of_many_cores_the_hottest_are_followed_and_any_of_them_can_ask() -> None:
    names = [f"core{number}" for number in range(16)]
    limits = {CPU: limit(), **{name: limit(name, critical=False) for name in names}}
    for hot in names:
        state = Regulation()
        for tick in range(12):
            readings = {CPU: 70.0, **dict.fromkeys(names, 80.0), hot: 86.0 + tick}
            decision, state = decide(state, snapshot(tick * 0.5, readings), None, intent(), limits, tunables())
        assert decision.settings, hot
        assert len(state.trends) == 3


def with_short_limit() -> Controls:
    """45 W sustained, 115 W for bursts."""
    controls = tunables()
    watts: dict[str, Any] = {"minimum": 0, "maximum": 115_000_000, "default": 115_000_000}
    short = Tunable(PL2, Role.POWER_LIMIT_SHORT, "package-0", "/s", unit="µW", **watts)
    return Controls({**controls.tunables, PL2: short}, {**controls.found, PL2: 115_000_000})
