"""The collector: one Snapshot per tick whatever a device does."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from gamesad.hardware import hwmon, procstat
from gamesad.hardware.base import Sink
from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry.collector import Collector
from gamesad.types import Absence, Quantity, Sensor
from tests.support.collecting import FakeSource, collecting, until
from tests.support.machines import rewrite, tree
from tests.support.trees import INTEL_LAPTOP


def test_a_quick_source_is_read_on_the_tick_and_once_per_tick() -> None:
    source = FakeSource("quick")
    with collecting(source) as collector:
        values = [collector.sample(time.monotonic()).readings["quick"] for _ in range(3)]
        assert values == [1.0, 2.0, 3.0]
        assert collector.sample(time.monotonic()).ages_s == {}
        assert not source.closed
    assert source.closed


def test_snapshots_are_numbered_and_never_change_afterwards() -> None:
    with collecting(FakeSource("a"), FakeSource("b", critical=True)) as collector:
        first = collector.sample(1.0)
        kept = dict(first.readings)
        second = collector.sample(2.0, everything=False)
        collector.sample(3.0)
    assert (first.number, second.number, second.monotonic_s) == (1, 2, 2.0)
    assert first.readings == kept


class Failing(FakeSource):
    """Gives no reading, and says at each sample that it began just now."""

    cause = "EIO"

    def sample(self, now_s: float, sink: Sink) -> None:
        if self.cause:
            sink.absent[self.name] = Absence(self.cause, now_s)
        else:
            super().sample(now_s, sink)


def test_an_absence_began_when_its_cause_was_first_met() -> None:
    source = Failing("failing")
    with collecting(source, clock=lambda: 0.5) as collector:  # which reads it once at the start
        told = []
        for now_s, source.cause in ((1.0, "EIO"), (2.0, "EIO"), (3.0, "ENODEV"), (4.0, ""), (5.0, "ENODEV")):
            told += collector.sample(now_s).absent.values()
    assert told == [Absence("EIO", 0.5), Absence("EIO", 0.5), Absence("ENODEV", 3.0), Absence("ENODEV", 5.0)]


def test_without_everything_only_critical_sources_are_read_and_the_rest_grow_old() -> None:
    other, needed = FakeSource("other"), FakeSource("needed", critical=True)
    with collecting(other, needed) as collector:
        collector.sample(10.0)
        later = collector.sample(12.5, everything=False)
        full = collector.sample(13.0)
    assert later.readings == {"other": 1.0, "needed": 2.0}
    assert later.ages_s == {"other": 2.5}
    assert (full.readings, full.ages_s) == ({"other": 2.0, "needed": 3.0}, {})


def test_a_value_from_elsewhere_that_is_too_old_is_stale() -> None:
    now_s = [100.0]
    slow = FakeSource("slow", slow=True)
    needed = FakeSource("needed", slow=True, critical=True)
    with collecting(slow, needed, clock=lambda: now_s[0]) as collector:
        until(lambda: slow.reads > 0 and needed.reads > 0)
        for source in (slow, needed):
            source.block.clear()
        reads = -1
        while reads != slow.reads + needed.reads:  # until both hang
            reads = slow.reads + needed.reads
            time.sleep(0.05)
        fresh = collector.sample(102.0)
        now_s[0] = 104.0
        later = collector.sample(104.0)
        now_s[0] = 131.0
        old = collector.sample(131.0)
    assert fresh.readings.keys() == {"slow", "needed"}
    assert later.absent == {"needed": Absence("stale", 103.0)}
    assert later.ages_s == {"slow": 4.0}
    assert old.absent["slow"] == Absence("stale", 130.0)


class Faulty(FakeSource):
    def sample(self, now_s: float, sink: Sink) -> None:
        raise KeyError("a fault nobody foresaw")


@pytest.mark.parametrize("slow", [False, True])
def test_a_source_with_a_fault_loses_itself_and_not_the_tick(slow: bool) -> None:
    with collecting(Faulty("faulty", slow=slow), FakeSource("sound")) as collector:
        snapshot = collector.sample(time.monotonic())
    assert snapshot.absent["faulty"].cause == "unread"
    assert snapshot.readings == {"sound": 1.0}


class Sloppy(FakeSource):
    def sensors(self) -> Sequence[Sensor]:
        return [Sensor(name, Quantity.LEVEL, name) for name in ("twice", "forgotten")]

    def sample(self, now_s: float, sink: Sink) -> None:
        sink.readings |= {"twice": 1.0, "undeclared": 1.0}
        sink.absent["twice"] = Absence("EIO", 1.0)


def test_every_sensor_is_accounted_for_once_even_if_a_source_is_sloppy() -> None:
    with collecting(Sloppy("sloppy")) as collector:
        snapshot = collector.sample(5.0)
        snapshot = collector.sample(6.0)
    assert snapshot.readings == {}
    assert {name: absence.cause for name, absence in snapshot.absent.items()} == {"twice": "EIO", "forgotten": "unread"}


def test_of_two_sources_with_one_name_the_first_keeps_it() -> None:
    first, second = FakeSource("same"), FakeSource("same")
    with collecting(first, second) as collector:
        collector.sample(1.0)
        assert second.closed
        assert len(collector.sensors) == 1


def test_ignored_sensors_are_neither_declared_nor_published(tmp_path: Path) -> None:
    sysfs = Sysfs(str(tree(tmp_path, INTEL_LAPTOP)))
    collector = Collector(sysfs, [hwmon.probe_sources], ignore=["hwmon.nvme-*", "*.temp2"])
    snapshot = collector.sample(time.monotonic())
    collector.close()
    assert "hwmon.coretemp-isa-0000.temp1" in snapshot.readings
    seen = {*snapshot.readings, *snapshot.rejected, *snapshot.absent}
    assert not [name for name in seen if "nvme" in name or name.endswith("temp2")]


def test_a_sensor_named_in_the_configuration_is_critical_too(tmp_path: Path) -> None:
    sysfs = Sysfs(str(tree(tmp_path, INTEL_LAPTOP)))
    collector = Collector(sysfs, [hwmon.probe_sources], critical=["hwmon.nvme-*.temp1"])
    critical = {name for name, sensor in collector.sensors.items() if sensor.critical}
    collector.close()
    assert critical == {"hwmon.coretemp-isa-0000.temp1", "hwmon.nvme-pci-0100.temp1"}


def test_rates_have_a_first_sample_and_a_second_one_a_second_later(tmp_path: Path) -> None:
    tree(tmp_path, INTEL_LAPTOP)
    now_s = [0.0]
    collector = Collector(Sysfs(str(tmp_path)), [procstat.probe_sources], clock=lambda: now_s[0])
    first = collector.sample(0.0)
    rewrite(tmp_path, "/proc/stat", "cpu  150 0 150 800 0 0 0 0\ncpu0 50 0 50 450\ncpu1 100 0 50 400")
    second = collector.sample(1.0)
    collector.close()
    assert first.absent["cpu.utilization"].cause == "first sample"
    assert [second.readings[f"cpu.{name}utilization"] for name in ("", "cpu0.", "cpu1.")] == [1.0, 0.0, 1.0]


class Simulated(Sysfs):
    simulated = True


def test_a_simulated_machine_is_read_by_the_tick_alone(tmp_path: Path) -> None:
    sysfs = Simulated(str(tree(tmp_path, INTEL_LAPTOP)))
    before = threading.active_count()
    collector = Collector(sysfs, [hwmon.probe_sources])
    snapshot = collector.sample(1.0)
    assert threading.active_count() == before
    collector.close()
    assert "hwmon.nvme-pci-0100.temp1" in snapshot.readings
    assert snapshot.ages_s == {}


def test_a_closed_collector_has_no_sensor_no_descriptor_and_no_thread(tmp_path: Path) -> None:
    tree(tmp_path, INTEL_LAPTOP)
    before = len(list(Path("/proc/self/fd").iterdir()))
    collector = Collector(Sysfs(str(tmp_path)))
    collector.sample(time.monotonic())
    assert [thread for thread in threading.enumerate() if thread.name == "gamesad hwmon.nvme-pci-0100"]
    collector.close()
    assert collector.sensors == {}
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gamesad ")]
