"""Settings reach the files in a safe order, once, and what others do is respected."""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path

import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import cpufreq, energy_perf_bias, platform_profile, powercap
from gamesad.hardware.base import Actuator
from gamesad.types import Value
from tests.support.kernel import CPUFREQ, NO_TURBO, PROFILE, RAPL, Kernel, laptop, values

GOVERNOR = "cpufreq.policy0.scaling_governor"
EPP = "cpufreq.policy0.energy_performance_preference"
MINIMUM = "cpufreq.policy0.scaling_min_freq"
MAXIMUM = "cpufreq.policy0.scaling_max_freq"
LONG = "powercap.intel-rapl:0.constraint_0_power_limit_uw"
SHORT = "powercap.intel-rapl:0.constraint_1_power_limit_uw"
EPP_FILE = f"{CPUFREQ}/policy0/energy_performance_preference"
MAXIMUM_FILE = f"{CPUFREQ}/policy0/scaling_max_freq"


class Machine:
    """A laptop's tree with an executor on it and a clock of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = laptop(tmp_path / "root")
        self.before = values(self.root)
        self.run = tmp_path / "run"
        self.lib = tmp_path / "lib"
        self.run.mkdir()
        self.lib.mkdir()
        self.kernel = Kernel(self.root)
        self.now_s = 100.0
        self.executor = self.start()

    def start(self, *, observe: bool = False) -> Executor:
        baseline = Baseline.load(str(self.run), str(self.lib), self.kernel)
        return Executor(self.actuators(), baseline, observe=observe, clock=lambda: self.now_s)

    def actuators(self) -> list[Actuator]:
        probes = (platform_profile, cpufreq, energy_perf_bias, powercap)
        return [actuator for probe in probes for actuator in probe.probe_actuators(self.kernel)]

    def apply(self, **settings: Value) -> list[str]:
        """What one apply writes."""
        self.kernel.writes.clear()
        self.executor.apply({name.replace("__", "."): value for name, value in settings.items()})
        return self.kernel.written

    def recorded(self) -> dict[str, list[object]]:
        file = self.run / "baseline.json"
        return json.loads(file.read_text())["entries"] if file.exists() else {}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_writes_come_in_the_safe_order_whatever_the_order_of_the_wish(machine: Machine) -> None:
    machine.executor.apply(
        {
            LONG: 15_000_000,
            MAXIMUM: 2_000_000,
            "intel_pstate.no_turbo": "1",
            "cpu0.energy_perf_bias": 15,
            EPP: "power",
            "platform_profile": "low-power",
        }
    )
    assert machine.kernel.written == [
        "acpi/platform_profile=low-power",
        "policy0/energy_performance_preference=power",
        "power/energy_perf_bias=15",
        "intel_pstate/no_turbo=1",
        "policy0/scaling_max_freq=2000000",
        "intel-rapl:0/constraint_0_power_limit_uw=15000000",
    ]


def test_only_differences_are_written(machine: Machine) -> None:
    assert machine.executor.apply({MAXIMUM: 2_000_000, EPP: "balance_performance"}).settings == {MAXIMUM: 2_000_000}
    machine.kernel.writes.clear()
    assert machine.executor.apply({MAXIMUM: 2_000_000, EPP: "balance_performance"}).settings == {}
    assert machine.executor.apply({MAXIMUM: 2_000_000}).settings == {}
    assert machine.kernel.writes == []


def test_what_is_no_longer_wished_for_goes_back_to_what_was_found(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000, LONG: 15_000_000})
    assert machine.executor.apply({LONG: 15_000_000}).settings == {MAXIMUM: 4_700_000}
    assert machine.executor.apply({}).settings == {LONG: 28_000_000}
    assert values(machine.root) == machine.before
    assert machine.recorded() == {}


def test_what_goes_back_goes_in_the_reverse_order_of_its_first_write(machine: Machine) -> None:
    machine.executor.apply({LONG: 15_000_000})
    machine.executor.apply({LONG: 15_000_000, MAXIMUM: 2_000_000, "intel_pstate.no_turbo": "1"})
    assert machine.apply() == [
        "policy0/scaling_max_freq=4700000",
        "intel_pstate/no_turbo=0",
        "intel-rapl:0/constraint_0_power_limit_uw=28000000",
    ]


def test_a_governor_goes_before_its_epp_in_both_directions(machine: Machine) -> None:
    machine.executor.apply({GOVERNOR: "performance"})
    machine.kernel.writes.clear()
    assert not machine.executor.apply({GOVERNOR: "powersave", EPP: "power"}).rejected
    assert machine.kernel.written == [
        "policy0/scaling_governor=powersave",
        "policy0/energy_performance_preference=power",
    ]
    machine.executor.apply({GOVERNOR: "performance", EPP: "performance"})
    machine.kernel.writes.clear()
    machine.executor.apply({})
    assert machine.kernel.written == [
        "policy0/scaling_governor=powersave",
        "policy0/energy_performance_preference=balance_performance",
    ]
    assert values(machine.root) == machine.before


def test_an_epp_that_only_the_governor_moved_goes_back_too(machine: Machine) -> None:
    machine.executor.apply({GOVERNOR: "performance"})
    assert machine.kernel.read(EPP_FILE) == "performance"
    assert machine.executor.writer(EPP) == "found"
    machine.executor.apply({})
    assert values(machine.root) == machine.before
    machine.executor.apply({GOVERNOR: "performance"})
    machine.executor.restore()
    assert values(machine.root) == machine.before


def test_an_epp_that_governor_performance_refuses_is_named_and_not_tried_every_tick(machine: Machine) -> None:
    settings: dict[str, Value] = {GOVERNOR: "performance", EPP: "power"}
    assert machine.executor.apply(settings).rejected[EPP].errno == "EBUSY"
    assert not machine.executor.apply(settings).rejected
    assert machine.executor.refused[EPP].value == "power"


def test_an_epp_refused_while_a_governor_moves_it_is_not_taken_for_a_rounded_one(machine: Machine) -> None:
    settings: dict[str, Value] = {GOVERNOR: "performance", EPP: "balance_performance"}
    for _ in range(2):
        assert machine.executor.apply(settings).rejected[EPP].errno == "EBUSY"
        machine.now_s += 31
    machine.executor.apply({})
    assert values(machine.root) == machine.before


def test_limits_that_a_new_platform_profile_moves_are_set_again(machine: Machine) -> None:
    def firmware(path: str, text: str) -> None:
        if path == PROFILE:
            machine.kernel.set(f"{RAPL}/constraint_0_power_limit_uw", "15000000" if text == "low-power" else "28000000")
            machine.kernel.set(EPP_FILE, "power" if text == "low-power" else "balance_performance")

    machine.kernel.after_write = firmware
    machine.executor.apply({LONG: 20_000_000})
    machine.kernel.writes.clear()
    machine.executor.apply({LONG: 20_000_000, "platform_profile": "low-power"})
    assert machine.kernel.written[0] == "acpi/platform_profile=low-power"
    assert machine.kernel.read(f"{RAPL}/constraint_0_power_limit_uw") == "20000000"
    assert not machine.executor.inspect()
    machine.executor.restore()
    assert values(machine.root) == machine.before


def test_limits_that_firmware_moves_a_second_later_are_not_somebody_elses(machine: Machine) -> None:
    settings: dict[str, Value] = {LONG: 20_000_000, "platform_profile": "low-power"}
    machine.executor.apply(settings)
    machine.now_s += 1
    machine.kernel.set(f"{RAPL}/constraint_0_power_limit_uw", "15000000")
    machine.kernel.set(EPP_FILE, "power")
    assert not machine.executor.inspect()
    applied = machine.executor.apply(settings)
    assert applied.settings == {LONG: 20_000_000}
    assert not applied.foreign
    machine.executor.restore()
    assert values(machine.root) == machine.before


def test_a_limit_that_went_back_and_is_moved_by_a_new_profile_goes_back_once_more(machine: Machine) -> None:
    machine.executor.apply({LONG: 20_000_000})
    machine.executor.apply({"platform_profile": "low-power"})
    machine.now_s += 1
    machine.kernel.set(f"{RAPL}/constraint_0_power_limit_uw", "15000000")
    assert not machine.executor.inspect()
    machine.executor.restore()
    assert values(machine.root) == machine.before


def test_a_limit_that_went_back_is_watched_while_a_new_profile_may_move_it(machine: Machine) -> None:
    machine.executor.apply({LONG: 20_000_000})
    machine.executor.apply({"platform_profile": "low-power"})
    assert machine.recorded()[LONG][2:4] == [28_000_000, None], "its original, and nothing intended"
    assert machine.executor.writer(LONG) == "found"


def test_what_a_profile_of_ours_may_move_is_somebody_elses_once_it_had_time_to_settle(machine: Machine) -> None:
    machine.executor.apply({"platform_profile": "low-power"})
    machine.now_s += 10
    machine.kernel.set(EPP_FILE, "power")
    assert not machine.executor.inspect(), "never ours, so nobody contests it"
    machine.executor.restore()
    assert machine.kernel.read(EPP_FILE) == "power"
    assert machine.kernel.read(PROFILE) == "balanced"


def test_a_refused_profile_leaves_nothing_to_watch(machine: Machine) -> None:
    machine.kernel.refusing[PROFILE] = errno.EBUSY
    assert machine.executor.apply({"platform_profile": "low-power"}).rejected
    assert machine.recorded() == {}


def test_a_range_is_widened_before_it_is_narrowed(machine: Machine) -> None:
    assert machine.apply(**{MAXIMUM: 1_000_000, MINIMUM: 800_000}) == [
        "policy0/scaling_min_freq=800000", "policy0/scaling_max_freq=1000000",
    ]  # fmt: skip
    assert machine.apply(**{MAXIMUM: 3_000_000, MINIMUM: 2_000_000}) == [
        "policy0/scaling_max_freq=3000000", "policy0/scaling_min_freq=2000000",
    ]  # fmt: skip
    assert machine.apply(**{MAXIMUM: 1_500_000, MINIMUM: 1_000_000}) == [
        "policy0/scaling_min_freq=1000000", "policy0/scaling_max_freq=1500000",
    ]  # fmt: skip


def test_a_maximum_below_the_minimum_brings_the_minimum_along_and_back(machine: Machine) -> None:
    machine.kernel.set(f"{CPUFREQ}/policy0/scaling_min_freq", "2000000")
    machine.before = values(machine.root)
    machine.executor = machine.start()
    assert machine.executor.apply({MAXIMUM: 1_000_000}).settings == {MINIMUM: 1_000_000, MAXIMUM: 1_000_000}
    assert machine.executor.apply({MAXIMUM: 3_000_000}).settings == {MINIMUM: 2_000_000, MAXIMUM: 3_000_000}
    machine.executor.apply({})
    assert values(machine.root) == machine.before


def test_a_maximum_stops_at_a_minimum_that_cannot_be_moved(machine: Machine) -> None:
    machine.kernel.set(f"{CPUFREQ}/policy0/scaling_min_freq", "2000000")
    machine.executor = machine.start()
    machine.kernel.refusing[f"{CPUFREQ}/policy0/scaling_min_freq"] = errno.EPERM
    applied = machine.executor.apply({MAXIMUM: 1_000_000})
    assert applied.settings == {MAXIMUM: 2_000_000}
    assert applied.rejected[MINIMUM].errno == "EPERM"
    assert "cross" in applied.rejected[MAXIMUM].reason


def test_the_short_limit_stays_above_the_long_one_on_the_way(machine: Machine) -> None:
    machine.executor.apply({LONG: 10_000_000, SHORT: 16_000_000})
    assert [text for _path, text in machine.kernel.writes] == ["10000000", "16000000"]
    machine.kernel.writes.clear()
    machine.executor.apply({LONG: 25_000_000, SHORT: 30_000_000})
    assert [text for _path, text in machine.kernel.writes] == ["30000000", "25000000"]


def test_what_the_kernel_rounds_is_in_force_and_not_written_again(machine: Machine) -> None:
    machine.kernel.rounding[f"{RAPL}/constraint_0_power_limit_uw"] = lambda text: str(int(text) // 125000 * 125000)
    assert machine.executor.apply({LONG: 10_100_000}).settings == {LONG: 10_000_000}
    machine.kernel.writes.clear()
    for _ in range(5):
        machine.now_s += 1
        assert not machine.executor.inspect()
        machine.executor.apply({LONG: 10_100_000})
    assert machine.kernel.writes == []
    assert machine.executor.writer(LONG) == "gamesad"
    machine.executor.apply({LONG: 10_100_000, "platform_profile": "low-power"})
    assert machine.kernel.written == ["acpi/platform_profile=low-power"]


def test_what_somebody_elses_profile_moves_is_theirs_unless_a_governor_of_ours_moves_it_too(machine: Machine) -> None:
    machine.executor.apply({"platform_profile": "low-power", GOVERNOR: "performance"})
    machine.kernel.set(f"{CPUFREQ}/policy1/energy_performance_preference", "power")
    machine.now_s += 1
    machine.executor.inspect()
    machine.now_s += 10
    machine.kernel.set(PROFILE, "performance")
    assert machine.executor.inspect() == {"platform_profile": "performance"}
    machine.executor.restore()
    assert machine.kernel.read(f"{CPUFREQ}/policy1/energy_performance_preference") == "power"
    assert machine.kernel.read(EPP_FILE) == "balance_performance"


def test_a_refusal_is_tried_again_after_5_s_then_30_s_then_5_minutes(machine: Machine) -> None:
    machine.kernel.refusing[MAXIMUM_FILE] = errno.EINVAL
    tries = []
    for second in range(700):
        machine.now_s = 100.0 + second
        if machine.executor.apply({MAXIMUM: 2_000_000}).rejected:
            tries.append(second)
    assert tries == [0, 5, 35, 335, 635]
    refusal = machine.executor.refused[MAXIMUM]
    assert (refusal.errno, refusal.value) == ("EINVAL", 2_000_000)
    assert "EINVAL" in refusal.reason
    assert machine.executor.apply({MAXIMUM: 2_100_000}).rejected[MAXIMUM].value == 2_100_000
    assert machine.recorded() == {}


def test_a_refused_value_does_not_stop_the_others(machine: Machine) -> None:
    machine.kernel.refusing[NO_TURBO] = errno.EPERM
    applied = machine.executor.apply({"intel_pstate.no_turbo": "1", MAXIMUM: 2_000_000})
    assert applied.settings == {MAXIMUM: 2_000_000}
    assert applied.rejected["intel_pstate.no_turbo"].errno == "EPERM"


def test_a_value_outside_the_tunable_or_of_no_tunable_is_never_written(machine: Machine) -> None:
    settings: dict[str, Value] = {MAXIMUM: 9_000_000, GOVERNOR: "userspace", "gpu0.clock": 1}
    applied = machine.executor.apply(settings)
    assert {name: refusal.errno for name, refusal in applied.rejected.items()} == {
        MAXIMUM: "EINVAL",
        GOVERNOR: "EINVAL",
        "gpu0.clock": "ENOENT",
    }
    assert machine.executor.apply({**settings, EPP: "power"}).rejected == {}
    assert machine.kernel.written == ["policy0/energy_performance_preference=power"]


def test_somebody_elses_value_is_named_once_and_left_until_a_new_wish(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000})
    machine.kernel.set(MAXIMUM_FILE, "3300000")
    assert machine.executor.inspect() == {MAXIMUM: 3_300_000}
    assert machine.executor.apply({MAXIMUM: 2_000_000}).foreign == {MAXIMUM: 3_300_000}
    assert machine.executor.apply({MAXIMUM: 2_000_000}).foreign == {}
    assert machine.executor.writer(MAXIMUM) == "other"
    assert machine.kernel.read(MAXIMUM_FILE) == "3300000"
    machine.executor.apply({MAXIMUM: 2_500_000})
    assert machine.kernel.read(MAXIMUM_FILE) == "2500000"
    machine.executor.restore()
    assert machine.kernel.read(MAXIMUM_FILE) == "3300000", "what stood there before our last write"


def test_somebody_elses_value_found_at_a_new_wish_is_left_that_once(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000})
    machine.kernel.set(MAXIMUM_FILE, "3300000")
    assert machine.executor.apply({MAXIMUM: 2_100_000}).foreign == {MAXIMUM: 3_300_000}
    assert machine.executor.contested == {MAXIMUM: 1}
    assert machine.kernel.read(MAXIMUM_FILE) == "3300000"
    assert machine.executor.apply({MAXIMUM: 2_000_000}).settings == {MAXIMUM: 2_000_000}


def test_safety_takes_back_more_power_and_never_less(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000, LONG: 20_000_000})
    machine.kernel.set(MAXIMUM_FILE, "4400000")
    machine.kernel.set(f"{RAPL}/constraint_0_power_limit_uw", "9000000")
    machine.executor.inspect()
    assert len(machine.executor.apply({MAXIMUM: 2_000_000, LONG: 20_000_000}).foreign) == 2
    applied = machine.executor.apply({MAXIMUM: 2_000_000, LONG: 20_000_000}, force=True)
    assert applied.settings == {MAXIMUM: 2_000_000}
    assert machine.kernel.read(f"{RAPL}/constraint_0_power_limit_uw") == "9000000"
    machine.executor.apply({})
    assert machine.kernel.read(MAXIMUM_FILE) == "4400000"


def test_a_value_set_before_our_first_write_is_what_goes_back(machine: Machine) -> None:
    machine.kernel.set(f"{CPUFREQ}/policy0/scaling_governor", "performance")
    machine.executor.apply({GOVERNOR: "powersave"})
    assert machine.executor.controls.found[GOVERNOR] == "performance"
    machine.executor.restore()
    assert machine.kernel.read(f"{CPUFREQ}/policy0/scaling_governor") == "performance"


def test_a_value_reset_to_the_original_is_set_again_and_counted(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000})
    for _ in range(3):
        machine.kernel.set(MAXIMUM_FILE, "4700000")
        machine.now_s += 5
        assert machine.executor.inspect() == {MAXIMUM: 4_700_000}
        assert machine.executor.apply({MAXIMUM: 2_000_000}).settings == {MAXIMUM: 2_000_000}
    assert machine.executor.contested == {MAXIMUM: 3}
    machine.now_s += 61
    assert machine.executor.contested == {}


def test_a_platform_profile_changed_by_a_key_is_followed_even_back_to_the_original(machine: Machine) -> None:
    machine.executor.apply({"platform_profile": "performance"})
    machine.kernel.set(PROFILE, "balanced")
    assert machine.executor.inspect() == {"platform_profile": "balanced"}
    assert machine.executor.apply({"platform_profile": "performance"}).foreign == {"platform_profile": "balanced"}
    assert machine.kernel.read(PROFILE) == "balanced"
    assert not (machine.lib / "baseline.json").exists()


def test_a_cpu_that_leaves_is_named_once_and_set_again_when_it_returns(machine: Machine) -> None:
    folder = machine.root / CPUFREQ.strip("/") / "policy1"
    name = "cpufreq.policy1.scaling_max_freq"
    machine.executor.apply({name: 2_000_000})
    away = folder.rename(folder.with_name("offline"))
    machine.executor.rescan(machine.actuators())
    assert name not in machine.executor.controls.tunables
    assert machine.executor.apply({name: 2_100_000}).rejected[name].errno == "ENODEV"
    assert not machine.executor.apply({name: 2_100_000, EPP: "power"}).rejected
    away.rename(folder)
    (folder / "scaling_max_freq").write_text("4600000\n")
    machine.executor.rescan(machine.actuators())
    assert machine.executor.apply({name: 2_100_000, EPP: "power"}).settings == {name: 2_100_000}
    assert machine.executor.controls.found[name] == 4_700_000
    machine.kernel.set(f"{CPUFREQ}/policy1/scaling_max_freq", "3300000")
    assert machine.executor.apply({name: 2_200_000}).foreign == {name: 3_300_000}, "judged again once it is ours"
    machine.kernel.set(f"{CPUFREQ}/policy1/scaling_max_freq", "4700000")
    machine.executor.restore()
    assert values(machine.root) == machine.before


def test_a_cpu_that_leaves_between_two_ticks_is_a_refusal_with_its_errno(machine: Machine) -> None:
    folder = machine.root / CPUFREQ.strip("/") / "policy1"
    folder.rename(folder.with_name("offline"))
    applied = machine.executor.apply({"cpufreq.policy1.scaling_max_freq": 2_000_000, MAXIMUM: 2_000_000})
    assert applied.settings == {MAXIMUM: 2_000_000}
    assert applied.rejected["cpufreq.policy1.scaling_max_freq"].errno == "ENOENT"


def test_a_cpu_that_leaves_while_it_is_written_is_not_offered_until_it_returns(machine: Machine) -> None:
    machine.kernel.refusing[MAXIMUM_FILE] = errno.ENODEV
    assert machine.executor.apply({MAXIMUM: 2_000_000}).rejected[MAXIMUM].errno == "ENODEV"
    assert MAXIMUM not in machine.executor.controls.tunables
    machine.kernel.refusing.clear()
    machine.executor.rescan(machine.actuators())
    assert machine.executor.apply({MAXIMUM: 2_000_000}).settings == {MAXIMUM: 2_000_000}


def test_a_rescan_while_limits_are_lowered_does_not_shrink_what_may_be_set(machine: Machine) -> None:
    machine.executor.apply({LONG: 10_000_000})
    before = machine.executor.controls.tunables[LONG]
    machine.executor.rescan(machine.actuators())
    assert machine.executor.controls.tunables[LONG] == before
    assert machine.executor.controls.found[LONG] == 28_000_000


def test_observe_mode_writes_nothing_at_all(machine: Machine) -> None:
    machine.executor = machine.start(observe=True)
    assert machine.executor.apply({MAXIMUM: 2_000_000, "platform_profile": "low-power"}).settings == {}
    machine.executor.inspect()
    machine.executor.restore()
    assert machine.kernel.writes == []
    assert not list(machine.run.iterdir())
    assert not list(machine.lib.iterdir())
    assert values(machine.root) == machine.before


def test_intended_values_are_on_disk_before_the_first_write(machine: Machine) -> None:
    seen = []
    machine.kernel.after_write = lambda path, _text: seen.append((path, machine.recorded()))
    machine.executor.apply({MAXIMUM: 2_000_000, EPP: "power"})
    for _path, entries in seen:
        assert entries[MAXIMUM][2:5] == [4_700_000, 2_000_000, None]
        assert entries[EPP][2:5] == ["balance_performance", "power", None]
    assert machine.recorded()[MAXIMUM][2:6] == [4_700_000, 2_000_000, None, 2_000_000]


def test_what_cannot_be_recorded_is_not_written_until_it_can(machine: Machine) -> None:
    machine.run.rmdir()
    machine.run.write_text("in the way")
    applied = machine.executor.apply({MAXIMUM: 2_000_000})
    assert machine.kernel.writes == []
    assert applied.rejected[MAXIMUM].errno == "ENOTDIR"
    assert "baseline" in applied.rejected[MAXIMUM].reason
    machine.run.unlink()
    machine.now_s += 5
    assert machine.executor.apply({MAXIMUM: 2_000_000}).settings == {MAXIMUM: 2_000_000}
    assert list(machine.recorded()) == [MAXIMUM]


def test_a_full_disk_for_what_outlives_a_reboot_does_not_stop_the_throttling(machine: Machine) -> None:
    machine.lib.rmdir()
    machine.lib.write_text("in the way")
    applied = machine.executor.apply({"platform_profile": "low-power", MAXIMUM: 2_000_000})
    assert applied.settings == {MAXIMUM: 2_000_000}
    assert applied.rejected["platform_profile"].errno == "ENOTDIR"
    assert machine.kernel.written == ["policy0/scaling_max_freq=2000000"]
    assert list(machine.recorded()) == [MAXIMUM]
    machine.executor.restore()
    assert values(machine.root) == machine.before


def test_restore_goes_back_in_reverse_and_leaves_no_file(machine: Machine) -> None:
    machine.executor.apply({"platform_profile": "low-power", MAXIMUM: 2_000_000, LONG: 15_000_000, EPP: "power"})
    machine.kernel.writes.clear()
    restored = machine.executor.restore()
    assert machine.kernel.written == [
        "intel-rapl:0/constraint_0_power_limit_uw=28000000",
        "policy0/scaling_max_freq=4700000",
        "policy0/energy_performance_preference=balance_performance",
        "acpi/platform_profile=balanced",
    ]
    assert set(restored.restored) == {"platform_profile", MAXIMUM, LONG, EPP}
    assert restored.left == {}
    assert values(machine.root) == machine.before
    assert not list(machine.run.iterdir())
    assert not list(machine.lib.iterdir())
    assert machine.executor.restore().restored == ()


def test_restore_leaves_what_somebody_else_changed_and_says_so(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000, EPP: "power"})
    machine.kernel.set(MAXIMUM_FILE, "3300000")
    restored = machine.executor.restore()
    assert restored.restored == (EPP,)
    assert "3300000" in restored.left[MAXIMUM]
    assert machine.kernel.read(MAXIMUM_FILE) == "3300000"
    assert machine.recorded() == {}


def test_a_refused_restore_is_tried_twice_named_and_kept_for_later(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000, EPP: "power"})
    machine.kernel.refusing[MAXIMUM_FILE] = errno.EBUSY
    restored = machine.executor.restore()
    assert "EBUSY" in restored.left[MAXIMUM]
    assert list(machine.recorded()) == [MAXIMUM]
    machine.kernel.refusing.clear()
    assert machine.executor.restore().restored == (MAXIMUM,)
    assert values(machine.root) == machine.before
    assert machine.recorded() == {}


def test_what_a_restored_profile_moves_or_sets_free_is_put_back_after_it(machine: Machine) -> None:
    machine.executor.apply({"platform_profile": "low-power", LONG: 20_000_000, MAXIMUM: 2_000_000})
    machine.kernel.refusing[MAXIMUM_FILE] = errno.EBUSY

    def firmware(path: str, _text: str) -> None:
        if path == PROFILE:
            machine.kernel.set(f"{RAPL}/constraint_0_power_limit_uw", "21000000")
            machine.kernel.refusing.clear()

    machine.kernel.after_write = firmware
    assert machine.executor.restore().left == {}
    assert values(machine.root) == machine.before


def test_after_a_restore_the_same_settings_are_applied_anew(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000})
    machine.executor.restore()
    assert machine.executor.apply({MAXIMUM: 2_000_000}).settings == {MAXIMUM: 2_000_000}


def test_an_apply_without_a_difference_costs_next_to_nothing(machine: Machine) -> None:
    settings: dict[str, Value] = {MAXIMUM: 2_000_000, EPP: "power", LONG: 15_000_000}
    machine.executor.apply(settings)
    start_s = time.perf_counter()
    for _ in range(1000):
        machine.executor.apply(settings)
    assert time.perf_counter() - start_s < 0.1


class LateKernel(Kernel):
    """A new frequency limit comes into force some reads after its write, as from cpufreq's work queue."""

    reads = 3

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.pending: dict[str, tuple[str, int]] = {}

    def write(self, path: str, text: str) -> None:
        if "scaling_m" not in path:
            super().write(path, text)
            return
        self.writes.append((path, text))
        self.pending[path] = (text, self.reads)

    def read(self, path: str) -> str:
        if path in self.pending:
            text, reads = self.pending[path]
            self.pending[path] = (text, reads - 1)
            if reads == 0:
                del self.pending[path]
                self.set(path, text)
        return super().read(path)


@pytest.fixture
def late(machine: Machine) -> Machine:
    machine.kernel = LateKernel(machine.root)
    machine.executor = machine.start()
    return machine


def test_a_frequency_limit_that_is_late_is_read_back_as_it_came_into_force(late: Machine) -> None:
    applied = late.executor.apply({MINIMUM: 1_000_000, MAXIMUM: 2_000_000})
    assert applied.settings == {MINIMUM: 1_000_000, MAXIMUM: 2_000_000}
    raised = late.executor.apply({MINIMUM: 3_000_000, MAXIMUM: 4_000_000})
    assert (raised.settings, raised.rejected) == ({MINIMUM: 3_000_000, MAXIMUM: 4_000_000}, {})
    assert late.executor.inspect() == {}
    assert late.executor.restore().left == {}
    assert values(late.root) == late.before


def test_a_limit_on_its_way_when_its_writer_is_killed_does_not_outlast_the_restore(late: Machine) -> None:
    late.executor.apply({MAXIMUM: 2_000_000})
    late.kernel.set(MAXIMUM_FILE, "4700000")  # as read before what was written has arrived
    late.kernel.pending = {MAXIMUM_FILE: ("2000000", 10)}
    assert late.start().restore().left == {}
    assert late.kernel.pending.get(MAXIMUM_FILE, ("4700000", 0))[0] == "4700000"
