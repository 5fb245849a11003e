"""What was recorded runs again: the same readings, the same decisions, and nothing outside is touched."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gamesad.hardware.sysfs import Sysfs
from gamesad.recording.load import load
from gamesad.recording.replay import Replay
from gamesad.simulation import open_machine
from gamesad.telemetry.collector import Collector
from tests.support.machines import rewrite, tree
from tests.support.recorded import Clock, Ticks, put, record, text
from tests.support.trees import HAND_MADE, INTEL_LAPTOP

CPU = "/sys/devices/platform/coretemp.0/hwmon/hwmon3/temp1_input"
HEAD = "gamesad recording 1\nmachine a test\n"


def replay(path: Path, clock: Clock) -> Replay:
    return Replay(load(str(path)), clock)


def test_a_heat_wave_recorded_replays_to_the_same_decisions(tmp_path: Path) -> None:
    clock, minutes = Clock(), 4
    machine = open_machine("laptop/heat-wave", clock=clock)
    seen = Ticks(machine.sysfs, tmp_path, clock)
    times_s = [float(second) for second in range(1, minutes * 60)]
    made, _totals = record(machine.sysfs, times_s=times_s, clock=clock, between=seen.tick)
    path = tmp_path / "heat-wave.gz"
    path.write_bytes(made.data)
    clock = Clock()
    again = Ticks(replay(path, clock).sysfs, tmp_path, clock)
    for now_s in (0.0, *times_s):
        clock.now_s = now_s
        again.tick(now_s)
    assert len({decision.reason for decision in seen.decisions}) > 20, (
        "a heat wave that nobody decides on shows nothing"
    )
    assert {decision.action for decision in seen.decisions} >= {"noop", "throttle"}
    assert again.decisions == seen.decisions
    assert [snapshot.readings for snapshot in again.snapshots] == [snapshot.readings for snapshot in seen.snapshots]
    assert again.executor.controls == seen.executor.controls


@pytest.mark.parametrize("name", HAND_MADE)
def test_a_tree_recorded_is_the_same_machine(name: str, tmp_path: Path) -> None:
    same_machine(tree(tmp_path / "tree", HAND_MADE[name]), tmp_path)


def test_every_recorded_machine_recorded_again_is_the_same_machine(machines: dict[str, Path], tmp_path: Path) -> None:
    for root in machines.values():
        same_machine(root, tmp_path)


def same_machine(root: Path, folder: Path) -> None:
    """Sensors, readings, limits, tunables and what was found; the recording of the replay is the same text."""
    made, _totals = record(Sysfs(str(root)), times_s=[1.0])
    (folder / "made.gz").write_bytes(made.data)
    clock = Clock()
    sysfs = replay(folder / "made.gz", clock).sysfs
    ours, theirs = (Ticks(one, folder, clock) for one in (sysfs, Sysfs(str(root))))
    for now_s in (0.0, 1.0):
        clock.now_s = now_s
        ours.tick(now_s)
        theirs.tick(now_s)
    ours.close()
    theirs.close()
    assert without_root(ours.collector.sensors, "") == without_root(theirs.collector.sensors, str(root))
    assert ours.executor.controls == theirs.executor.controls
    told, expected = ours.snapshots[1], theirs.snapshots[1]
    assert told.readings == expected.readings
    assert told.states == expected.states
    assert told.rejected == expected.rejected
    assert told.absent.keys() == expected.absent.keys()
    again, _totals = record(replay(folder / "made.gz", Clock()).sysfs, times_s=[1.0])
    assert {line for line in text(again).splitlines() if "! unread" not in line} <= set(text(made).splitlines())


def without_root(sensors: object, root: str) -> str:
    return repr(sensors).replace(root, "") if root else repr(sensors)


def test_readings_move_as_they_did_and_stay_at_the_end(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", INTEL_LAPTOP)
    made, totals = record(
        Sysfs(str(root)), times_s=[1.0, 2.0, 3.0], between=lambda at_s: rewrite(root, CPU, f"{60 + int(at_s)}000")
    )
    (tmp_path / "made.gz").write_bytes(made.data)
    clock = Clock()
    sysfs = replay(tmp_path / "made.gz", clock).sysfs
    seen = []
    for clock.now_s in (0.0, 0.9, 1.0, 1.9, 2.0, 3.0, 4.0, 1000.0):
        seen.append(sysfs.read(CPU))
    assert seen == ["61000", "61000", "60000", "60000", "61000", "62000", "62000", "62000"]
    assert totals.moving == 1


def test_an_error_is_recorded_as_one_and_ends_when_it_ended(tmp_path: Path) -> None:
    clock = Clock()
    path = put(
        tmp_path / "made.gz",
        f"{HEAD}0444 /sys/a = 5\nat 0.000\n/sys/a ! ENODATA\nat 1.000\n/sys/a = 6\nat 2.000\nend\n",
    )
    sysfs = replay(path, clock).sysfs
    assert sysfs.read("/sys/a") == "5"
    clock.now_s = 1.0
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        sysfs.read("/sys/a")
    clock.now_s = 2.0
    assert sysfs.read("/sys/a") == "6"


WRITABLE = """0644 /sys/p/scaling_governor = powersave
0444 /sys/p/scaling_available_governors = performance powersave
0644 /sys/p/scaling_max_freq = 4600000
0444 /sys/p/scaling_min_freq = 400000
0644 /sys/p/words = anything
at 0.000
/sys/p/scaling_max_freq = 3000000
at 1.000
end
"""


def test_a_write_is_taken_or_refused_as_a_kernel_would(tmp_path: Path) -> None:
    clock = Clock()
    path = put(tmp_path / "made.gz", HEAD + WRITABLE)
    before = path.read_bytes(), sorted(tmp_path.iterdir())
    sysfs = replay(path, clock).sysfs
    for name, value, refused in (
        ("scaling_governor", "performance", None),
        ("scaling_governor", "schedutil", errno.EINVAL),
        ("scaling_max_freq", "2000000", None),
        ("scaling_max_freq", "fast", errno.EINVAL),
        ("scaling_max_freq", "", errno.EINVAL),
        ("scaling_min_freq", "500000", errno.EACCES),
        ("scaling_available_governors", "x", errno.EACCES),
        ("words", "others", None),
        ("nothing", "x", errno.ENOENT),
    ):
        if refused is None:
            sysfs.write(f"/sys/p/{name}", value)
            assert sysfs.read(f"/sys/p/{name}") == value
        elif value:
            with pytest.raises(OSError) as failed:
                sysfs.write(f"/sys/p/{name}", value)
            assert failed.value.errno == refused, name
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before
    assert sysfs.writable("/sys/p/scaling_max_freq")
    assert not sysfs.writable("/sys/p/scaling_min_freq")
    clock.now_s = 1.0
    assert sysfs.read("/sys/p/scaling_max_freq") == "2000000", "what was set stays set"


def test_what_nobody_read_is_there_and_has_no_text(tmp_path: Path) -> None:
    path = put(tmp_path / "made.gz", f"{HEAD}0444 /sys/a/x ! unread\n0444 /sys/a/serial ! withheld\nat 0.000\nend\n")
    sysfs = replay(path, Clock()).sysfs
    assert sysfs.list("/sys/a") == ["serial", "x"]
    for name in ("x", "serial"):
        with pytest.raises(OSError) as failed:
            sysfs.read(f"/sys/a/{name}")
        assert failed.value.errno == errno.ENODATA


def test_it_says_that_it_is_a_recording(tmp_path: Path) -> None:
    sysfs = replay(put(tmp_path / "made.gz", f"{HEAD}at 0.000\nend\n"), Clock()).sysfs
    assert sysfs.simulated
    assert sysfs.description == "recording of a test"
    assert Collector(sysfs).sensors == {}


def test_what_is_no_text_comes_back_byte_for_byte(tmp_path: Path) -> None:
    metrics = bytes(range(256)) + b"\n\0 end"
    root = tree(tmp_path / "tree", HAND_MADE["ryzen-desktop"] | {"/proc/device-tree/model": metrics})
    made, _totals = record(Sysfs(str(root)))
    (tmp_path / "made.gz").write_bytes(made.data)
    sysfs = replay(tmp_path / "made.gz", Clock()).sysfs
    handle = sysfs.open("/proc/device-tree/model")
    assert sysfs.pread(handle, 4096) == metrics
