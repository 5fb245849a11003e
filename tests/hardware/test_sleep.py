"""Disks that may be asleep are not woken, and not kept awake: every read of the disk itself is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamesad.hardware import hwmon
from gamesad.hardware.base import Source
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs, opened, sampled
from tests.support.trees import DISK, chip

TEMP = f"{DISK}/hwmon/hwmon0/temp1_input"
SENSOR = "hwmon.drivetemp-scsi-00b8-port3.temp1"


class Bed:
    """A spinning disk; ``looks`` samples it at these seconds with as many reads and writes done by then."""

    def __init__(self, root: Path, rotational: str = "1") -> None:
        tree(root, chip(0, DISK, {"name": "drivetemp", "temp1_input": "31000", "temp1_max": "55000"}))
        tree(root, {f"{DISK.split('/host2', maxsplit=1)[0]}/ata_port/ata3/port_no": "3"})
        tree(root, {f"{DISK}/block/sda/queue/rotational": rotational, f"{DISK}/power/runtime_status": "active"})
        self.root = root
        self.work(0)
        self.sysfs = FaultySysfs(str(root))

    def work(self, done: int) -> None:
        rewrite(self.root, f"{DISK}/block/sda/stat", f"{done} 0 8 1 {done} 0 8 1 0 1 1 0 0 0 0 0 0")

    def looks(self, source: Source, work: dict[float, int]) -> list[str | float]:
        told: list[str | float] = []
        for now_s, done in work.items():
            self.work(done)
            sink = sampled([source], now_s)
            told.append(sink.readings[SENSOR] if SENSOR in sink.readings else sink.absent[SENSOR].cause)
        return told

    @property
    def asked(self) -> int:
        return self.sysfs.reads.count(f"/sys/class/hwmon/hwmon0/{Path(TEMP).name}")


def test_a_disk_that_does_nothing_is_never_asked(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    with opened(bed.sysfs, hwmon.probe_sources) as [source]:
        assert set(bed.looks(source, {4.0 * look: 7 for look in range(1000)})) == {"idle"}
    assert bed.asked == 0


def test_a_disk_at_work_is_asked_once_a_minute(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    with opened(bed.sysfs, hwmon.probe_sources) as [source]:
        told = bed.looks(source, {4.0 * look: look for look in range(150)})  # ten minutes
    assert told[:1] + sorted(set(told[1:])) == ["idle", 31.0]
    assert bed.asked == 10 + 1  # opening it tries a read
    assert source.slow


def test_work_of_more_than_a_moment_ago_proves_nothing(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    with opened(bed.sysfs, hwmon.probe_sources) as [source]:
        assert bed.looks(source, {0.0: 1, 6.0: 2, 12.0: 3}) == ["idle", "idle", "idle"]
    assert bed.asked == 0


def test_a_value_is_shown_until_the_next_was_due_and_then_no_more(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    with opened(bed.sysfs, hwmon.probe_sources) as [source]:
        told = bed.looks(source, {4.0 * look: min(look, 1) for look in range(20)})
    assert told == ["idle", *[31.0] * 17, "idle", "idle"]


def test_a_suspended_disk_is_asleep_whatever_its_statistics_say(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    rewrite(tmp_path, f"{DISK}/power/runtime_status", "suspended")
    with opened(bed.sysfs, hwmon.probe_sources) as [source]:
        assert bed.looks(source, {0.0: 1, 4.0: 2, 8.0: 3}) == ["asleep"] * 3
    assert bed.asked == 0


def test_a_solid_state_disk_is_read_as_it_is(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rotational="0")
    with opened(bed.sysfs, hwmon.probe_sources) as [source]:
        assert bed.looks(source, {0.0: 0, 60.0: 0}) == [31.0, 31.0]
        assert source.period_s == 60.0
        assert source.slow


@pytest.mark.parametrize("statistics", ["", "1 2 3", "garbage"])
def test_statistics_that_say_nothing_leave_the_disk_alone(tmp_path: Path, statistics: str) -> None:
    bed = Bed(tmp_path)
    with opened(bed.sysfs, hwmon.probe_sources) as [source]:
        for now_s in (0.0, 4.0, 8.0):
            rewrite(tmp_path, f"{DISK}/block/sda/stat", statistics)
            assert sampled([source], now_s).absent[SENSOR].cause == "idle"
    assert bed.asked == 0
