"""What each profile means on machines that offer different things."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gamesad.policy.profiles import settings_for
from gamesad.types import Controls, Profile, Value
from tests.support.policy_machines import EPB, EPP, GOVERNOR, MAX, MIN, NO_TURBO, PL1, PLATFORM, PROFILES, tunables

GENERIC = ("powersave", "conservative", "ondemand", "schedutil", "performance")


def found(controls: Controls, **values: Value) -> Controls:
    names = {"governor": GOVERNOR, "epp": EPP, "maximum": MAX, "turbo": NO_TURBO, "limit": PL1}
    return Controls(controls.tunables, {**controls.found, **{names[key]: value for key, value in values.items()}})


def want(**wishes: Any) -> Profile:
    return dataclasses.replace(PROFILES["balanced"], **wishes)


def test_balanced_leaves_the_machine_as_found() -> None:
    assert settings_for(PROFILES["balanced"], tunables()) == {}


def test_power_saver_takes_least_power_that_is_still_usable() -> None:
    settings = settings_for(PROFILES["power-saver"], found(tunables(), governor="performance", epp="performance"))
    assert settings[GOVERNOR] == "powersave", "a dynamic governor where the driver has only this and performance"
    assert (settings[EPP], settings[EPB], settings[NO_TURBO], settings[PLATFORM]) == ("power", 15, "1", "low-power")
    assert settings[MAX] == 3_400_000
    assert settings[PL1] == 22_500_000


@pytest.mark.parametrize("profile", ["power-saver", "quiet", "gaming"])
def test_powersave_is_not_chosen_where_it_pins_the_minimum(profile: str) -> None:
    controls = found(tunables(governors=GENERIC), governor="performance")
    assert settings_for(PROFILES[profile], controls)[GOVERNOR] == "schedutil"


def test_performance_with_its_governor_asks_for_the_one_preference_that_the_kernel_takes() -> None:
    settings = settings_for(PROFILES["performance"], tunables())
    assert (settings[GOVERNOR], settings[EPP]) == ("performance", "performance")
    only = dataclasses.replace(PROFILES["performance"], epp=("balance_performance",))
    assert EPP not in settings_for(only, tunables())


def test_gaming_keeps_a_dynamic_governor() -> None:
    settings = settings_for(PROFILES["gaming"], found(tunables(), governor="performance"))
    assert settings[GOVERNOR] == "powersave"


def test_a_preference_that_is_not_offered_is_passed_over() -> None:
    settings = settings_for(want(governor=("nonsense", "performance"), platform_profile=("quiet",)), tunables())
    assert settings == {GOVERNOR: "performance"}


def test_nothing_goes_above_what_was_found_or_the_hardwares_default() -> None:
    controls = found(tunables(), maximum=3_000_000, turbo="1", limit=30_000_000)
    settings = settings_for(PROFILES["performance"], controls)
    assert settings[MAX] == 4_800_000, "the documented default is higher than what was found"
    assert settings[PL1] == 45_000_000
    assert NO_TURBO not in settings, "turbo was off and no default is documented"
    undocumented = {name: dataclasses.replace(t, default=None) for name, t in controls.tunables.items()}
    settings = settings_for(PROFILES["performance"], Controls(undocumented, controls.found))
    assert MAX not in settings
    assert PL1 not in settings


def test_fractions_of_frequency_lie_between_the_hardwares_ends() -> None:
    assert settings_for(want(frequency_maximum=0.5), tunables())[MAX] == 2_800_000
    assert settings_for(want(frequency_minimum=0.5), tunables()).get(MIN) is None, "never above its own ceiling"


def test_fractions_of_power_stop_at_the_floor() -> None:
    assert settings_for(want(power_limit=0.1), tunables())[PL1] == 11_250_000


def test_what_was_not_readable_at_start_is_left_alone() -> None:
    controls = tunables()
    blind = Controls(controls.tunables, {name: value for name, value in controls.found.items() if name != MAX})
    assert MAX not in settings_for(PROFILES["power-saver"], blind)


def test_a_machine_that_offers_nothing_gets_nothing() -> None:
    assert settings_for(PROFILES["power-saver"], Controls({}, {})) == {}
