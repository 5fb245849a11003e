"""The only opener of /sys and /proc. Every path is absolute, as on the running machine; the root comes before it.

Reading keeps descriptors open and uses pread: 15 times cheaper than open, read, close, and a kernel attribute gives a
fresh value at each read from offset 0 (Documentation/filesystems/sysfs.rst). Writing is one write() of the exact text:
the kernel sees each write() call as one whole value.
"""

from __future__ import annotations

import errno
import os
import re

_READ_SIZE = 4096  # one page is all a sysfs attribute can hold


class Sysfs:
    """The kernel's files below ``root``. Every method raises OSError as the kernel gives it unless it says otherwise."""

    simulated = False

    def __init__(self, root: str = "/") -> None:
        self.root = "" if root == "/" else os.path.realpath(root)

    def open(self, path: str) -> int:
        """A handle for ``pread``, to be given back with ``close``."""
        return os.open(self._inside(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)

    def pread(self, handle: int, size: int, offset: int = 0) -> bytes:
        return os.pread(handle, size, offset)

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
        return text.decode(errors="replace").strip()

    def write(self, path: str, text: str) -> None:
        """One write() of the text. O_TRUNC is nothing to the kernel and keeps a plain file from an old tail."""
        handle = os.open(self._inside(path), os.O_WRONLY | os.O_CLOEXEC | os.O_TRUNC | os.O_NOCTTY)
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)

    def writable(self, path: str) -> bool:
        """Whether this process may write the file (permissions and read-only mounts)."""
        try:
            return os.access(self._inside(path), os.W_OK)
        except OSError:
            return False

    def list(self, path: str) -> list[str]:
        """The names in a folder, in numeric order (cpu2 before cpu10); empty when there is no such folder."""
        try:
            return sorted(os.listdir(self._inside(path)), key=natural_key)
        except OSError:
            return []

    def exists(self, path: str) -> bool:
        try:
            return os.path.exists(self._inside(path))
        except OSError:
            return False

    def resolve(self, path: str) -> str:
        """The path without symlinks, still seen from the root: a device's identity.

        A recorded tree whose class entries are plain folders resolves to them.
        """
        return self._real(path).removeprefix(self.root) or "/"

    def _inside(self, path: str) -> str:
        return self._real(path) if self.root else path

    def _real(self, path: str) -> str:
        real = os.path.realpath(self.root + path)
        if not self.root:
            return real
        if real != self.root and not real.startswith(self.root + "/"):
            raise OSError(errno.EXDEV, "leads out of the tree", path)
        return real


def natural_key(name: str) -> list[str | int]:
    """A sort key that puts cpu2 before cpu10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]


def errno_name(error: OSError) -> str:
    """``ENODATA`` for errno 61: what people search for."""
    return errno.errorcode.get(error.errno or 0, "EUNKNOWN")
