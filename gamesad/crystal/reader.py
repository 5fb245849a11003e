"""What any Python program may read of gamesad, without asking it: the newest tick, history, decisions, the pool.

    from gamesad.crystal.reader import attach

    for tick in attach().follow():
        print(tick.tick, tick.values["hwmon.k10temp-pci-00c3.temp1"])

Standard library only. Nothing here waits for the daemon or can disturb it.
"""

from __future__ import annotations

import os
import stat
import time

from gamesad.crystal import layout
from gamesad.crystal.directory import Directory
from gamesad.crystal.errors import Damaged, NotThere, NotTrusted, Torn
from gamesad.crystal.header import Header, State, directory_slot, latest_slot
from gamesad.crystal.latest import Latest
from gamesad.crystal.source import File, Mapped, Source, record, whole_slot

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would cost a client more than all of this
    from collections.abc import Iterator
    from typing import Self

POLL_S = 0.05
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def attach(path: str = layout.PATH, *, mapped: bool = False) -> Crystal:
    """The segment at the path. NotThere, NotTrusted, WrongAbi, Damaged.

    ``mapped``: read memory instead of the file, without a system call; if root cuts the file off in place, which
    gamesad never does, the reading process then ends by SIGBUS where it would otherwise get Damaged.
    """
    return Crystal(path, mapped=mapped)


class Crystal:
    """A view of the segment that attaches again by itself when the daemon was restarted or has moved it."""

    def __init__(self, path: str = layout.PATH, *, mapped: bool = False) -> None:
        self.path = path
        self._mapped = mapped
        self._handle = -1
        self._source: Source
        self._directory: Directory | None = None
        self._sequence = 0
        self._attach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            del self._source

    @property
    def generation(self) -> int:
        """Another number: the segment is another file than before."""
        return self._state().generation

    @property
    def version(self) -> str:
        """Of the gamesad that writes."""
        return self._header.version

    @property
    def simulated(self) -> bool:
        return bool(self._state().flags & layout.FLAG_SIMULATED)

    @property
    def started_s(self) -> float:
        """When the gamesad that writes was started, in s since the epoch."""
        return self._state().started_ns / 1e9

    @property
    def stale_since_s(self) -> float | None:
        """When the daemon last said that it lives, in s since the epoch; None while it does."""
        try:
            state = self._fresh()
        except NotThere:
            state = self._state()
        now_ns = time.monotonic_ns()
        if state.alive(now_ns):
            return None
        return time.time() - max(0, now_ns - state.heartbeat_ns) / 1e9

    def latest(self) -> Latest:
        """The newest tick. NotThere before the first; Torn, Damaged."""
        self._fresh()
        return self._latest()[1]

    def directory(self) -> Directory:
        """What the sensors and tunables are. NotThere, Torn, Damaged."""
        self._fresh()
        return self._read_directory()

    def follow(self, timeout_s: float | None = None) -> Iterator[Latest]:
        """Each new tick, once, as it comes; ticks that came between two looks are skipped.

        Waits while there is no daemon, and goes on with the next one; ends after ``timeout_s`` without a tick.
        """
        seen = (0, 0)
        until_s = _after(timeout_s)
        while True:
            try:
                self._fresh()
                sequence = self._source.word(self._header.sections[layout.LATEST][0])
                if sequence != self._sequence:
                    self._sequence, tick = self._latest()
                    this = (self._state().started_ns, tick.tick)
                    if this != seen:
                        seen = this
                        yield tick
                        until_s = _after(timeout_s)
                        continue
            except (NotThere, Torn):
                pass
            if until_s is not None and time.monotonic() >= until_s:
                return
            time.sleep(POLL_S)

    def _latest(self) -> tuple[int, Latest]:
        geometry, (offset, _) = self._header.geometry, self._header.sections[layout.LATEST]
        for _ in range(8):
            sequence, data = whole_slot(self._source, offset, latest_slot(geometry.columns), crc=self._crc)
            if not data:
                raise NotThere(f"gamesad has just started, no tick is at {self.path} yet; try again in a second")
            directory = self._directory or self._read_directory()
            latest = Latest(data, geometry.columns, directory)
            if latest.directory_generation <= directory.generation:
                return sequence, latest
            self._directory = None
        raise Torn(f"{self.path}: the directory changed in each of 8 tries; try again")

    def _read_directory(self) -> Directory:
        geometry, (offset, _) = self._header.geometry, self._header.sections[layout.DIRECTORY]
        data = record(self._source, offset, directory_slot(geometry.columns, geometry.tunables), crc=self._crc)
        directory = self._directory = Directory(data, geometry)
        return directory

    # ---- which file

    def _state(self) -> State:
        return State(self._source.copy(layout.LENGTH_AT, layout.CHANGING.size), 0)

    def _fresh(self) -> State:
        """Attach to the segment that is at the path now, if this one is not it any more."""
        state = self._state()
        if state.state == layout.REPLACED or not (state.alive(time.monotonic_ns()) or self._is_at_path()):
            self._attach()
            state = self._state()
        if state.state == layout.CLOSED:
            raise NotThere(f"gamesad was stopped, {self.path} is not written any more; systemctl start gamesad")
        if isinstance(self._source, Mapped) and state.length > len(self._source.memory):
            self._source = self._map(state)
        return state

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
        except BaseException:
            os.close(handle)
            raise
        self.close()
        self._handle, self._header = handle, header
        self._crc = bool(state.flags & layout.FLAG_CRC)
        self._directory, self._sequence = None, 0
        self._source = self._map(state) if self._mapped else File(handle)

    def _map(self, state: State) -> Mapped:
        import mmap  # noqa: PLC0415 - who only wants a status does not pay for it

        return Mapped(mmap.mmap(self._handle, state.length, mmap.MAP_SHARED, mmap.PROT_READ))


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


def _check_length(path: str, length: int, size: int) -> None:
    if not layout.HEADER_SIZE <= length <= size:
        raise Damaged(f"{path} is damaged: {size} of {length} bytes are there; restart gamesad")


def _after(timeout_s: float | None) -> float | None:
    return None if timeout_s is None else time.monotonic() + timeout_s
