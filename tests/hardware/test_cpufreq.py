"""cpufreq: frequencies per policy, and what can be set on each kind of driver."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gamesad.hardware import cpufreq
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Role, Tunable
from tests.support.machines import tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled

CPUS = "/sys/devices/system/cpu"
POLICY = f"{CPUS}/cpufreq/policy0"
BASE = {
    f"{POLICY}/affected_cpus": "0 1",
    f"{POLICY}/cpuinfo_min_freq": "400000",
    f"{POLICY}/cpuinfo_max_freq": "4700000",
    f"{POLICY}/scaling_min_freq": "400000",
    f"{POLICY}/scaling_max_freq": "4700000",
    f"{POLICY}/scaling_cur_freq": "1800123",
    f"{POLICY}/scaling_governor": "powersave",
    f"{POLICY}/scaling_available_governors": "performance powersave",
}
EPP = {
    f"{POLICY}/energy_performance_preference": "balance_performance",
    f"{POLICY}/energy_performance_available_preferences": "default performance balance_performance balance_power power",
}


def tunables(root: Path) -> dict[str, Tunable]:
    return {
        tunable.name: tunable
        for actuator in cpufreq.probe_actuators(Sysfs(str(root)))
        for tunable in actuator.tunables()
    }


def test_the_frequency_is_in_hertz_with_the_hardware_s_limits(tmp_path: Path) -> None:
    with opened(tree(tmp_path, BASE), cpufreq.probe_sources) as sources:
        sensor = declared(sources)["cpufreq.policy0.frequency"]
        assert sampled(sources).readings == {"cpufreq.policy0.frequency": 1_800_123_000.0}
    assert (sensor.label, sensor.limits.minimum, sensor.limits.maximum) == ("CPU 0-1", 0.4e9, 4.7e9)


def test_without_scaling_cur_freq_the_hardware_is_asked(tmp_path: Path) -> None:
    entries = {**BASE, f"{POLICY}/cpuinfo_cur_freq": "900000"}
    del entries[f"{POLICY}/scaling_cur_freq"]
    with opened(tree(tmp_path, entries), cpufreq.probe_sources) as sources:
        assert sampled(sources).readings == {"cpufreq.policy0.frequency": 0.9e9}


@pytest.mark.parametrize(("text", "cause"), [("<unknown>", "unparseable"), ("", "unparseable")])
def test_a_frequency_that_is_none_is_absent(tmp_path: Path, text: str, cause: str) -> None:
    with opened(tree(tmp_path, {**BASE, f"{POLICY}/scaling_cur_freq": text}), cpufreq.probe_sources) as sources:
        assert sampled(sources).absent["cpufreq.policy0.frequency"].cause == cause


def test_a_frequency_only_root_may_read_is_absent_with_its_errno(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, BASE)))
    sysfs.faults[f"{POLICY}/scaling_cur_freq"] = errno.EACCES
    with opened(sysfs, cpufreq.probe_sources) as sources:
        assert sampled(sources).absent["cpufreq.policy0.frequency"].cause == "EACCES"


def test_hybrid_cores_are_told_apart(tmp_path: Path) -> None:
    entries = {path.replace("policy0", "policy8"): text for path, text in BASE.items()}
    entries |= {f"{CPUS}/cpufreq/policy8/affected_cpus": "8", f"{CPUS}/cpufreq/policy8/cpuinfo_max_freq": "3400000"}
    root = tree(
        tmp_path, {**BASE, **entries, "/sys/devices/cpu_core/cpus": "0-7", "/sys/devices/cpu_atom/cpus": "8-15"}
    )
    with opened(root, cpufreq.probe_sources) as sources:
        labels = {sensor.label: sensor.limits.maximum for sensor in declared(sources).values()}
    assert labels == {"CPU 0-1 (P-core)": 4.7e9, "CPU 8 (E-core)": 3.4e9}
    assert tunables(root)["cpufreq.policy8.scaling_max_freq"].maximum == 4_700_000, "what is set counts when it is more"


def test_the_layout_before_4_3_and_links_into_the_new_one_give_each_policy_once(tmp_path: Path) -> None:
    old = {path.replace(POLICY, f"{CPUS}/cpu2/cpufreq"): text for path, text in BASE.items()}
    links = {f"{CPUS}/cpu0/cpufreq": f"-> {POLICY}", f"{CPUS}/cpu1/cpufreq": f"-> {POLICY}"}
    links |= {f"{CPUS}/cpu3/topology/core_id": "3", f"{CPUS}/cpu4/cpufreq": "-> ../cpu2/cpufreq"}
    root = tree(tmp_path, {**BASE, **old, **links})
    with opened(root, cpufreq.probe_sources) as sources:
        assert list(declared(sources)) == ["cpufreq.policy0.frequency", "cpufreq.policy2.frequency"]
    assert tunables(root)["cpufreq.policy2.scaling_governor"].path == f"{CPUS}/cpu2/cpufreq/scaling_governor"


def test_an_empty_policy_folder_does_not_hide_the_files_of_its_cpu(tmp_path: Path) -> None:
    own = {
        f"{CPUS}/cpu1/cpufreq/related_cpus": "1",
        f"{CPUS}/cpu1/cpufreq/cpuinfo_cur_freq": "900000",
        f"{CPUS}/cpu1/cpufreq/scaling_governor": "powersave",
        f"{CPUS}/cpu1/cpufreq/scaling_available_governors": "performance powersave",
    }
    later = {path.replace("policy0", "policy2"): text for path, text in BASE.items()}
    root = tree(tmp_path, {**BASE, **own, **later})
    (tmp_path / CPUS.strip("/") / "cpufreq/policy1").mkdir()
    with opened(root, cpufreq.probe_sources) as sources:
        assert sampled(sources).readings["cpufreq.policy1.frequency"] == 0.9e9
        assert declared(sources)["cpufreq.policy1.frequency"].label == "CPU 1"
    assert tunables(root)["cpufreq.policy1.scaling_governor"].path == f"{CPUS}/cpu1/cpufreq/scaling_governor"
    assert [policy.name for policy in cpufreq.policies(Sysfs(str(root)))] == ["policy0", "policy1", "policy2"]


@pytest.mark.parametrize("word", ["7" * 5000, "\u00b2", "7_0", "-1"])
@pytest.mark.parametrize(
    ("path", "between"),
    [
        (f"{POLICY}/affected_cpus", " "),
        (f"{POLICY}/scaling_available_frequencies", " "),
        ("/sys/devices/cpu_core/cpus", ","),
    ],
)
def test_a_number_that_is_none_is_left_out_of_a_list(tmp_path: Path, path: str, between: str, word: str) -> None:
    root = tree(tmp_path, {**BASE, path: between.join([word, "400000", "3"])})
    assert [policy.name for policy in cpufreq.policies(Sysfs(str(root)))] == ["policy0"]
    with opened(root, cpufreq.probe_sources) as sources:
        assert sampled(sources).readings == {"cpufreq.policy0.frequency": 1_800_123_000.0}
    assert word not in map(str, tunables(root)["cpufreq.policy0.scaling_max_freq"].steps)


def test_a_machine_without_cpufreq_has_nothing_of_it(tmp_path: Path) -> None:
    root = tree(tmp_path, {f"{CPUS}/cpu0/topology/core_id": "0", f"{CPUS}/cpufreq/": ""})
    assert cpufreq.probe_sources(Sysfs(str(root))) == []
    assert tunables(root) == {}


def test_choices_go_from_least_power_to_most(tmp_path: Path) -> None:
    governors = "conservative ondemand userspace powersave performance schedutil"
    found = tunables(tree(tmp_path, {**BASE, **EPP, f"{POLICY}/scaling_available_governors": governors}))
    assert found["cpufreq.policy0.scaling_governor"].choices == (
        "powersave", "conservative", "schedutil", "ondemand", "performance",
    )  # fmt: skip
    assert found["cpufreq.policy0.energy_performance_preference"].choices == (
        "power", "balance_power", "balance_performance", "performance",
    )  # fmt: skip


def test_frequencies_range_over_what_the_hardware_can(tmp_path: Path) -> None:
    found = tunables(tree(tmp_path, {**BASE, f"{POLICY}/scaling_max_freq": "3000000"}))
    tunable = found["cpufreq.policy0.scaling_max_freq"]
    assert (tunable.minimum, tunable.maximum, tunable.default, tunable.unit) == (400_000, 4_700_000, 4_700_000, "kHz")
    assert tunable.role is Role.FREQUENCY_MAXIMUM
    assert found["cpufreq.policy0.scaling_min_freq"].default == 400_000


def test_a_raw_preference_and_an_unknown_governor_are_read_as_they_are(tmp_path: Path) -> None:
    entries = {f"{POLICY}/energy_performance_preference": "128", f"{POLICY}/scaling_governor": "walt"}
    [actuator] = cpufreq.probe_actuators(Sysfs(str(tree(tmp_path, {**BASE, **EPP, **entries}))))
    read = {tunable.role: actuator.read(tunable) for tunable in actuator.tunables()}
    assert (read[Role.EPP], read[Role.GOVERNOR]) == ("128", "walt")


def test_a_governor_that_leaves_the_frequency_to_somebody_is_not_touched(tmp_path: Path) -> None:
    found = tunables(tree(tmp_path, {**BASE, f"{POLICY}/scaling_governor": "userspace"}))
    assert sorted(found) == ["cpufreq.policy0.scaling_max_freq", "cpufreq.policy0.scaling_min_freq"]


@pytest.mark.parametrize(("dynamic", "offered"), [("enabled", False), ("disabled", True)])
def test_a_preference_that_amd_pstate_moves_itself_is_not_offered(tmp_path: Path, dynamic: str, offered: bool) -> None:
    found = tunables(tree(tmp_path, {**BASE, **EPP, f"{CPUS}/amd_pstate/dynamic_epp": dynamic}))
    assert ("cpufreq.policy0.energy_performance_preference" in found) is offered


@pytest.mark.parametrize(
    ("entries", "name", "choices"),
    [
        ({f"{CPUS}/intel_pstate/no_turbo": "0"}, "intel_pstate.no_turbo", ("1", "0")),
        ({f"{CPUS}/cpufreq/boost": "1"}, "cpufreq.boost", ("0", "1")),
        ({f"{CPUS}/cpufreq/boost": "1", f"{POLICY}/boost": "1"}, "cpufreq.boost", ("0", "1")),
        ({f"{CPUS}/cpufreq/boost": "1", f"{POLICY}/boost": "0"}, "cpufreq.policy0.boost", ("0", "1")),
        ({f"{POLICY}/boost": "1"}, "cpufreq.policy0.boost", ("0", "1")),
    ],
)
def test_boost_in_each_of_its_places(
    tmp_path: Path, entries: dict[str, str], name: str, choices: tuple[str, ...]
) -> None:
    found = [
        tunable for tunable in tunables(tree(tmp_path, {**BASE, **entries})).values() if tunable.role is Role.BOOST
    ]
    assert [(tunable.name, tunable.choices) for tunable in found] == [(name, choices)]


@pytest.mark.parametrize("garbage", ["", "nonsense", "-1", "0", "\xff\x00", "9" * 400])
def test_garbage_in_every_file_stops_nothing(tmp_path: Path, garbage: str) -> None:
    root = tree(tmp_path, dict.fromkeys([*BASE, *EPP, f"{CPUS}/cpufreq/boost"], garbage))
    with opened(root, cpufreq.probe_sources) as sources:
        assert sampled(sources).readings == {}
    for tunable in tunables(root).values():
        assert tunable.choices or tunable.minimum <= tunable.maximum
