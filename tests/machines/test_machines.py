"""Every recording in this folder is a test: a machine that somebody sent, with what gamesad makes of it.

Copy a recording here and it is probed, read and decided on (without a write) from its start to its end. What is decided
is compared with the file of the same name that ends in .decisions. Until --write-goldens has made it, that test fails.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gamesad.recording.load import load
from gamesad.recording.replay import Replay
from gamesad.types import Quantity, Sensor, Snapshot
from tests.support.recorded import Clock, Ticks

FOLDER = Path(__file__).parent
MACHINES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".gz", ".txt"))


def replayed(path: Path, folder: Path) -> tuple[list[float], Ticks, Mapping[str, Sensor]]:
    """A tick at the time of each sample, and the sensors."""
    clock = Clock()
    recording = load(str(path))
    ticks = Ticks(Replay(recording, clock).sysfs, folder, clock)
    times_s = [sample.at_s for sample in recording.samples]
    for clock.now_s in times_s:
        ticks.tick(clock.now_s)
    sensors = ticks.collector.sensors
    ticks.close()
    return times_s, ticks, sensors


def told(path: Path, folder: Path) -> list[str]:
    """Each decision that differs from the one before it: when, what, why, and the settings that it wants."""
    times_s, ticks, _sensors = replayed(path, folder)
    lines: list[str] = []
    before = ""
    for at_s, decision in zip(times_s, ticks.decisions, strict=True):
        now = f"{decision.action} {decision.source}: {decision.reason} {json.dumps(dict(decision.settings))}"
        if now != before:
            lines.append(f"{at_s:.3f} {now}")
        before = now
    return lines


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_a_machine_is_probed_read_and_decided_on_to_its_end(path: Path, tmp_path: Path) -> None:
    times_s, ticks, sensors = replayed(path, tmp_path)
    assert sensors
    assert times_s[0] == 0.0
    assert len(ticks.decisions) == len(times_s)
    for snapshot in ticks.snapshots:
        assert accounted_for_once(snapshot) == sensors.keys()
    assert all(decision.reason for decision in ticks.decisions)
    for name, sensor in sensors.items():
        assert sensor.label.strip(), name
        assert isinstance(sensor.quantity, Quantity), name
    for decision in ticks.decisions:
        for name, value in decision.settings.items():
            assert ticks.executor.controls.tunables[name].allows(value), (name, value)


def accounted_for_once(snapshot: Snapshot) -> set[str]:
    told = [*snapshot.readings, *snapshot.states, *snapshot.rejected, *snapshot.absent]
    assert len(told) == len(set(told))
    assert all(math.isfinite(value) for value in snapshot.readings.values())
    return set(told)


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_it_is_decided_as_before(path: Path, tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    golden(path.with_suffix(".decisions"), "".join(f"{line}\n" for line in told(path, tmp_path)))
