"""Reading sources in tests, and a kernel that answers with errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gamesad.hardware.base import Probe, Sink, Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Sensor


class FaultySysfs(Sysfs):
    """A tree in which some files answer reads with an errno: ``faults[path] = errno.ENODATA``."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.faults: dict[str, int] = {}
        self.reads: list[str] = []
        self._paths: dict[int, str] = {}

    def open(self, path: str) -> int:
        if self.faults.get(path) == errno.ENOENT:
            raise OSError(errno.ENOENT, "gone", path)
        handle = super().open(path)
        self._paths[handle] = path
        return handle

    def pread(self, handle: int, size: int, offset: int = 0) -> bytes:
        path = self._paths[handle]
        self.reads.append(path)
        if fault := self.faults.get(path):
            raise OSError(fault, "as the driver answers", path)
        return super().pread(handle, size, offset)


@contextmanager
def opened(root: Path | Sysfs, probe: Probe) -> Iterator[Sequence[Source]]:
    """The sources that a probe finds, closed in the end."""
    sources = probe(root if isinstance(root, Sysfs) else Sysfs(str(root)))
    yield sources
    for source in sources:
        source.close()


def sampled(sources: Sequence[Source], now_s: float = 1.0) -> Sink:
    sink = Sink()
    for source in sources:
        source.sample(now_s, sink)
    return sink


def declared(sources: Sequence[Source]) -> dict[str, Sensor]:
    return {sensor.name: sensor for source in sources for sensor in source.sensors()}
