"""Devices that sleep, and how to read them without waking them or keeping them awake.

Documentation/power/runtime_pm.rst: a PCI or SCSI device tells whether it is suspended, and reading that wakes nothing.
Few disks are suspended that way; most fall asleep by a timer of their own, of 5 s at the least (ATA STANDBY), and tell
nobody. Documentation/hwmon/drivetemp.rst: asking them may restart that timer, or block for seconds while they spin up.
A disk that has just worked by itself is awake, and its timer has just been restarted: its statistics tell
(Documentation/admin-guide/iostats.rst), and the commands that drivetemp sends are not counted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gamesad.hardware.base import Sink, Source
from gamesad.hardware.chips import Chip
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Absence, Sensor

_LOOK_S = 4.0
_JUST_NOW_S = 5.0


class Sleeper(Source, Protocol):
    """A source that is told to be asleep by its device."""

    def asleep(self, now_s: float) -> bool:
        """Whether reading would wake it."""


class Disk:
    """The chip of a spinning disk. A value is shown until the next one was due; from then on it is ``idle``."""

    slow = True
    period_s = _LOOK_S

    def __init__(self, sysfs: Sysfs, chip: Sleeper, statistics_path: str) -> None:
        self.name = chip.name
        self._sysfs = sysfs
        self._chip = chip
        self._statistics_path = statistics_path
        self._work: tuple[str, str] | None = None
        self._looked_s = float("-inf")
        self._held = Sink()
        self._read_s = float("-inf")
        self._idle: Absence | None = None

    def sensors(self) -> Sequence[Sensor]:
        return self._chip.sensors()

    def sample(self, now_s: float, sink: Sink) -> None:
        worked = self._worked(now_s)
        if self._chip.asleep(now_s):
            self._read_s = float("-inf")
            self._chip.sample(now_s, sink)  # which says so, and reads nothing
            return
        if worked and now_s >= self._read_s + self._chip.period_s:
            self._held, self._read_s, self._idle = Sink(), now_s, None
            self._chip.sample(now_s, self._held)
        if now_s < self._read_s + self._chip.period_s + _JUST_NOW_S:
            sink.readings.update(self._held.readings)
            sink.rejected.update(self._held.rejected)
            sink.absent.update(self._held.absent)
            return
        self._idle = self._idle or Absence("idle", now_s)
        sink.absent.update((sensor.name, self._idle) for sensor in self.sensors())

    def close(self) -> None:
        self._chip.close()

    def _worked(self, now_s: float) -> bool:
        """Whether reads or writes were done since the last look, and that was just now."""
        before, self._work = self._work, self._done()
        passed_s, self._looked_s = now_s - self._looked_s, now_s
        return before is not None and self._work not in (before, None) and passed_s <= _JUST_NOW_S

    def _done(self) -> tuple[str, str] | None:
        """Reads and writes completed since boot."""
        try:
            fields = self._sysfs.read(self._statistics_path).split()
        except OSError:
            return None
        return (fields[0], fields[4]) if len(fields) > 4 else None


def rested(sysfs: Sysfs, chip: Chip, source: Sleeper) -> Source:
    """The source as it is, or as a Disk where the chip is of one that spins."""
    if chip.driver == "drivetemp":
        for name in sysfs.list(f"{chip.device}/block"):
            folder = f"{chip.device}/block/{name}"
            try:
                if sysfs.read(f"{folder}/queue/rotational") != "0":
                    return Disk(sysfs, source, f"{folder}/stat")
            except OSError:
                continue
    return source
