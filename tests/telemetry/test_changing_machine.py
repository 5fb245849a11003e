"""Devices that come, go, are renumbered or suspended under a collector."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gamesad.hardware import hwmon, procstat, thermal
from gamesad.hardware.base import Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry.collector import Collector
from tests.support.machines import rewrite, tree
from tests.support.trees import CORETEMP, INTEL_LAPTOP, PROC, chip


def test_a_rescan_tells_what_came_and_went_and_keeps_the_rest_open(tmp_path: Path) -> None:
    tree(tmp_path, INTEL_LAPTOP)
    now_s = [10.0]
    collector = Collector(Sysfs(str(tmp_path)), [hwmon.probe_sources, procstat.probe_sources], clock=lambda: now_s[0])
    collector.sample(10.0)
    rewrite(tmp_path, "/proc/stat", "cpu  200 0 100 900 0 0 0 0\ncpu0 50 0 50 400\ncpu1 50 0 50 400")
    (tmp_path / "sys/class/hwmon/hwmon1").unlink()
    tree(tmp_path, chip(8, "/sys/devices/platform/dell_smm_hwmon", {"name": "dell_smm", "fan1_input": "2000"}))
    now_s[0] = 11.0
    change = collector.rescan()
    snapshot = collector.sample(11.0)
    again = collector.rescan()
    collector.close()
    assert [sensor.name for sensor in change.added] == ["hwmon.dell_smm-isa-0000.fan1"]
    assert [sensor.name for sensor in change.removed] == ["hwmon.nvme-pci-0100.temp1", "hwmon.nvme-pci-0100.temp2"]
    assert snapshot.readings["hwmon.dell_smm-isa-0000.fan1"] == 2000
    assert snapshot.readings["cpu.utilization"] == 0.5  # its counters were not lost
    assert (again.added, again.removed) == ((), ())


def test_a_renumbered_chip_keeps_its_name_and_is_read_at_its_new_place(tmp_path: Path) -> None:
    files = {"name": "coretemp", "temp1_label": "Package id 0", "temp1_input": "50000"}
    tree(tmp_path, chip(1, CORETEMP, files))
    collector = Collector(Sysfs(str(tmp_path)), [hwmon.probe_sources])
    names = set(collector.sensors)
    (tmp_path / "sys/class/hwmon/hwmon1").unlink()
    (tmp_path / CORETEMP.strip("/") / "hwmon/hwmon1").rename(tmp_path / CORETEMP.strip("/") / "hwmon/hwmon6")
    tree(tmp_path, chip(6, CORETEMP, files | {"temp1_input": "60000"}))
    collector.rescan()
    snapshot = collector.sample(time.monotonic())
    collector.close()
    assert set(collector.sensors) <= names
    assert snapshot.readings == {"hwmon.coretemp-isa-0000.temp1": 60.0}


def test_a_device_gone_between_listing_and_opening_is_absent_by_its_errno(tmp_path: Path) -> None:
    tree(tmp_path, INTEL_LAPTOP)

    def probe_and_unplug(sysfs: Sysfs) -> Sequence[Source]:
        sources = thermal.probe_sources(sysfs)
        (tmp_path / "sys/devices/virtual/thermal/thermal_zone0/temp").unlink()
        return sources

    collector = Collector(Sysfs(str(tmp_path)), [probe_and_unplug])
    snapshot = collector.sample(time.monotonic())
    collector.close()
    assert snapshot.absent["thermal.acpitz"].cause == "ENOENT"
    assert snapshot.readings["thermal.x86_pkg_temp"] == 61.0


def test_after_a_suspend_counters_begin_anew(tmp_path: Path) -> None:
    now_s = [0.0]
    root = tree(tmp_path, PROC)
    collector = Collector(Sysfs(str(root)), [procstat.probe_sources], clock=lambda: now_s[0])
    collector.sample(0.0)
    rewrite(
        root,
        "/proc/stat",
        "cpu  200 0 100 900 0 0 0 0 0 0\ncpu0 100 0 50 450 0 0 0 0 0 0\ncpu1 100 0 50 450 0 0 0 0 0 0",
    )
    collector.rescan()
    assert collector.sample(1.0).readings["cpu.utilization"] == 0.5
    rewrite(
        root,
        "/proc/stat",
        "cpu  300 0 100 999 0 0 0 0 0 0\ncpu0 100 0 50 450 0 0 0 0 0 0\ncpu1 100 0 50 450 0 0 0 0 0 0",
    )
    collector.rescan(anew=True)
    assert collector.sample(2.0).absent["cpu.utilization"].cause == "first sample"
    collector.close()


def test_the_last_critical_sensor_stays_declared_when_its_driver_goes(tmp_path: Path) -> None:
    root = tree(
        tmp_path, chip(3, CORETEMP, {"name": "coretemp", "temp1_label": "Package id 0", "temp1_input": "41000"})
    )
    with closing(Collector(Sysfs(str(root)))) as collector:
        (name,) = [name for name, sensor in collector.sensors.items() if sensor.critical]
        (root / "sys/class/hwmon/hwmon3").unlink()
        collector.rescan()
        assert collector.sensors[name].critical
        assert collector.sample(1.0).absent[name].cause == "ENODEV"
        tree(root, {"/sys/class/hwmon/hwmon5": f"-> {CORETEMP}/hwmon/hwmon3"})
        collector.rescan()
        assert collector.sample(2.0).readings[name] == 41.0


def test_a_critical_sensor_that_another_stands_in_for_may_go(tmp_path: Path) -> None:
    root = tree(tmp_path, INTEL_LAPTOP)
    with closing(Collector(Sysfs(str(root)))) as collector:
        before = {name for name, sensor in collector.sensors.items() if sensor.critical}
        for link in (root / "sys/class/hwmon").iterdir():
            if (link / "name").read_text().strip() == "coretemp":
                link.unlink()
        collector.rescan()
        after = {name for name, sensor in collector.sensors.items() if sensor.critical}
        assert after
        assert not before & after
