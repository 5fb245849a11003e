"""The tick's own cost: 100 sensor files, the whole cycle, how it grows, and what it costs at the real rate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from gamesad.hardware.base import FileBatch, NumberFile, Probe, Sink, Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry.collector import Collector
from gamesad.types import Limit, Quantity, Sensor
from tests.bench import trees
from tests.bench.floors import CycleFloor
from tests.bench.harness import Effort, Measurement, Row, interleave, median, quantile, timed_us
from tests.bench.subject import Cycle, collector, cycle, published

SENSORS = 100
SIZES = (10, 30, 100, 300, 1000)


def sensors(effort: Effort) -> Iterator[Row]:
    """Reading 100 number files: the kernel's, and plain ones of which none or all changed since the last read."""
    rounds = effort.of(6000, 1000)
    paths = trees.kernel_attributes(SENSORS)
    with closing(Collector(Sysfs(), [_probe(paths)])) as reading, floor(Path("/"), reading) as c:
        ours, theirs = interleave(rounds, sampling(reading), c.sample_us, warm_up=200)
    note = f"{_p99(ours, theirs)}; Collector.sample; {len(set(paths))} files of /sys/block and /sys/class/net"
    yield Row(f"{SENSORS} sysfs attributes ÷ C pread batch", median(ours), "µs", median(theirs), 1.8, 1.1, note)
    with trees.folder() as root, collector(trees.sensor_files(root, SENSORS)) as reading, floor(root, reading) as c:
        files = [f"{root}{sensor.path}" for sensor in reading.sensors.values()]
        still = interleave(rounds, sampling(reading), c.sample_us, warm_up=200)
        with trees.restless(files) as change:
            _, *moving = interleave(rounds, change, sampling(reading), c.sample_us, warm_up=200)
        if len(c.values) != SENSORS:
            raise RuntimeError(f"the floor read {len(c.values)} of {SENSORS} sensors")
    for what, (ours, theirs) in (("no value changed", still), ("every value changed", moving)):
        note = _p99(ours, theirs)
        yield Row(f"  {SENSORS} files on tmpfs, {what}", median(ours), "µs", median(theirs), note=note)


def whole_cycle(effort: Effort) -> Iterator[Row]:
    """Sense, decide, enforce, compare, publish: Pipeline.tick and Core.publish against the same in C, which publishes
    nothing."""
    with (
        trees.folder() as root,
        trees.folder() as shm,
        cycle(trees.sensor_files(root, SENSORS)) as ticking,
        beside(root, ticking) as c,
        published(ticking, shm / "segment") as publishing,
    ):
        reading = sampling(ticking.pipeline.collector)
        ours, theirs, of_it, alone = interleave(
            effort.of(6000, 1000),
            timed_us(publishing.tick),
            c.cycle_us,
            reading,
            timed_us(ticking.tick),
            warm_up=200,
        )
    crystal_us = median(ours) - median(alone)
    note = f"{_p99(ours, theirs)}; of ours {median(of_it):.0f} µs reading, {crystal_us:.0f} µs Crystal Core"
    yield Row(f"whole cycle ({SENSORS} sensors, no learning) ÷ C", median(ours), "µs", median(theirs), 5, 2, note)
    with trees.folder() as root, cycle(trees.whole_machine(root)) as ticking:
        (mixed,) = interleave(effort.of(3000, 500), timed_us(ticking.tick), warm_up=200)
        count, tunables = len(ticking.pipeline.collector.sensors), len(ticking.pipeline.executor.controls.tunables)
    note = f"p99 {quantile(mixed, 0.99):.0f} µs; {count} sensors of every kind, {tunables} tunables"
    yield Row("  the same on a whole machine", median(mixed), "µs", note=note)


def growth(effort: Effort) -> Iterator[Row]:
    """Cycle time from 10 to 1000 sensors: a line through the origin is the bound."""
    with ExitStack() as stack:
        cycles = [stack.enter_context(cycle(trees.sensor_files(_folder(stack), size))) for size in SIZES]
        measured = interleave(effort.of(1500, 200), *(timed_us(each.tick) for each in cycles), warm_up=20)
    costs = [median(values) for values in measured]
    told = ", ".join(f"{size}: {cost:.0f} µs" for size, cost in zip(SIZES, costs, strict=True))
    yield Row("growth, cycle at 1000 ÷ (100 × cycle at 10)", linear(SIZES, costs), "", must=1, note=told)
    one_more = [(costs[b] - costs[a]) / (SIZES[b] - SIZES[a]) for a, b in ((3, 4), (0, 2))]
    yield Row("  one more sensor, at 300..1000 ÷ at 10..100", one_more[0], "µs", one_more[1])


def rate(effort: Effort) -> Iterator[Row]:
    """The cycle at the real rate, caches cold: ours and the floor in turn, half a period apart."""
    with trees.folder() as root, cycle(trees.sensor_files(root, SENSORS)) as ticking, beside(root, ticking) as c:
        for hertz in (1, 2):
            ours, theirs = _at_rate(hertz, effort.of(100, 10), timed_us(ticking.tick), c.cycle_us)
            yield Row(f"whole cycle at {hertz} Hz, p50", median(ours), "µs", median(theirs), note=f"{len(ours)} cycles")
            note = f"worst {max(ours):.0f} µs, floor {max(theirs):.0f} µs"
            yield Row(f"whole cycle at {hertz} Hz, p99", quantile(ours, 0.99), "µs", quantile(theirs, 0.99), note=note)


def linear(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """What the largest costs, as a part of what it would if cost went with size; 1 = linear, less is better."""
    return costs[-1] / costs[0] / (sizes[-1] / sizes[0])


def sampling(reading: Collector) -> Measurement:
    """Microseconds of one sample of everything, a made-up second after the one before."""
    seconds = iter(range(1000, 1 << 40))
    return timed_us(lambda: reading.sample(float(next(seconds))))


@contextmanager
def floor(root: Path, reading: Collector, limits: Sequence[Limit] = ()) -> Iterator[CycleFloor]:
    """The C floor over the files that the collector reads."""
    made = CycleFloor(str(root).rstrip("/"), list(reading.sensors.values()), limits)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def beside(root: Path, ticking: Cycle) -> Iterator[CycleFloor]:
    """The C floor over the files that a cycle reads, regulating to the same limits."""
    with floor(root, ticking.pipeline.collector, list(ticking.last.limits.values())) as made:
        yield made


def _probe(paths: Sequence[str]) -> Probe:
    """A probe that finds one chip with these files, whatever they hold."""

    def probe(sysfs: Sysfs) -> list[Source]:
        return [_Files(sysfs, paths)]

    return probe


class _Files:
    """A source as the chips of hwmon are, over any files."""

    name = "files"
    slow = False
    period_s = 1.0

    def __init__(self, sysfs: Sysfs, paths: Sequence[str]) -> None:
        self._sensors = [Sensor(f"files.{n}", Quantity.LEVEL, "", path=path) for n, path in enumerate(paths)]
        self._batch = FileBatch(sysfs, [NumberFile(each, each.path, 1, -1e30, 1e30) for each in self._sensors])

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        self._batch.sample(now_s, sink)

    def close(self) -> None:
        self._batch.close()


def _at_rate(hertz: int, cycles: int, *measurements: Measurement) -> list[list[float]]:
    """Each measurement ``cycles`` times, ``hertz`` times a second, evenly apart, at absolute deadlines."""
    found: list[list[float]] = [[] for _ in measurements]
    deadline_s, apart_s = time.monotonic(), 1 / hertz / len(measurements)
    for _ in range(cycles):
        for measure, values in zip(measurements, found, strict=True):
            deadline_s += apart_s
            time.sleep(max(0.0, deadline_s - time.monotonic()))
            values.append(measure())
    return found


def _folder(stack: ExitStack) -> Path:
    return stack.enter_context(trees.folder())


def _p99(ours: Sequence[float], theirs: Sequence[float]) -> str:
    return f"p99 {quantile(ours, 0.99):.0f} µs, floor {quantile(theirs, 0.99):.0f} µs"
