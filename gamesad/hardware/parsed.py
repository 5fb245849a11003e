"""Sensors whose file holds more than one number: a word, a list with a mark, a binary table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gamesad.hardware.base import Sink
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Sensor

_PAGE = 4096


class Unsaid(Exception):
    """The file is as documented and has no value now; the text says why, in lower case."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """``parse`` gives a number in the sensor's unit, or a word; ValueError for what the kernel does not document,
    Unsaid for no value.
    """

    sensor: Sensor
    parse: Callable[[bytes], float | str]


class ParsedBatch:
    """Reads each file anew at every sample: they are few, and a driver that was reloaded replaces them."""

    def __init__(self, sysfs: Sysfs, files: Sequence[ParsedFile]) -> None:
        self._sysfs = sysfs
        self._files = tuple(files)
        self._absences: dict[str, Absence] = {}

    def sensors(self) -> Sequence[Sensor]:
        return tuple(file.sensor for file in self._files)

    def sample(self, now_s: float, sink: Sink) -> None:
        for file in self._files:
            name = file.sensor.name
            try:
                value = file.parse(self._read(file.sensor.path))
            except (OSError, ValueError, Unsaid) as error:
                cause = _cause(error)
                before = self._absences.get(name)
                if before is None or before.cause != cause:
                    before = self._absences[name] = Absence(cause, now_s)
                sink.absent[name] = before
                continue
            self._absences.pop(name, None)
            if isinstance(value, str):
                sink.states[name] = value
            else:
                sink.readings[name] = value

    def close(self) -> None:
        """Nothing is kept open."""

    def _read(self, path: str) -> bytes:
        handle = self._sysfs.open(path)
        try:
            return self._sysfs.pread(handle, _PAGE, 0)
        finally:
            self._sysfs.close(handle)


def _cause(error: Exception) -> str:
    if isinstance(error, OSError):
        return errno_name(error)
    return str(error) if isinstance(error, Unsaid) else "unparseable"
