"""What is recorded before it is written, and how everything goes back."""

from __future__ import annotations

import errno

from tests.support.executing import EPP, LONG, MAXIMUM, MAXIMUM_FILE, Machine
from tests.support.kernel import values


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


def test_after_a_restore_the_same_settings_are_applied_anew(machine: Machine) -> None:
    machine.executor.apply({MAXIMUM: 2_000_000})
    machine.executor.restore()
    assert machine.executor.apply({MAXIMUM: 2_000_000}).settings == {MAXIMUM: 2_000_000}
