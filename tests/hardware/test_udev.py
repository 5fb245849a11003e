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
bed.add_device("block", "sda", None, [], [])
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
assert child.stdout.readline() == "ready\\n"
disk = bed.add_device("block", "sdb", None, [], [])
bed.uevent(disk, "add")
hwmon = bed.add_device("hwmon", "hwmon7", None, [], [])
bed.uevent(hwmon, "add")
print(child.stdout.read().strip())
sys.exit(child.wait())
"""


def test_a_chip_that_arrives_is_noticed_and_a_disk_is_not() -> None:
    system_python = "/usr/bin/python3"
    wrapper = shutil.which("umockdev-wrapper")
    if not wrapper or subprocess.run([system_python, "-c", "import gi"], check=False).returncode:
        pytest.skip("umockdev-wrapper and python3-gi are not installed")
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [wrapper, system_python, "-c", _TEST_BED, sys.executable, "-c", _UNDER_TEST],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "hwmon\n"), result.stderr


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
