"""All that can be plugged comes and goes: names return, nothing is left open, ours is written again.

25 times; with --full 200 times, which takes a minute and a half.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
THERE = {
    "cpufreq.policy1.frequency",
    "hwmon.amdgpu-pci-0300.temp1",
    "hwmon.coretemp-isa-0000.temp1",
    "hwmon.drivetemp-scsi-00b8-ata1.temp1",
    "hwmon.nct6798-isa-0290.fan1",
    "hwmon.nct6798-isa-0290.temp1",
    "hwmon.nvme-pci-0100.temp1",
    "power_supply.BAT0.charge",
    "power_supply.BAT0.status",
}
DIE = "hwmon.coretemp-isa-0000.temp1"


def looks(folder: Path, program: str, cycles: int, pause_s: float = 0.0) -> list[dict[str, Any]]:
    """What the program saw: bare, then plugged and unplugged in turn."""
    wrapper = shutil.which("umockdev-wrapper")
    gi = "import gi; gi.require_version('UMockdev', '1.0')"
    if not wrapper or subprocess.run([SYSTEM_PYTHON, "-c", gi], check=False, capture_output=True).returncode:
        pytest.skip("umockdev-wrapper, gir1.2-umockdev-1.0 and python3-gi are not installed")
    support = ROOT / "tests" / "support"
    # umockdev's sockets hold ten events, and a busy machine reads them late: a network of its own may hold more.
    roomy = ["unshare", "--net", "sh", "-ec", 'echo 512 >/proc/sys/net/unix/max_dgram_qlen; exec "$@"', "sh"]
    bed = [*roomy, wrapper, SYSTEM_PYTHON, support / "plug_bed.py", str(cycles), str(pause_s)]
    ran = subprocess.run(
        [*bed, sys.executable, support / program, folder],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module", params=[25, pytest.param(200, marks=pytest.mark.full)])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    seen = looks(tmp_path_factory.mktemp("hotplug"), "plugged.py", request.param)
    assert len(seen) == 1 + 2 * request.param
    return seen


def test_each_device_is_found_under_its_name_whatever_its_number(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["sensors"] == []
    for look in seen[1::2]:
        assert set(look["sensors"]) >= THERE
        assert look["sensors"] == seen[1]["sensors"]
        assert look["critical"] == [DIE]
        assert look["lost"] == []


def test_every_kind_of_device_is_heard_of(seen: list[dict[str, Any]]) -> None:
    for look in seen[1:]:
        assert look["heard"] == ["cpu", "drm", "hwmon", "module", "power_supply"]


def test_of_what_is_gone_only_the_critical_sensor_is_still_declared_and_it_is_lost(seen: list[dict[str, Any]]) -> None:
    for look in seen[2::2]:
        assert (look["sensors"], look["lost"]) == ([DIE], [DIE])


def test_what_was_set_is_set_again_when_it_returns(seen: list[dict[str, Any]]) -> None:
    assert {look["written"] for look in seen[1::2]} == {1600000}
    assert {look["written"] for look in seen[2::2]} == {None}


@pytest.mark.parametrize(("what", "wavers"), [("descriptors", 0), ("threads", 0), ("objects", 20)])
def test_nothing_leaks(seen: list[dict[str, Any]], what: str, wavers: int) -> None:
    """Up to two readers that left may still be held when a look is taken, of eight objects each."""
    for plugged in (seen[1::2], seen[2::2]):
        numbers = [look[what] for look in plugged]
        assert numbers[-1] <= max(numbers[:5]) + wavers, numbers[:: len(numbers) // 20]


def test_the_whole_daemon_follows_and_keeps_nothing(tmp_path: Path) -> None:
    seen = looks(tmp_path, "plugged_daemon.py", 3, pause_s=0.1)
    held = [(look["descriptors"], look["threads"]) for look in seen]
    assert held[1::2] == [held[1]] * 3
    assert held[2::2] == [held[0]] * 3
    assert held[1] > held[0]
    assert seen[2]["journal"] == ["gives no reading: ENODEV"]
