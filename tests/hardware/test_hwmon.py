"""hwmon chips: units, names, limits, and the ways in which chips lie."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gamesad.hardware import hwmon
from gamesad.types import Heat, Quantity, SensorLimits
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled
from tests.support.trees import CORETEMP, DISK, GPU, INTEL_LAPTOP, K10TEMP, NVME, OLD_CORE2, RYZEN_DESKTOP, chip


def test_every_quantity_comes_in_its_unit(tmp_path: Path) -> None:
    files = {
        "name": "all",
        "temp1_input": "45500",
        "fan1_input": "1200",
        "power1_input": "15500000",
        "in1_input": "1200",
        "curr1_input": "2500",
        "freq1_input": "800000000",
        "energy5_input": "7000000",
        "humidity1_input": "50000",
    }
    tree(tmp_path, chip(0, "/sys/devices/platform/all.0", files))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        readings = sampled(sources).readings
        quantities = {name.rpartition(".")[2]: sensor.quantity for name, sensor in declared(sources).items()}
    values = {name.rpartition(".")[2]: value for name, value in readings.items()}
    assert values == {
        "temp1": 45.5,
        "fan1": 1200,
        "power1": 15.5,
        "in1": 1.2,
        "curr1": 2.5,
        "freq1": 8e8,
        "energy5": 7.0,
    }
    assert quantities == {
        "temp1": Quantity.TEMPERATURE,
        "fan1": Quantity.FAN,
        "power1": Quantity.POWER,
        "in1": Quantity.VOLTAGE,
        "curr1": Quantity.CURRENT,
        "freq1": Quantity.FREQUENCY,
        "energy5": Quantity.ENERGY,
        "power5": Quantity.POWER,
    }


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("/sys/devices/platform/coretemp.0", "x-isa-0000"),
        ("/sys/devices/platform/nct6775.656", "x-isa-0290"),
        ("/sys/devices/platform/thinkpad_hwmon", "x-isa-0000"),
        ("/sys/devices/pci0000:00/0000:00:18.3", "x-pci-00c3"),
        ("/sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0", "x-pci-0100"),
        ("/sys/devices/pci0001:00/0001:00:18.3", "x-pci-100c3"),
        ("/sys/devices/pci0000:00/0000:00:1f.4/i2c-1/1-0048", "x-i2c-1-48"),
        ("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2/1-4.2:1.0/0003:1B1C:0C10.0007", "x-hid-1-4.2"),
        ("/sys/devices/LNXSYSTM:00/LNXSYBUS:00/PNP0C0A:00/power_supply/BAT0", "x-acpi-0"),
        ("/sys/devices/virtual/thermal/thermal_zone0", "x-virtual-0"),
        ("/sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0", "x-scsi-00b8-ata3"),
        (
            "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host6/target6:0:0/6:0:0:0",
            "x-scsi-usb-2-3",
        ),
        ("/sys/devices/platform/soc/spi_master/spi0/spi0.1", "x-spi-0-1"),
    ],
)
def test_a_chip_is_named_after_the_place_of_its_device(tmp_path: Path, device: str, name: str) -> None:
    tree(tmp_path, chip(7, device, {"name": "x", "temp1_input": "40000"}))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert list(declared(sources)) == [f"hwmon.{name}.temp1"]


def test_a_disk_is_named_after_its_port_and_not_after_the_order_of_discovery(tmp_path: Path) -> None:
    for root, ata, host in (tmp_path / "a", 3, 2), (tmp_path / "b", 7, 6):
        device = f"/sys/devices/pci0000:00/0000:00:17.0/ata{ata}/host{host}/target{host}:0:0/{host}:0:0:0"
        tree(root, chip(0, device, {"name": "drivetemp", "temp1_input": "31000"}))
        tree(root, {f"/sys/devices/pci0000:00/0000:00:17.0/ata{ata}/ata_port/ata{ata}/port_no": "2"})
        with opened(root, hwmon.probe_sources) as sources:
            assert list(declared(sources)) == ["hwmon.drivetemp-scsi-00b8-port2.temp1"]


def test_chips_alike_are_numbered_by_place_whatever_their_hwmon_number(tmp_path: Path) -> None:
    one, two = ("/sys/devices/virtual/thermal/thermal_zone0", "/sys/devices/virtual/thermal/thermal_zone1")
    for root, numbers in (tmp_path / "a", (0, 9)), (tmp_path / "b", (9, 0)):
        tree(root, chip(numbers[0], one, {"name": "acpitz", "temp1_input": "30000"}))
        tree(root, chip(numbers[1], two, {"name": "acpitz", "temp1_input": "40000"}))
        with opened(root, hwmon.probe_sources) as sources:
            assert sampled(sources).readings == {
                "hwmon.acpitz-virtual-0.temp1": 30.0,
                "hwmon.acpitz-virtual-0-2.temp1": 40.0,
            }


def test_a_driver_that_keeps_its_files_with_the_device_is_read_there(tmp_path: Path) -> None:
    with opened(tree(tmp_path, OLD_CORE2), hwmon.probe_sources) as sources:
        assert sampled(sources).readings == {
            "hwmon.coretemp-isa-0000.temp2": 45.0,
            "hwmon.coretemp-isa-0000.temp3": 46.0,
        }
        assert declared(sources)["hwmon.coretemp-isa-0000.temp2"].limits.critical == 100.0


def test_a_chip_without_a_name_goes_by_its_device(tmp_path: Path) -> None:
    tree(tmp_path, chip(4, "/sys/devices/platform/applesmc.768", {"temp1_input": "40000", "temp1_label": "TC0P"}))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert list(declared(sources)) == ["hwmon.applesmc-isa-0300.temp1"]


def test_a_plain_class_folder_of_a_recorded_tree_is_a_chip(tmp_path: Path) -> None:
    tree(tmp_path, {"/sys/class/hwmon/hwmon0/name": "lone", "/sys/class/hwmon/hwmon0/temp1_input": "40000"})
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert list(declared(sources)) == ["hwmon.lone-virtual-0.temp1"]


def test_a_dangling_class_link_is_no_chip(tmp_path: Path) -> None:
    tree(tmp_path, {"/sys/class/hwmon/hwmon0": "-> /sys/devices/nowhere"})
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert sources == []


def test_the_average_is_the_power_of_a_channel_and_the_input_stands_beside_it(tmp_path: Path) -> None:
    files = {"name": "amdgpu", "power1_average": "3103000", "power1_input": "3142000", "power2_input": "5000000"}
    tree(tmp_path, chip(0, GPU, files))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert sampled(sources).readings == {
            "hwmon.amdgpu-pci-0300.power1": 3.103,
            "hwmon.amdgpu-pci-0300.power1_input": 3.142,
            "hwmon.amdgpu-pci-0300.power2": 5.0,
        }


def test_the_average_and_the_input_of_a_channel_are_told_apart(tmp_path: Path) -> None:
    files = {"name": "amdgpu", "power1_average": "3103000", "power1_input": "3142000", "power1_label": "PPT"}
    tree(tmp_path, chip(0, GPU, files | {"power2_input": "5000000"}))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        labels = {name.rpartition(".")[2]: sensor.label for name, sensor in declared(sources).items()}
    assert labels == {"power1": "amdgpu PPT", "power1_input": "amdgpu PPT input", "power2": "amdgpu power2"}


def test_an_energy_counter_without_power_becomes_watts(tmp_path: Path) -> None:
    tree(tmp_path, chip(0, GPU, {"name": "xe", "energy2_input": "5000000", "energy2_label": "pkg"}))
    path = f"{GPU}/hwmon/hwmon0/energy2_input"
    with opened(tmp_path, hwmon.probe_sources) as sources:
        first = sampled(sources, 10.0)
        rewrite(tmp_path, path, "65400000")
        second = sampled(sources, 12.0)
        rewrite(tmp_path, path, "400000")
        third = sampled(sources, 13.0)
    assert first.absent["hwmon.xe-pci-0300.power2"].cause == "first sample"
    assert second.readings == {"hwmon.xe-pci-0300.energy2": 65.0, "hwmon.xe-pci-0300.power2": pytest.approx(30.2)}
    assert third.absent["hwmon.xe-pci-0300.power2"].cause == "counter went back"


@pytest.mark.parametrize("text", ["216000", "-44000", "127000", "128000", "255000", "-128000", "-273150", "65261850"])
def test_what_an_unplugged_probe_reads_is_rejected_with_its_value(tmp_path: Path, text: str) -> None:
    tree(tmp_path, chip(0, CORETEMP, {"name": "coretemp", "temp1_label": "Package id 0", "temp1_input": text}))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.readings == {}
    assert sink.rejected["hwmon.coretemp-isa-0000.temp1"].value == int(text) / 1000


def test_zero_degrees_from_an_embedded_controller_is_a_probe_never_fitted(tmp_path: Path) -> None:
    with opened(tree(tmp_path, INTEL_LAPTOP), hwmon.probe_sources) as sources:
        assert "hwmon.thinkpad-isa-0000.temp1" in sampled(sources).rejected


def test_a_processor_in_the_frost_is_believed(tmp_path: Path) -> None:
    tree(tmp_path, chip(0, K10TEMP, {"name": "k10temp", "temp1_label": "Tctl", "temp1_input": "-5000"}))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert sampled(sources).readings == {"hwmon.k10temp-pci-00c3.temp1": -5.0}


def test_senseless_limits_are_dropped_and_sound_ones_kept(tmp_path: Path) -> None:
    with opened(tree(tmp_path, INTEL_LAPTOP), hwmon.probe_sources) as sources:
        sensors = declared(sources)
    assert sensors["hwmon.nvme-pci-0100.temp1"].limits == SensorLimits(None, 84.85, 94.85)
    assert sensors["hwmon.nvme-pci-0100.temp2"].limits == SensorLimits()


def test_limits_out_of_order_leave_the_critical_one(tmp_path: Path) -> None:
    files = {
        "name": "odd",
        "temp1_input": "40000",
        "temp1_max": "120000",
        "temp1_crit": "90000",
        "temp1_emergency": "80000",
    }
    tree(tmp_path, chip(0, NVME, files))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert declared(sources)["hwmon.odd-pci-0100.temp1"].limits == SensorLimits(critical=90.0)


def test_coretemp_max_and_k10temp_max_are_no_limits(tmp_path: Path) -> None:
    tree(tmp_path, INTEL_LAPTOP)
    tree(tmp_path, chip(9, K10TEMP, {"name": "k10temp", "temp1_input": "40000", "temp1_max": "70000"}))
    with opened(tmp_path, hwmon.probe_sources) as sources:
        sensors = declared(sources)
    assert sensors["hwmon.coretemp-isa-0000.temp1"].limits == SensorLimits(critical=100.0)
    assert sensors["hwmon.k10temp-pci-00c3.temp1"].limits.maximum is None


def test_a_limit_that_hardware_does_not_state_comes_from_the_table(tmp_path: Path) -> None:
    with opened(tree(tmp_path, RYZEN_DESKTOP), hwmon.probe_sources) as sources:
        assert declared(sources)["hwmon.k10temp-pci-00c3.temp1"].limits == SensorLimits(critical=95.0)


def test_an_unwired_input_heats_nothing_and_has_no_limit(tmp_path: Path) -> None:
    with opened(tree(tmp_path, RYZEN_DESKTOP), hwmon.probe_sources) as sources:
        sensor = declared(sources)["hwmon.nct6798-isa-0290.temp4"]
        sink = sampled(sources)
    assert (sensor.heat, sensor.limits) == (None, SensorLimits())
    assert {"hwmon.nct6798-isa-0290.temp5", "hwmon.nct6798-isa-0290.temp6"} <= sink.rejected.keys()


def test_a_sleeping_card_is_not_read(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, RYZEN_DESKTOP)))
    with opened(sysfs, hwmon.probe_sources) as sources:
        sampled(sources, 1.0)
        rewrite(tmp_path, f"{GPU}/power/runtime_status", "suspended")
        sysfs.reads.clear()
        asleep = sampled(sources, 2.0), sampled(sources, 3.0)
        touched = [path for path in sysfs.reads if "hwmon4" in path]
        rewrite(tmp_path, f"{GPU}/power/runtime_status", "active")
        awake = sampled(sources, 4.0)
    name = "hwmon.amdgpu-pci-0300.temp1"
    assert [(sink.absent[name].cause, sink.absent[name].since_s) for sink in asleep] == [("asleep", 2.0)] * 2
    assert touched == []
    assert awake.readings[name] == 44.0


def test_a_card_asleep_at_the_start_is_not_woken(tmp_path: Path) -> None:
    tree(tmp_path, RYZEN_DESKTOP)
    rewrite(tmp_path, f"{GPU}/power/runtime_status", "suspended")
    sysfs = FaultySysfs(str(tmp_path))
    with opened(sysfs, hwmon.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.absent["hwmon.amdgpu-pci-0300.temp1"].cause == "asleep"
    assert not [path for path in sysfs.reads if "hwmon4" in path and path.endswith(("_input", "_average", "_cap"))]


def test_the_power_of_a_card_that_slept_starts_with_a_first_sample(tmp_path: Path) -> None:
    tree(tmp_path, chip(0, GPU, {"name": "xe", "energy2_input": "5000000"}) | {f"{GPU}/power/runtime_status": "active"})
    name = "hwmon.xe-pci-0300.power2"
    with opened(tmp_path, hwmon.probe_sources) as sources:
        sampled(sources, 1.0)
        rewrite(tmp_path, f"{GPU}/power/runtime_status", "suspended")
        assert sampled(sources, 2.0).absent[name].cause == "asleep"
        rewrite(tmp_path, f"{GPU}/power/runtime_status", "active")
        assert sampled(sources, 10.0).absent[name].cause == "first sample"
        assert sampled(sources, 11.0).readings[name] == 0.0


def test_a_sleeping_disk_is_not_read(tmp_path: Path) -> None:
    tree(tmp_path, RYZEN_DESKTOP)
    rewrite(tmp_path, f"{DISK}/power/runtime_status", "suspended")
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert sampled(sources).absent["hwmon.drivetemp-scsi-00b8-port3.temp1"].cause == "asleep"


def test_a_processor_is_read_whatever_its_run_time_state(tmp_path: Path) -> None:
    tree(tmp_path, RYZEN_DESKTOP)
    tree(tmp_path, {f"{K10TEMP}/power/runtime_status": "suspended"})
    with opened(tmp_path, hwmon.probe_sources) as sources:
        assert sampled(sources).readings["hwmon.k10temp-pci-00c3.temp1"] == 55.125


def test_disks_and_controllers_are_read_off_the_tick_and_processors_on_it(tmp_path: Path) -> None:
    tree(tmp_path / "a", INTEL_LAPTOP)
    tree(tmp_path / "b", RYZEN_DESKTOP)
    slow = {}
    for name in "ab":
        with opened(tmp_path / name, hwmon.probe_sources) as sources:
            slow |= {source.name: source.slow for source in sources}
    assert {name for name, is_slow in slow.items() if is_slow} == {
        "hwmon.nvme-pci-0100",
        "hwmon.thinkpad-isa-0000",
        "hwmon.drivetemp-scsi-00b8-port3",
    }


@pytest.mark.parametrize("code", [errno.ENODATA, errno.ENXIO, errno.EIO, errno.EREMOTEIO, errno.EAGAIN, errno.EPERM])
def test_a_refused_read_is_absent_by_its_errno_and_the_others_go_on(tmp_path: Path, code: int) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, INTEL_LAPTOP)))
    sysfs.faults["/sys/class/hwmon/hwmon3/temp2_input"] = code
    with opened(sysfs, hwmon.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.absent["hwmon.coretemp-isa-0000.temp2"].cause == errno.errorcode[code]
    assert sink.readings["hwmon.coretemp-isa-0000.temp1"] == 61.0


def test_only_the_package_is_critical_and_people_see_it_called_so(tmp_path: Path) -> None:
    with opened(tree(tmp_path, INTEL_LAPTOP), hwmon.probe_sources) as sources:
        sensors = declared(sources)
    critical = [sensor for sensor in sensors.values() if sensor.critical]
    assert [(sensor.name, sensor.label, sensor.heat) for sensor in critical] == [
        ("hwmon.coretemp-isa-0000.temp1", "CPU package", Heat.CPU)
    ]
    assert sensors["hwmon.nvme-pci-0100.temp1"].heat is Heat.OTHER
