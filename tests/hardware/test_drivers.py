"""What is known of drivers: the critical sensor of a machine, limits by processor, what heats what."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from gamesad.hardware import drivers
from gamesad.hardware.driver_table import ROWS, Row
from gamesad.hardware.processors import Processor, default_critical_c
from gamesad.types import Heat, SensorLimits


@pytest.mark.parametrize(
    ("chips", "zones", "critical_chips", "critical_zones"),
    [
        (["coretemp", "nvme", "acpitz"], ["acpitz", "x86_pkg_temp", "TCPU"], {"coretemp"}, set()),
        (["k10temp", "amdgpu"], ["acpitz"], {"k10temp"}, set()),
        (["zenpower"], [], {"zenpower"}, set()),
        (["nvme"], ["acpitz", "x86_pkg_temp", "INT3400_Thermal"], set(), {"x86_pkg_temp"}),
        (["cpu_thermal"], ["cpu-thermal", "gpu-thermal"], set(), {"cpu-thermal"}),
        ([], ["cpu-0-0-thermal", "cpu-1-3-thermal", "gpuss-0-thermal", "cpuss-0"], set(),
         {"cpu-0-0-thermal", "cpu-1-3-thermal", "cpuss-0"}),
        ([], ["bigcore0-thermal", "littlecore-thermal", "package-thermal"], set(),
         {"bigcore0-thermal", "littlecore-thermal"}),
        ([], ["soc-thermal", "ddr-thermal"], set(), {"soc-thermal"}),
        ([], ["big-cluster", "little-cluster", "gpu0", "pmic"], set(), {"big-cluster", "little-cluster"}),
        ([], ["BIG", "MID", "LITTLE", "G3D"], set(), {"BIG", "MID", "LITTLE"}),
        ([], ["cluster0-thermal", "soc-thermal"], set(), {"cluster0-thermal"}),
        ([], ["tj-thermal", "gpu-thermal"], set(), {"tj-thermal"}),
        (["scmi_sensors"], ["acpitz"], {"scmi_sensors"}, set()),
        (["scpi_sensors", "cpu_thermal"], [], {"cpu_thermal"}, set()),
        (["steamdeck_hwmon", "k10temp", "amdgpu"], ["acpitz"], {"k10temp"}, set()),
        (["macsmc_hwmon"], [], set(), set()),
        ([], ["BCPU-therm", "MCPU-therm", "GPU-therm"], set(), {"BCPU-therm", "MCPU-therm"}),
        ([], ["bcm2835_thermal", "acpitz"], set(), {"bcm2835_thermal"}),
        (["cpu_thermal"], [], {"cpu_thermal"}, set()),
        (["applesmc", "amdgpu"], ["acpitz"], set(), {"acpitz"}),
        (["acpitz", "nvme"], [], {"acpitz"}, set()),
        (["nvme", "amdgpu", "nct6798"], ["iwlwifi_1"], set(), set()),
    ],
)  # fmt: skip
def test_the_best_source_of_the_processors_temperature_is_critical_and_no_other(
    chips: list[str], zones: list[str], critical_chips: set[str], critical_zones: set[str]
) -> None:
    found = drivers.critical(chips, zones)
    assert (found.chips, found.zones) == (critical_chips, critical_zones)


@pytest.mark.parametrize(
    ("labels", "channels"),
    [
        ({"temp1": "Package id 0", "temp2": "Core 0", "temp3": "Core 1"}, {"temp1"}),
        ({"temp2": "Core 0", "temp3": "Core 1"}, {"temp2", "temp3"}),
        ({"temp1": "Tctl", "temp3": "Tccd1"}, {"temp1"}),
        ({"temp1": "Tctl", "temp2": "Tdie", "temp3": "Tccd1"}, {"temp2"}),
        ({"temp1": "Tdie", "temp2": "Tctl"}, {"temp1"}),
        ({"temp1": "", "temp2": ""}, {"temp1"}),
        ({}, set()),
    ],
)
def test_one_channel_stands_for_a_chip_or_its_cores_do(labels: dict[str, str], channels: set[str]) -> None:
    assert drivers.representative(labels) == channels


@pytest.mark.parametrize(
    ("family", "name", "limit_c"),
    [
        (23, "AMD Ryzen 7 1700X Eight-Core Processor", 75),
        (23, "AMD Ryzen 7 1700 Eight-Core Processor", 95),
        (23, "AMD Ryzen 7 2700X Eight-Core Processor", 85),
        (23, "AMD Ryzen Threadripper 2990WX 32-Core Processor", 68),
        (23, "AMD Ryzen Threadripper 3970X 32-Core Processor", 95),
        (23, "AMD Ryzen 9 3900X 12-Core Processor", 95),
        (25, "AMD Ryzen 7 5800X3D 8-Core Processor", 89),
        (25, "AMD Ryzen 9 5950X 16-Core Processor", 90),
        (25, "AMD Ryzen 5 5600X 6-Core Processor", 95),
        (25, "AMD Ryzen 7 5700G with Radeon Graphics", 95),
        (25, "AMD Ryzen 9 5900HX with Radeon Graphics", 105),
        (25, "AMD Ryzen 7 PRO 6850U with Radeon Graphics", 95),
        (25, "AMD Ryzen 7 7840HS w/ Radeon 780M Graphics", 100),
        (25, "AMD Ryzen 9 7945HX3D with Radeon Graphics", 100),
        (25, "AMD Ryzen 9 7950X 16-Core Processor", 95),
        (25, "AMD Ryzen 7 7800X3D 8-Core Processor", 89),
        (26, "AMD Ryzen 7 9800X3D 8-Core Processor", 95),
        (26, "AMD Ryzen AI 9 HX 370 w/ Radeon 890M", 100),
        (25, "AMD EPYC 9654 96-Core Processor", 95),
        (21, "AMD FX(tm)-8350 Eight-Core Processor", 70),
        (0, "", 95),
    ],
)
def test_the_limit_of_an_amd_processor_is_its_makers(family: int, name: str, limit_c: float) -> None:
    assert default_critical_c("k10temp", Processor("AuthenticAMD", family, name)) == limit_c


@pytest.mark.parametrize(
    ("name", "heat"),
    [
        ("coretemp", Heat.CPU),
        ("k10temp", Heat.CPU),
        ("cpu_thermal", Heat.CPU),
        ("amdgpu", Heat.GPU),
        ("xe", Heat.GPU),
        ("gpu-thermal", Heat.GPU),
        ("nvme", Heat.OTHER),
        ("drivetemp", Heat.OTHER),
        ("applesmc", Heat.OTHER),
        ("corsairpsu", Heat.OTHER),
        ("acpitz", Heat.OTHER),
        ("a chip of next year", Heat.OTHER),
    ],
)
def test_what_heats_a_sensor_follows_from_its_driver(name: str, heat: Heat) -> None:
    assert drivers.driver(name).heat is heat


@pytest.mark.parametrize("limit_c", [None, 0.0, -273.15, -0.15, 65261.85, 255.0, 4.0])
def test_a_senseless_limit_is_none(limit_c: float | None) -> None:
    assert drivers.sane_limit_c(limit_c) is None


def test_an_equal_maximum_and_critical_limit_are_both_kept() -> None:
    limits = SensorLimits(maximum=100.0, critical=100.0, emergency=105.0)
    assert drivers.consistent(limits) == limits


ROOT = Path(__file__).parents[2]
ROW_NAMES = [(row, name.strip(" …")) for row in ROWS for name in re.sub(r"\([^)]*\)", "", row.shown).split(",")]


@pytest.mark.parametrize(("row", "name"), ROW_NAMES, ids=[name for _row, name in ROW_NAMES])
def test_every_name_in_the_table_is_matched_by_its_own_row_first(row: Row, name: str) -> None:
    for one in re.sub(r" to .*", "", name).replace("*", "x").split():
        assert next(found for found in ROWS if re.fullmatch(found.pattern, one)) is row


@pytest.mark.parametrize("row", ROWS, ids=[row.shown for row in ROWS])
def test_the_table_says_what_is_critical_as_the_rules_do(row: Row) -> None:
    name = re.split(r"[ ,]", row.shown)[0]
    alone = drivers.critical([name], [name])
    beside_better = drivers.critical([name, "coretemp"], [name])
    assert bool(alone.chips | alone.zones) == (row.critical != "no")
    assert (name in beside_better.chips) == (row.critical == "yes")
    assert row.critical in {"yes", "fallback", "no"}


@pytest.mark.parametrize(
    ("labels", "channels"),
    [
        ({"temp1": "pmic", "temp2": "soc"}, {"temp2"}),
        ({"temp1": "CPU_B0", "temp2": "CPU_M1", "temp3": "PCB_AMB"}, {"temp1", "temp2"}),
        ({"temp1": "big cluster", "temp2": "gpu"}, {"temp1"}),
        ({"temp1": "pmic", "temp2": ""}, set()),
    ],
)
def test_of_what_a_system_controller_measures_only_a_processor_is_depended_on(
    labels: dict[str, str], channels: set[str]
) -> None:
    assert drivers.representative(labels, "scpi_sensors") == channels
    assert drivers.representative(labels, "scmi_sensors") == channels


def test_the_page_of_drivers_is_made_from_the_table() -> None:
    page = ROOT / "docs" / "hardware.md"
    assert runpy.run_path(str(ROOT / "docs" / "generate-hardware"))["page"](page.read_text()) == page.read_text()
