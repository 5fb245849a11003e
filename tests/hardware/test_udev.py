"""Device events over the real libudev, with devices of a test bed, and without any."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gamesad.hardware import udev

_UNDER_TEST = """
import os, select, sys
from gamesad.hardware.udev import open_monitor
monitor, reason = open_monitor()
assert monitor is not None, reason
assert monitor.drain() == set()
print("ready", flush=True)
while True:
    select.select([monitor.fileno()], [], [], 10)
    changed = monitor.drain()
    if changed:
        print(*sorted(changed), flush=True)
        break
"""
_TEST_BED = """
import gi, subprocess, sys
gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev
bed = UMockdev.Testbed.new()
events = [told.split(":") for told in sys.argv[1].split()]
devices = [bed.add_device(subsystem, name, None, [], more) for subsystem, name, _action, *more in events]
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True)
assert child.stdout.readline() == "ready\\n"
for device, (_subsystem, _name, action, *_more) in zip(devices, events):
    bed.uevent(device, action)
print(child.stdout.read().strip())
sys.exit(child.wait())
"""


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ("block:sdb:add hwmon:hwmon7:add", "hwmon"),
        ("power_supply:BAT0:change:POWER_SUPPLY_CAPACITY:80 thermal:z0:change drm:card0:change cpu:cpu1:online", "cpu"),
        ("power_supply:AC:change:POWER_SUPPLY_ONLINE:1", "power_supply"),
    ],
    ids=["a chip that arrives, not a disk", "what comes and goes, not what changes", "the mains"],
)  # fmt: skip
def test_what_is_noticed(told: str, heard: str) -> None:
    """A battery tells of every percent, a zone of its trips, a card of each monitor: nothing came, nothing went."""
    system_python = "/usr/bin/python3"
    wrapper = shutil.which("umockdev-wrapper")
    if not wrapper or subprocess.run([system_python, "-c", "import gi"], check=False).returncode:
        pytest.skip("umockdev-wrapper and python3-gi are not installed")
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [wrapper, system_python, "-c", _TEST_BED, told, sys.executable, "-c", _UNDER_TEST],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, f"{heard}\n"), result.stderr


def test_without_pyudev_the_reason_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyudev", None)
    monitor, reason = udev.open_monitor()
    assert monitor is None
    assert "pyudev cannot be used" in reason
    assert "\n" not in reason


def test_without_netlink_the_reason_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pyudev = importlib.import_module("pyudev")

    def refuse(_context: object) -> None:
        raise OSError(93, "Protocol not supported")

    monkeypatch.setattr(pyudev.Monitor, "from_netlink", refuse)
    monitor, reason = udev.open_monitor()
    assert monitor is None
    assert "Protocol not supported" in reason


def test_an_overflow_of_events_counts_as_a_change_everywhere() -> None:
    class Overflowing:
        def poll(self, timeout: float) -> None:
            raise OSError(105, "No buffer space available")

    assert udev.Monitor(Overflowing()).drain() == set(udev.SUBSYSTEMS)


def test_the_real_monitor_opens_and_is_quiet() -> None:
    monitor, reason = udev.open_monitor()
    assert monitor is not None, reason
    assert monitor.fileno() >= 0
    monitor.drain()
    monitor.close()
