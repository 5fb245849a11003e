"""Files that outlive a power cut, written so that a disk that does not answer holds up nobody.

fsync(2) waits for the file system's journal, and so for the data of whoever writes most: beside a download on a hard
disk that takes tens of seconds, and no signal ends it.
"""

from __future__ import annotations

import errno
import os
import threading
import time

PATIENCE_S = 0.5
"""What a tick gives the disk. A tick that waited still acts within the second that a limit asks for."""


class Silent(OSError):
    """The disk has not answered yet."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ETIMEDOUT, "the disk does not answer", path)


class DurableFile:
    """One file, replaced as a whole on a thread of its own, one write at a time. Belongs to one caller."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._write: _Write | None = None
        self._silent = False

    @property
    def answered(self) -> bool:
        """Whether the last write has ended, well or not; ``keep`` tells."""
        return self._write is not None and self._write.ended.is_set()

    def keep(self, data: bytes | None, patience_s: float | None = None) -> None:
        """Returns once the file holds ``data``, also after a power cut; None: once it is gone, which is not synced.

        OSError: it cannot. Silent: not yet; ask again with what is to be kept then. A disk that was silent is given no
        more time until it has answered, unless ``patience_s`` says how much.
        """
        if patience_s is None:
            patience_s = 0.0 if self._silent and not self.answered else PATIENCE_S
        deadline_s = time.monotonic() + patience_s
        while True:
            if self._write is None or (self.answered and self._write.data != data):
                self._write = _Write(self.path, data)
            write = self._write
            self._silent = not write.ended.wait(max(0.0, deadline_s - time.monotonic()))
            if self._silent:
                raise Silent(self.path)
            if write.data == data:
                break
        if write.error is not None:
            self._write = None
            raise write.error


class _Write:
    """A write under way. ``error`` counts once ``ended`` is set."""

    def __init__(self, path: str, data: bytes | None) -> None:
        self.data = data
        self.error: Exception | None = None
        self.ended = threading.Event()
        try:
            threading.Thread(target=self._run, args=(path,), name="disk", daemon=True).start()
        except RuntimeError as error:  # no more tasks: somebody else's fork bomb, or TasksMax=
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), path) from error

    def _run(self, path: str) -> None:
        try:
            replace(path, self.data, sync=True)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self.error = error
        self.ended.set()


def replace(path: str, data: bytes | None, *, sync: bool = False) -> None:
    """Replace the file as a whole, or remove it when there is nothing to keep; its folder is made if it is missing.

    OSError: the file is as it was. ``sync``: it returns when file and name are on the disk.
    """
    fresh = f"{path}.new"
    if data is None:
        _remove(path)
        _remove(fresh)
        return
    handle = _create(fresh)
    try:
        if os.write(handle, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), fresh)
        if sync:
            os.fsync(handle)
    finally:
        os.close(handle)
    os.rename(fresh, path)
    if sync:  # or a power cut in the next seconds leaves the folder as it was: without the file
        sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """Returns when the names in it are on the disk."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _create(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:  # left by a process that was killed before the rename
        _remove(path)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return os.open(path, flags, 0o600)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
