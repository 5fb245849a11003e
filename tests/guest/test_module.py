"""gamesad on the real cores behind the test modules: what each node is called, its limits, sleep, errors, wrapping."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from pytest import approx

from tests.guest import module
from tests.guest.machine import Guest, wait_until
from tests.support.packaged import ROOT

CARD, CHIP = "hwmon.amdgpu-pci-0010", "hwmon.nct6798-isa-0290"
CARD_POWER = "/sys/bus/pci/drivers/amdgpu/0000:00:02.0/power"
PACKAGE = "powercap.intel-rapl:0"

_JITTER = 0.1
"""Between the moment of a reading and the clock beside it, on an emulated machine."""


@pytest.fixture(scope="module", params=["12", pytest.param("13", marks=pytest.mark.full)])
def guest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    archive = tmp_path_factory.mktemp("code") / "gamesad.tar"
    subprocess.run(["tar", "-C", ROOT, "--exclude=__pycache__", "-cf", archive, "gamesad"], check=True)
    with Guest(request.param) as guest:
        module.load(guest)
        guest.push([archive], "/root/code")
        guest.run("tar -C /root/code -xf /root/code/gamesad.tar")
        yield guest


def once(guest: Guest) -> Any:
    """What one tick of gamesad tells; it writes nothing."""
    return json.loads(guest.run("cd /root/code && python3 -m gamesad --once --observe --without bus,udev").out)


def sensors(tick: Any, *chips: str) -> dict[str, Any]:
    return {sensor["Name"]: sensor for sensor in tick["sensors"] if sensor["Name"].startswith(chips)}


def set_parameters(guest: Guest, name: str, **values: object) -> None:
    for parameter, value in values.items():
        assert guest.write(f"/sys/module/gamesad_{name}/parameters/{parameter}", str(value)) == ""


def test_every_node_is_shown_with_its_name_unit_and_limits(guest: Guest) -> None:
    tick = once(guest)
    shown = {
        name: (one["Label"], one["Unit"], one.get("Value"), one.get("CriticalLimit", one.get("Maximum")))
        for name, one in sensors(tick, CARD, CHIP, PACKAGE).items()
    }
    assert shown == {
        f"{CARD}.temp1": ("amdgpu edge", "°C", 45.0, 100.0),
        f"{CARD}.temp2": ("amdgpu junction", "°C", 52.0, 110.0),
        f"{CARD}.temp3": ("amdgpu mem", "°C", 60.0, 105.0),
        f"{CARD}.fan1": ("amdgpu fan1", "rpm", 900.0, 3300.0),
        f"{CARD}.power1": ("amdgpu PPT", "W", 30.0, 200.0),
        f"{CARD}.freq1": ("amdgpu sclk", "Hz", 500e6, None),
        f"{CHIP}.temp1": ("nct6798 SYSTIN", "°C", 34.0, 80.0),
        f"{CHIP}.temp2": ("nct6798 CPUTIN", "°C", 51.0, 90.0),
        f"{CHIP}.temp3": ("nct6798 AUXTIN0", "°C", None, None),
        f"{CHIP}.fan1": ("nct6798 fan1", "rpm", 1200.0, None),
        f"{CHIP}.fan2": ("nct6798 fan2", "rpm", 0.0, None),
        f"{CHIP}.in0": ("nct6798 in0", "V", 1.04, None),
        f"{CHIP}.in1": ("nct6798 in1", "V", 3.312, None),
        f"{PACKAGE}.power": ("package-0", "W", approx(20.0, rel=_JITTER), None),
        f"{PACKAGE}:0.power": ("core", "W", approx(12.0, rel=_JITTER), None),
        f"{PACKAGE}:1.power": ("dram", "W", approx(3.0, rel=_JITTER), None),
    }
    assert sensors(tick, f"{CHIP}.temp3")[f"{CHIP}.temp3"]["State"] == "rejected", "an open probe reads 216 °C"
    ranges = {
        one["Name"]: (one["Minimum"], one["Maximum"]) for one in tick["tunables"] if one["Name"].startswith(PACKAGE)
    }
    assert ranges == {
        f"{PACKAGE}.constraint_0_power_limit_uw": (16_250_000, 65_000_000),
        f"{PACKAGE}.constraint_1_power_limit_uw": (23_750_000, 120_000_000),
    }


def test_faults_are_named_with_their_errno_and_a_counter_that_goes_round_is_not_one(guest: Guest) -> None:
    set_parameters(guest, "card", temp_error="0,61,0")
    set_parameters(guest, "superio", temp_error="5,0,0", temp_mc="34000,-128000,216000")
    set_parameters(guest, "rapl", error="0,0,5", demand_uw="90000000,4000000,3000000")
    set_parameters(guest, "rapl", energy_uj="262143000000,262143000000,90000000")
    tick = once(guest)
    package_uj = int(guest.read("/sys/class/powercap/intel-rapl:0/energy_uj"))
    set_parameters(guest, "card", temp_error="0,0,0")
    set_parameters(guest, "superio", temp_error="0,0,0", temp_mc="34000,51000,216000")
    set_parameters(guest, "rapl", error="0,0,0", demand_uw="20000000,12000000,3000000")
    snapshot = tick["snapshot"]
    causes = {
        name: one["cause"] for name, one in snapshot["absent"].items() if name in sensors(tick, CARD, CHIP, PACKAGE)
    }
    # powercap_sys.c has no other errno for a counter that cannot be read
    assert causes == {f"{CARD}.temp2": "ENODATA", f"{CHIP}.temp1": "EIO", f"{PACKAGE}:1.power": "EINVAL"}
    assert set(snapshot["rejected"]) >= {f"{CHIP}.temp2", f"{CHIP}.temp3"}
    assert not set(snapshot["readings"]) & {*causes, f"{CHIP}.temp2", f"{CHIP}.temp3"}
    assert package_uj < 100_000_000_000, "the counter went round"
    assert snapshot["readings"][f"{PACKAGE}.power"] == approx(65.0, rel=_JITTER), "held to the long-term limit"
    assert snapshot["readings"][f"{PACKAGE}:0.power"] == approx(4.0, rel=_JITTER)


def test_a_card_that_sleeps_is_not_woken(guest: Guest) -> None:
    assert guest.write(f"{CARD_POWER}/control", "auto") == ""
    wait_until(lambda: guest.read(f"{CARD_POWER}/runtime_status") == "suspended", "the card sleeps")
    wakes = guest.read("/sys/module/gamesad_card/parameters/wakes")
    tick = once(guest)
    still = guest.read(f"{CARD_POWER}/runtime_status"), guest.read("/sys/module/gamesad_card/parameters/wakes")
    assert guest.write(f"{CARD_POWER}/control", "on") == ""
    assert still == ("suspended", wakes)
    assert tick["snapshot"]["states"]["gpu.amdgpu-pci-0010.runtime_status"] == "suspended"
    assert not [name for name in tick["snapshot"]["readings"] if "amdgpu-pci-0010" in name]


def test_a_pulled_card_leaves_no_sensor_and_limits_that_firmware_has_locked_are_not_offered(guest: Guest) -> None:
    guest.qmp.do("device_del", id="card")
    wait_until(lambda: guest.agent.list("/sys/class/drm") == ["version"], "the card is gone")
    guest.run(f"rmmod gamesad_rapl; insmod {module.FOLDER}/gamesad_rapl.ko locked=1")
    refused = guest.write("/sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw", "45000000")
    tick = once(guest)
    guest.run(f"rmmod gamesad_rapl; insmod {module.FOLDER}/gamesad_rapl.ko")
    guest.qmp.do("device_add", driver="edu", id="card", addr="02.0")
    wait_until(lambda: "card0" in guest.agent.list("/sys/class/drm"), "the card is back")
    assert sensors(tick, CARD) == {}
    assert refused == "ENODATA", "of powercap_sys.c, whatever the driver answered"
    assert [one["Name"] for one in tick["tunables"] if one["Name"].startswith(PACKAGE)] == []
    assert sensors(tick, f"{PACKAGE}.power")[f"{PACKAGE}.power"]["State"] == "ok"
