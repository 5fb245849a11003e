"""SIGKILL at any moment of an apply, then ``restore`` as a process of its own: every file is as it was before."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.support.apply_loop import PHASES
from tests.support.kernel import CPUFREQ, laptop, values

REPOSITORY = Path(__file__).parents[2]
RESTORE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from gamesad.actuation.restore import restore; "
    "result = restore(*sys.argv[2:]); print(len(result.restored)); print(result.left)"
)
BETWEEN_WRITES = 3
FOREIGN = f"{CPUFREQ}/policy1/scaling_max_freq".strip("/")


class Killed:
    """A machine on a tmpfs and the process that forks what is to be killed."""

    def __init__(self, folder: Path) -> None:
        self.root = laptop(folder / "root")
        self.before = values(self.root)
        self.dirs = [folder / "run", folder / "lib"]
        for place in self.dirs:
            place.mkdir()
        self.marker = folder / "marker"
        self.marker.write_bytes(b"\0")
        script = REPOSITORY / "tests/support/apply_loop.py"
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(self.root), *map(str, self.dirs), str(self.marker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        self.phases: Counter[str] = Counter()
        self.restored: Counter[str] = Counter()

    def kill(self, gate: str, wait_s: float = 0.0) -> str:
        """Fork, kill at the gate (or after a time of its own), and answer the phase in which it struck."""
        self._say(f"fork {gate}")
        lines = [self._hear(), self._hear()]
        pid = next(int(line.removeprefix("pid ")) for line in lines if line.startswith("pid "))
        if gate.startswith("-"):
            time.sleep(wait_s)
        else:
            assert self._hear().startswith("at ")
        os.kill(pid, signal.SIGKILL)
        self._say("reap")
        assert self._hear() == "reaped"
        return PHASES[self.marker.read_bytes()[0]]

    def put_back(self, phase: str) -> str:
        command = [sys.executable, "-I", "-S", "-c", RESTORE, str(REPOSITORY), *map(str, self.dirs), str(self.root)]
        count, left = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        self.phases[phase] += 1
        self.restored[phase] += int(count)
        return left

    def close(self) -> None:
        stdin, stdout = self._pipes()
        stdin.close()
        self.process.wait(timeout=10)
        stdout.close()

    def table(self) -> str:
        rows = [f"{phase:24}{self.phases[phase]:6}{self.restored[phase]:10}" for phase in PHASES]
        return "\n".join([f"{'killed':24}{'times':>6}{'put back':>10}", *rows])

    def _say(self, line: str) -> None:
        self._pipes()[0].write(line + "\n")

    def _hear(self) -> str:
        return self._pipes()[1].readline().strip()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout


@pytest.fixture
def killed() -> Iterator[Killed]:
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="gamesad-test-", dir=place))
    machine = Killed(folder)
    try:
        yield machine
    finally:
        machine.close()
        shutil.rmtree(folder)


def strike(killed: Killed, *, at_random: int, between_writes: int, elsewhere: int) -> None:
    """Kill that many times and look at every file each time; in every fifth round somebody else wrote meanwhile."""
    dice = random.Random(20)
    moments = [("- 0", dice.uniform(0.0, 0.02)) for _ in range(at_random)]
    moments += [(f"{BETWEEN_WRITES} {dice.random()}", 0.0) for _ in range(between_writes)]
    moments += [(f"{phase} {dice.random()}", 0.0) for phase in (1, 2, 4) for _ in range(elsewhere)]
    dice.shuffle(moments)
    for number, (gate, wait_s) in enumerate(moments):
        phase = killed.kill(gate, wait_s)
        expected = dict(killed.before)
        if number % 5 == 0:
            (killed.root / FOREIGN).write_text("600000\n")
            expected[FOREIGN] = "600000"
        left = killed.put_back(phase)
        found = {path: text for path, text in values(killed.root).items() if not path.endswith(".whole")}
        assert found == expected, f"killed {phase} (round {number}); left: {left}\n{killed.table()}"
        assert not [place for folder in killed.dirs for place in folder.iterdir()], left
        (killed.root / FOREIGN).write_text("4700000\n")
    print("\n" + killed.table())
    assert sum(killed.phases.values()) == len(moments)
    assert killed.phases[PHASES[BETWEEN_WRITES]] >= between_writes


def test_after_20_kills_everything_is_as_it_was(killed: Killed) -> None:
    strike(killed, at_random=6, between_writes=8, elsewhere=2)


@pytest.mark.full
def test_after_200_kills_everything_is_as_it_was(killed: Killed) -> None:
    strike(killed, at_random=110, between_writes=60, elsewhere=10)
