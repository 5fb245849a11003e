"""A process that forks children which apply settings in a loop until they are killed; driven by lines on stdin.

    PYTHONPATH=REPOSITORY python apply_loop.py ROOT RUN_DIR STATE_DIR MARKER

``fork PHASE FRACTION`` starts a child that goes on for ever (PHASE ``-``) or stops dead at a point inside PHASE, and
answers ``pid N``, later ``at PHASE``. ``reap`` waits for it and answers ``reaped``. The MARKER file holds the number
of the phase the child is in, kept current through shared memory, so that it is known where a kill struck.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import cpufreq, energy_perf_bias, platform_profile, powercap
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Value

PHASES = ("between applies", "before the record", "record to first write", "between writes", "last write to record")


class Progress:
    """Which phase of an apply the child is in, and where it has to stop."""

    def __init__(self, marker: str) -> None:
        with open(marker, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), 1)
        self.gate: tuple[int, float] | None = None
        self.writes_expected = 0
        self.writes_done = 0

    def enter(self, phase: int) -> None:
        self._page[0] = phase
        if phase == 3:
            place = 1 + int(self.gate[1] * (self.writes_expected - 1)) if self.gate else 0
            stop = self.gate is not None and self.gate[0] == 3 and self.writes_done == place
        else:
            stop = self.gate is not None and self.gate[0] == phase
        if stop:
            os.write(1, f"at {phase}\n".encode())
            while True:
                signal.pause()


class Tree(Sysfs):
    """A plain tree where a value is there whole or not at all, as in the kernel (O_TRUNC then write are two steps)."""

    def __init__(self, root: str, progress: Progress) -> None:
        super().__init__(root)
        self._progress = progress

    def write(self, path: str, text: str) -> None:
        place = self.root + path
        with open(place + ".whole", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.rename(place + ".whole", place)
        progress = self._progress
        progress.writes_done += 1
        progress.enter(3 if progress.writes_done < progress.writes_expected else 4)


class Recorded(Baseline):
    progress: Progress

    def save(self) -> None:
        before_writes = self.progress.writes_done == 0
        super().save()
        self.progress.enter(2 if before_writes else 0)


def wishes() -> list[dict[str, Value]]:
    """Three quite different settings; every apply between them writes 8 to 17 files."""
    slow: dict[str, Value] = {"platform_profile": "low-power", "intel_pstate.no_turbo": "1"}
    fast: dict[str, Value] = {"platform_profile": "performance"}
    for number in range(2):
        slow |= {
            f"cpufreq.policy{number}.energy_performance_preference": "power",
            f"cpufreq.policy{number}.scaling_max_freq": 1_500_000,
            f"cpu{number}.energy_perf_bias": 15,
        }
        fast |= {
            f"cpufreq.policy{number}.scaling_governor": "performance",
            f"cpufreq.policy{number}.scaling_min_freq": 2_000_000,
            f"cpufreq.policy{number}.scaling_max_freq": 4_200_000,
            f"cpu{number}.energy_perf_bias": 0,
        }
    limits: dict[str, Value] = {
        "powercap.intel-rapl:0.constraint_0_power_limit_uw": 15_000_000,
        "powercap.intel-rapl:0.constraint_1_power_limit_uw": 20_000_000,
    }
    return [slow | limits, fast, slow, fast | limits]


class Loop:
    """What is the same in every child: the tree as probed, and how many files each apply of the wishes writes."""

    def __init__(self) -> None:
        root, self._run_dir, self._state_dir, marker = sys.argv[1:5]
        self._progress = Recorded.progress = Progress(marker)
        self._tree = Tree(root, self._progress)
        probes = (platform_profile, cpufreq, energy_perf_bias, powercap)
        self._actuators = [actuator for probe in probes for actuator in probe.probe_actuators(self._tree)]
        self._expected = self._rehearse()

    def run(self, gate: tuple[int, float] | None) -> None:
        """Apply until killed, stopping dead at the gate; half of the gates let the first apply pass."""
        progress, executor = self._progress, self._executor()
        progress.enter(0)
        os.write(1, b"started\n")
        first = True
        while True:
            for index, settings in enumerate(wishes()):
                progress.writes_expected = self._expected[index if first else index + 4]
                progress.writes_done = 0
                progress.gate = gate if not first or index > 0 or gate is None or gate[1] < 0.5 else None
                progress.enter(1)
                executor.apply(settings)
                progress.enter(0)
            first = False

    def _rehearse(self) -> list[int]:
        executor, written = self._executor(), []
        for settings in wishes() * 2:
            self._progress.writes_done = 0
            executor.apply(settings)
            written.append(self._progress.writes_done)
        executor.restore()
        return written

    def _executor(self) -> Executor:
        return Executor(self._actuators, Recorded.load(self._run_dir, self._state_dir, self._tree))


def main() -> None:
    loop = Loop()
    for line in sys.stdin:
        verb, *rest = line.split()
        if verb == "fork":
            pid = os.fork()
            if pid == 0:
                loop.run(None if rest[0] == "-" else (int(rest[0]), float(rest[1])))
            os.write(1, f"pid {pid}\n".encode())
        else:
            os.waitpid(pid, 0)
            os.write(1, b"reaped\n")


if __name__ == "__main__":
    main()
