"""What somebody else does meanwhile: other values, CPUs that leave, a machine that is probed again."""

from __future__ import annotations

import errno

from tests.support.executing import EPP, GOVERNOR, LONG, MAXIMUM, MAXIMUM_FILE, Machine
from tests.support.kernel import CPUFREQ, RAPL, values


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
