"""A processor's sensor that sticks at a plausible value while the processor works, on the real cores."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from gamesad.messages import Message
from tests.guest import module
from tests.guest.laptop import FULL, LOWEST, Laptop
from tests.guest.machine import wait_until

SENSOR = "hwmon.coretemp-isa-0290.temp1"
CORETEMP = 'chip=coretemp labels="Package id 0,Core 0,Core 1"'
PARAMETERS = "/sys/module/gamesad_superio/parameters"
DEMAND = "/sys/module/gamesad_rapl/parameters/demand_uw"
IDLE_UW, LOAD_UW = "5000000,2000000,1000000", "60000000,40000000,3000000"
UNCHANGED_S = 60.0


@pytest.fixture
def with_coretemp(running: Laptop) -> Iterator[Laptop]:
    module.load(running, "gamesad_rapl", "gamesad_superio", options=CORETEMP)
    yield running
    running.run("rmmod gamesad_superio gamesad_rapl")
    running.run("systemctl restart gamesad")  # a critical sensor that is taken away counts as lost


@pytest.mark.full
def test_a_sensor_that_sticks_under_load_means_failsafe_until_it_moves(with_coretemp: Laptop) -> None:
    laptop = with_coretemp
    laptop.write(DEMAND, IDLE_UW)
    laptop.write(f"{PARAMETERS}/temp_mc", "50000,49000,48000")
    wait_until(lambda: SENSOR in laptop.run("gamesactl sensors --json").out, "the new sensor", 20.0)
    laptop.write(f"{PARAMETERS}/temp_mc", "51000,49000,48000")
    stood_still_s = time.monotonic()
    time.sleep(35.0)  # idle for as long as it takes to be seen as idle: far from a limit power is read every 10 s
    assert laptop.pstates == FULL
    laptop.write(DEMAND, LOAD_UW)
    entry = laptop.wait_said("stuck: unchanged for", 90.0, MESSAGE_ID=Message.SENSOR_REJECTED.message_id)
    print(entry["MESSAGE"])
    assert entry["GAMESAD_SENSOR"] == SENSOR
    assert re.search(r"while package power went from \d+ to \d+ W", entry["MESSAGE"])
    assert time.monotonic() - stood_still_s > UNCHANGED_S - 5.0
    laptop.wait_said("", MESSAGE_ID=Message.FAILSAFE.message_id)
    assert laptop.pstates == LOWEST
    laptop.write(f"{PARAMETERS}/temp_mc", "72000,71000,70000")
    laptop.wait_said("the failsafe settings are released")
    wait_until(lambda: laptop.pstates == FULL, "full speed", 60.0)
