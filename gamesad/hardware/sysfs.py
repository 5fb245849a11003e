"""The only opener of /sys and /proc. Every path is absolute, as on the running machine; the root comes before it.

Reading keeps descriptors open and uses pread: 15 times cheaper than open, read, close, and a kernel attribute gives a
fresh value at each read from offset 0 (Documentation/filesystems/sysfs.rst). Writing is one write() of the exact text:
the kernel sees each write() call as one whole value.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from itertools import repeat

_READ_SIZE = 4096  # one page is all a sysfs attribute can hold


class Sysfs:
    """The kernel's files below ``root``. All methods raise OSError as the kernel gives it unless they say otherwise."""

    simulated = False

    def __init__(self, root: str = "/") -> None:
        self.root = "" if root == "/" else os.path.realpath(root)

    def open(self, path: str) -> int:
        """A handle for ``pread``, to be given back with ``close``."""
        return self._open(path, os.O_RDONLY | os.O_NONBLOCK)

    def pread(self, handle: int, size: int, offset: int = 0) -> bytes:
        return os.pread(handle, size, offset)

    def pread_each(self, handles: Sequence[int], size: int) -> list[bytes]:
        """``pread`` of each handle from offset 0; the first error ends it."""
        # os.pread itself, where nobody overrides it: a Python call for each of 100 sensors is a tenth of the tick.
        pread = os.pread if type(self).pread is Sysfs.pread else self.pread
        return list(map(pread, handles, repeat(size), repeat(0)))

    def close(self, handle: int) -> None:
        os.close(handle)

    def read(self, path: str) -> str:
        """The whole text, without surrounding white space; bytes that are not UTF-8 come as U+FFFD."""
        handle = self.open(path)
        try:
            text = bytearray()
            while chunk := self.pread(handle, _READ_SIZE, len(text)):
                text += chunk
        finally:
            self.close(handle)
        return text.rstrip(b"\0").decode(errors="replace").strip()  # zeros: a tree that was copied block by block

    def write(self, path: str, text: str) -> None:
        """One write() of the text. A tree of plain files is truncated first, or a longer value would leave its tail."""
        handle = self._open(path, os.O_WRONLY)
        try:
            if self.root:
                os.ftruncate(handle, 0)
            os.write(handle, text.encode())
        finally:
            os.close(handle)

    def writable(self, path: str) -> bool:
        """Whether this process may write the file (permissions and read-only mounts)."""
        return self.exists(path) and os.access(self.root + path, os.W_OK)

    def list(self, path: str) -> list[str]:
        """The names in a folder, in numeric order (cpu2 before cpu10); empty when there is no such folder."""
        try:
            handle = self._open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return []
        try:
            return sorted(os.listdir(handle), key=natural_key)
        finally:
            os.close(handle)

    def exists(self, path: str) -> bool:
        if not self.root:
            return os.path.exists(path)
        try:
            os.close(self._open(path, os.O_PATH))
        except OSError:
            return False
        return True

    def entry(self, path: str) -> tuple[int, str]:
        """The ``st_mode`` of what stands at the path itself, and where it leads when it is a link (else "")."""
        mode = os.lstat(self.root + path).st_mode
        return mode, os.readlink(self.root + path) if stat.S_ISLNK(mode) else ""

    def resolve(self, path: str) -> str:
        """The path without symlinks, still seen from the root: a device's identity.

        A recorded tree whose class entries are plain folders resolves to them.
        """
        real = os.path.realpath(self.root + path)
        self._check(real, path)
        return real.removeprefix(self.root) or "/"

    def _open(self, path: str, flags: int) -> int:
        handle = os.open(self.root + path, flags | os.O_CLOEXEC | os.O_NOCTTY)
        if self.root:  # where a link led is known only now; one call, where resolving each part before costs ten
            try:
                self._check(os.readlink(f"/proc/self/fd/{handle}"), path)
            except OSError:
                os.close(handle)
                raise
        return handle

    def _check(self, real: str, path: str) -> None:
        if self.root and real != self.root and not real.startswith(self.root + "/"):
            raise OSError(errno.EXDEV, "leads out of the tree", path)


def natural_key(name: str) -> list[str | int]:
    """A sort key that puts cpu2 before cpu10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]


def errno_name(error: OSError) -> str:
    """``ENODATA`` for errno 61: what people search for."""
    return errno.errorcode.get(error.errno or 0, "EUNKNOWN")
