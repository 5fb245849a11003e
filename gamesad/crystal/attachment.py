"""Which file a reader reads: opened with distrust, left for another when the daemon has moved on. Light."""

from __future__ import annotations

import os
import stat
import time

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged, NotThere, NotTrusted
from gamesad.crystal.header import Header, State
from gamesad.crystal.source import File, Mapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap

    from gamesad.crystal.source import Source

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Attachment:
    """The segment at a path. ``number`` counts the files that it was attached to."""

    __slots__ = ("_handle", "_length", "_mapped", "crc", "header", "number", "path", "source")

    def __init__(self, path: str, *, mapped: bool) -> None:
        """NotThere, NotTrusted, WrongAbi, Damaged."""
        self.path = path
        self.header: Header
        self.source: Source
        self.crc = False
        self.number = 0
        self._handle = -1
        self._mapped = mapped
        self._length = 0
        self._attach()

    @property
    def state(self) -> State:
        """As it is now, whichever file it is."""
        return State(self.source.copy(layout.LENGTH_AT, layout.CHANGING.size), 0)

    def fresh(self) -> State:
        """The state, after attaching anew if this segment is not the one at the path any more.

        NotThere: the daemon was stopped. Whoever died left the segment: it is read, and is stale.
        """
        state = self.state
        if not (state.alive(time.monotonic_ns()) or self._is_at_path()):
            self._attach()
            state = self.state
        if state.state == layout.CLOSED:
            raise NotThere(f"gamesad was stopped, {self.path} is not written any more; systemctl start gamesad")
        if self._mapped and state.length > self._length:
            self.source, self._length = Mapped(self.map(state.length)), state.length
        return state

    def section(self, place: int, length: int) -> tuple[int, int] | None:
        """Offset and length, of the pool as far as ``length`` goes; None for what was not allocated yet."""
        offset, size = self.header.sections[place]
        if place == layout.POOL:
            size = min(size, length - offset)
        return (offset, size) if 0 < size <= length - offset else None

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            del self.source

    def _is_at_path(self) -> bool:
        try:
            return os.path.samestat(os.lstat(self.path), os.fstat(self._handle))
        except OSError:
            return False

    def _attach(self) -> None:
        handle = _open(self.path)
        try:
            page = os.pread(handle, layout.HEADER_SIZE, 0)
            header, state = Header(page, self.path), State(page)
            _check_length(self.path, state.length, os.fstat(handle).st_size)
            source = Mapped(_map(self.path, handle, state.length)) if self._mapped else File(handle)
        except BaseException:
            os.close(handle)
            raise
        self.close()
        self._handle, self.header, self.crc = handle, header, bool(state.flags & layout.FLAG_CRC)
        self.source, self._length = source, state.length
        self.number += 1

    def map(self, length: int) -> mmap.mmap:
        """The first ``length`` bytes, read-only."""
        return _map(self.path, self._handle, length)


def _open(path: str) -> int:
    """A file that root or this user owns and nobody else can write. NotThere, NotTrusted."""
    try:
        handle = os.open(path, _OPEN)
    except FileNotFoundError:
        raise NotThere(f"no gamesad publishes at {path}; start it: systemctl start gamesad") from None
    except OSError as error:
        raise NotTrusted(f"{path} cannot be opened as gamesad's segment ({error.strerror}); remove it") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        why = "is not a file"
    elif status.st_uid not in (0, os.geteuid()):
        why = f"belongs to user {status.st_uid}, not to root"
    elif status.st_mode & 0o022:
        why = "can be written by others"
    else:
        return handle
    os.close(handle)
    raise NotTrusted(f"{path} {why} and is not read; remove it and restart gamesad")


def _map(path: str, handle: int, length: int) -> mmap.mmap:
    import mmap  # noqa: PLC0415 - who only wants a status does not pay for it

    _check_length(path, length, os.fstat(handle).st_size)
    return mmap.mmap(handle, length, mmap.MAP_SHARED, mmap.PROT_READ)


def _check_length(path: str, length: int, size: int) -> None:
    if not layout.HEADER_SIZE <= length <= size:
        raise Damaged(f"{path} is damaged: {size} of {length} bytes are there; restart gamesad")
