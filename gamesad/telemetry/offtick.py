"""Reading a source on a thread of its own, so that a device that blocks holds up nothing but itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from gamesad.hardware.base import Sink, Source

FAULTS = (OSError, ValueError, ArithmeticError, LookupError)
"""A source never raises. One that does all the same, on a machine that nobody foresaw, is lost; the others are not."""

_QUICK_S = 0.005


@dataclass(frozen=True, slots=True)
class Result:
    """What one read gave, when (on the clock of the readings) and how long it took."""

    sink: Sink
    at_s: float
    took_s: float


class Reader:
    """Reads a source at once and then every ``period_s``, until retired or stopped.

    ``quick_reads`` is how many reads in a row took next to no time: nothing blocks here after all.

    The thread is a daemon: one that hangs in the kernel (state D) does not keep the process from leaving.
    """

    def __init__(
        self, source: Source, period_s: float, clock: Callable[[], float], result: Result | None = None
    ) -> None:
        self.result = result
        self.started_s = clock()
        self.retired = False
        self._source = source
        self._period_s = period_s
        self._clock = clock
        self.quick_reads = 0
        self._first = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"gamesad {source.name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def wait(self, timeout_s: float) -> Result | None:
        """The first result, after at most ``timeout_s``."""
        self._first.wait(timeout_s)
        return self.result

    def retire(self) -> None:
        """End and leave the source open, for the tick to go on with once the thread is no longer ``alive``."""
        self.retired = True
        self._end.set()

    def stop(self) -> None:
        """End and close the source: the thread does it itself, when the kernel lets go of it."""
        self._end.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._end.is_set():
            sink = Sink()
            at_s, started_s = self._clock(), time.perf_counter()
            try:
                self._source.sample(at_s, sink)
            except FAULTS:
                sink = Sink()
            took_s = time.perf_counter() - started_s
            self.quick_reads = self.quick_reads + 1 if took_s < _QUICK_S else 0
            self.result = Result(sink, self._clock(), took_s)
            self._first.set()
            self._end.wait(self._period_s)
        if not self.retired:
            self._source.close()
