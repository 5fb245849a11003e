"""CPU time and load."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gamesad.hardware import procstat
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled


def _stat(total: str, *cpus: str) -> dict[str, str]:
    lines = [
        f"cpu  {total}",
        *(f"cpu{number} {fields}" for number, fields in enumerate(cpus)),
        "intr 99 " + "0 " * 5000,
    ]
    return {"/proc/stat": "\n".join(lines)}


def test_utilization_is_the_share_of_time_not_idle_since_the_last_sample(tmp_path: Path) -> None:
    tree(tmp_path, _stat("100 0 100 800 0 0 0 0 7 7", "50 0 50 400 0 0 0 0 0 0"))
    with opened(tmp_path, procstat.probe_sources) as sources:
        first = sampled(sources, 1.0)
        tree(tmp_path, _stat("125 10 110 830 10 5 5 5 9 9", "50 0 50 500 0 0 0 0 0 0"))
        second = sampled(sources, 2.0)
    assert {absence.cause for absence in first.absent.values()} == {"first sample"}
    assert second.readings == {"cpu.utilization": pytest.approx(0.6), "cpu.cpu0.utilization": 0.0}


def test_a_cpu_set_offline_is_absent_and_starts_anew_when_it_returns(tmp_path: Path) -> None:
    tree(tmp_path, _stat("0 0 0 0", "10 0 0 10", "10 0 0 10"))
    with opened(tmp_path, procstat.probe_sources) as sources:
        sampled(sources, 1.0)
        tree(tmp_path, _stat("0 0 0 9", "10 0 0 19"))
        gone = sampled(sources, 2.0)
        tree(tmp_path, _stat("0 0 0 19", "10 0 0 29", "10 0 0 29"))
        back = sampled(sources, 3.0)
    name = "cpu.cpu1.utilization"
    assert (gone.absent[name].cause, back.absent[name].cause) == ("offline", "first sample")
    assert back.readings["cpu.cpu0.utilization"] == 0.0


@pytest.mark.parametrize(
    ("later", "cause"),
    [("5 0 0 5", "counter went back"), ("10 0 0 10", "counter stands still"), ("x", "unparseable")],
)
def test_a_counter_that_cannot_be_compared_gives_no_utilization(tmp_path: Path, later: str, cause: str) -> None:
    tree(tmp_path, _stat("10 0 0 10"))
    with opened(tmp_path, procstat.probe_sources) as sources:
        sampled(sources, 1.0)
        tree(tmp_path, _stat(later))
        assert sampled(sources, 2.0).absent["cpu.utilization"].cause == cause


def test_time_waiting_for_disks_may_go_back_without_leaving_the_range(tmp_path: Path) -> None:
    tree(tmp_path, _stat("10 0 0 10 50"))
    with opened(tmp_path, procstat.probe_sources) as sources:
        sampled(sources, 1.0)
        tree(tmp_path, _stat("100 0 0 10 45"))
        assert sampled(sources, 2.0).readings["cpu.utilization"] == 1.0


def test_two_reads_at_once_do_not_spoil_the_next_difference(tmp_path: Path) -> None:
    tree(tmp_path, _stat("0 0 0 0"))
    with opened(tmp_path, procstat.probe_sources) as sources:
        sampled(sources, 1.0)
        tree(tmp_path, _stat("1 0 0 0"))
        assert sampled(sources, 1.001).absent["cpu.utilization"].cause == "first sample"
        tree(tmp_path, _stat("50 0 0 50"))
        assert sampled(sources, 2.0).readings["cpu.utilization"] == 0.5


def test_load_averages_are_read_and_nonsense_is_not(tmp_path: Path) -> None:
    tree(tmp_path, {"/proc/loadavg": "0.50 1.25 nan 1/100 4242"})
    with opened(tmp_path, procstat.probe_sources) as sources:
        sink = sampled(sources)
        rewrite(tmp_path, "/proc/loadavg", "0.50")
        short = sampled(sources, 2.0)
    assert sink.readings == {"load.load1": 0.5, "load.load5": 1.25}
    assert list(sink.rejected) == ["load.load15"]
    assert {absence.cause for absence in short.absent.values()} == {"unparseable"}


def test_a_file_that_cannot_be_read_is_absent_by_its_errno(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, _stat("0 0 0 0") | {"/proc/loadavg": "1 1 1"})))
    with opened(sysfs, procstat.probe_sources) as sources:
        sysfs.faults = {"/proc/stat": errno.EIO, "/proc/loadavg": errno.EIO}
        sink = sampled(sources)
        assert {absence.cause for absence in sink.absent.values()} == {"EIO"}
        assert sink.absent.keys() == declared(sources).keys()
