"""Memory and swap of /proc/meminfo (Documentation/filesystems/proc.rst §1.5), kibibytes called kB there."""

from __future__ import annotations

from collections.abc import Sequence

from gamesad.hardware.base import Sink
from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.types import Absence, Quantity, Rejection, Sensor

_MEMINFO = "/proc/meminfo"
_AVAILABLE, _USED, _SWAP = "memory.available", "memory.utilization", "memory.swap_utilization"
_FREED = (b"MemFree", b"Buffers", b"Cached", b"SReclaimable")


def probe_sources(sysfs: Sysfs) -> list[Memory]:
    return [Memory(sysfs)] if sysfs.exists(_MEMINFO) else []


class Memory:
    """Available memory is the kernel's own estimate; where it makes none (before 3.14), free plus what can be freed."""

    name = "memory"
    slow = False
    period_s = 1.0

    def __init__(self, sysfs: Sysfs) -> None:
        self._sysfs = sysfs
        self._handle: int | None = None

    def sensors(self) -> Sequence[Sensor]:
        return (
            Sensor(_AVAILABLE, Quantity.SIZE, "memory available", path=_MEMINFO),
            Sensor(_USED, Quantity.UTILIZATION, "memory", path=_MEMINFO),
            Sensor(_SWAP, Quantity.UTILIZATION, "swap", path=_MEMINFO),
        )

    def sample(self, now_s: float, sink: Sink) -> None:
        try:
            kibibytes = self._read()
            total = kibibytes[b"MemTotal"]
            available = kibibytes.get(b"MemAvailable")
            if available is None:
                available = sum(kibibytes[key] for key in _FREED) - kibibytes[b"Shmem"]
        except OSError as error:
            self._fail(errno_name(error), now_s, sink)
            return
        except (ValueError, KeyError):
            self._fail("unparseable", now_s, sink)
            return
        if 0 <= available <= total and 0 < total < 2**54:
            sink.readings[_AVAILABLE] = float(available * 1024)
            sink.readings[_USED] = 1.0 - available / total
        else:
            rejection = Rejection(float(available), "not within the total")
            sink.rejected[_AVAILABLE] = sink.rejected[_USED] = rejection
        swap, free = kibibytes.get(b"SwapTotal", 0), kibibytes.get(b"SwapFree", 0)
        if 0 <= free <= swap and swap > 0:
            sink.readings[_SWAP] = 1.0 - free / swap
        else:
            sink.absent[_SWAP] = Absence("unparseable" if swap else "no swap", now_s)

    def close(self) -> None:
        if self._handle is not None:
            self._sysfs.close(self._handle)
            self._handle = None

    def _read(self) -> dict[bytes, int]:
        if self._handle is None:
            self._handle = self._sysfs.open(_MEMINFO)
        kibibytes: dict[bytes, int] = {}
        for line in self._sysfs.pread(self._handle, 2048, 0).split(b"\n")[:32]:
            key, colon, value = line.partition(b":")
            if colon and value.endswith(b" kB"):
                kibibytes[key] = min(int(value[:-3]), 2**62)
        return kibibytes

    def _fail(self, cause: str, now_s: float, sink: Sink) -> None:
        self.close()
        absence = Absence(cause, now_s)
        for name in (_AVAILABLE, _USED, _SWAP):
            sink.absent[name] = absence
