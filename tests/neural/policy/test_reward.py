"""What a second is worth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.config import load
from gamesad.neural.policy.inputs import Reader
from gamesad.neural.policy.reward import WEIGHTS, Weights, reward
from gamesad.types import Controls
from tests.support.policy_machines import CPU, POWER
from tests.support.policy_scenes import scene

ALL = Weights()


def worth(headroom_c: float = 10.0, power_w: float = math.nan, frames: float | None = None, **more: float) -> float:
    reading = Reader().read(scene(0.0, {CPU: 95.0 - headroom_c, POWER: power_w}, frame_rate=frames))
    return reward(reading, ALL, **more)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (worth(), 0.0),
        (worth(16.0), 0.3),
        (worth(15.0), 0.0),
        (worth(5.0), 0.0),
        (worth(4.0), -0.2),
        (worth(-3.0), -0.2),
        (worth(frames=61.0), 0.2),
        (worth(frames=60.0), 0.0),
        (worth(frames=80.0, target_fps=120.0), 0.0),
        (worth(power_w=44.0), 0.1),
        (worth(power_w=45.0), 0.0),
        (worth(anomaly=True), -0.3),
        (worth(16.0, 10.0, 90.0), 0.6),
        (worth(4.0, anomaly=True), -0.5),
    ],
)
def test_the_terms_add_up_as_they_were_set(seen: float, expected: float) -> None:
    assert seen == pytest.approx(expected)


def test_a_term_that_is_unknown_is_absent() -> None:
    assert reward(Reader().read(scene(0.0, {CPU: math.nan})), ALL) == pytest.approx(0.3 + 0.1), "the card's headroom"
    nothing = scene(0.0, {CPU: math.nan}, limits={}, controls=Controls({}, {}))
    assert reward(Reader().read(nothing), ALL) == 0.0


def test_who_asks_for_performance_loses_nothing_by_sitting_at_the_limit() -> None:
    reading = Reader().read(scene(0.0, {CPU: 95.0, POWER: math.nan}))
    assert reward(reading, WEIGHTS["performance"]) == 0.0 > reward(reading, WEIGHTS["power-saver"])


def test_every_built_in_profile_has_its_weights() -> None:
    assert {profile.power_profile for profile in load(None, search=()).profiles.values()} == set(WEIGHTS)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_it_stays_within_one_whatever_the_weights(roomy: float, power: float) -> None:
    reading = Reader().read(scene(0.0))
    assert -1.0 <= reward(reading, Weights(roomy=roomy, power=power)) <= 1.0
