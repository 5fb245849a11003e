"""Limits: where the numbers come from, and that people can only make them stricter."""

from __future__ import annotations

import dataclasses

import pytest

from gamesad.config import LimitsConfig
from gamesad.policy.limits import derive
from gamesad.types import Heat, Intent, Limit, Quantity, Sensor, SensorLimits
from tests.support.policy_machines import PROFILES, intent

CONFIG = LimitsConfig()


def sensor(driver: str = "coretemp", heat: Heat | None = Heat.CPU, **limits: float) -> Sensor:
    return Sensor("hwmon.a.temp1", Quantity.TEMPERATURE, "Package id 0", SensorLimits(**limits), driver, heat)


def one(of: Sensor, wish: Intent | None = None, config: LimitsConfig = CONFIG) -> Limit | None:
    return derive({of.name: of}, wish or intent(), config).get(of.name)


def target(of: Sensor, wish: Intent | None = None, config: LimitsConfig = CONFIG) -> float:
    limit = one(of, wish, config)
    assert limit is not None
    return limit.target_c


@pytest.mark.parametrize(("driver", "critical_c"), [("coretemp", 100.0), ("k10temp", 95.0), ("zenpower", 95.0)])
def test_a_part_made_to_sit_at_its_critical_temperature_is_held_there(driver: str, critical_c: float) -> None:
    limit = one(sensor(driver, critical=critical_c, maximum=70.0))
    assert limit is not None
    assert (limit.envelope_c, limit.target_c) == (critical_c, critical_c - 1.5)
    assert critical_c < limit.failsafe_c <= critical_c + 5.0
    assert "made to sit" in limit.origin


def test_other_parts_keep_a_margin() -> None:
    limit = one(sensor("amdgpu", Heat.GPU, critical=100.0, emergency=105.0))
    assert limit is not None
    assert (limit.envelope_c, limit.heat) == (95.0, Heat.GPU)
    assert limit.target_c < limit.envelope_c < limit.failsafe_c <= 105.0
    assert "margin of 5 °C" in limit.origin


def test_the_margin_is_the_configured_one() -> None:
    of = sensor("amdgpu", Heat.GPU, critical=100.0)
    assert target(of, config=LimitsConfig(margin_c=20.0)) == target(of) - 15.0


def test_trips_count_as_limits() -> None:
    assert target(sensor("acpitz", critical=110.0, passive=85.0)) == 85.0
    assert target(sensor("acpitz", critical=110.0, hot=100.0)) == 93.5
    assert target(sensor("acpitz", passive=85.0)) == 85.0


def test_a_maximum_is_a_limit_where_the_driver_means_it() -> None:
    assert target(sensor("nvme", Heat.OTHER, critical=84.8, maximum=70.0)) == 70.0


@pytest.mark.parametrize("nonsense", [0.0, -273.1, 65261.8, 5.0])
def test_firmware_nonsense_is_no_limit(nonsense: float) -> None:
    assert one(sensor("acpitz", critical=nonsense)) is None
    assert one(sensor("coretemp", critical=nonsense)) is None


def test_a_sensor_without_limits_has_none() -> None:
    assert one(sensor("acpitz")) is None
    assert one(sensor("coretemp", maximum=80.0)) is None, "coretemp's maximum is where the fans run at full speed"


def test_only_temperatures_have_limits() -> None:
    fan = dataclasses.replace(sensor("coretemp", critical=100.0), quantity=Quantity.FAN)
    assert one(fan) is None


@pytest.mark.parametrize("asked", ["user", "configuration", "profile"])
def test_people_can_make_a_limit_stricter_and_never_looser(asked: str) -> None:
    of = sensor("coretemp", critical=100.0)
    for celsius, expected in ((70.0, 70.0), (120.0, 98.5)):
        wish, config = intent(), CONFIG
        if asked == "user":
            wish = intent(temperature_limits_c={of.name: celsius})
        elif asked == "configuration":
            config = LimitsConfig(temperatures_c={"hwmon.*": celsius, "other*": 1.0})
        else:
            profile = dataclasses.replace(PROFILES["quiet"], temperature_limit_c=celsius)
            wish = Intent(profile, chosen=True)
        limit = one(of, wish, config)
        assert limit is not None
        assert (limit.target_c, limit.envelope_c) == (expected, 100.0)
        if celsius == 70.0:
            assert asked in limit.origin


def test_a_profile_that_nobody_chose_limits_nothing() -> None:
    assert target(sensor("coretemp", critical=100.0), intent("quiet")) == 98.5


def test_a_profile_does_not_limit_disks() -> None:
    assert target(sensor("nvme", Heat.OTHER, critical=90.0), intent("quiet", chosen=True)) == 85.0


def test_a_user_may_limit_what_the_hardware_says_nothing_of() -> None:
    limit = one(sensor("acpitz"), intent(temperature_limits_c={"hwmon.a.temp1": 70.0}))
    assert limit is not None
    assert (limit.target_c, limit.origin) == (70.0, "set by a user")
    assert limit.envelope_c >= 95.0, "the envelope is not the user's"


def test_over_a_limit_that_a_user_gave_to_a_disk_there_is_an_alert() -> None:
    for stated in ({}, {"critical": 90.0}):
        limit = one(sensor("nvme", Heat.OTHER, **stated), intent(temperature_limits_c={"hwmon.a.temp1": 55.0}))
        assert limit is not None
        assert (limit.target_c, limit.envelope_c) == (55.0, 55.0)
