"""The mounted machine: what another process writes is logged, and a writer can be killed at an exact write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from gamesad.hardware.sysfs import Sysfs
from tests.support.fuse_machine import mounted

HIGHEST = "/sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq"
WRITER = """
import os, sys
for text in sys.argv[2:]:
    handle = os.open(sys.argv[1], os.O_WRONLY)
    os.write(handle, text.encode())
    os.close(handle)
"""


def writer(path: Path, *texts: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), *texts])


def test_every_write_of_another_process_is_logged_with_its_outcome(tmp_path: Path) -> None:
    with mounted("laptop/idle", tmp_path) as machine:
        process = writer(machine.root / HIGHEST[1:], "2000000", "3000000", "bogus")
        assert process.wait() == 1
        seen = [(write.path, write.value, write.errno) for write in machine.writes()]
        assert seen == [(HIGHEST, "2000000", ""), (HIGHEST, "3000000", ""), (HIGHEST, "bogus", "EINVAL")]
        assert {write.pid for write in machine.writes()} == {process.pid}


@pytest.mark.parametrize(("applied", "drop", "left"), [(False, True, "1000000"), (True, False, "2000000")])
def test_a_writer_killed_at_a_write_leaves_it_undone_or_done(
    tmp_path: Path, applied: bool, drop: bool, left: str
) -> None:
    with mounted("laptop/idle", tmp_path) as machine:
        machine.stop_at(2, applied=applied)
        process = writer(machine.root / HIGHEST[1:], "1000000", "2000000", "3000000")
        assert machine.wait_stopped()
        process.kill()
        machine.release(drop=drop)
        assert process.wait() == -9
        assert Sysfs(str(machine.root)).read(HIGHEST) == left
        assert [write.value for write in machine.writes()] == ["1000000", "2000000"]
        assert machine.writes()[1].errno == ("DROPPED" if drop else "")


def test_the_machine_lives_and_its_faults_are_set_from_outside(tmp_path: Path) -> None:
    with mounted("laptop/compile", tmp_path, speed=0.0) as machine:
        sysfs = Sysfs(str(machine.root))
        cold = int(sysfs.read("/sys/class/thermal/thermal_zone1/temp"))
        machine.advance(20.0)
        assert int(sysfs.read("/sys/class/thermal/thermal_zone1/temp")) > cold + 20_000
        assert machine.truth()["time_s"] == pytest.approx(20.0)
        with pytest.raises(PermissionError):  # at open already, for root as well
            os.open(machine.root / "sys/class/hwmon/hwmon2/temp1_input", os.O_WRONLY)
        machine.control("fail_sensor", "/sys/class/hwmon/hwmon2/temp1_input", 61)
        with pytest.raises(OSError, match="No data available"):
            sysfs.read("/sys/class/hwmon/hwmon2/temp1_input")
        machine.reset()
        assert int(sysfs.read("/sys/class/thermal/thermal_zone1/temp")) < cold + 5_000


def test_nothing_stays_mounted_even_when_the_test_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), mounted("fanless/idle", tmp_path) as machine:
        child, root = machine.pid, machine.root
        raise ZeroDivisionError
    assert not psutil.pid_exists(child)
    assert not root.exists()
    assert str(root) not in Path("/proc/mounts").read_text()
