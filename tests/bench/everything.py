"""The whole cycle with all there is: 10 temperatures forecast, three networks learning, shared memory, and a signal."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gamesad import config
from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.bus.events import _message
from gamesad.hardware import ACTUATORS
from gamesad.hardware.sysfs import Sysfs
from gamesad.neural.learner import Learner
from gamesad.pipeline import Pipeline
from gamesad.report import readings_report
from gamesad.telemetry.collector import Collector
from gamesad.types import Intent, Quantity
from tests.bench import trees
from tests.bench.harness import Effort, Row, median, quantile, timed_us
from tests.bench.subject import Cycle, published

TEMPERATURES = 10
_LEARNT_S = 700
"""Until every memory of the models is full."""


def everything(effort: Effort) -> Iterator[Row]:
    """At the real rate, with the daemon's own budget: what a tick takes from its begin to the end of learning."""
    with (
        trees.folder() as root,
        trees.folder() as shm,
        cycle(root) as (ticking, learner),
        published(ticking, shm / "segment") as publishing,
        _heat(root, ticking) as heat,
    ):

        def second() -> None:
            publishing.tick()
            tick = ticking.last
            learner.learn(tick, ticking.pipeline.collector.sensors, 1e9 + tick.snapshot.monotonic_s)
            status = readings_report(publishing._moment)
            _message("StatusChanged", status)._marshall(negotiate_unix_fd=False)

        took_us = []
        measure = timed_us(second)
        for number in range(_LEARNT_S + effort.of(180, 30)):
            heat(number)
            if number >= _LEARNT_S:
                time.sleep(1.0)
            took_us.append(measure())
    quick, slow = took_us[100:_LEARNT_S], took_us[_LEARNT_S:]
    yielded = learner.status()["Life"]["Yielded"]
    count = len(ticking.last.snapshot.readings)
    note = f"{count} sensors, {TEMPERATURES} forecast; {len(slow)} ticks; training yielded in {yielded['training']}"
    yield Row("whole cycle with everything at 1 Hz, p50", median(slow), "µs", must=2000, aim=800, note=note)
    yield Row("whole cycle with everything at 1 Hz, p99", quantile(slow, 0.99), "µs", must=5000, aim=1500)
    note = f"p99 {quantile(quick, 0.99):.0f} µs"
    yield Row("  the same in a tight loop, p50", median(quick), "µs", note=note)


@contextmanager
def cycle(root: Path) -> Iterator[tuple[Cycle, Learner]]:
    """A machine of every kind of sensor with so many temperatures, and what learns on it."""
    trees.whole_machine(root)
    settings = config.load(None)
    sysfs = Sysfs(str(root))
    with closing(Collector(sysfs)) as found:
        temperatures = [one.name for one in found.sensors.values() if one.quantity is Quantity.TEMPERATURE]
    with closing(Collector(sysfs, ignore=temperatures[TEMPERATURES:])) as reading:
        actuators = [actuator for probe in ACTUATORS for actuator in probe(sysfs)]
        executor = Executor(actuators, Baseline(str(root / "run"), str(root / "state")))
        learner = Learner(settings.neural, machine="bench")
        intent = Intent(settings.profiles["performance"], chosen=True, cause="selected by uid 0")
        pipeline = Pipeline(reading, executor, settings, optimizer=learner)
        yield Cycle(pipeline, intent, started_s=1000.0), learner
        executor.restore()


@contextmanager
def _heat(root: Path, ticking: Cycle) -> Iterator[Callable[[int], None]]:
    """A function that lets a second pass: load in bursts, and every temperature after it in its own time."""
    sensors = ticking.pipeline.collector.sensors.values()
    paths = [f"{root}{one.path}" for one in sensors if one.quantity is Quantity.TEMPERATURE]
    handles = [os.open(path, os.O_WRONLY) for path in paths]
    others = {path: os.open(f"{root}{path}", os.O_WRONLY) for path in trees.MOVING}
    warm = [50.0] * len(handles)

    def heat(number: int) -> None:
        load = 0.5 + 0.5 * math.sin(number / 40.0) * math.sin(number / 7.0)
        for path, text in trees.moving(number * (1 + load)).items():
            os.pwrite(others[path], text.encode(), 0)
        for place, handle in enumerate(handles):
            warm[place] += (45.0 + 35.0 * load - warm[place]) / (2.0 + place)
            os.pwrite(handle, b"%d\n" % (round(warm[place]) * 1000), 0)

    try:
        yield heat
    finally:
        for handle in itertools.chain(handles, others.values()):
            os.close(handle)
