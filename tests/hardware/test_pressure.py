"""Pressure stall information."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gamesad.hardware import pressure
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled

LINE = "{} avg10={} avg60=0.00 avg300=0.00 total={}"


def _io(some: str, some_us: int, full: str = "0.00", full_us: int = 0) -> str:
    return LINE.format("some", some, some_us) + "\n" + LINE.format("full", full, full_us)


def test_pressure_is_a_share_averaged_and_since_the_last_sample(tmp_path: Path) -> None:
    with opened(tree(tmp_path, {"/proc/pressure/io": _io("25.50", 1_000_000)}), pressure.probe_sources) as sources:
        first = sampled(sources, 10.0)
        rewrite(tmp_path, "/proc/pressure/io", _io("30.00", 1_500_000))
        second = sampled(sources, 12.0)
    assert first.readings == {"pressure.io.some_avg10": 0.255, "pressure.io.full_avg10": 0.0}
    assert first.absent["pressure.io.some"].cause == "first sample"
    assert second.readings["pressure.io.some"] == pytest.approx(0.25)


def test_full_pressure_of_the_processor_means_nothing_and_is_not_declared(tmp_path: Path) -> None:
    with opened(tree(tmp_path, {"/proc/pressure/cpu": _io("1.00", 5)}), pressure.probe_sources) as sources:
        assert set(declared(sources)) == {"pressure.cpu.some_avg10", "pressure.cpu.some"}


def test_a_kernel_without_pressure_has_no_such_sensors(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, {"/proc/pressure/io": _io("1.00", 5)})))
    sysfs.faults["/proc/pressure/io"] = errno.EOPNOTSUPP  # booted with psi=0
    with opened(sysfs, pressure.probe_sources) as sources:
        assert sources == []


def test_a_total_that_went_back_and_a_share_above_one_are_not_believed(tmp_path: Path) -> None:
    with opened(tree(tmp_path, {"/proc/pressure/io": _io("1.00", 500)}), pressure.probe_sources) as sources:
        sampled(sources, 1.0)
        rewrite(tmp_path, "/proc/pressure/io", _io("900.00", 400))
        sink = sampled(sources, 2.0)
    assert sink.absent["pressure.io.some"].cause == "counter went back"
    assert sink.rejected["pressure.io.some_avg10"].value == 9.0


@pytest.mark.parametrize("text", ["", "some", "some avg10=x avg60=y total=z", "\x00"])
def test_nonsense_is_absent(tmp_path: Path, text: str) -> None:
    with opened(tree(tmp_path, {"/proc/pressure/io": _io("1.00", 5)}), pressure.probe_sources) as sources:
        rewrite(tmp_path, "/proc/pressure/io", text)
        sink = sampled(sources)
        assert sink.readings == {}
        assert sink.absent.keys() == declared(sources).keys()


def test_a_file_that_fails_is_absent_by_its_errno(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, {"/proc/pressure/io": _io("1.00", 5)})))
    with opened(sysfs, pressure.probe_sources) as sources:
        sysfs.faults["/proc/pressure/io"] = errno.EIO
        assert {absence.cause for absence in sampled(sources).absent.values()} == {"EIO"}
