"""CPU time of /proc/stat, in total and per CPU, and the load averages of /proc/loadavg.

Documentation/filesystems/proc.rst §1.8. One pread of the first lines: the rest of the file (interrupts) is long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gamesad.hardware.base import Sink, Source
from gamesad.hardware.counters import SHORTEST_S
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Quantity, Rejection, Sensor

_STAT = "/proc/stat"
_LINE_SIZE = 224  # "cpu1023" and ten counters of 64 bits
_LOADS = ("load1", "load5", "load15")


def probe_sources(sysfs: Sysfs) -> list[Source]:
    sources: list[Source] = []
    try:
        lines = sysfs.read(_STAT).splitlines()
    except OSError:
        lines = []
    if cpus := [line.split()[0] for line in lines if re.match(r"cpu[0-9]* ", line)]:
        sources.append(CpuTime(sysfs, cpus))
    if sysfs.exists("/proc/loadavg"):
        sources.append(Load(sysfs))
    return sources


class CpuTime:
    """Share of time not idle since the last sample. Time waiting for a disk is idle time.

    A CPU set offline loses its line: "offline". One that comes back starts with a first sample.
    """

    name = "cpu"
    slow = False
    period_s = 1.0

    def __init__(self, sysfs: Sysfs, cpus: Sequence[str]) -> None:
        self._sysfs = sysfs
        self._names = {cpu.encode(): "cpu.utilization" if cpu == "cpu" else f"cpu.{cpu}.utilization" for cpu in cpus}
        self._size = _LINE_SIZE * (len(self._names) + 1)
        self._handle: int | None = None
        self._last: dict[bytes, tuple[int, int]] = {}
        self._last_s = 0.0
        self._shares = Sink()

    def sensors(self) -> Sequence[Sensor]:
        return [
            Sensor(name, Quantity.UTILIZATION, "CPU" if cpu == b"cpu" else cpu.decode().upper(), path=_STAT)
            for cpu, name in self._names.items()
        ]

    def sample(self, now_s: float, sink: Sink) -> None:
        elapsed_s = now_s - self._last_s
        if not self._last or elapsed_s < 0 or elapsed_s >= SHORTEST_S:
            try:
                seen = self._read()
                self._shares = self._compare(seen, now_s)
                self._last, self._last_s = seen, now_s
            except OSError as error:
                self._fail(errno_name(error), now_s)
            except ValueError:
                self._fail("unparseable", now_s)
        sink.readings.update(self._shares.readings)
        sink.absent.update(self._shares.absent)

    def close(self) -> None:
        if self._handle is not None:
            self._sysfs.close(self._handle)
            self._handle = None

    def _read(self) -> dict[bytes, tuple[int, int]]:
        """CPU → (all jiffies, idle jiffies)."""
        if self._handle is None:
            self._handle = self._sysfs.open(_STAT)
        seen: dict[bytes, tuple[int, int]] = {}
        for line in self._sysfs.pread(self._handle, self._size, 0).split(b"\n"):
            if not line.startswith(b"cpu"):
                break
            cpu, *fields = line.split()
            # user nice system idle iowait irq softirq steal; guest time is within user already
            times = [int(field) for field in fields[:8]]
            seen[cpu] = sum(times), sum(times[3:5])
        if not seen:
            raise ValueError(_STAT)
        return seen

    def _compare(self, seen: dict[bytes, tuple[int, int]], now_s: float) -> Sink:
        shares = Sink()
        for cpu, name in self._names.items():
            present, last = seen.get(cpu), self._last.get(cpu)
            if present is None:
                shares.absent[name] = Absence("offline", now_s)
            elif last is None:
                shares.absent[name] = Absence("first sample", now_s)
            elif (elapsed := present[0] - last[0]) <= 0:
                shares.absent[name] = Absence("counter went back" if elapsed < 0 else "counter stands still", now_s)
            else:
                # iowait may go back a little (proc.rst says so), hence the bounds
                shares.readings[name] = min(1.0, max(0.0, 1.0 - (present[1] - last[1]) / elapsed))
        return shares

    def _fail(self, cause: str, now_s: float) -> None:
        self.close()
        self._last, self._last_s = {}, now_s
        self._shares = Sink(absent=dict.fromkeys(self._names.values(), Absence(cause, now_s)))


class Load:
    """Runnable and uninterruptible tasks, averaged over 1, 5 and 15 minutes."""

    name = "load"
    slow = False
    period_s = 5.0

    def __init__(self, sysfs: Sysfs) -> None:
        self._sysfs = sysfs
        self._handle: int | None = None

    def sensors(self) -> Sequence[Sensor]:
        return [
            Sensor(f"load.{load}", Quantity.LEVEL, f"load {load.removeprefix('load')} min", path="/proc/loadavg")
            for load in _LOADS
        ]

    def sample(self, now_s: float, sink: Sink) -> None:
        try:
            if self._handle is None:
                self._handle = self._sysfs.open("/proc/loadavg")
            values = dict(zip(_LOADS, map(float, self._sysfs.pread(self._handle, 128, 0).split()[:3]), strict=True))
        except (OSError, ValueError) as error:
            self.close()
            cause = errno_name(error) if isinstance(error, OSError) else "unparseable"
            for load in _LOADS:
                sink.absent[f"load.{load}"] = Absence(cause, now_s)
            return
        for load, value in values.items():
            if 0.0 <= value <= 1e6:  # not so for nan
                sink.readings[f"load.{load}"] = value
            else:
                sink.rejected[f"load.{load}"] = Rejection(value, "outside what is possible, 0 to 1e+06")

    def close(self) -> None:
        if self._handle is not None:
            self._sysfs.close(self._handle)
            self._handle = None
