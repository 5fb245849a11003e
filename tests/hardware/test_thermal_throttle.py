"""Throttle events."""

from __future__ import annotations

from pathlib import Path

from gamesad.hardware import thermal_throttle
from tests.support.machines import rewrite, tree
from tests.support.sampling import opened, sampled

CPUS = "/sys/devices/system/cpu"


def _cpu(number: int, package: int, core: int, events: int = 0) -> dict[str, str]:
    folder = f"{CPUS}/cpu{number}"
    return {
        f"{folder}/thermal_throttle/package_throttle_count": str(events),
        f"{folder}/thermal_throttle/core_throttle_count": str(events),
        f"{folder}/topology/physical_package_id": str(package),
        f"{folder}/topology/core_id": str(core),
    }


def test_a_package_counts_once_and_so_does_each_core_of_two_threads(tmp_path: Path) -> None:
    cpus = [(0, 0, 0), (1, 0, 1), (2, 0, 0), (3, 0, 1), (4, 1, 0)]
    for cpu in cpus:
        tree(tmp_path, _cpu(*cpu))
    with opened(tmp_path, thermal_throttle.probe_sources) as sources:
        first = sampled(sources, 1.0)
        for cpu in cpus:
            tree(tmp_path, _cpu(*cpu, events=10))
        second = sampled(sources, 3.0)
    assert {absence.cause for absence in first.absent.values()} == {"first sample"}
    assert second.readings == {
        "throttle.package0.rate": 5.0,
        "throttle.package1.rate": 5.0,
        "throttle.cores0.rate": 10.0,
        "throttle.cores1.rate": 5.0,
    }


def test_a_cpu_going_offline_does_not_make_the_count_jump(tmp_path: Path) -> None:
    tree(tmp_path, _cpu(0, 0, 0, 100) | _cpu(1, 0, 1, 100))
    with opened(tmp_path, thermal_throttle.probe_sources) as sources:
        sampled(sources, 1.0)
        (tmp_path / "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count").write_text("")
        gone = sampled(sources, 2.0)
        tree(tmp_path, _cpu(1, 0, 1, 100))
        back = sampled(sources, 9.0)
    assert gone.readings["throttle.cores0.rate"] == back.readings["throttle.cores0.rate"] == 0.0


def test_counters_set_back_and_impossible_rates_are_not_believed(tmp_path: Path) -> None:
    tree(tmp_path, _cpu(0, 0, 0, 100))
    with opened(tmp_path, thermal_throttle.probe_sources) as sources:
        sampled(sources, 1.0)
        tree(tmp_path, _cpu(0, 0, 0, 50))
        back = sampled(sources, 2.0)
        rewrite(tmp_path, f"{CPUS}/cpu0/thermal_throttle/package_throttle_count", "99999999999")
        absurd = sampled(sources, 3.0)
    assert back.absent["throttle.package0.rate"].cause == "counter went back"
    assert "throttle.package0.rate" in absurd.rejected


def test_a_processor_without_the_counters_has_no_such_source(tmp_path: Path) -> None:
    with opened(tree(tmp_path, {f"{CPUS}/cpu0/online": "1"}), thermal_throttle.probe_sources) as sources:
        assert sources == []
