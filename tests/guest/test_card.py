"""A graphics card that sleeps, goes and comes back under a running gamesad: on the real DRM, hwmon and PM cores."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.guest import module
from tests.guest.laptop import Laptop
from tests.guest.machine import wait_until

CARD = "/sys/bus/pci/drivers/amdgpu/0000:00:02.0"
CAP = "hwmon.amdgpu-pci-0010.power1_cap"
TEMPERATURES = "/sys/module/gamesad_card/parameters/temp_mc"
WAKES = "/sys/module/gamesad_card/parameters/wakes"
FOUND_UW = "200000000"


@pytest.fixture
def with_card(running: Laptop) -> Iterator[Laptop]:
    module.load(running, "gamesad_card")
    wait_until(lambda: CAP in running.run("gamesactl tunables").out, "the card's power cap", 30.0)
    yield running
    running.run("gamesactl set-profile balanced; rmmod gamesad_card")


def cap_uw(laptop: Laptop) -> str:
    return laptop.run(f"cat {CARD}/hwmon/hwmon*/power1_cap").out.strip()


@pytest.mark.full
def test_a_sleeping_card_is_left_asleep_and_gets_its_profile_when_it_wakes(with_card: Laptop) -> None:
    laptop = with_card
    assert laptop.write(TEMPERATURES, "45000,46000,48000") == ""  # only a cool card is left alone
    assert laptop.write(f"{CARD}/power/control", "auto") == ""
    wait_until(lambda: laptop.read(f"{CARD}/power/runtime_status") == "suspended", "the idle card to fall asleep", 60.0)
    wakes = laptop.read(WAKES)
    laptop.run("gamesactl set-profile quiet; gamesactl sensors; gamesactl tunables; gamesactl explain")
    time.sleep(20.0)  # any reading in this time would wake it
    assert (laptop.read(f"{CARD}/power/runtime_status"), laptop.read(WAKES)) == ("suspended", wakes)
    assert laptop.write(f"{CARD}/power/control", "on") == ""
    wait_until(lambda: int(cap_uw(laptop)) < int(FOUND_UW), "the profile's cap on the card that woke", 30.0)
    laptop.run("gamesactl set-profile balanced")
    wait_until(lambda: cap_uw(laptop) == FOUND_UW, "the cap as found", 20.0)


@pytest.mark.full
def test_a_card_that_is_pulled_and_put_back_is_known_by_its_name(with_card: Laptop) -> None:
    with_card.qmp.do("device_del", id="card")
    wait_until(lambda: CAP not in with_card.run("gamesactl tunables").out, "the card to be gone", 30.0)
    with_card.qmp.do("device_add", driver="edu", id="card", addr="02.0")
    wait_until(lambda: CAP in with_card.run("gamesactl tunables").out, "the card to be back", 60.0)
    assert not [entry["MESSAGE"] for entry in with_card.entries() if int(entry["PRIORITY"]) <= 3]
