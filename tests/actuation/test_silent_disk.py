"""The disk does not answer: what firmware would keep over a reboot waits for it, everything else is regulated."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import pytest

from gamesad.actuation.restore import restore
from tests.support.executing import EPP, MAXIMUM, MAXIMUM_FILE, Machine
from tests.support.kernel import PROFILE, values
from tests.support.silent_disk import PATIENCE_S, Disk, disk

PLATFORM = "platform_profile"
PROFILE_IS_LOW = "acpi/platform_profile=low-power"


@pytest.fixture
def silent() -> Iterator[Disk]:
    with disk() as silent:
        silent.fall_silent()
        yield silent


def answer(disk: Disk) -> None:
    """The disk answers, and what was under way is done."""
    disk.answer()
    for thread in threading.enumerate():
        if thread.name == "disk":
            thread.join(60)


def on_disk(machine: Machine) -> dict[str, list[object]]:
    file = machine.lib / "baseline.json"
    return json.loads(file.read_text())["entries"] if file.exists() else {}


def test_a_platform_profile_waits_and_everything_else_is_set(machine: Machine, silent: Disk) -> None:
    begun_s = time.monotonic()
    applied = machine.executor.apply({PLATFORM: "low-power", MAXIMUM: 2_000_000, EPP: "power"})
    assert time.monotonic() - begun_s < PATIENCE_S + 0.5
    assert applied.settings == {MAXIMUM: 2_000_000, EPP: "power"}
    assert applied.rejected[PLATFORM].errno == "ETIMEDOUT"
    assert applied.rejected[PLATFORM].reason == (
        f"platform_profile was not set to low-power: {machine.lib}/baseline.json must be on the disk first,"
        " which does not answer; set once it does"
    )
    assert machine.executor.writer(PLATFORM) == "found"
    machine.now_s += 1
    machine.executor.inspect()
    assert machine.executor.apply({PLATFORM: "low-power", MAXIMUM: 1_500_000, EPP: "power"}).rejected == {}
    assert machine.kernel.read(MAXIMUM_FILE) == "1500000"
    assert machine.kernel.read(PROFILE) == "balanced"
    assert machine.executor.contested == {}


@pytest.mark.parametrize("looked", [False, True])
def test_it_is_set_once_the_disk_has_answered_and_recorded_before(machine: Machine, silent: Disk, looked: bool) -> None:
    """Whoever hears first that the disk has answered: an apply, or a look at what others changed."""
    machine.executor.apply({PLATFORM: "low-power"})
    answer(silent)
    silent.fall_silent()
    if looked:
        machine.executor.inspect()
    recorded: list[object] = []
    machine.kernel.after_write = lambda _path, _text: recorded.append(on_disk(machine)[PLATFORM][2:5])
    assert machine.executor.apply({PLATFORM: "low-power"}).settings == {PLATFORM: "low-power"}
    assert recorded == [["balanced", "low-power", None]]
    assert machine.executor.refused == {}
    answer(silent)
    machine.executor.restore()
    assert values(machine.root) == machine.before
    assert not list(machine.lib.iterdir())


def test_what_somebody_set_while_the_disk_was_silent_is_what_goes_back(machine: Machine, silent: Disk) -> None:
    machine.executor.apply({PLATFORM: "low-power"})
    machine.kernel.set(PROFILE, "performance")
    answer(silent)
    machine.executor.apply({PLATFORM: "low-power"})
    assert on_disk(machine)[PLATFORM][2] == "performance"
    assert machine.kernel.read(PROFILE) == "low-power"
    machine.executor.restore()
    assert machine.kernel.read(PROFILE) == "performance"


def test_what_nobody_wishes_any_more_is_not_set_and_leaves_no_file(machine: Machine, silent: Disk) -> None:
    machine.executor.apply({PLATFORM: "low-power"})
    machine.executor.apply({})
    answer(silent)
    machine.executor.inspect()
    machine.executor.apply({})
    assert machine.kernel.writes == []
    assert not list(machine.lib.iterdir())


def test_a_stop_while_the_disk_is_silent_puts_back_at_once(machine: Machine, silent: Disk) -> None:
    machine.executor.apply({PLATFORM: "low-power", MAXIMUM: 2_000_000})
    begun_s = time.monotonic()
    assert machine.executor.restore().restored == (MAXIMUM,)
    assert time.monotonic() - begun_s < PATIENCE_S
    answer(silent)  # after the stop the file may still come, and says nothing that is not so
    assert on_disk(machine)[PLATFORM][2:5] == ["balanced", "low-power", None]
    after = restore(str(machine.run), str(machine.lib), str(machine.root))
    assert (after.restored, after.left) == ((), {})
    assert not list(machine.lib.iterdir())
    assert values(machine.root) == machine.before


def test_a_return_to_what_was_found_while_the_disk_is_silent_leaves_no_file(machine: Machine, silent: Disk) -> None:
    """As before a suspend, and when a rival begins."""
    machine.executor.apply({PLATFORM: "low-power"})
    machine.executor.restore()
    answer(silent)
    machine.executor.inspect()
    assert not list(machine.lib.iterdir())


def test_a_new_value_for_what_is_set_already_waits_too_and_a_kill_meanwhile_is_put_back(
    machine: Machine, silent: Disk
) -> None:
    silent.answer()
    machine.executor.apply({PLATFORM: "low-power"})
    silent.fall_silent()
    machine.executor.apply({PLATFORM: "performance"})
    assert machine.kernel.written == [PROFILE_IS_LOW]
    assert machine.executor.writer(PLATFORM) == "gamesad"
    answer(silent)
    assert on_disk(machine)[PLATFORM][2:5] == ["balanced", "performance", "low-power"]
    assert restore(str(machine.run), str(machine.lib), str(machine.root)).restored == (PLATFORM,)
    assert values(machine.root) == machine.before


def test_what_is_set_goes_back_without_waiting_for_the_disk(machine: Machine, silent: Disk) -> None:
    silent.answer()
    machine.executor.apply({PLATFORM: "low-power"})
    silent.fall_silent()
    assert machine.executor.apply({}).settings == {PLATFORM: "balanced"}
    assert values(machine.root) == machine.before
