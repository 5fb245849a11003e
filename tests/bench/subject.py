"""What is measured, put together in this process as the daemon does it: the collector, and the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from gamesad import config
from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.crystal.core import AT_LAST_S, Core, Place
from gamesad.hardware import ACTUATORS
from gamesad.hardware.sysfs import Sysfs
from gamesad.pipeline import Pipeline
from gamesad.report import Moment, ThermalState
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


class Published:
    """A cycle whose ticks also go to shared memory, as the daemon's do; a row of history each."""

    def __init__(self, ticking: Cycle, path: Path) -> None:
        self._cycle = ticking
        pipeline, tick = ticking.pipeline, ticking.last
        self._moment = Moment(
            tick, pipeline.collector.sensors, pipeline.executor.controls, values={}, writers={}, refusals={},
            record=None, thermal_state=ThermalState.COOL, observing="", reverted=(), wall_s=1e9, uptime_s=0.0,
            selected="balanced", holds=0, paused_until_s=None,
        )  # fmt: skip
        place = Place(str(path), "bench", "a machine", simulated=True, stale_after_s=10.0)
        self.core = Core(place, config.CrystalConfig(), self._moment, None, again=False)
        self.core.history.grow()

    def tick(self) -> None:
        tick = self._cycle.tick()
        self._moment = replace(self._moment, tick=tick, wall_s=self._moment.wall_s + 1.0)
        self.core.publish(self._moment, None, ())


@contextmanager
def published(ticking: Cycle, path: Path) -> Iterator[Published]:
    made = Published(ticking, path)
    yield made
    made.core.close(clean=True, patience_s=AT_LAST_S)


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
