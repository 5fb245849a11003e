"""A platform profile, which moves other limits by itself, at once or a second later."""

from __future__ import annotations

import errno

from gamesad.types import Value
from tests.support.executing import EPP_FILE, GOVERNOR, LONG, MAXIMUM, MAXIMUM_FILE, Machine
from tests.support.kernel import CPUFREQ, PROFILE, RAPL, values


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


def test_a_platform_profile_changed_by_a_key_is_followed_even_back_to_the_original(machine: Machine) -> None:
    machine.executor.apply({"platform_profile": "performance"})
    machine.kernel.set(PROFILE, "balanced")
    assert machine.executor.inspect() == {"platform_profile": "balanced"}
    assert machine.executor.apply({"platform_profile": "performance"}).foreign == {"platform_profile": "balanced"}
    assert machine.kernel.read(PROFILE) == "balanced"
    assert not (machine.lib / "baseline.json").exists()


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
