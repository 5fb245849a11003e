"""Pressure stall information of /proc/pressure (Documentation/accounting/psi.rst).

Per resource the share of time in which some tasks, or all of them (full), stood still for want of it: the kernel's
average over 10 s, and since the last sample from its running total. A kernel booted with psi=0 answers EOPNOTSUPP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gamesad.hardware.base import Sink
from gamesad.hardware.counters import SHORTEST_S
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Quantity, Rejection, Sensor

_LINE = re.compile(rb"(some|full) avg10=([0-9]{1,3}\.[0-9]{2}) .*total=([0-9]{1,20})$", re.MULTILINE)


def probe_sources(sysfs: Sysfs) -> list[Pressure]:
    found: list[Pressure] = []
    for resource in ("cpu", "memory", "io"):
        try:
            text = sysfs.read(f"/proc/pressure/{resource}")
        except OSError:
            continue
        kinds = [line.split(" ", 1)[0] for line in text.splitlines()]
        # "full" of the processor is undefined for the whole system and always 0 (psi.rst).
        if kinds := [kind for kind in kinds if kind == "some" or (kind == "full" and resource != "cpu")]:
            found.append(Pressure(sysfs, resource, kinds))
    return found


class Pressure:
    slow = False
    period_s = 1.0

    def __init__(self, sysfs: Sysfs, resource: str, kinds: Sequence[str]) -> None:
        self.name = f"pressure.{resource}"
        self._sysfs = sysfs
        self._path = f"/proc/pressure/{resource}"
        self._kinds = tuple(dict.fromkeys(kinds))
        self._handle: int | None = None
        self._last: dict[str, int] = {}
        self._last_s = 0.0
        self._shares = Sink()

    def sensors(self) -> Sequence[Sensor]:
        resource = self.name.partition(".")[2]
        return [
            Sensor(f"{self.name}.{kind}{suffix}", Quantity.PRESSURE, f"{resource} {kind}{words}", path=self._path)
            for kind in self._kinds
            for suffix, words in (("_avg10", " pressure, 10 s"), ("", " pressure"))
        ]

    def sample(self, now_s: float, sink: Sink) -> None:
        try:
            if self._handle is None:
                self._handle = self._sysfs.open(self._path)
            text = self._sysfs.pread(self._handle, 256, 0)
        except OSError as error:
            self._fail(errno_name(error), now_s, sink)
            return
        lines = {match[1].decode(): match for match in _LINE.finditer(text)}
        totals_us = {kind: int(match[3]) for kind, match in lines.items()}
        if not self._last or now_s < self._last_s or now_s - self._last_s >= SHORTEST_S:
            self._shares = self._compare(totals_us, now_s)
            self._last, self._last_s = totals_us, now_s
        for kind in self._kinds:
            self._average(kind, lines.get(kind), now_s, sink)
        sink.readings.update(self._shares.readings)
        sink.absent.update(self._shares.absent)

    def close(self) -> None:
        if self._handle is not None:
            self._sysfs.close(self._handle)
            self._handle = None

    def _average(self, kind: str, line: re.Match[bytes] | None, now_s: float, sink: Sink) -> None:
        name = f"{self.name}.{kind}_avg10"
        if line is None:
            sink.absent[name] = Absence("unparseable", now_s)
        elif (percent := float(line[2])) <= 100.0:
            sink.readings[name] = percent / 100.0
        else:
            sink.rejected[name] = Rejection(percent / 100.0, "outside what is possible, 0 to 1")

    def _compare(self, totals_us: dict[str, int], now_s: float) -> Sink:
        shares = Sink()
        for kind in self._kinds:
            name, total_us, last_us = f"{self.name}.{kind}", totals_us.get(kind), self._last.get(kind)
            if total_us is None:
                shares.absent[name] = Absence("unparseable", now_s)
            elif last_us is None or now_s <= self._last_s:
                shares.absent[name] = Absence("first sample", now_s)
            elif total_us < last_us:
                shares.absent[name] = Absence("counter went back", now_s)
            else:
                # The total is brought up to date every 2 s or on a read, so a share may pass 1 by a little.
                shares.readings[name] = min(1.0, (total_us - last_us) / (now_s - self._last_s) / 1e6)
        return shares

    def _fail(self, cause: str, now_s: float, sink: Sink) -> None:
        self.close()
        self._last = {}
        for sensor in self.sensors():
            sink.absent[sensor.name] = Absence(cause, now_s)
