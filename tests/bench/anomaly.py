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
from tests.support.days import DAY_S, FAULTS, Fault, Life, cpu_name

RATES = ((0.05, 0.55, 0.7), (0.1, 0.6, 0.8), (0.25, 0.75, 0.9))
"""False alarms a day; the share of all windows that must be found, and that is aimed at."""
_HOUR = 9.0
"""Lives begin and are broken in the morning, so that there is ordinary use meanwhile."""
_BROKEN = (("laptop", 1), ("fanless", 3), ("small-form-factor", 4), ("desktop", 2), ("laptop", 5), ("desktop", 6))
_FANLESS = ("fan stops", "fan clogged")


def anomaly(effort: Effort) -> Iterator[Row]:
    yield from windows()
    for count, must_us, aim_us in ((10, 250.0, 100.0), (50, 400.0, 250.0)):
        yield cost(count, effort.of(6000, 1500), must_us, aim_us)
    for kind, seed in (("laptop", 1), ("desktop", 2), ("fanless", 3))[: effort.of(3, 1)]:
        yield from life(kind, seed, days=effort.of(3, 1), fault_s=effort.of(3600, 900))


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
    values[:, [*sensors].index("cpu.utilization")] /= 100.0
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


def life(kind: str, seed: int, *, days: int, fault_s: int) -> Iterator[Row]:
    """Days without a fault, then each fault, as long again between two, and each met by a copy of the detector."""
    it = Life(kind, seed, days=days + 2, hour=_HOUR)
    detector = Detector(per_week=1.0, seed=seed)
    begun = [one for one in it.watch(detector, days * DAY_S) if one.ended_s is None]
    yield Row(
        f"false alarms a week, {kind}, {days} simulated days",
        len(begun) * 7.0 / days,
        "",
        note="; ".join(one.sentence for one in begun) or "none",
    )
    for fault in faults(kind):
        [*_] = it.watch(detector, fault_s)
        copy = Detector(per_week=1.0, seed=seed)
        copy.load(detector.state())
        after_s, note = met(it, copy, fault, fault_s)
        yield Row(f"{fault.name}, {kind}: told after", after_s, "s", note=note)


def faults(kind: str) -> list[Fault]:
    return [fault for fault in FAULTS if not (kind == "fanless" and fault.name in _FANLESS)]


def met(it: Life, detector: Detector, fault: Fault, seconds: int) -> tuple[float, str]:
    """Seconds until something was told that was not before, and what; infinite for nothing, and why."""
    name, began_s, absent_s = cpu_name(it), it.now_s, math.inf
    first: Episode | None = None
    fault.begin(it)
    for readings in it.readings(seconds):
        if fault.sensor and name not in readings:
            absent_s = min(absent_s, it.now_s - began_s)
        told = detector.step(Watched(round(it.now_s), it.now_s, readings, it.sensors, {}))
        first = first or next((one for one in told if one.ended_s is None), None)
    fault.heal(it)
    if first is not None:
        return first.began_s - began_s, first.sentence
    if absent_s < math.inf:
        return math.inf, f"not here: no reading is believed after {absent_s:.0f} s, and telemetry tells that"
    return math.inf, f"not told within {seconds} s"


def sentences(count: int = 20) -> Iterator[str]:
    """All that is told, in order, of one machine after another: a day of ordinary use, then faults of half an hour."""
    for kind, seed in _BROKEN:
        it, detector = Life(kind, seed, days=3, hour=_HOUR), Detector(per_week=20.0, seed=seed)
        for name, episode in _told(it, detector, faults(kind)):
            if episode.ended_s is None:
                day, minute = divmod(round(episode.began_s / 60.0), 1440)
                yield f"{kind}, day {day + 1}, {minute // 60:02}:{minute % 60:02}, {name}: {episode.sentence}"
                count -= 1
                if not count:
                    return


def _told(it: Life, detector: Detector, broken: list[Fault]) -> Iterator[tuple[str, Episode]]:
    yield from (("no fault", one) for one in it.watch(detector, DAY_S))
    for fault in [*broken, *broken]:
        yield from ((f"before: {fault.name}", one) for one in it.watch(detector, 1800))
        fault.begin(it)
        yield from ((fault.name, one) for one in it.watch(detector, 1800))
        fault.heal(it)


if __name__ == "__main__":
    for sentence in sentences():
        sys.stdout.write(sentence + "\n")
        sys.stdout.flush()
