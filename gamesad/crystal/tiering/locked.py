"""The pages of HOT blocks, locked in memory by mlock(2), so that no swap takes them.

Locks are by page: a page is locked as long as one HOT block touches it. Root's limit is LimitMEMLOCK of the unit; where
the kernel refuses (setrlimit(2), RLIMIT_MEMLOCK) the blocks are HOT all the same, and only not locked.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from itertools import groupby
from mmap import PAGESIZE, mmap


class Locked:
    """Of one mapping, whose address stays as it is as long as it is mapped; the locks end with it."""

    def __init__(self, memory: mmap) -> None:
        self.refused = ""
        """The kernel's refusal, as long as it lasts: one line."""
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._pages: set[int] = set()

    @property
    def bytes(self) -> int:
        return len(self._pages) * PAGESIZE

    def hold(self, spans: Iterable[tuple[int, int]]) -> None:
        """Locks what these (offset, length) touch, and nothing else any more. All of them must be allocated."""
        wanted = {page for at, size in spans for page in range(at // PAGESIZE, (at + size - 1) // PAGESIZE + 1)}
        for first, count in _runs(self._pages - wanted):
            self._call(self._libc.munlock, first, count)
        self._pages &= wanted
        self.refused = ""
        for first, count in _runs(wanted - self._pages):
            if error := self._call(self._libc.mlock, first, count):
                self.refused = (
                    f"{count * PAGESIZE} bytes of hot blocks are not locked in memory ({os.strerror(error)}); "
                    "raise LimitMEMLOCK of the service"
                )
                return
            self._pages.update(range(first, first + count))

    def _call(self, function: ctypes._NamedFuncPointer, first: int, count: int) -> int:
        """The errno, 0 when done."""
        address = ctypes.c_void_p(self._address + first * PAGESIZE)
        return ctypes.get_errno() if function(address, ctypes.c_size_t(count * PAGESIZE)) else 0


def _runs(pages: set[int]) -> list[tuple[int, int]]:
    """First page and length of each run."""
    runs = [[page for _, page in run] for _, run in groupby(enumerate(sorted(pages)), lambda pair: pair[1] - pair[0])]
    return [(run[0], len(run)) for run in runs]
