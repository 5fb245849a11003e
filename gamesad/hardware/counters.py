"""Rates from counters: energy as watts, throttle events per second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gamesad.hardware.base import FileBatch, NumberFile, Sink
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Absence, Quantity, Rejection, Sensor

SHORTEST_S = 0.05
"""Two reads nearer than this tell nothing: a few counts of resolution would become a large rate."""
_HIGHEST_COUNT = float(2**64)


@dataclass(frozen=True, slots=True)
class Counter:
    """A sensor that is the growth per second of the sum of some files, ÷ ``divisor``; true only up to ``high``."""

    sensor: Sensor
    paths: tuple[str, ...]
    divisor: int
    high: float


class CounterBatch:
    """Absent ("first sample") until two reads lie far enough apart; a counter that went back starts anew.

    A file that comes or goes between two reads (a CPU set offline) is left out of that difference.
    """

    def __init__(self, sysfs: Sysfs, counters: Sequence[Counter]) -> None:
        self._counters = tuple(counters)
        files = {path: counter for counter in counters for path in counter.paths}
        self._files = FileBatch(sysfs, [_number(path, counter.divisor) for path, counter in files.items()])
        self._last: dict[str, float] = {}
        self._last_s = 0.0
        self._rates: Sink = Sink()

    def sample(self, now_s: float, sink: Sink) -> None:
        seen = Sink()
        self._files.sample(now_s, seen)
        elapsed_s = now_s - self._last_s
        if not self._last or elapsed_s >= SHORTEST_S or elapsed_s < 0:
            self._rates = self._compare(seen, now_s, elapsed_s)
            self._last, self._last_s = seen.readings, now_s
        sink.readings.update(self._rates.readings)
        sink.rejected.update(self._rates.rejected)
        sink.absent.update(self._rates.absent)

    def forget(self) -> None:
        """The next sample is a first one: the counter stood still or was reset meanwhile."""
        self._last = {}

    def close(self) -> None:
        self._files.close()

    def _compare(self, seen: Sink, now_s: float, elapsed_s: float) -> Sink:
        rates = Sink()
        for counter in self._counters:
            name = counter.sensor.name
            there = [path for path in counter.paths if path in seen.readings]
            both = [path for path in there if path in self._last]
            growth = [seen.readings[path] - self._last[path] for path in both]
            if not there:
                rates.absent[name] = seen.absent.get(counter.paths[0], Absence("unparseable", now_s))
            elif not both:
                rates.absent[name] = Absence("first sample", now_s)
            elif min(growth) < 0 or elapsed_s <= 0:
                rates.absent[name] = Absence("counter went back", now_s)
            elif (rate := sum(growth) / elapsed_s) <= counter.high:
                rates.readings[name] = rate
            else:
                rates.rejected[name] = Rejection(rate, f"above what is possible, {counter.high:g}")
        return rates


def _number(path: str, divisor: int) -> NumberFile:
    return NumberFile(Sensor(path, Quantity.RATE, path), path, divisor, 0.0, _HIGHEST_COUNT)
