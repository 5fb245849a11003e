"""What the anomaly detector finds, how often it is wrong, and what it costs: neural.md's goals, and simulated faults.

``python -m tests.bench.anomaly`` prints the first 20 consecutive sentences of simulated machines with faults.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gamesad.neural.anomaly.detector import Detector, Watched
from gamesad.neural.anomaly.episodes import Episode
from gamesad.types import Heat, Quantity, Sensor
from tests.bench.harness import Effort, Row, median
from tests.support import nab
from tests.support.days import DAY_S, FAULTS, Fault, Life

RATES = ((0.05, 0.55, 0.7), (0.1, 0.6, 0.8), (0.25, 0.75, 0.9))
"""False alarms a day; the share of all windows that must be found, and that is aimed at."""
_HOUR = 3600
_FANLESS = ("fan stops", "fan clogged")


def anomaly(effort: Effort) -> Iterator[Row]:
    yield from windows()
    for count, must_us, aim_us in ((10, 250.0, 100.0), (50, 400.0, 250.0)):
        yield cost(count, effort.of(6000, 1500), must_us, aim_us)
    for kind, seed in (("fanless", 3), ("laptop", 1), ("desktop", 2))[: effort.of(3, 1)]:
        yield from life(kind, seed, days=effort.of(3, 1))


def windows() -> Iterator[Row]:
    """The windows that are missed at each rate, of the series in the recordings, with one threshold for all."""
    default = Path(__file__).parents[3] / "shared" / "recordings"
    every = nab.series(Path(os.environ.get("GAMESAD_RECORDINGS", default)))
    scores = nab.scored(every)
    total = sum(len(one.windows) for one in every)
    for per_day, must, aim in RATES:
        threshold, given = nab.at_rate(every, scores, per_day)
        found = sum(hits for hits, _false in given.values())
        by_series = ", ".join(f"{name} {hits} (+{false})" for name, (hits, false) in given.items())
        yield Row(
            f"NAB windows missed, {per_day:g} false alarms a day",
            1.0 - found / total,
            "",
            must=1.0 - must,
            aim=1.0 - aim,
            note=f"found {found} of {total} (must {must:.0%}, aim {aim:.0%}) at {threshold:.2f}; +false: {by_series}",
        )


def machine_of(count: int) -> dict[str, Sensor]:
    """``count`` temperatures of one processor with power, load, fan and frequency."""
    made = [
        Sensor(f"hwmon.coretemp-isa-0000.temp{i}", Quantity.TEMPERATURE, f"Core {i}", heat=Heat.CPU, driver="coretemp")
        for i in range(count)
    ]
    made += [
        Sensor("powercap.intel-rapl:0.power", Quantity.POWER, "package-0"),
        Sensor("cpu.utilization", Quantity.UTILIZATION, "CPU"),
        Sensor("hwmon.nct6799-isa-0290.fan1", Quantity.FAN, "fan1"),
        Sensor("cpufreq.policy0.frequency", Quantity.FREQUENCY, "CPU 0"),
    ]
    return {sensor.name: sensor for sensor in made}


def cost(count: int, seconds: int, must_us: float, aim_us: float) -> Row:
    """Processor time of a second, the mean: four of five cost next to nothing."""
    sensors, detector, dice = machine_of(count), Detector(per_week=1.0, seed=0), np.random.default_rng(0)
    values = dice.normal(size=(seconds, len(sensors))) + np.linspace(40.0, 60.0, len(sensors))
    moments = [
        Watched(i, float(i), dict(zip(sensors, row.tolist(), strict=True)), sensors, dict.fromkeys(sensors, 1.0))
        for i, row in enumerate(values)
    ]
    spent_us = []
    for moment in moments:
        started_ns = time.thread_time_ns()
        detector.step(moment)
        spent_us.append((time.thread_time_ns() - started_ns) / 1e3)
    late = spent_us[seconds // 3 :]
    note = f"median {median(late):.0f} µs, highest {max(late):.0f} µs"
    return Row(
        f"anomalies, a second of {count} sensors", float(np.mean(late)), "µs", must=must_us, aim=aim_us, note=note
    )


def life(kind: str, seed: int, *, days: int) -> Iterator[Row]:
    """Days without a fault, then each fault for an hour with an hour between, each met by a copy of the detector."""
    it = Life(kind, seed, days=days + 2)
    detector = Detector(per_week=1.0, seed=seed)
    begun = [one for one in it.watch(detector, round(days * DAY_S)) if one.ended_s is None]
    yield Row(
        f"false alarms a week, {kind}, {days} simulated days",
        len(begun) * 7.0 / days,
        "",
        note="; ".join(one.sentence for one in begun) or "none",
    )
    begun = [one for one in it.watch(detector, 9 * _HOUR) if one.ended_s is None]
    results = []
    for fault in faults(kind):
        begun += [one for one in it.watch(detector, _HOUR) if one.ended_s is None]
        copy = Detector(per_week=1.0, seed=seed)
        copy.load(detector.state())
        results.append((fault, hour_of(it, copy, fault)))
    for fault, (after_s, told) in results:
        note = told.sentence if told else "not found within the hour"
        yield Row(f"{fault.name}, {kind}: found after", after_s, "s", note=note)


def faults(kind: str) -> list[Fault]:
    return [fault for fault in FAULTS if not (kind == "fanless" and fault.name in _FANLESS)]


def hour_of(it: Life, detector: Detector, fault: Fault) -> tuple[float, Episode | None]:
    """Seconds until something was told that was not before, and what; infinite for nothing."""
    fault.begin(it)
    began_s, first = it.now_s, None
    for episode in it.watch(detector, _HOUR):
        if first is None and episode.ended_s is None:
            first = episode
    fault.heal(it)
    return (first.began_s - began_s, first) if first else (math.inf, None)


def sentences(count: int = 20) -> Iterator[str]:
    """All that is told, in order, of one machine after another: a day of ordinary use, then faults."""
    for kind, seed in (("laptop", 1), ("desktop", 2), ("small-form-factor", 4), ("fanless", 3)):
        it, detector = Life(kind, seed, days=3), Detector(per_week=20.0, seed=seed)
        told = [*it.watch(detector, round(1.375 * DAY_S))]
        for fault in faults(kind):
            told += it.watch(detector, _HOUR)
            fault.begin(it)
            told += it.watch(detector, _HOUR)
            fault.heal(it)
        for episode in told:
            if episode.ended_s is None and count > 0:
                count -= 1
                day, second = divmod(episode.began_s, DAY_S)
                yield f"{kind}, day {day + 1:.0f}, {second / 3600:05.2f} h: {episode.sentence}"


if __name__ == "__main__":
    for sentence in sentences():
        sys.stdout.write(sentence + "\n")
        sys.stdout.flush()
