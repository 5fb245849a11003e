"""What is found on each board, against lists written from the drivers' documents and apart from gamesad's tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamesad.hardware import ACTUATORS, SOURCES
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Role, Sensor
from tests.support.boards import BOARDS
from tests.support.machines import tree

EXPECTED = """
two-xeons      hwmon.coretemp-isa-0000.temp1          °C   94    critical  CPU package
two-xeons      hwmon.coretemp-isa-0000.temp2          °C   94    -         coretemp 0 Core 0
two-xeons      hwmon.coretemp-isa-0000.temp3          °C   94    -         coretemp 0 Core 1
two-xeons      hwmon.coretemp-isa-0001.temp1          °C   94    critical  CPU package 1
two-xeons      hwmon.coretemp-isa-0001.temp2          °C   94    -         coretemp 1 Core 0
two-xeons      hwmon.coretemp-isa-0001.temp3          °C   94    -         coretemp 1 Core 1
two-xeons      powercap.intel-rapl:0.power            W    -     -         package-0
two-xeons      powercap.intel-rapl:1.power            W    -     -         package-1
two-xeons      cpufreq.policy0.frequency              Hz   3.2e9 -         CPU 0
two-xeons      cpufreq.policy1.frequency              Hz   3.2e9 -         CPU 1
two-epycs      hwmon.k10temp-pci-00c3.temp1           °C   95    critical  CPU 0 Tctl
two-epycs      hwmon.k10temp-pci-00c3.temp3           °C   -     -         k10temp 0 Tccd1
two-epycs      hwmon.k10temp-pci-00c3.temp4           °C   -     -         k10temp 0 Tccd2
two-epycs      hwmon.k10temp-pci-00cb.temp1           °C   95    critical  CPU 1 Tctl
two-epycs      hwmon.k10temp-pci-00cb.temp3           °C   -     -         k10temp 1 Tccd1
two-epycs      hwmon.k10temp-pci-00cb.temp4           °C   -     -         k10temp 1 Tccd2
two-epycs      cpufreq.policy0.frequency              Hz   2e9   -         CPU 0
steam-deck     hwmon.k10temp-pci-00c3.temp1           °C   95    critical  CPU Tctl
steam-deck     hwmon.amdgpu-pci-0300.temp1            °C   -     -         amdgpu edge
steam-deck     hwmon.amdgpu-pci-0300.power1           W    15    -         amdgpu slowPPT
steam-deck     hwmon.amdgpu-pci-0300.power2           W    15    -         amdgpu fastPPT
steam-deck     hwmon.amdgpu-pci-0300.freq1            Hz   -     -         amdgpu sclk
steam-deck     hwmon.steamdeck_hwmon-acpi-0.temp1     °C   -     -         steamdeck_hwmon Battery Temp
steam-deck     hwmon.steamdeck_hwmon-acpi-0.fan1      rpm  7300  -         steamdeck_hwmon System Fan
steam-deck     hwmon.steamdeck_hwmon-acpi-0.in0       V    -     -         steamdeck_hwmon PD Contract Voltage
steam-deck     hwmon.steamdeck_hwmon-acpi-0.curr1     A    -     -         steamdeck_hwmon PD Contract Current
steam-deck     hwmon.nvme-pci-0100.temp1              °C   89.85 -         nvme Composite
steam-deck     cpufreq.policy0.frequency              Hz   3.5e9 -         CPU 0-1
raspberry-pi   thermal.cpu-thermal                    °C   85    critical  cpu-thermal
raspberry-pi   hwmon.cpu_thermal-virtual-0.temp1      °C   -     -         cpu_thermal temp1
raspberry-pi   cpufreq.policy0.frequency              Hz   1.8e9 -         CPU 0-3
rock-5b        thermal.bigcore0-thermal               °C   115   critical  bigcore0-thermal
rock-5b        thermal.bigcore2-thermal               °C   90    critical  bigcore2-thermal
rock-5b        thermal.littlecore-thermal             °C   90    critical  littlecore-thermal
rock-5b        thermal.package-thermal                °C   115   -         package-thermal
rock-5b        thermal.center-thermal                 °C   115   -         center-thermal
rock-5b        thermal.gpu-thermal                    °C   -     -         gpu-thermal
rock-5b        cpufreq.policy0.frequency              Hz   1.8e9 -         CPU 0-1 (little core)
rock-5b        cpufreq.policy4.frequency              Hz   2.4e9 -         CPU 4-5 (big core)
rock-5b        cpufreq.policy6.frequency              Hz   2.256e9 -       CPU 6-7 (big core)
juno           hwmon.scpi_sensors-isa-0000.temp1      °C   -     -         scpi_sensors pmic
juno           hwmon.scpi_sensors-isa-0000.temp2      °C   90    critical  scpi_sensors soc
juno           hwmon.scpi_sensors-isa-0000.in0        V    -     -         scpi_sensors sys
juno           cpufreq.policy0.frequency              Hz   8.5e8 -         CPU 0, 3
juno           cpufreq.policy1.frequency              Hz   1.15e9 -        CPU 1-2
thinkpad       thermal.x86_pkg_temp                   °C   95    critical  CPU package
thinkpad       thermal.acpitz                         °C   128   -         acpitz
thinkpad       hwmon.thinkpad-isa-0000.temp1          °C   -     -         thinkpad CPU
thinkpad       hwmon.thinkpad-isa-0000.temp2          °C   -     -         thinkpad GPU
thinkpad       hwmon.thinkpad-isa-0000.fan1           rpm  -     -         thinkpad fan1
dell           hwmon.coretemp-isa-0000.temp1          °C   94    critical  CPU package
dell           hwmon.coretemp-isa-0000.temp2          °C   94    -         coretemp Core 0
dell           hwmon.coretemp-isa-0000.temp3          °C   94    -         coretemp Core 1
dell           hwmon.coretemp-isa-0000.temp4          °C   94    -         coretemp Core 2
dell           hwmon.coretemp-isa-0000.temp5          °C   94    -         coretemp Core 3
dell           hwmon.dell_smm-isa-0000.temp1          °C   -     -         dell_smm CPU
dell           hwmon.dell_smm-isa-0000.temp2          °C   -     -         dell_smm Ambient
dell           hwmon.dell_smm-isa-0000.fan1           rpm  5000  -         dell_smm Processor Fan
apple-silicon  hwmon.macsmc_hwmon-isa-0000.temp1      °C   -     -         macsmc_hwmon NAND Flash Temperature
apple-silicon  hwmon.macsmc_hwmon-isa-0000.power1     W    -     -         macsmc_hwmon Total System Power
apple-silicon  hwmon.macsmc_hwmon-isa-0000.fan1       rpm  -     -         macsmc_hwmon Fan
apple-silicon  cpufreq.policy0.frequency              Hz   2.064e9 -       CPU 0-3
apple-silicon  cpufreq.policy4.frequency              Hz   3.204e9 -       CPU 4-7
"""
"""Board, sensor, unit, its limit (critical, else maximum), whether it is depended on, what people call it."""

OF_THE_BOARD = ("hwmon.", "thermal.", "powercap.", "cpufreq.")


def _lines(name: str) -> dict[str, tuple[str, float | None, bool, str]]:
    found = {}
    for line in EXPECTED.strip().splitlines():
        board, sensor, unit, limit, critical, label = line.split(maxsplit=5)
        if board == name:
            found[sensor] = (unit, None if limit == "-" else float(limit), critical == "critical", label)
    return found


def _told(sensor: Sensor) -> tuple[str, float | None, bool, str]:
    limit = sensor.limits.critical if sensor.limits.critical is not None else sensor.limits.maximum
    return sensor.quantity.unit, limit, sensor.critical, sensor.label


def _sensors(root: Path) -> dict[str, Sensor]:
    sources = [source for probe in SOURCES for source in probe(Sysfs(str(root)))]
    found = {sensor.name: sensor for source in sources for sensor in source.sensors()}
    for source in sources:
        source.close()
    return found


@pytest.mark.parametrize("name", BOARDS)
def test_each_sensor_of_a_board_has_its_name_unit_and_limit(tmp_path: Path, name: str) -> None:
    found = _sensors(tree(tmp_path, BOARDS[name]))
    # sources of graphics cards add sensors of their own, of the same card, and not in this list
    told = {sensor: _told(one) for sensor, one in found.items() if sensor.startswith(OF_THE_BOARD)}
    assert told == _lines(name)


def test_a_pi_keeps_a_stricter_trip_and_another_board_its_own(tmp_path: Path) -> None:
    strict = BOARDS["raspberry-pi"] | {"/sys/devices/virtual/thermal/thermal_zone0/trip_point_0_temp": "80000"}
    other = BOARDS["raspberry-pi"] | {"/sys/firmware/devicetree/base/compatible": "radxa,rock-5b\0"}
    limits = [
        _sensors(tree(tmp_path / str(i), one))["thermal.cpu-thermal"].limits for i, one in enumerate((strict, other))
    ]
    assert [limit.critical for limit in limits] == [80.0, 110.0]


def test_both_packages_can_be_limited_and_each_kind_of_core(tmp_path: Path) -> None:
    xeons, rock = (_tunables(tree(tmp_path / name, BOARDS[name])) for name in ("two-xeons", "rock-5b"))
    assert sorted(domain for role, domain, _ in xeons if role is Role.POWER_LIMIT) == ["package-0", "package-1"]
    assert [most for role, _, most in rock if role is Role.FREQUENCY_MAXIMUM] == [1800000, 2400000, 2256000]


def _tunables(root: Path) -> list[tuple[Role, str, int]]:
    actuators = [actuator for probe in ACTUATORS for actuator in probe(Sysfs(str(root)))]
    return [(one.role, one.domain, one.maximum) for actuator in actuators for one in actuator.tunables()]
