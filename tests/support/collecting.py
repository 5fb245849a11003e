"""A collector over sources that a test makes slow, hang or fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gamesad.hardware.base import Sink, Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry.collector import Collector
from gamesad.types import Quantity, Sensor


class FakeSource:
    """A source of one sensor that counts its reads; ``block`` is waited for in every read."""

    period_s = 0.02

    def __init__(self, name: str, *, slow: bool = False, critical: bool = False) -> None:
        self.name = name
        self.slow = slow
        self.block = threading.Event()
        self.block.set()
        self.delay_s = 0.0
        self.reads = 0
        self.closed = False
        self.threads: set[str] = set()
        self._sensor = Sensor(name, Quantity.LEVEL, name, critical=critical)

    def sensors(self) -> Sequence[Sensor]:
        return (self._sensor,)

    def sample(self, now_s: float, sink: Sink) -> None:
        self.threads.add(threading.current_thread().name)
        self.block.wait()
        time.sleep(self.delay_s)
        self.reads += 1
        sink.readings[self.name] = float(self.reads)

    def close(self) -> None:
        self.closed = True


@contextmanager
def collecting(*sources: Source, **options: object) -> Iterator[Collector]:
    collector = Collector(Sysfs("/nonexistent"), [lambda _sysfs: sources], **options)  # type: ignore[arg-type]
    yield collector
    for source in sources:
        if isinstance(source, FakeSource):
            source.block.set()
    collector.close()


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline_s, "did not happen"
        time.sleep(0.002)
