"""What every sensor source and every actuator is, and the two forms nearly all of them take: files of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Rejection, Sensor, Tunable, Value

_NUMBER_SIZE = 64
_LONGEST_NUMBER = 32
"""Sign, digits and blanks: 64 bits take 20 digits. What fills ``_NUMBER_SIZE`` may have been cut to another number."""
_UNDERSCORE = ord("_")  # a bytes object is searched several times faster for a byte than for b"_"
_BACK_OFF_S = (1.0, 2.0, 5.0, 15.0, 60.0)
_CRITICAL_RETRY_S = 1.0


@dataclass(slots=True)
class Sink:
    """Where sources put one tick's readings. A source names every sensor that it declared, in one of the mappings."""

    readings: dict[str, float] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, Rejection] = field(default_factory=dict)
    absent: dict[str, Absence] = field(default_factory=dict)

    def take(self, other: Sink) -> None:
        """Everything that another one holds."""
        self.readings.update(other.readings)
        self.states.update(other.states)
        self.rejected.update(other.rejected)
        self.absent.update(other.absent)


class Source(Protocol):
    """One chip, zone group or kernel file that is read. Made by a probe; closed when the device is gone.

    ``slow``: known to block (a disk, an embedded controller); read off the tick from the start, at most every
    ``period_s``. Sources that turn out slow are moved off the tick by the collector.
    """

    name: str
    slow: bool
    period_s: float

    def sensors(self) -> Sequence[Sensor]:
        """What this source reads, in the order people want to see it."""

    def sample(self, now_s: float, sink: Sink) -> None:
        """Read everything once. Never raises: what failed is named in ``sink.absent`` or ``sink.rejected``."""

    def close(self) -> None:
        """Give back the descriptors."""


Probe = Callable[[Sysfs], Sequence[Source]]
"""Finds the sources of one kernel subsystem; empty where there is none. Never raises for what it finds in a tree."""


@dataclass(frozen=True, slots=True)
class NumberFile:
    """A sensor that is one file holding one integer: value = integer ÷ ``divisor``, true only within low..high.

    ``sensor`` is the one given, with this divisor.
    """

    sensor: Sensor
    path: str
    divisor: float
    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "sensor", replace(self.sensor, divisor=float(self.divisor)))


def integer(text: bytes) -> int:
    """The number in a kernel file: an optional sign and digits among blanks. ValueError for anything else.

    ``int`` alone also takes "1_000", which no kernel writes. Trees that were copied block by block have zeros behind.
    """
    if len(text) > _LONGEST_NUMBER:
        text = text.rstrip(b"\0")
    if len(text) > _LONGEST_NUMBER or _UNDERSCORE in text:
        raise ValueError(text)
    return int(text)


class FileBatch:
    """Reads many number files as cheaply as Python can: kept descriptors, one pread each, back-off on failure.

    Only a text that differs from the last one is parsed. A file that fails is absent with its errno name and is tried
    again after 1, 2, 5, 15, then every 60 s (a critical sensor every second: the machine is held back until it
    returns). It is opened anew then, since a driver that was reloaded leaves old descriptors dead.
    """

    def __init__(self, sysfs: Sysfs, files: Sequence[NumberFile]) -> None:
        self._sysfs = sysfs
        self._failed: dict[str, _Failure] = {}
        self._rows: list[_Row] = []  # the open ones; their descriptors and last texts in the same order
        self._handles: list[int] = []
        self._texts: list[bytes | None] = []
        self._readings: dict[str, float] = {}
        self._rejected: dict[str, Rejection] = {}
        for file in files:
            self._failed[file.sensor.name] = _Failure(file, Absence("unread", 0.0), attempts=0, retry_s=0.0)

    def sample(self, now_s: float, sink: Sink) -> None:
        if self._failed:
            self._reopen(now_s)
        try:
            texts = self._sysfs.pread_each(self._handles, _NUMBER_SIZE)
        except OSError:
            texts = self._one_by_one(now_s)
        if texts != self._texts:
            self._parse(texts, now_s)
        sink.readings.update(self._readings)
        if self._rejected:
            sink.rejected.update(self._rejected)
        for name, failure in self._failed.items():
            sink.absent[name] = failure.absence

    def close(self) -> None:
        for handle in self._handles:
            self._sysfs.close(handle)
        self._rows, self._handles, self._texts = [], [], []
        self._failed, self._readings, self._rejected = {}, {}, {}

    def _reopen(self, now_s: float) -> None:
        for name, failure in list(self._failed.items()):
            if now_s < failure.retry_s:
                continue
            try:
                handle = self._sysfs.open(failure.file.path)
            except OSError as error:
                self._failed[name] = failure.again(errno_name(error), now_s)
                continue
            try:
                integer(self._sysfs.pread(handle, _NUMBER_SIZE, 0))
            except (OSError, ValueError) as error:
                self._sysfs.close(handle)
                cause = errno_name(error) if isinstance(error, OSError) else "unparseable"
                self._failed[name] = failure.again(cause, now_s)
                continue
            del self._failed[name]
            file = failure.file
            self._rows.append((name, file.divisor, file.low, file.high, file))
            self._handles.append(handle)
            self._texts.append(None)

    def _one_by_one(self, now_s: float) -> list[bytes]:
        """The texts of those that can be read; the others have failed and are no longer in the batch."""
        texts: list[bytes] = []
        for row, handle in list(zip(self._rows, self._handles, strict=True)):
            try:
                texts.append(self._sysfs.pread(handle, _NUMBER_SIZE, 0))
            except OSError as error:
                self._fail(row[-1], errno_name(error), now_s)
        return texts

    def _parse(self, texts: list[bytes], now_s: float) -> None:
        before, self._texts = self._texts, list(texts)
        readings = self._readings
        for (name, divisor, low, high, file), text, last in list(zip(self._rows, texts, before, strict=True)):
            if text == last:
                continue
            try:
                value = integer(text) / divisor
            except ValueError:
                self._fail(file, "unparseable", now_s)
                continue
            if self._rejected:
                self._rejected.pop(name, None)
            if low <= value <= high:
                readings[name] = value
            else:
                readings.pop(name, None)
                reason = f"outside what is possible, {low:g} to {high:g}"
                self._rejected[name] = Rejection(value, reason)

    def _fail(self, file: NumberFile, cause: str, now_s: float) -> None:
        name = file.sensor.name
        index = next(index for index, row in enumerate(self._rows) if row[-1] is file)
        self._sysfs.close(self._handles.pop(index))
        del self._rows[index], self._texts[index]
        self._readings.pop(name, None)
        self._rejected.pop(name, None)
        first = _Failure(file, Absence(cause, now_s), attempts=0, retry_s=now_s)
        self._failed[name] = first.again(cause, now_s)


_Row = tuple[str, float, float, float, NumberFile]
"""Name, divisor, low, high and the file: a tuple unpacks faster than attributes are looked up."""


@dataclass(frozen=True, slots=True)
class _Failure:
    file: NumberFile
    absence: Absence
    attempts: int
    retry_s: float

    def again(self, cause: str, now_s: float) -> _Failure:
        since_s = self.absence.since_s if self.attempts and cause == self.absence.cause else now_s
        wait_s = _BACK_OFF_S[min(self.attempts, len(_BACK_OFF_S) - 1)]
        if self.file.sensor.critical:
            wait_s = _CRITICAL_RETRY_S
        return _Failure(self.file, Absence(cause, since_s), self.attempts + 1, now_s + wait_s)


class Actuator(Protocol):
    """Something that can be set. Reading and writing raise OSError as the kernel gives it."""

    def tunables(self) -> Sequence[Tunable]:
        """What can be set here, in probe order."""

    def read(self, tunable: Tunable) -> Value:
        """The present value. ValueError when the text is not of the tunable's kind."""

    def write(self, tunable: Tunable, value: Value) -> None:
        """One write of the exact text."""


ActuatorProbe = Callable[[Sysfs], Sequence[Actuator]]


class FileActuator:
    """Tunables that are one sysfs file each; nearly all are."""

    def __init__(self, sysfs: Sysfs, tunables: Sequence[Tunable]) -> None:
        self._sysfs = sysfs
        self._tunables = tuple(tunables)

    def tunables(self) -> Sequence[Tunable]:
        return self._tunables

    def read(self, tunable: Tunable) -> Value:
        text = self._sysfs.read(tunable.path)
        return text if tunable.choices else integer(text.encode())

    def write(self, tunable: Tunable, value: Value) -> None:
        self._sysfs.write(tunable.path, str(value))
