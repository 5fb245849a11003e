"""Thermal zones by type, their trips and modes, and cooling devices."""

from __future__ import annotations

from pathlib import Path

from gamesad.hardware import thermal
from gamesad.types import Heat, SensorLimits
from tests.support.machines import rewrite, tree
from tests.support.sampling import declared, opened, sampled
from tests.support.trees import ARM_BOARD, INTEL_LAPTOP, cooling, zone


def test_zones_go_by_type_and_zones_alike_by_order(tmp_path: Path) -> None:
    tree(tmp_path, zone(4, "acpitz", "30000") | zone(11, "acpitz", "40000") | zone(2, "pch skylake", "50000"))
    with opened(tmp_path, thermal.probe_sources) as sources:
        assert sampled(sources).readings == {
            "thermal.acpitz": 30.0,
            "thermal.acpitz-1": 40.0,
            "thermal.pch_skylake": 50.0,
        }


def test_zones_alike_are_ordered_by_their_firmware_device_where_it_is_named(tmp_path: Path) -> None:
    tree(tmp_path, zone(0, "acpitz", "30000") | zone(1, "acpitz", "40000"))
    for number, device in (0, "LNXTHERM:01"), (1, "LNXTHERM:00"):
        tree(tmp_path, {f"/sys/devices/LNXSYSTM:00/{device}/": "", **_firmware(number, device)})
    with opened(tmp_path, thermal.probe_sources) as sources:
        assert sampled(sources).readings == {"thermal.acpitz": 40.0, "thermal.acpitz-1": 30.0}


def _firmware(number: int, device: str) -> dict[str, str]:
    return {f"/sys/devices/virtual/thermal/thermal_zone{number}/device": f"-> /sys/devices/LNXSYSTM:00/{device}"}


def test_trips_become_limits_and_active_trips_do_not(tmp_path: Path) -> None:
    with opened(tree(tmp_path, ARM_BOARD), thermal.probe_sources) as sources:
        assert declared(sources)["thermal.cpu-thermal"].limits == SensorLimits(passive=75.0, critical=95.0)


def test_of_several_trips_the_lowest_counts_and_one_not_set_does_not(tmp_path: Path) -> None:
    trips = {}
    for number, (kind, text) in enumerate(
        [("passive", "90000"), ("passive", "85000"), ("passive", "-274000"), ("hot", "0"), ("hot", "99000")]
    ):
        trips |= {f"trip_point_{number}_type": kind, f"trip_point_{number}_temp": text}
    tree(tmp_path, zone(0, "cpu-thermal", "50000", **trips))
    with opened(tmp_path, thermal.probe_sources) as sources:
        limits = declared(sources)["thermal.cpu-thermal"].limits
    assert (limits.passive, limits.hot) == (85.0, 99.0)


def test_thresholds_written_into_x86_pkg_temp_are_no_limits(tmp_path: Path) -> None:
    tree(tmp_path, zone(0, "x86_pkg_temp", "50000", trip_point_0_type="passive", trip_point_0_temp="60000"))
    with opened(tmp_path, thermal.probe_sources) as sources:
        assert declared(sources)["thermal.x86_pkg_temp"].limits == SensorLimits(critical=95.0)


def test_a_disabled_zone_is_absent_until_it_is_enabled(tmp_path: Path) -> None:
    tree(tmp_path, zone(0, "acpitz", "30000", mode="disabled"))
    with opened(tmp_path, thermal.probe_sources) as sources:
        off = sampled(sources, 1.0), sampled(sources, 5.0)
        rewrite(tmp_path, "/sys/class/thermal/thermal_zone0/mode", "enabled")
        on = sampled(sources, 6.0)
    absences = [sink.absent["thermal.acpitz"] for sink in off]
    assert [(absence.cause, absence.since_s) for absence in absences] == [("disabled", 1.0)] * 2
    assert on.readings == {"thermal.acpitz": 30.0}


def test_an_impossible_zone_temperature_is_rejected(tmp_path: Path) -> None:
    tree(tmp_path, zone(1, "acpitz", "-44000"))
    with opened(tmp_path, thermal.probe_sources) as sources:
        assert sampled(sources).rejected["thermal.acpitz"].value == -44.0


def test_cooling_devices_are_numbered_within_their_type(tmp_path: Path) -> None:
    tree(
        tmp_path, cooling(0, "Processor", "2", "10") | cooling(5, "Fan", "1", "1") | cooling(7, "Processor", "3", "10")
    )
    with opened(tmp_path, thermal.probe_sources) as sources:
        assert sampled(sources).readings == {"cooling.Processor-0": 2, "cooling.Processor-1": 3, "cooling.Fan-0": 1}
        assert declared(sources)["cooling.Processor-0"].limits.maximum == 10


def test_a_powerclamp_that_is_off_is_absent_and_a_device_that_cannot_cool_has_no_maximum(tmp_path: Path) -> None:
    with opened(tree(tmp_path, INTEL_LAPTOP), thermal.probe_sources) as sources:
        first, second = sampled(sources, 1.0), sampled(sources, 2.0)
        assert declared(sources)["cooling.Fan-0"].limits == SensorLimits()
    assert first.absent["cooling.intel_powerclamp-0"].cause == "disabled"
    assert second.absent["cooling.intel_powerclamp-0"].since_s == 1.0
    assert second.rejected == {}


def test_the_processor_zone_of_a_board_is_critical_and_no_other(tmp_path: Path) -> None:
    with opened(tree(tmp_path, ARM_BOARD), thermal.probe_sources) as sources:
        sensors = declared(sources)
    assert [name for name, sensor in sensors.items() if sensor.critical] == ["thermal.cpu-thermal"]
    assert sensors["thermal.gpu-thermal"].heat is Heat.GPU


def test_acpitz_is_critical_where_there_is_nothing_better_and_then_stands_for_the_processor(tmp_path: Path) -> None:
    tree(tmp_path, zone(0, "acpitz", "30000") | zone(1, "iwlwifi_1", "40000"))
    with opened(tmp_path, thermal.probe_sources) as sources:
        sensors = declared(sources)
    assert [(s.name, s.heat) for s in sensors.values() if s.critical] == [("thermal.acpitz", Heat.CPU)]
    assert sensors["thermal.acpitz"].limits.critical == 90.0


def test_a_disabled_zone_and_an_acpitz_that_cannot_be_true_are_not_depended_on(tmp_path: Path) -> None:
    tree(tmp_path, zone(0, "acpitz", "-44000") | zone(1, "cpu-thermal", "40000", mode="disabled"))
    with opened(tmp_path, thermal.probe_sources) as sources:
        assert not [sensor for sensor in declared(sources).values() if sensor.critical]
