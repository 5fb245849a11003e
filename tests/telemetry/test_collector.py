"""The collector: one Snapshot per tick whatever a device does, and a change told when the machine changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gamesad.hardware import hwmon, procstat, thermal
from gamesad.hardware.base import Sink, Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry import collector as collector_module
from gamesad.telemetry.collector import Collector
from gamesad.types import Absence, Quantity, Sensor
from tests.support.machines import rewrite, tree
from tests.support.trees import CORETEMP, INTEL_LAPTOP, PROC, chip

TOO_SLOW_S, FAR_TOO_SLOW_S = 0.2, 0.6


@pytest.fixture(autouse=True)
def _on_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets wide enough that nothing but the sources of a test exceeds them."""
    monkeypatch.setattr(collector_module, "BUDGET_S", 0.15)
    monkeypatch.setattr(collector_module, "TOO_LONG_S", 0.5)


class FakeSource:
    """A source of one sensor that counts its reads; ``block`` is waited for in every read."""

    period_s = 0.02

    def __init__(self, name: str, *, slow: bool = False, critical: bool = False) -> None:
        self.name = name
        self.slow = slow
        self.block = threading.Event()
        self.block.set()
        self.delay_s = 0.0
        self.reads = 0
        self.closed = False
        self.threads: set[str] = set()
        self._sensor = Sensor(name, Quantity.LEVEL, name, critical=critical)

    def sensors(self) -> Sequence[Sensor]:
        return (self._sensor,)

    def sample(self, now_s: float, sink: Sink) -> None:
        self.threads.add(threading.current_thread().name)
        self.block.wait()
        time.sleep(self.delay_s)
        self.reads += 1
        sink.readings[self.name] = float(self.reads)

    def close(self) -> None:
        self.closed = True


@contextmanager
def collecting(*sources: Source, **options: object) -> Iterator[Collector]:
    collector = Collector(Sysfs("/nonexistent"), [lambda _sysfs: sources], **options)  # type: ignore[arg-type]
    yield collector
    for source in sources:
        if isinstance(source, FakeSource):
            source.block.set()
    collector.close()


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline_s, "did not happen"
        time.sleep(0.002)


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


def test_without_everything_only_critical_sources_are_read_and_the_rest_grow_old() -> None:
    other, needed = FakeSource("other"), FakeSource("needed", critical=True)
    with collecting(other, needed) as collector:
        collector.sample(10.0)
        later = collector.sample(12.5, everything=False)
        full = collector.sample(13.0)
    assert later.readings == {"other": 1.0, "needed": 2.0}
    assert later.ages_s == {"other": 2.5}
    assert (full.readings, full.ages_s) == ({"other": 2.0, "needed": 3.0}, {})


def test_a_source_that_hangs_in_its_first_read_delays_neither_start_nor_tick_nor_end() -> None:
    hung, quick = FakeSource("hung"), FakeSource("quick")
    hung.block.clear()
    started_s = time.monotonic()
    collector = Collector(Sysfs("/nonexistent"), [lambda _sysfs: [hung, quick]])
    start_s = time.monotonic() - started_s
    snapshot = collector.sample(time.monotonic())
    tick_s = time.monotonic() - started_s - start_s
    collector.close()
    end_s = time.monotonic() - started_s - start_s - tick_s
    hung.block.set()
    assert snapshot.readings == {"quick": 1.0}
    assert snapshot.absent["hung"].cause == "unread"
    assert start_s < 1.0
    assert tick_s < 0.1
    assert end_s < 1.0
    until(lambda: hung.closed)  # by its own thread, once the kernel lets go


def test_what_a_hung_source_answers_at_last_is_delivered() -> None:
    hung = FakeSource("hung")
    hung.block.clear()
    with collecting(hung) as collector:
        assert "hung" in collector.sample(time.monotonic()).absent
        hung.block.set()
        until(lambda: "hung" in collector.sample(time.monotonic()).readings)
        assert collector.sample(time.monotonic()).ages_s["hung"] < 1.0


def test_a_source_known_to_block_is_never_read_on_the_tick_and_has_a_value_at_once() -> None:
    slow = FakeSource("slow", slow=True)
    with collecting(slow) as collector:
        snapshot = collector.sample(time.monotonic())
        until(lambda: slow.reads > 30)
        collector.sample(time.monotonic())
    assert snapshot.readings["slow"] >= 1.0
    assert slow.threads == {"gamesad slow"}


def test_a_source_over_its_budget_twice_leaves_the_tick() -> None:
    source = FakeSource("dull")
    with collecting(source) as collector:
        collector.sample(1.0)
        source.delay_s = TOO_SLOW_S
        source.threads.clear()
        collector.sample(2.0)
        collector.sample(3.0)
        until(lambda: "gamesad dull" in source.threads)
        source.threads.clear()
        assert "dull" in collector.sample(4.0).ages_s
        assert threading.current_thread().name not in source.threads


def test_one_slow_read_is_forgiven_and_one_far_too_slow_is_not() -> None:
    once, far = FakeSource("once"), FakeSource("far")
    with collecting(once, far) as collector:
        collector.sample(1.0)
        once.delay_s, far.delay_s = TOO_SLOW_S, FAR_TOO_SLOW_S
        collector.sample(2.0)
        once.delay_s = 0.0
        later = collector.sample(3.0)
    assert later.readings.keys() == {"once", "far"}
    assert set(later.ages_s) == {"far"}


def _stays_off_the_tick(source: FakeSource, collector: Collector, reads: int) -> bool:
    enough = source.reads + reads
    until(lambda: source.reads > enough)
    ages_s = []
    for _ in range(5):
        ages_s.append(collector.sample(9.0).ages_s)
        time.sleep(0.03)
    return all(source.name in ages for ages in ages_s)


def test_a_source_that_was_slow_by_accident_comes_back_and_later_the_next_time() -> None:
    source = FakeSource("tired")
    with collecting(source) as collector:
        collector.sample(1.0)
        source.delay_s = FAR_TOO_SLOW_S
        collector.sample(2.0)
        source.delay_s = 0.0
        until(lambda: collector.sample(3.0, everything=False).ages_s == {})
        assert "tired" in collector.sample(3.0, everything=False).readings
        source.delay_s = FAR_TOO_SLOW_S
        collector.sample(4.0)
        source.delay_s = 0.0
        assert _stays_off_the_tick(source, collector, reads=30)


def test_a_source_that_hung_never_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector_module, "HANG_S", FAR_TOO_SLOW_S - 0.1)
    source = FakeSource("hung once")
    with collecting(source) as collector:
        collector.sample(1.0)
        source.delay_s = FAR_TOO_SLOW_S
        collector.sample(2.0)
        source.delay_s = 0.0
        assert _stays_off_the_tick(source, collector, reads=30)


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
