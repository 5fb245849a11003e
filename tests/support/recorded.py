"""Recordings made in tests: of a simulated machine or a tree, by a clock that the test moves."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.config import Config, load
from gamesad.control import Control
from gamesad.hardware import ACTUATORS
from gamesad.hardware.sysfs import Sysfs
from gamesad.pipeline import Pipeline
from gamesad.recording.capture import Capture, Totals
from gamesad.recording.scrub import Scrub
from gamesad.state import Wishes
from gamesad.telemetry.collector import Collector
from gamesad.types import Decision, Snapshot


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Memory:
    """A file in memory; ``data`` is what the kernel would have."""

    data: bytes = b""
    writes: list[int] = field(default_factory=list)

    def write(self, more: bytes) -> None:
        self.data += more
        self.writes.append(len(self.data))


def record(
    sysfs: Sysfs,
    *,
    times_s: Sequence[float] = (),
    clock: Clock | None = None,
    scrub: Scrub | None = None,
    machine: str = "test machine",
    between: Callable[[float], object] = lambda _s: None,
) -> tuple[Memory, Totals]:
    """One recording with samples at 0 and at these times; ``between`` is called after each."""
    memory, clock = Memory(), clock or Clock()
    capture = Capture(sysfs, memory.write, scrub or Scrub(), clock=clock)
    capture.begin(machine)
    between(0.0)
    for at_s in times_s:
        clock.now_s = at_s
        capture.sample()
        between(at_s)
    return memory, capture.end()


def text(memory: Memory) -> str:
    return gzip.decompress(memory.data).decode()


def put(path: Path, said: str | bytes) -> Path:
    path.write_bytes(gzip.compress(said.encode() if isinstance(said, str) else said))
    return path


class Ticks:
    """The ticks of a daemon that observes, each at a time of the test's; ``decisions`` are those that it made."""

    def __init__(self, sysfs: Sysfs, folder: Path, clock: Clock, config: Config | None = None) -> None:
        self._config = config or load(None, search=())
        self.collector = Collector(sysfs, clock=clock)
        baseline = Baseline.load(str(folder), str(folder), sysfs)
        actuators = [actuator for probe in ACTUATORS for actuator in probe(sysfs)]
        self.executor = Executor(actuators, baseline, observe=True, clock=clock)
        self._pipeline = Pipeline(self.collector, self.executor, self._config)
        self._control = Control(self._config, Wishes())
        self.decisions: list[Decision] = []
        self.snapshots: list[Snapshot] = []

    def tick(self, now_s: float) -> None:
        tick = self._pipeline.tick(now_s, self._control.intent(now_s, on_battery=None))
        self.decisions.append(tick.decision)
        self.snapshots.append(tick.snapshot)

    def close(self) -> None:
        self.collector.close()
