"""The forecast against the goals of neural.md: every trace of the recordings, through the daemon's own evaluation.

A trace is one temperature of one recording; those that move and those that hardly do are told apart by persistence's
error. ``GAMESAD_TRACES``: a folder with more of them. Figures are of what is lost, so that less is better: the error ÷
persistence's is 1 - skill.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gamesad.config import NeuralConfig
from gamesad.errors import Failed
from gamesad.evaluation.formats import load
from gamesad.evaluation.groups import LEAST_SAMPLES, Pool, Trace, pools, traces
from gamesad.evaluation.score import Group, Score, score
from gamesad.neural.grid import Row as Second
from gamesad.neural.thermal import Thermal
from tests.bench.harness import Effort, Row, median

_RECORDINGS = Path(os.environ.get("GAMESAD_RECORDINGS", Path(__file__).parents[2] / ".." / "shared" / "recordings"))
_COSTS = {1: (None, None), 10: (400.0, 200.0), 50: (1000.0, 500.0), 200: (None, None)}
"""Sensors: must and aim, µs."""


def forecast(effort: Effort) -> Iterator[Row]:
    yield from costs(effort)
    scores: list[Score] = []
    for file, found in _scores():
        if isinstance(found, Failed):
            yield Row(f"{file.stem}: not scored", 0.0, "", note=str(found).partition(": ")[2])
        else:
            scores.append(found)
    for pool in pools(scores):
        if pool.group is not Group.STILL:
            yield from goals(pool)
    for trace in traces(scores):
        yield of_trace(trace)


def costs(effort: Effort) -> Iterator[Row]:
    """One second with learning; processor time, as it is in a row of seconds."""
    found: dict[int, float] = {}
    for sensors, (must, aim) in _COSTS.items():
        spent = _seconds(sensors, effort.of(1500, 300))
        found[sensors] = median(spent)
        note = f"mean {np.mean(spent):.0f} µs, highest {max(spent):.0f} µs"
        yield Row(f"a second of {sensors} sensors", found[sensors], "µs", must=must, aim=aim, note=note)
    growth = found[200] / found[1] / 200
    yield Row("growth from 1 to 200 sensors ÷ linear", growth, "", must=1.0, aim=0.1)


def _seconds(sensors: int, seconds: int) -> list[float]:
    rng = np.random.default_rng(0)
    temperatures = np.rint(60 + np.cumsum(rng.normal(size=(seconds, sensors)), axis=0) * 0.5)
    power, limits = 30 + rng.normal(size=(seconds, sensors)), np.full(sensors, 90.0)
    thermal = Thermal([f"sensor {place}" for place in range(sensors)], seed=0)
    spent = []
    for second in range(seconds):
        row = Second(second, temperatures[second], power[second], power[second] / 60, limits)
        started_ns = time.thread_time_ns()
        thermal.step(row)
        spent.append((time.thread_time_ns() - started_ns) / 1e3)
    return spent[seconds // 3 :]


def _scores() -> Iterator[tuple[Path, Score | Failed]]:
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(_RECORDINGS / "traces.tar.xz") as packed:
            packed.extractall(folder, filter="data")
        more = os.environ.get("GAMESAD_TRACES")
        for place in (folder, more) if more else (folder,):
            for file in sorted(Path(place).rglob("*")):
                if file.suffix.lower() in {".csv", ".txt", ".json", ".gz", ".log"}:
                    try:
                        yield file, score(load(str(file)), NeuralConfig())
                    except Failed as error:
                        yield file, error


def goals(pool: Pool) -> Iterator[Row]:
    """The lines of the goals table for one group."""
    group, moves = str(pool.group), pool.group is Group.MOVING
    count = f"{len(pool.traces)} traces"
    mean, last = float(pool.skill.mean()), float(pool.skill[-1])
    bounds = ((0.90, 0.84), (0.90, 0.83)) if moves else ((None, None), (None, None))
    note = f"skill {mean:.1%}, mean of traces {pool.mean:.1%}; {count}"
    yield Row(f"{group}: error ÷ persistence's, pooled", 1 - mean, "", must=bounds[0][0], aim=bounds[0][1], note=note)
    yield Row(f"{group}: the same at step 5", 1 - last, "", must=bounds[1][0], aim=bounds[1][1], note=f"{last:.1%}")
    damped = float(pool.damped.mean())
    yield Row(f"{group}: error ÷ damped Holt's, pooled", 1 - damped, "", must=0.85, aim=0.78, note=f"{damped:.1%}")
    if pool.coverage:
        least, every, most = pool.coverage
        note = f"{every:.3f} of all"
        yield Row(f"{group}: bounds passed, most of a trace", 1 - least, "", must=0.13, aim=0.115, note=note)
        yield Row(f"{group}: bounds kept, most of a trace", most, "", must=0.95, aim=0.93)
    for (origin, moments), (must, aim) in zip(pool.crossings, ((0.62, 0.68), (0.47, 0.58)), strict=False):
        if (found := moments.average_precision) is not None:
            rises = moments.average_precision_of_rises or 0.0
            note = f"average precision {found:.3f}, persistence {rises:.3f}"
            yield Row(
                f"{group}: 1 - average precision, {origin}",
                1 - found,
                "",
                must=1 - must if moves else None,
                aim=1 - aim if moves else None,
                note=note,
            )


def of_trace(trace: Trace) -> Row:
    """Its error ÷ persistence's; never worse by more than 3 % or 0.01 °C, if it is long enough to say."""
    sensor = trace.sensor
    ours, theirs = float(sensor.errors.learnt.mean()), float(sensor.errors.persistence.mean())
    coverage = "unknown" if sensor.coverage is None else f"{sensor.coverage:.3f}"
    note = f"{sensor.group}, {min(sensor.errors.samples)} moments, coverage {coverage}"
    what = f"{Path(trace.path).stem}: {sensor.label}"
    if not theirs > 0:
        return Row(what, ours, "°C", note=note)
    long = min(sensor.errors.samples) >= LEAST_SAMPLES
    must, aim = max(1.03, 1 + 0.01 / theirs), max(1.01, 1 + 0.005 / theirs)
    return Row(what, ours, "°C", floor=theirs, must=must if long else None, aim=aim if long else None, note=note)
