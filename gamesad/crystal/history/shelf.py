"""The files of one kind of history on disk: KIND.NUMBER, appended to, the oldest removed when newer ones hold enough.

What is old is told by counting rows, not by a clock: one that is wrong for a minute must not cost a month.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat

from gamesad.crystal.errors import Damaged
from gamesad.crystal.history.chunks import Chunk, packed, unpacked
from gamesad.durable import replace, sync_folder

_FILES = 8
"""A file is full when it holds this part of what is kept."""
_SIZE_MAX = 256 << 20
_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Shelf:
    """One kind, for one thread at a time: every call may wait for the disk."""

    def __init__(self, folder: str, kind: str, keep: int) -> None:
        """``keep``: how many of the newest rows must stay."""
        self.folder = folder
        self._kind = kind
        self._keep = keep
        self._counts: dict[int, int] = {}
        """Rows in each file, by its number, in order."""
        self._length = -1
        """Bytes of the newest file that are known to be whole; -1: another is to be begun."""

    def load(self) -> tuple[list[Chunk], list[str]]:
        """All that is whole, oldest first, and one line for each file that is not.

        A damaged file is set aside as NAME.damaged; what stands before the damage stays in its place.
        """
        found: list[Chunk] = []
        lines: list[str] = []
        try:
            numbers = self._numbers()
        except OSError as problem:
            return [], [f"{self.folder} cannot be read ({problem.strerror}); history goes on without it"]
        for number in numbers:
            path = self._path(number)
            self._counts[number], self._length = 0, -1
            try:
                data = _read(path)
                whole, chunks, damage = _whole(data)
                if damage:
                    replace(f"{path}.damaged", data, sync=True)
                    replace(path, data[:whole], sync=True)
                    lines.append(
                        f"{path} is damaged: {damage}; set aside as {path}.damaged, what stands before is used"
                    )
            except OSError as problem:
                lines.append(f"{path} cannot be read ({problem.strerror}); history goes on without it")
                continue
            found += chunks
            self._counts[number], self._length = sum(chunk.size for chunk in chunks), whole
        return found, lines

    def append(self, chunk: Chunk) -> int:
        """Returns the bytes written once they are on the disk. OSError: nothing has changed."""
        data = packed(chunk)
        number = next(reversed(self._counts), 0)
        if self._length < 0 or self._counts[number] >= max(1, self._keep // _FILES):
            number, self._length = number + 1, 0
            self._counts[number] = 0
        handle = self._open(number)
        try:
            if os.fstat(handle).st_size < self._length:
                self._length = -1  # somebody cut it off or removed it
                return self.append(chunk)
            self._put(handle, data)
        finally:
            os.close(handle)
        if not self._length:
            sync_folder(self.folder)
        self._length += len(data)
        self._counts[number] += chunk.size
        self._remove_old()
        return len(data)

    def _put(self, handle: int, data: bytes) -> None:
        os.ftruncate(handle, self._length)  # what a write that failed has left
        written = os.pwrite(handle, data, self._length)
        if written != len(data):
            os.ftruncate(handle, self._length)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.folder)
        os.fsync(handle)

    def _remove_old(self) -> None:
        newer = sum(self._counts.values())
        for number, count in list(self._counts.items())[:-1]:
            newer -= count
            if newer < self._keep:
                return
            del self._counts[number]
            for path in (self._path(number), f"{self._path(number)}.damaged"):
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def _open(self, number: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | _OPEN
        try:
            return os.open(self._path(number), flags, 0o600)
        except FileNotFoundError:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            return os.open(self._path(number), flags, 0o600)

    def _path(self, number: int) -> str:
        return f"{self.folder}/{self._kind}.{number:06}"

    def _numbers(self) -> list[int]:
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        matches = (re.fullmatch(rf"{self._kind}\.([0-9]{{6,12}})", name) for name in names)
        return sorted(int(match[1]) for match in matches if match)


def _read(path: str) -> bytes:
    """OSError, also for what is not a file or cannot be one of ours."""
    handle = os.open(path, os.O_RDONLY | _OPEN)
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a file", path)
        if status.st_size > _SIZE_MAX:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        return file.read()


def _whole(data: bytes) -> tuple[int, list[Chunk], str]:
    """How many bytes are whole, the chunks in them, and what is wrong with the rest."""
    whole, chunks = 0, []
    try:
        for end, chunk in unpacked(data):
            chunks.append(chunk)
            whole = end
    except Damaged as damage:
        return whole, chunks, str(damage)
    return whole, chunks, ""
