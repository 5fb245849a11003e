"""In which order an apply writes: governors before their EPP, ranges never crossed, limits never inverted."""

from __future__ import annotations

import errno

from gamesad.types import Value
from tests.support.executing import EPP, EPP_FILE, GOVERNOR, LONG, MAXIMUM, MINIMUM, SHORT, Machine
from tests.support.kernel import CPUFREQ, values


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
