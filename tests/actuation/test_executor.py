"""What an apply writes: differences only, and everything back that is no longer wished for."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from gamesad.types import Value
from tests.support.executing import EPP, GOVERNOR, LONG, MAXIMUM, MAXIMUM_FILE, MINIMUM, Machine
from tests.support.kernel import NO_TURBO, RAPL, Kernel, values


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


def test_observe_mode_writes_nothing_at_all(machine: Machine) -> None:
    machine.executor = machine.start(observe=True)
    assert machine.executor.apply({MAXIMUM: 2_000_000, "platform_profile": "low-power"}).settings == {}
    machine.executor.inspect()
    machine.executor.restore()
    assert machine.kernel.writes == []
    assert not list(machine.run.iterdir())
    assert not list(machine.lib.iterdir())
    assert values(machine.root) == machine.before


def test_an_apply_without_a_difference_costs_next_to_nothing(machine: Machine) -> None:
    settings: dict[str, Value] = {MAXIMUM: 2_000_000, EPP: "power", LONG: 15_000_000}
    machine.executor.apply(settings)
    start_s = time.perf_counter()
    for _ in range(1000):
        machine.executor.apply(settings)
    assert time.perf_counter() - start_s < 0.1


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
