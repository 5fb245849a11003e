"""Mains and batteries."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gamesad.hardware import power_supply
from gamesad.summary import on_battery
from gamesad.types import Quantity
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled
from tests.support.trees import INTEL_LAPTOP

CLASS = "/sys/class/power_supply"


def _supply(name: str, **files: str) -> dict[str, str]:
    return {f"{CLASS}/{name}/{file}": text for file, text in files.items()}


def test_a_battery_tells_charge_power_energy_voltage_current_and_status(tmp_path: Path) -> None:
    with opened(tree(tmp_path, INTEL_LAPTOP), power_supply.probe_sources) as sources:
        sink = sampled(sources)
    assert {name: value for name, value in sink.readings.items() if "BAT0" in name} == {
        "power_supply.BAT0.charge": 0.57,
        "power_supply.BAT0.power": pytest.approx(18.0),
        "power_supply.BAT0.energy": pytest.approx(72_000.0),
        "power_supply.BAT0.voltage": 12.0,
        "power_supply.BAT0.current": 1.5,
    }
    assert sink.states == {"power_supply.BAT0.status": "Discharging"}


@pytest.mark.parametrize("raw", ["9000000", "-9000000"])
@pytest.mark.parametrize(("status", "power_w"), [("Charging", -9.0), ("Discharging", 9.0)])
def test_power_is_positive_while_a_battery_gives_whatever_sign_the_driver_uses(
    tmp_path: Path, raw: str, status: str, power_w: float
) -> None:
    tree(tmp_path, _supply("BAT1", type="Battery", status=status, power_now=raw))
    with opened(tmp_path, power_supply.probe_sources) as sources:
        assert sampled(sources).readings == {"power_supply.BAT1.power": power_w}


def test_voltage_and_current_are_as_the_files_say_in_volts_and_amperes(tmp_path: Path) -> None:
    """Also of a charger: Documentation/ABI/testing/sysfs-class-power."""
    battery = _supply("BAT0", type="Battery", status="Charging", voltage_now="11850000", current_now="-250000")
    tree(tmp_path, battery | _supply("usb", type="USB", online="1", voltage_now="20000000", current_now="3250000"))
    with opened(tmp_path, power_supply.probe_sources) as sources:
        readings = sampled(sources).readings
        quantities = {name: sensor.quantity for name, sensor in declared(sources).items()}
    assert {name: value for name, value in readings.items() if name.endswith((".voltage", ".current"))} == {
        "power_supply.BAT0.voltage": 11.85,
        "power_supply.BAT0.current": -0.25,
        "power_supply.usb.voltage": 20.0,
        "power_supply.usb.current": 3.25,
    }
    assert quantities["power_supply.BAT0.voltage"] is Quantity.VOLTAGE
    assert quantities["power_supply.BAT0.current"] is Quantity.CURRENT


@pytest.mark.parametrize("text", ["11_850_000", "0" * 60 + "41", " " * 60 + "11850000"])
def test_what_is_no_number_is_no_voltage(tmp_path: Path, text: str) -> None:
    tree(tmp_path, _supply("BAT0", type="Battery", voltage_now=text))
    with opened(tmp_path, power_supply.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.readings == {}
    assert sink.absent["power_supply.BAT0.voltage"].cause == "unparseable"


def test_a_battery_without_capacity_tells_its_charge_from_energy(tmp_path: Path) -> None:
    tree(tmp_path, _supply("BAT0", type="Battery", energy_now="30", energy_full="40"))
    with opened(tmp_path, power_supply.probe_sources) as sources:
        assert sampled(sources).readings["power_supply.BAT0.charge"] == 0.75


def test_of_a_peripheral_only_the_charge_is_read(tmp_path: Path) -> None:
    with opened(tree(tmp_path, INTEL_LAPTOP), power_supply.probe_sources) as sources:
        names = {name for name in declared(sources) if "hidpp" in name}
    assert names == {"power_supply.hidpp_battery_0.charge"}


def test_the_power_of_a_mouse_is_not_the_machines(tmp_path: Path) -> None:
    files = {"capacity": "50", "power_now": "1000000", "energy_now": "1000000", "online": "1", "status": "Discharging"}
    tree(tmp_path, _supply("mouse", type="Battery", scope="Device", **files))
    with opened(tmp_path, power_supply.probe_sources) as sources:
        assert list(declared(sources)) == ["power_supply.mouse.charge"]


def test_nonsense_is_absent_or_rejected(tmp_path: Path) -> None:
    files = {"capacity": "250", "power_now": "x", "energy_now": "99999999999999999", "status": "?", "temp": "-1280"}
    tree(tmp_path, _supply("BAT0", type="Battery", **files))
    with opened(tmp_path, power_supply.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.readings == sink.states == {}
    assert {"power_supply.BAT0.power", "power_supply.BAT0.status"} == sink.absent.keys()


def test_a_battery_taken_out_is_absent_and_read_again_when_it_returns(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, _supply("BAT0", type="Battery", capacity="50", status="Full"))))
    with opened(sysfs, power_supply.probe_sources) as sources:
        sampled(sources, 1.0)
        sysfs.faults = {f"{CLASS}/BAT0/capacity": errno.ENODEV, f"{CLASS}/BAT0/status": errno.ENODEV}
        gone = sampled(sources, 2.0)
        sysfs.faults = {}
        rewrite(tmp_path, f"{CLASS}/BAT0/capacity", "60")
        back = sampled(sources, 3.0)
    assert {absence.cause for absence in gone.absent.values()} == {"ENODEV"}
    assert back.readings == {"power_supply.BAT0.charge": 0.6}


@pytest.mark.parametrize(
    ("supplies", "answer"),
    [
        (_supply("AC", type="Mains", online="1") | _supply("BAT0", type="Battery", status="Discharging"), False),
        (_supply("AC", type="Mains", online="0") | _supply("BAT0", type="Battery", status="Discharging"), True),
        (_supply("AC", type="Mains", online="0") | _supply("BAT0", type="Battery", status="Not charging"), True),
        (_supply("BAT0", type="Battery", status="Discharging"), True),
        (_supply("BAT0", type="Battery", status="Full"), False),
        (_supply("mouse", type="Battery", scope="Device", status="Discharging", capacity="5"), None),
        (_supply("AC", type="Mains", online="1") | _supply("mouse", scope="Device", status="Discharging"), False),
        (_supply("ucsi", type="USB", online="0"), None),
        ({}, None),
    ],
)
def test_what_the_machine_runs_from(tmp_path: Path, supplies: dict[str, str], answer: bool | None) -> None:
    with opened(tree(tmp_path, supplies), power_supply.probe_sources) as sources:
        sink = sampled(sources)
    assert on_battery(sink.readings, sink.states) is answer
