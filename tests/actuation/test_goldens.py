"""The ordered writes on every recorded machine, for every profile: chosen, then too hot, then put back.

Goldens stand in tests/actuation/goldens; ``pytest tests/actuation/test_goldens.py --write-goldens`` makes them anew. A
run of writes of one value to files that differ in numbers alone is one line: ``policy{0..11}``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path

import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import ACTUATORS
from gamesad.hardware.sysfs import Sysfs
from gamesad.policy.bounds import allowed
from gamesad.policy.profiles import settings_for
from gamesad.policy.shaping import shaped
from gamesad.types import Controls, Heat, Profile, Value
from tests.support.policy_machines import PROFILES

GOLDENS = Path(__file__).parent / "goldens"
MACHINES = (
    "lact-a380-xe", "lact-phoenix", "lact-rtx4080", "lact-rx580", "lact-rx6600", "lact-rx7800xt", "lact-rx9070",
    "lact-tigerlake", "lact-vangogh", "lact-vega56", "pepc-adl0", "pepc-dell-latitude-5420-tgl", "procfs",
)  # fmt: skip


class Written(Sysfs):
    """A tree that keeps account of its writes; they happen too."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.writes: list[tuple[str, str]] = []

    def write(self, path: str, text: str) -> None:
        self.writes.append((path, text))
        super().write(path, text)


@pytest.fixture(scope="module")
def copies(machines: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Trees that may be written to."""
    folder = tmp_path_factory.mktemp("copies")
    assert set(machines) == set(MACHINES), "every recorded machine has its golden"
    return {name: shutil.copytree(root, folder / name, symlinks=True) for name, root in machines.items()}


@pytest.mark.parametrize("machine", MACHINES)
def test_writes_are_those_of_the_golden_and_everything_is_put_back(
    copies: dict[str, Path], machine: str, tmp_path: Path, golden: Callable[[Path, str], None]
) -> None:
    sysfs = Written(str(copies[machine]))
    before = _values(sysfs)
    text = ""
    for profile in PROFILES.values():
        text += f"== {profile.name}\n" + _story(sysfs, profile, tmp_path / profile.name)
        assert _values(sysfs) == before, f"{machine}: {profile.name} leaves something behind"
    golden(GOLDENS / f"{machine}.txt", text)


def _story(sysfs: Written, profile: Profile, run: Path) -> str:
    actuators = [actuator for probe in ACTUATORS for actuator in probe(sysfs)]
    executor = Executor(actuators, Baseline.load(str(run / "run"), str(run / "state"), sysfs))
    controls = executor.controls
    base = settings_for(profile, controls)
    hot = shaped(base, controls, dict.fromkeys((Heat.CPU, Heat.GPU), 0.0), _drawn(controls))
    stories: Mapping[str, Mapping[str, Value]] = {
        "chosen": base,
        "too hot": hot,
        "failsafe": allowed(hot, controls, dict.fromkeys(Heat, 0.0)).settings,
    }
    text = ""
    for title, settings in stories.items():
        sysfs.writes.clear()
        assert not executor.apply(settings).rejected
        text += f"-- {title}\n" + _told(sysfs.writes)
    sysfs.writes.clear()
    assert not executor.restore().left
    return text + "-- put back\n" + _told(sysfs.writes)


def _drawn(controls: Controls) -> dict[str, float]:
    """Every limited place draws as much as it may."""
    return {limit.meter or limit.name.rpartition(".")[0] + ".power": 1000.0 for limit in controls.tunables.values()}


def _values(sysfs: Sysfs) -> dict[str, Value]:
    actuators = [actuator for probe in ACTUATORS for actuator in probe(sysfs)]
    return {tunable.path: actuator.read(tunable) for actuator in actuators for tunable in actuator.tunables()}


def _told(writes: list[tuple[str, str]]) -> str:
    lines = []
    for _alike, run in groupby(writes, key=lambda write: (re.sub(r"(policy|cpu)\d+", r"\1", write[0]), write[1])):
        paths = list(run)
        numbers = [re.findall(r"(?:policy|cpu)(\d+)", path) for path, _text in paths]
        path, text = paths[0]
        if len(paths) > 1:
            path = re.sub(r"(policy|cpu)\d+", rf"\1{{{numbers[0][-1]}..{numbers[-1][-1]}}}", path)
        lines.append(f"{_short(path)} {text}\n")
    return "".join(lines)


def _short(path: str) -> str:
    """Without what is the same on every machine."""
    return re.sub(r"^/sys/(devices/pci[0-9a-f:]+/|devices/system/cpu/|class/)", "", path)
