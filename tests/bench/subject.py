"""What is measured, put together in this process as the daemon does it: the collector, and the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gamesad import config
from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import ACTUATORS
from gamesad.hardware.sysfs import Sysfs
from gamesad.pipeline import Pipeline
from gamesad.telemetry.collector import Collector
from gamesad.types import Intent, Tick


class Cycle:
    """A pipeline that is ticked once per made-up second, as far as it knows."""

    def __init__(self, pipeline: Pipeline, intent: Intent, started_s: float) -> None:
        self.pipeline = pipeline
        self.intent = intent
        self.now_s = started_s
        self.last = self.tick()

    def tick(self) -> Tick:
        """One whole cycle, everything read."""
        self.now_s += 1.0
        self.last = self.pipeline.tick(self.now_s, self.intent)
        return self.last


@contextmanager
def collector(root: Path) -> Iterator[Collector]:
    with closing(Collector(Sysfs(str(root)))) as made:
        yield made


@contextmanager
def cycle(root: Path) -> Iterator[Cycle]:
    """The tick over the machine under ``root``, with a profile chosen, so that there are settings to compare."""
    settings = config.load(None)
    sysfs = Sysfs(str(root))
    with collector(root) as reading:
        actuators = [actuator for probe in ACTUATORS for actuator in probe(sysfs)]
        executor = Executor(actuators, Baseline(str(root / "run"), str(root / "state")))
        intent = Intent(settings.profiles["performance"], chosen=True, cause="selected by uid 0")
        yield Cycle(Pipeline(reading, executor, settings), intent, started_s=1000.0)
        executor.restore()
