"""What a forecast can do to a decision: make it cooler, a little and for a while. Never warmer, whatever it says."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.policy.bounds import NOTHING
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.types import Forecast, Heat, Limit, Origin, Snapshot
from tests.policy.test_closed_loop import Run, run
from tests.support.policy_machines import CPU, POWER, intent, limit, snapshot, tunables

LIMITS = {CPU: limit()}
CONTROLS = tunables()
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
ANY = st.builds(
    lambda horizons, bounds, sensor, chance: Forecast(
        tuple(horizons), {sensor: tuple(bounds)}, {sensor: tuple(bounds)}, 0.9, {sensor: chance}
    ),
    st.lists(NUMBERS, max_size=6),
    st.lists(NUMBERS | st.floats(60.0, 200.0), max_size=6),
    st.sampled_from([CPU, POWER, "nobody"]),
    NUMBERS | st.floats(0.0, 1.0),
)


@dataclasses.dataclass
class Loop:
    """Decide and enforce, tick after tick, on the same readings."""

    regulation: Regulation = dataclasses.field(default_factory=Regulation)
    envelope: Envelope = dataclasses.field(default_factory=Envelope)

    def tick(self, now: Snapshot, forecast: Forecast | None) -> float:
        """The level that is left for the processor."""
        wanted, self.regulation = decide(self.regulation, now, forecast, intent(), LIMITS, CONTROLS)
        _decision, self.envelope = enforce(self.envelope, wanted, now, LIMITS, CONTROLS)
        return self.regulation.levels[Heat.CPU].value if self.regulation.levels else 1.0

    @property
    def bounds(self) -> Envelope:
        """Everything that the envelope goes by, but for what it was asked and what came of that."""
        return dataclasses.replace(self.envelope, wanted={}, outcome=NOTHING)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.floats(40.0, 105.0) | NUMBERS, ANY | st.none()), min_size=1, max_size=25))
def test_no_forecast_ever_gives_more_than_none_would(ticks: list[tuple[float, Forecast | None]]) -> None:
    """From any state that forecasts led to, the next level with one is at most the one without; and the envelope, which
    sees the readings alone, is the same with all of them as with none."""
    loop, bare = Loop(), Loop()
    for number, (temp_c, forecast) in enumerate(ticks):
        now = snapshot(1.0 + number / 2, {CPU: temp_c} if math.isfinite(temp_c) else {})
        without = Loop(loop.regulation, loop.envelope).tick(now, None)
        assert loop.tick(now, forecast) <= without
        bare.tick(now, None)
        assert loop.bounds == bare.bounds


@settings(max_examples=100, deadline=None)
@given(st.lists(ANY, max_size=5), st.floats(87.1, 91.0), st.floats(95.0, 1e9), st.floats(0.1, 1.0))
def test_however_alarming_it_costs_a_bounded_part(
    others: list[Forecast], temp_c: float, bound_c: float, chance: float
) -> None:
    """Near the limit of 95 °C, where it is heard, and nothing rises."""
    forecasts = [*others, Forecast((5.0,), {CPU: (bound_c,)}, {CPU: (bound_c,)}, 0.9, {CPU: chance})]
    loop = Loop()
    levels = [loop.tick(snapshot(1.0 + n / 2, {CPU: temp_c}), forecasts[n % len(forecasts)]) for n in range(600)]
    assert min(levels) >= 0.68


def test_what_a_forecast_took_comes_back_though_the_temperature_stands_still() -> None:
    """2.5 °C under its limit, within the dead zone, where the rules alone give nothing back."""
    alarm = Forecast((5.0,), {CPU: (99.0,)}, {CPU: (99.0,)}, 0.9, {CPU: 0.9})
    calm = Forecast((5.0,), {CPU: (92.5,)}, {CPU: (92.5,)}, 0.9, {CPU: 0.0})
    loop = Loop()
    alarmed = [loop.tick(snapshot(1.0 + n / 2, {CPU: 92.5}), alarm) for n in range(20)]
    assert alarmed[-1] < 1.0
    after = [loop.tick(snapshot(11.0 + n / 2, {CPU: 92.5}), calm if n % 2 else None) for n in range(120)]
    assert after == sorted(after)
    assert after[-1] == 1.0


def lying(bound_c: float, chance: float) -> Callable[[Snapshot, object, Mapping[str, Limit]], Forecast]:
    """The same for every sensor, always."""

    def forecast(_now: Snapshot, _sensors: object, limits: Mapping[str, Limit]) -> Forecast:
        bounds = dict.fromkeys(limits, (bound_c,) * 5)
        return Forecast((1.0, 2.0, 3.0, 4.0, 5.0), bounds, bounds, 0.9, dict.fromkeys(limits, chance))

    return forecast


LIES = {
    "nothing ever": lying(-1e9, 0.0),
    "not a number": lying(math.nan, math.nan),
    "infinity": lying(math.inf, math.inf),
    "always too hot": lying(1e9, 1.0),
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run("laptop/bursty-game", 400.0, intent(), tmp_path_factory.mktemp("bare"))


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_makes_a_machine_hotter_and_an_alarmist_costs_little(lie: str, honest: Run, tmp_path: Path) -> None:
    seen = run("laptop/bursty-game", 400.0, intent(), tmp_path, forecast=LIES[lie])
    assert max(over for _, over in seen.over_c) <= max(over for _, over in honest.over_c) + 1.0
    assert seen.failsafe == []
    assert seen.work >= 0.8 * honest.work
    if lie != "always too hot":
        assert seen.work == pytest.approx(honest.work, rel=1e-9), "it changes nothing"
        assert Origin.FORECAST not in {decision.source for decision in seen.changed}
    else:
        assert Origin.FORECAST in {decision.source for decision in seen.changed}
