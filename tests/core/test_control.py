"""What people and clients wish: profiles, holds, overrides, limits and pauses, all within what exists."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.config import Bus, Config, Profiles
from gamesad.control import Control
from gamesad.errors import (
    Busy,
    GamesadError,
    NotAuthorized,
    OutOfRange,
    UnknownHold,
    UnknownProfile,
    UnknownSensor,
    UnknownTunable,
)
from gamesad.state import Wishes
from gamesad.types import Controls, Profile, Quantity, Role, Sensor, Tunable

PROFILES = {
    name: Profile(name, f"{name} for tests", rank, name)
    for rank, name in enumerate(["power-saver", "balanced", "gaming"])
}
GOVERNOR = Tunable(
    "cpufreq.policy0.scaling_governor", Role.GOVERNOR, "policy0", "/sys/x", choices=("powersave", "performance")
)
FREQUENCY = Tunable(
    "cpufreq.policy0.scaling_max_freq",
    Role.FREQUENCY_MAXIMUM,
    "policy0",
    "/sys/y",
    unit="kHz",
    minimum=800,
    maximum=4000,
)
CONTROLS = Controls({t.name: t for t in (GOVERNOR, FREQUENCY)}, {GOVERNOR.name: "powersave", FREQUENCY.name: 4000})
SENSORS: Mapping[str, Sensor] = {
    "hwmon.cpu.temp1": Sensor("hwmon.cpu.temp1", Quantity.TEMPERATURE, "CPU"),
    "powercap.package.power": Sensor("powercap.package.power", Quantity.POWER, "package"),
    "hwmon.cpu.fan1": Sensor("hwmon.cpu.fan1", Quantity.FAN, "fan"),
}


def control(wishes: Wishes | None = None, on_battery: str = "") -> Control:
    return Control(Config(profile=Profiles(on_battery=on_battery), profiles=PROFILES), wishes or Wishes())


def active(control: Control, now_s: float = 0.0, *, on_battery: bool | None = None) -> str:
    return control.intent(now_s, on_battery=on_battery).profile.name


def hold(control: Control, profile: str, *, owner: str = ":1.5", uid: int = 1000) -> int:
    return control.hold(profile, "rendering", "game", owner=owner, uid=uid).cookie


def test_until_somebody_chooses_the_default_is_in_force_and_not_chosen() -> None:
    intent = control().intent(0.0, on_battery=None)
    assert (intent.profile.name, intent.chosen) == ("balanced", False)


def test_a_selected_profile_is_chosen_and_says_by_whom() -> None:
    c = control()
    c.select("gaming", 1000)
    intent = c.intent(0.0, on_battery=None)
    assert (intent.profile.name, intent.chosen, intent.cause) == ("gaming", True, "selected by uid 1000")


def test_an_unknown_profile_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownProfile, match="balanced, gaming"):
        control().select("turbo", 0)


def test_the_most_restrictive_hold_wins_whatever_the_order() -> None:
    c = control()
    hold(c, "gaming")
    saver = hold(c, "power-saver")
    hold(c, "gaming")
    assert active(c) == "power-saver"
    c.release(saver, 1000)
    assert active(c) == "gaming"


def test_after_the_last_hold_the_selected_profile_is_back() -> None:
    c = control()
    c.select("gaming", 0)
    cookie = hold(c, "power-saver")
    c.release(cookie, 1000)
    assert active(c) == "gaming"


def test_a_client_that_leaves_loses_its_holds_and_nobody_elses() -> None:
    c = control()
    hold(c, "power-saver", owner=":1.5")
    kept = hold(c, "gaming", owner=":1.6")
    c.release_owner(":1.5")
    assert list(c.holds) == [kept]


def test_only_the_holder_or_root_releases_a_hold() -> None:
    c = control()
    cookie = hold(c, "gaming", uid=1000)
    with pytest.raises(NotAuthorized):
        c.release(cookie, 1001)
    c.release(cookie, 0)
    with pytest.raises(UnknownHold):
        c.release(cookie, 0)


def test_a_thousand_holds_end_in_busy_for_one_user_and_for_all() -> None:
    c = Control(Config(bus=Bus(max_holds=256, max_holds_per_user=32), profiles=PROFILES), Wishes())
    with pytest.raises(Busy, match="uid 1000 has 32 holds open"):
        for _ in range(1000):
            hold(c, "gaming", uid=1000)
    assert len(c.holds) == 32
    with pytest.raises(Busy, match="256 holds are open"):
        for uid in range(2000, 3000):
            hold(c, "gaming", uid=uid)
    assert len(c.holds) == 256


def test_texts_from_outside_are_one_bounded_printable_line() -> None:
    c = control()
    held = c.hold("gaming", "a\nb\x1b[2J" + "x" * 1000, "id\0", owner=":1.5", uid=1)
    assert held.reason.isprintable()
    assert len(held.reason) <= 256
    assert held.application_id == "id"


def test_an_override_goes_back_unless_confirmed() -> None:
    c = control()
    c.set_tunable(FREQUENCY.name, 2000, 30, CONTROLS, now_s=100.0)
    assert c.intent(129.9, on_battery=None).overrides == {FREQUENCY.name: 2000}
    assert c.intent(130.0, on_battery=None).overrides == {}
    assert c.reverted == (FREQUENCY.name,)


def test_a_confirmed_override_stays_and_is_kept_over_a_restart() -> None:
    c = control()
    c.set_tunable(FREQUENCY.name, 2000, 30, CONTROLS, now_s=0.0)
    assert c.wishes.overrides == {}
    c.confirm_tunable(FREQUENCY.name)
    assert c.intent(1e6, on_battery=None).overrides == {FREQUENCY.name: 2000}
    assert control(c.wishes).intent(0.0, on_battery=None).overrides == {FREQUENCY.name: 2000}


def test_an_unconfirmed_override_goes_back_to_the_confirmed_one_before_it() -> None:
    c = control()
    c.set_tunable(FREQUENCY.name, 3000, 0, CONTROLS, now_s=0.0)
    c.set_tunable(FREQUENCY.name, 2000, 10, CONTROLS, now_s=0.0)
    c.set_tunable(FREQUENCY.name, 1500, 10, CONTROLS, now_s=5.0)
    assert c.intent(20.0, on_battery=None).overrides == {FREQUENCY.name: 3000}


@pytest.mark.parametrize("value", [799, 4001, "3000", 3000.0, True, None, [], math.nan])
def test_a_tunable_takes_only_values_of_its_kind_and_range(value: object) -> None:
    with pytest.raises(OutOfRange, match=r"800\.\.4000 kHz"):
        control().set_tunable(FREQUENCY.name, value, 0, CONTROLS, now_s=0.0)


def test_unknown_tunables_are_refused_in_every_verb() -> None:
    c = control()
    with pytest.raises(UnknownTunable):
        c.set_tunable("no.such", 1, 0, CONTROLS, now_s=0.0)
    with pytest.raises(UnknownTunable):
        c.confirm_tunable(GOVERNOR.name)
    with pytest.raises(UnknownTunable):
        c.reset_tunable(GOVERNOR.name)


def test_limits_go_by_the_sensors_quantity() -> None:
    c = control()
    c.set_limit("hwmon.cpu.temp1", 80.0, SENSORS)
    c.set_limit("powercap.package.power", 15.0, SENSORS)
    intent = c.intent(0.0, on_battery=None)
    assert intent.temperature_limits_c == {"hwmon.cpu.temp1": 80.0}
    assert intent.power_limits_w == {"powercap.package.power": 15.0}
    with pytest.raises(OutOfRange, match="fan"):
        c.set_limit("hwmon.cpu.fan1", 1000.0, SENSORS)
    c.clear_limit("")
    assert c.intent(0.0, on_battery=None).temperature_limits_c == {}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 0.0, 19.9, 150.1])
def test_a_temperature_limit_is_a_sensible_number(value: float) -> None:
    with pytest.raises(OutOfRange):
        control().set_limit("hwmon.cpu.temp1", value, SENSORS)


def test_an_unknown_sensor_gets_a_suggestion() -> None:
    with pytest.raises(UnknownSensor, match=r"did you mean hwmon\.cpu\.temp1"):
        control().set_limit("temp1", 80.0, SENSORS)


def test_a_pause_ends_by_itself_or_by_resume() -> None:
    c = control()
    c.pause(60, now_s=0.0)
    assert c.intent(59.9, on_battery=None).paused
    assert not c.intent(60.0, on_battery=None).paused
    c.pause(0, now_s=0.0)
    assert c.intent(1e9, on_battery=None).paused
    c.resume()
    assert not c.intent(1e9, on_battery=None).paused


def test_the_battery_profile_holds_only_while_nobody_chose_another() -> None:
    c = control(on_battery="power-saver")
    assert active(c, on_battery=True) == "power-saver"
    assert active(c, on_battery=False) == "balanced"
    assert active(c, on_battery=None) == "balanced"
    c.select("gaming", 0)
    assert active(c, on_battery=True) == "gaming"


def test_a_default_that_the_administrator_configured_is_chosen() -> None:
    config = Config(
        profile=Profiles(default="gaming"), profiles=PROFILES, origins={"profiles.default": "gamesad.toml:2"}
    )
    intent = Control(config, Wishes()).intent(0.0, on_battery=None)
    assert (intent.profile.name, intent.chosen, intent.cause) == ("gaming", True, "the configured default")


def test_a_profile_that_vanishes_with_a_reload_falls_back_to_the_default() -> None:
    c = control()
    c.select("gaming", 0)
    hold(c, "gaming")
    c.configure(Config(profiles={name: profile for name, profile in PROFILES.items() if name != "gaming"}))
    assert active(c) == "balanced"
    assert not c.holds


_REQUESTS = st.one_of(
    st.tuples(st.just("select"), st.sampled_from([*PROFILES, "nope", ""])),
    st.tuples(st.just("hold"), st.sampled_from([*PROFILES, "nope"])),
    st.tuples(st.just("release"), st.integers(0, 40)),
    st.tuples(st.just("set"), st.one_of(st.integers(), st.text(), st.floats(), st.booleans())),
    st.tuples(st.just("pause"), st.integers(-5, 100_000)),
    st.tuples(st.just("limit"), st.floats()),
    st.tuples(st.just("time"), st.floats(0.0, 1000.0)),
)


@given(st.lists(_REQUESTS, max_size=40))
def test_no_sequence_of_requests_makes_an_intent_outside_what_exists(requests: list[tuple[str, object]]) -> None:
    c, now_s = control(), 0.0
    for verb, argument in requests:
        try:
            if verb == "select":
                c.select(str(argument), 1)
            elif verb == "hold":
                hold(c, str(argument))
            elif verb == "release":
                c.release(int(str(argument)), 1000)
            elif verb == "set":
                c.set_tunable(FREQUENCY.name, argument, 5, CONTROLS, now_s)
            elif verb == "pause":
                c.pause(int(str(argument)), now_s)
            elif verb == "limit":
                c.set_limit("hwmon.cpu.temp1", float(str(argument)), SENSORS)
            else:
                now_s += float(str(argument))
        except GamesadError:
            continue
        intent = c.intent(now_s, on_battery=None)
        assert intent.profile.name in PROFILES
        assert all(CONTROLS.tunables[name].allows(value) for name, value in intent.overrides.items())
        assert all(20.0 <= limit_c <= 150.0 for limit_c in intent.temperature_limits_c.values())
