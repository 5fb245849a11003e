"""Whatever is wished for, refused and changed by others: ranges hold, and everything of ours goes back."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.actuation.restore import restore
from gamesad.hardware import cpufreq, energy_perf_bias, platform_profile, powercap
from gamesad.types import Tunable, Value
from tests.support.kernel import Kernel, laptop, values

PROBES = (platform_profile, cpufreq, energy_perf_bias, powercap)
ERRORS = st.sampled_from([errno.EINVAL, errno.EBUSY, errno.EPERM, errno.EIO])
Drawn = tuple[str, list[tuple[int, int]], object]
DRAWS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 6)), max_size=8)
"""(which tunable, which of its values)"""


class Checking(Kernel):
    """Knows what may be written where. The kernel's own rule, minimum ≤ maximum, is in ``Kernel``."""

    allowed: dict[str, Tunable]
    originals: dict[str, str]

    def write(self, path: str, text: str) -> None:
        tunable = self.allowed[path]
        value: Value = text if tunable.choices else int(text)
        assert tunable.allows(value) or text == self.originals[path], f"{tunable.name} = {text}"
        super().write(path, text)


def values_of(tunable: Tunable) -> list[Value]:
    if tunable.choices:
        return list(tunable.choices)
    low, high = tunable.minimum, tunable.maximum
    return [low, high, (low + high) // 2, low + (high - low) // 4, low - 1, high + 1, low + 1]


STEP = st.one_of(
    st.tuples(st.just("apply"), DRAWS, st.booleans()),
    st.tuples(st.just("refuse"), DRAWS, ERRORS),
    st.tuples(st.just("allow"), DRAWS, st.none()),
    st.tuples(st.just("somebody"), DRAWS, st.none()),
    st.tuples(st.just("inspect"), st.just([]), st.none()),
    st.tuples(st.just("wait"), st.just([]), st.sampled_from([1.0, 6.0, 400.0])),
)


class Stage:
    """One machine, on which steps are played and then everything is put back, again and again."""

    def __init__(self, folder: Path) -> None:
        self.root = laptop(folder / "root")
        self.run, self.lib = folder / "run", folder / "lib"
        self.before = values(self.root)
        self.kernel = Checking(self.root)
        self.actuators = [actuator for probe in PROBES for actuator in probe.probe_actuators(self.kernel)]
        self.tunables = [tunable for actuator in self.actuators for tunable in actuator.tunables()]
        self.kernel.allowed = {tunable.path: tunable for tunable in self.tunables}
        self.originals = {tunable.path: self.kernel.read(tunable.path) for tunable in self.tunables}

    def reset(self) -> None:
        """As before the first step, with a daemon that just started."""
        for path, text in self.originals.items():
            self.kernel.set(path, text)
        for place in (self.run, self.lib):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
        self.kernel.originals = dict(self.originals)
        self.kernel.refusing.clear()
        self.now_s = 0.0
        self.theirs: set[str] = set()
        baseline = Baseline.load(str(self.run), str(self.lib), self.kernel)
        self.executor = Executor(self.actuators, baseline, clock=lambda: self.now_s)

    def play(self, steps: list[Drawn], *, crash: bool) -> None:
        self.reset()
        for verb, draws, detail in steps:
            self.step(verb, draws, detail)
        self.kernel.refusing.clear()
        restored = restore(str(self.run), str(self.lib), str(self.root)) if crash else self.executor.restore()
        assert self.unmoved(values(self.root)) == self.unmoved(self.before), restored
        if not self.theirs:
            assert not restored.left
            assert not list(self.run.iterdir())

    def step(self, verb: str, draws: list[tuple[int, int]], detail: object) -> None:
        picked = {}
        for index, value in draws:
            tunable = self.tunables[index % len(self.tunables)]
            picked[tunable.name] = values_of(tunable)[value % len(values_of(tunable))]
        match verb, detail:
            case "apply", force:
                self.executor.apply(picked, force=bool(force))
            case "refuse", int(cause):
                self.kernel.refusing.update(
                    (tunable.path, cause) for tunable in self.tunables if tunable.name in picked
                )
            case "allow", _:
                self.kernel.refusing.clear()
            case "somebody", _:
                for tunable in self.tunables:
                    if tunable.name in picked and tunable.allows(picked[tunable.name]):
                        somebody(self.kernel, tunable, picked[tunable.name], self.theirs)
            case "inspect", _:
                self.executor.inspect()
            case "wait", float(seconds):
                self.now_s += seconds

    def unmoved(self, found: dict[str, str]) -> dict[str, str]:
        """Without what somebody else changed."""
        return {path: text for path, text in found.items() if "/" + path not in self.theirs}


def somebody(kernel: Checking, tunable: Tunable, value: Value, theirs: set[str]) -> None:
    """Somebody else writes; what their write moves or keeps from going back counts as theirs too."""
    folder, _, file = tunable.path.rpartition("/")
    other = {"scaling_min_freq": "scaling_max_freq", "scaling_max_freq": "scaling_min_freq"}.get(file)
    if other is not None:
        end = int(kernel.read(f"{folder}/{other}"))
        if (int(value) > end) if file == "scaling_min_freq" else (int(value) < end):
            return
        theirs.add(f"{folder}/{other}")
    if file == "scaling_governor":
        theirs.add(f"{folder}/energy_performance_preference")
    kernel.set(tunable.path, str(value))
    if (file, value) == ("scaling_governor", "performance"):
        kernel.set(f"{folder}/energy_performance_preference", "performance")
    theirs.add(tunable.path)
    kernel.originals[tunable.path] = str(value)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"))


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, max_size=12), st.booleans())
def test_everything_of_ours_goes_back(stage: Stage, steps: list[Drawn], crash: bool) -> None:
    stage.play(steps, crash=crash)


@pytest.mark.full
@settings(max_examples=500, deadline=None)
@given(st.lists(STEP, max_size=20), st.booleans())
def test_everything_of_ours_goes_back_at_length(stage: Stage, steps: list[Drawn], crash: bool) -> None:
    stage.play(steps, crash=crash)
