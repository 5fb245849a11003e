"""Heat on the real thermal zone, and sensors that cannot be believed."""

from __future__ import annotations

import pytest

from gamesad.messages import Message
from tests.guest.laptop import COOL_C, LOWEST, ZONE, Laptop
from tests.guest.machine import wait_until


@pytest.mark.full
def test_far_over_the_limit_everything_is_at_its_lowest_at_once(running: Laptop) -> None:
    running.firmware.temperature_c = 100.0
    took_s = wait_until(lambda: running.pstates == LOWEST, "the lowest performance state", 4.0, pause_s=0.005)
    assert took_s < 1.0
    running.wait_said("hardware limit of 90 °C; failsafe settings", GAMESAD_ACTION="conservative")
    running.firmware.temperature_c = COOL_C
    running.wait_said("the failsafe settings are released")


@pytest.mark.full
def test_a_sensor_that_dies_under_load_means_failsafe_until_it_is_back(running: Laptop) -> None:
    running.firmware.temperature_c = None
    assert running.read(f"{ZONE}/temp") == "ENODEV"
    took_s = wait_until(lambda: running.pstates == LOWEST, "the failsafe", 10.0)
    assert took_s > 2.0, "one reading that fails is no loss"
    running.wait_said("", MESSAGE_ID=Message.FAILSAFE.message_id)
    running.wait_said("", MESSAGE_ID=Message.SENSOR_LOST.message_id, GAMESAD_ERRNO="ENODEV")
    running.firmware.temperature_c = COOL_C
    running.wait_said("", MESSAGE_ID=Message.SENSOR_BACK.message_id)
    running.wait_said("the failsafe settings are released")


@pytest.mark.full
def test_a_sensor_that_lies_under_load_is_not_believed(running: Laptop) -> None:
    running.firmware.temperature_c = -60.0
    wait_until(lambda: running.pstates == LOWEST, "the failsafe", 10.0)
    running.wait_said("", MESSAGE_ID=Message.SENSOR_REJECTED.message_id)
    running.firmware.temperature_c = COOL_C
    running.wait_said("the failsafe settings are released")
