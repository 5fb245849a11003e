"""What every benchmark shares: interleaved measuring, quantiles, rows with their verdict, and the machine in words."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Measurement = Callable[[], float]
"""Does the thing once and gives what it cost, in whatever unit its row states."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``must`` and ``aim`` bound ``figure``: the ratio, or ``ours`` without a floor."""

    what: str
    ours: float
    unit: str
    floor: float | None = None
    must: float | None = None
    aim: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def figure(self) -> float:
        return self.ours if self.ratio is None else self.ratio

    @property
    def missed(self) -> bool:
        return self.must is not None and self.figure > self.must

    @property
    def verdict(self) -> str:
        if self.must is None and self.aim is None:
            return "reported"
        if self.missed:
            return "MISSED"
        return "aim met" if self.aim is not None and self.figure <= self.aim else "met"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure. ``quick`` is for trying things out; what is published is measured at length."""

    quick: bool = False

    def of(self, long: int, quick: int) -> int:
        return quick if self.quick else long


def interleave(rounds: int, *measurements: Measurement, warm_up: int = 3) -> list[list[float]]:
    """A B A B: each measurement once per round, so that what disturbs the machine disturbs all of them alike."""
    for _ in range(warm_up):
        for measure in measurements:
            measure()
    found: list[list[float]] = [[] for _ in measurements]
    for _ in range(rounds):
        for measure, values in zip(measurements, found, strict=True):
            values.append(measure())
    return found


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least ``part`` (0..1) of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)


def timed_us(work: Callable[[], object]) -> Measurement:
    """Microseconds of one call."""

    def measure() -> float:
        started_ns = time.perf_counter_ns()
        work()
        return (time.perf_counter_ns() - started_ns) / 1e3

    return measure


def each_us(work: Callable[[], object], times: int = 200) -> Measurement:
    """Microseconds of one of so many calls in a row: for what costs no more than the clock does."""

    def measure() -> float:
        turns = range(times)
        started_ns = time.perf_counter_ns()
        for _ in turns:
            work()
        return (time.perf_counter_ns() - started_ns) / 1e3 / times

    return measure


def cpu_seconds(pid: int) -> float:
    """CPU time of a process with all its threads, to the nanosecond: the clock that clock_getcpuclockid(3) gives."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def as_installed() -> Iterator[None]:
    """Programs started within find compiled modules, as an installed package has them, and leave none in the source."""
    with tempfile.TemporaryDirectory(prefix="gamesad-bench-") as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        yield


def go_first(*, realtime: bool) -> None:
    """Lets this process and its children run before others, floors and ours alike; only root may.

    ``realtime``: before everything else, so that other work on the machine shows in the caches alone.
    """
    with contextlib.suppress(PermissionError):
        if realtime:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        else:
            os.setpriority(os.PRIO_PROCESS, 0, -20)


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    fields = dict(line.split(":", 1) for line in cpuinfo.splitlines() if ":" in line)
    found = {name.strip(): value.strip() for name, value in fields.items()}
    numbers = [found[key] for key in ("cpu family", "model", "stepping") if key in found]
    virtual = "hypervisor" in found.get("flags", "").split()
    return {
        "processor": f"{found.get('model name', platform.machine())} (family/model/stepping {'/'.join(numbers)})",
        "cores": f"{len(os.sched_getaffinity(0))}{', virtual machine' if virtual else ''}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "priority": "real time" if os.sched_getscheduler(0) == os.SCHED_FIFO else f"nice {os.nice(0)}",
        "load": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "date": time.strftime("%Y-%m-%d"),
    }


def table(rows: Sequence[Row]) -> str:
    """The rows for people, notes below the row they belong to."""
    width = max(len(row.what) for row in rows)
    head = f"{'row':<{width}}  {'ours':>11}  {'floor':>11}  {'ratio':>7}  {'must':>6}  {'aim':>6}  verdict"
    lines = [head, "-" * len(head)]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        ours, floor = _amount(row.ours, row.unit), _amount(row.floor, row.unit)
        bounds = f"{_number(row.must):>6}  {_number(row.aim):>6}"
        lines.append(f"{row.what:<{width}}  {ours:>11}  {floor:>11}  {ratio:>7}  {bounds}  {row.verdict}")
        if row.note:
            lines.append(f"{'':<4}{row.note}")
    return "\n".join(lines)


def _amount(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
