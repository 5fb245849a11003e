"""A hot graphics card is cooled by its own tunables, the processor is left alone, and both come back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.profiles import settings_for
from gamesad.policy.scale import floor
from gamesad.types import Absence, Controls, Heat, Limit, Role, Snapshot, Tunable, Value
from tests.support.policy_machines import PROFILES, intent, snapshot, tunables

EDGE = "hwmon.amdgpu-pci-0300.temp1"
METER = "hwmon.amdgpu-pci-0300.power1"
CAP = f"{METER}_cap"
LEVEL = "gpu.amdgpu-pci-0300.performance_level"
GT_MAX = "gpu.xe-pci-0800.tile0.gt0.max_freq"
GT_BURST = "gpu.xe-pci-0800.tile0.gt0.boost_freq"
GT_MIN = "gpu.xe-pci-0800.tile0.gt0.min_freq"
LIMITS = {EDGE: Limit(EDGE, "amdgpu edge", Heat.GPU, critical=False, target_c=93.5, envelope_c=95.0, failsafe_c=98.0,
                      origin="critical temperature")}  # fmt: skip

_CAP = Tunable(
    CAP, Role.POWER_LIMIT, "card", "/c", Heat.GPU, unit="µW", minimum=50_000_000, maximum=200_000_000, meter=METER
)
_LEVEL = Tunable(LEVEL, Role.PERFORMANCE_LEVEL, "card", "/l", Heat.GPU, choices=("low", "auto", "high"))
_MAX = Tunable(GT_MAX, Role.FREQUENCY_MAXIMUM, "gt0", "/m", Heat.GPU, unit="MHz", minimum=300, maximum=2400)
_BURST = Tunable(GT_BURST, Role.FREQUENCY_BURST, "gt0", "/b", Heat.GPU, unit="MHz", minimum=300, maximum=2400)
_MIN = Tunable(GT_MIN, Role.FREQUENCY_MINIMUM, "gt0", "/n", Heat.GPU, unit="MHz", minimum=300, maximum=2400)
RADEON: Mapping[Tunable, Value] = {_CAP: 200_000_000, _LEVEL: "auto"}
ARC: Mapping[Tunable, Value] = {_MIN: 300, _MAX: 2400}
APU: Mapping[Tunable, Value] = {_LEVEL: "auto"}


def with_card(card: Mapping[Tunable, Value]) -> Controls:
    cpu = tunables()
    made = {tunable.name: tunable for tunable in card}
    return Controls({**cpu.tunables, **made}, {**cpu.found, **{t.name: value for t, value in card.items()}})


def heated(controls: Controls, temps_c: list[float], *, power_w: float = 180.0) -> list[dict[str, Value]]:
    """What is set after each second at these temperatures."""
    state, settings = Regulation(), []
    for second, temp_c in enumerate(temps_c):
        now = snapshot(float(second), {EDGE: temp_c, METER: power_w})
        decision, state = decide(state, now, None, intent(), LIMITS, controls)
        settings.append(dict(decision.settings))
    return settings


def test_a_cool_card_is_left_as_found() -> None:
    assert heated(with_card(RADEON), [60.0] * 20)[-1] == {}


def test_the_power_cap_falls_from_what_is_drawn_and_nothing_of_the_processor_moves() -> None:
    controls = with_card(RADEON)
    settings = heated(controls, [80.0] * 5 + [95.0] * 3)[-1]
    assert settings.keys() == {CAP}
    assert 50_000_000 <= int(settings[CAP]) < 180_000_000


def test_a_card_that_stays_too_hot_ends_at_its_floor_with_its_clocks_forced_low() -> None:
    controls = with_card(RADEON)
    settings = heated(controls, [100.0] * 60)[-1]
    assert settings == {CAP: 50_000_000, LEVEL: "low"}
    assert {name: floor(controls.tunables[name], controls.found[name]) for name in settings} == settings


def test_without_a_cap_the_highest_frequency_falls() -> None:
    settings = heated(with_card(ARC), [100.0] * 60)
    assert settings[-1] == {GT_MAX: 600}
    steps = [int(each.get(GT_MAX, 2400)) for each in settings]
    assert steps == sorted(steps, reverse=True)
    assert len(set(steps)) > 4, "step by step"


def test_bursts_above_the_highest_frequency_fall_with_it() -> None:
    controls = with_card({**ARC, _BURST: 2400})
    settings = heated(controls, [100.0] * 60)
    assert [each.get(GT_BURST) for each in settings] == [each.get(GT_MAX) for each in settings]
    assert settings[-1] == {GT_MAX: 600, GT_BURST: 600}
    assert settings_for(PROFILES["power-saver"], controls)[GT_BURST] == 1550
    decision, _state = decide(Regulation(), snapshot(0.0, {EDGE: 99.0}), None, intent(), LIMITS, controls)
    enforced, _envelope = enforce(Envelope(), decision, snapshot(0.0, {EDGE: 99.0}), LIMITS, controls)
    assert enforced.settings == {GT_MAX: 600, GT_BURST: 600}


def test_a_card_with_nothing_but_its_level_is_forced_low_in_time() -> None:
    settings = heated(with_card(APU), [100.0] * 60)
    assert settings[0].get(LEVEL) is None
    assert settings[-1] == {LEVEL: "low"}


def test_what_was_taken_is_given_back_when_it_is_cool() -> None:
    assert heated(with_card(RADEON), [100.0] * 20 + [50.0] * 400)[-1] == {}


def test_what_was_taken_is_given_back_while_the_card_sleeps() -> None:
    controls, state = with_card(RADEON), Regulation()
    for second in range(400):
        asleep = second >= 20
        now = (
            Snapshot(second, float(second), {}, absent={EDGE: Absence("asleep", 20.0)})
            if asleep
            else snapshot(float(second), {EDGE: 100.0, METER: 180.0})
        )
        decision, state = decide(state, now, None, intent(), LIMITS, controls)
        assert asleep or second < 2 or decision.settings
    assert decision.settings == {}


def test_the_envelope_goes_to_the_floors_of_the_card_alone() -> None:
    controls, state = with_card({**RADEON, **ARC}), Envelope()
    decision, regulation = decide(Regulation(), snapshot(0.0, {EDGE: 99.0}), None, intent(), LIMITS, controls)
    enforced, state = enforce(state, decision, snapshot(0.0, {EDGE: 99.0}), LIMITS, controls)
    assert state.failsafe
    assert enforced.settings == {CAP: 50_000_000, LEVEL: "low", GT_MAX: 600}
    assert regulation.levels.keys() == {Heat.GPU}


@pytest.mark.parametrize(("name", "value", "becomes"), [(LEVEL, "high", "auto"), (CAP, 400_000_000, 200_000_000)])
def test_nothing_of_a_card_goes_above_what_was_found(name: str, value: Value, becomes: Value) -> None:
    controls = with_card(RADEON)
    wish = intent(overrides={name: value})
    now = snapshot(0.0, {EDGE: 50.0})
    decision, _state = decide(Regulation(), now, None, wish, LIMITS, controls)
    enforced, _envelope = enforce(Envelope(), decision, now, LIMITS, controls)
    assert enforced.settings.get(name, controls.found[name]) == becomes


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("balanced", {}),
        ("gaming", {}),
        ("performance", {}),
        ("quiet", {CAP: 150_000_000, GT_MAX: 2000}),
        ("power-saver", {CAP: 120_000_000, GT_MAX: 1550}),
    ],
)
def test_quiet_profiles_hold_cards_back_and_the_others_leave_them(profile: str, expected: dict[str, Value]) -> None:
    controls = with_card({**RADEON, **ARC})
    settings = settings_for(PROFILES[profile], controls)
    assert {name: value for name, value in settings.items() if controls.tunables[name].heat is Heat.GPU} == expected


def test_a_power_limit_set_by_a_user_on_a_card_is_its_cap_and_slows_no_processor() -> None:
    controls, state = with_card(RADEON), Regulation()
    wish = intent(power_limits_w={METER: 120.0})
    for second in range(30):
        now = snapshot(float(second), {EDGE: 60.0, METER: 125.0})
        decision, state = decide(state, now, None, wish, LIMITS, controls)
    assert decision.settings == {CAP: 120_000_000}
