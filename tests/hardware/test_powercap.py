"""powercap: watts from energy counters, and limits that can be lowered but not to nothing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.hardware import powercap
from gamesad.hardware.powercap import PowercapSource, floor_uw
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Role, Tunable
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled

ZONE = "/sys/class/powercap/intel-rapl:0"
POWER = "powercap.intel-rapl:0.power"
RANGE_UJ = 262_143_328_850


def zone(
    path: str = ZONE, name: str = "package-0", energy_uj: int = 1_000_000, range_uj: str | None = None
) -> dict[str, str]:
    return {
        f"{path}/name": name,
        f"{path}/enabled": "1",
        f"{path}/energy_uj": str(energy_uj),
        f"{path}/max_energy_range_uj": str(RANGE_UJ) if range_uj is None else range_uj,
    }


def limit(index: int, name: str, limit_uw: int, most_uw: int | None = None, path: str = ZONE) -> dict[str, str]:
    entries = {f"{path}/constraint_{index}_name": name, f"{path}/constraint_{index}_power_limit_uw": str(limit_uw)}
    return entries if most_uw is None else {**entries, f"{path}/constraint_{index}_max_power_uw": str(most_uw)}


def tunables(root: Path) -> dict[Role, Tunable]:
    return {
        tunable.role: tunable
        for actuator in powercap.probe_actuators(Sysfs(str(root)))
        for tunable in actuator.tunables()
    }


def test_power_is_energy_over_time_rounded_to_a_tenth_of_a_watt(tmp_path: Path) -> None:
    with opened(tree(tmp_path, zone()), powercap.probe_sources) as sources:
        assert sampled(sources, 10.0).absent[POWER].cause == "first sample"
        rewrite(tmp_path, f"{ZONE}/energy_uj", "31345678")
        assert sampled(sources, 12.0).readings == {POWER: 15.2}


def test_a_faster_tick_sees_the_last_second_again(tmp_path: Path) -> None:
    with opened(tree(tmp_path, zone()), powercap.probe_sources) as sources:
        sampled(sources, 10.0)
        rewrite(tmp_path, f"{ZONE}/energy_uj", "11000000")
        assert sampled(sources, 11.0).readings == {POWER: 10.0}
        rewrite(tmp_path, f"{ZONE}/energy_uj", "99000000")
        for now_s in (11.1, 11.5, 11.9):
            assert sampled(sources, now_s).readings == {POWER: 10.0}
        assert sampled(sources, 12.0).readings == {POWER: 88.0}


def test_a_wrapped_counter_goes_on_where_its_range_ended(tmp_path: Path) -> None:
    with opened(tree(tmp_path, zone(energy_uj=RANGE_UJ - 4_000_000)), powercap.probe_sources) as sources:
        sampled(sources, 10.0)
        rewrite(tmp_path, f"{ZONE}/energy_uj", "6000000")
        assert sampled(sources, 11.0).readings == {POWER: 10.0}


@pytest.mark.parametrize("range_uj", ["0", "", "nonsense"])
def test_a_wrap_of_unknown_range_drops_that_sample_only(tmp_path: Path, range_uj: str) -> None:
    with opened(tree(tmp_path, zone(energy_uj=9_000_000, range_uj=range_uj)), powercap.probe_sources) as sources:
        sampled(sources, 10.0)
        rewrite(tmp_path, f"{ZONE}/energy_uj", "1000000")
        assert sampled(sources, 11.0).absent[POWER].cause == "wrapped"
        rewrite(tmp_path, f"{ZONE}/energy_uj", "6000000")
        assert sampled(sources, 12.0).readings == {POWER: 5.0}


def test_each_domain_wraps_alone_and_is_not_added(tmp_path: Path) -> None:
    core = f"{ZONE}:0"
    entries = {**zone(), **zone(core, "core", RANGE_UJ - 1_000_000)}
    with opened(tree(tmp_path, entries), powercap.probe_sources) as sources:
        assert [sensor.label for sensor in declared(sources).values()] == ["package-0", "core"]
        sampled(sources, 10.0)
        rewrite(tmp_path, f"{ZONE}/energy_uj", "21000000")
        rewrite(tmp_path, f"{core}/energy_uj", "11000000")
        assert sampled(sources, 11.0).readings == {POWER: 20.0, "powercap.intel-rapl:0:0.power": 12.0}


def test_a_counter_that_starts_anew_is_rejected_not_believed(tmp_path: Path) -> None:
    with opened(tree(tmp_path, zone(energy_uj=RANGE_UJ // 2)), powercap.probe_sources) as sources:
        sampled(sources, 10.0)
        rewrite(tmp_path, f"{ZONE}/energy_uj", "5")
        assert sampled(sources, 11.0).rejected[POWER].value > 5000


def test_after_a_gap_or_a_sleep_the_next_sample_is_a_first_one(tmp_path: Path) -> None:
    with opened(tree(tmp_path, zone()), powercap.probe_sources) as sources:
        sampled(sources, 10.0)
        assert sampled(sources, 41.0).absent[POWER].cause == "first sample"
        assert sampled(sources, 42.0).readings == {POWER: 0.0}
        [source] = sources
        assert isinstance(source, PowercapSource)
        source.discard()
        assert sampled(sources, 42.1).absent[POWER].cause == "first sample"


def test_a_counter_that_only_root_may_read_is_absent_with_its_errno(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, zone())))
    sysfs.faults[f"{ZONE}/energy_uj"] = errno.EACCES
    with opened(sysfs, powercap.probe_sources) as sources:
        assert sampled(sources).absent[POWER].cause == "EACCES"


def test_packages_and_the_second_way_to_them_are_told_apart(tmp_path: Path) -> None:
    base = "/sys/class/powercap/"
    entries = {
        **zone(f"{base}intel-rapl:0"),
        **zone(f"{base}intel-rapl:1", "package-1"),
        **zone(f"{base}intel-rapl:1:0", "dram"),
        **zone(f"{base}intel-rapl:2", "psys"),
        **zone(f"{base}intel-rapl-mmio:0"),
        f"{base}intel-rapl/enabled": "1",
    }
    with opened(tree(tmp_path, entries), powercap.probe_sources) as sources:
        labels = {name.removeprefix("powercap."): sensor.label for name, sensor in declared(sources).items()}
    assert labels == {
        "intel-rapl-mmio:0.power": "package-0 (mmio)",
        "intel-rapl:0.power": "package-0",
        "intel-rapl:1.power": "package-1",
        "intel-rapl:1:0.power": "package-1 dram",
        "intel-rapl:2.power": "psys",
    }


def test_long_and_short_limits_are_set_between_a_floor_and_what_the_part_is_made_for(tmp_path: Path) -> None:
    limits = {**limit(0, "long_term", 20_000_000, 28_000_000), **limit(1, "short_term", 64_000_000, 0)}
    found = tunables(tree(tmp_path, {**zone(), **limits, **limit(2, "peak_power", 90_000_000, 0)}))
    assert set(found) == {Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT}
    long, short = found[Role.POWER_LIMIT], found[Role.POWER_LIMIT_SHORT]
    assert (long.minimum, long.maximum, long.default, long.unit) == (5_000_000, 28_000_000, 28_000_000, "µW")
    assert (short.minimum, short.maximum, short.default) == (7_000_000, 64_000_000, None)
    assert long.domain == "package-0"
    assert long.path == f"{ZONE}/constraint_0_power_limit_uw"


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {**limit(0, "long_term", 0)},
        {**limit(0, "long_term", 20_000_000), f"{ZONE}/enabled": "0"},
        {**limit(0, "long_term", 20_000_000), f"{ZONE}/name": "core"},
    ],
    ids=["AMD: energy only", "never set", "disabled", "a part of the package"],
)
def test_a_limit_without_effect_is_not_offered(tmp_path: Path, entries: dict[str, str]) -> None:
    assert tunables(tree(tmp_path, {**zone(), **entries})) == {}


@given(st.integers(1, 5_000_000_000), st.integers(-1, 1_000_000_000))
def test_the_floor_is_never_near_nothing_and_never_above_what_is_set(present_uw: int, rated_uw: int) -> None:
    floor = floor_uw(present_uw, rated_uw)
    assert min(present_uw, 3_000_000) <= floor <= present_uw
    if rated_uw > 0:
        assert floor <= max(rated_uw // 4, 3_000_000)


@pytest.mark.parametrize("garbage", ["", "nonsense", "-5", "\xff", "9" * 400])
def test_garbage_in_every_file_stops_nothing(tmp_path: Path, garbage: str) -> None:
    root = tree(tmp_path, dict.fromkeys([*zone(), *limit(0, "long_term", 1, 1)], garbage))
    with opened(root, powercap.probe_sources) as sources:
        sampled(sources, 1.0)
        assert sampled(sources, 2.0).readings == {}
    assert tunables(root) == {}
