"""The segment as its only writer holds it: made beside its place, grown before use, put in place by one rename.

Mapped once, as large as it may ever get: what lies beyond the file's end costs nothing until the file grows over it,
and no view of a part moves when it does. Nothing beyond ``length`` may be touched (SIGBUS).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import platform
import stat
import sys
import time
from collections.abc import Iterator

from gamesad.crystal import header, layout
from gamesad.crystal.errors import CrystalError, CrystalFull, InUse, NotTrusted
from gamesad.crystal.header import Geometry, Rings
from gamesad.crystal.previous import Previous

STEP = 1 << 20
DECISIONS = 4096
_STRONG_ORDER = ("x86_64", "AMD64", "i686", "i386")
"""Processors that show stores to others in the order they were made; elsewhere readers check CRCs too."""
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Segment:
    """A file of its own, not yet at ``path`` until ``publish``. Belongs to the one thread that writes."""

    def __init__(self, path: str, geometry: Geometry, *, version: str, flags: int, stale_after_s: float) -> None:
        """CrystalFull, NotTrusted, or OSError; then nothing of it is left."""
        self.path = path
        self.geometry = geometry
        self.version = version
        self.flags = flags
        self.stale_after_s = stale_after_s
        self.generation = 1
        self.previous: Previous | None = None
        """What the new segment replaces, to be taken over until ``publish``."""
        self.set_aside = ""
        """One line on what was found and is not worth taking over."""
        self._sections = geometry.sections
        self._published = False
        self._length = 0
        self._handle = _create(f"{path}.new")
        try:
            self.memory = self._map(self._sections[-1][0] + geometry.pool_max)
            self._grow(_header_and_first(self._sections))
        except BaseException:
            self._discard()
            raise
        self.words = memoryview(self.memory).cast("Q")
        self.memory[: layout.HEADER_SIZE] = bytes(header.build(geometry, version))
        layout.CHANGING.pack_into(
            self.memory, layout.LENGTH_AT, self._length, self.generation, layout.LIVE, flags, time.monotonic_ns(),
            round(stale_after_s * 1e9), time.time_ns(), os.getpid(),
        )  # fmt: skip

    @classmethod
    def create(
        cls,
        path: str,
        *,
        columns: int,
        tunables: int,
        version: str,
        simulated: bool,
        pool_max: int,
        stale_after_s: float,
        rings: Rings = layout.RINGS,
        decisions: int = DECISIONS,
    ) -> Segment:
        """A new segment, in place; with something to take over in ``previous`` it waits for ``publish`` instead.

        CrystalFull, NotTrusted, InUse: what was at the path is still there as it was.
        """
        if sys.byteorder != "little" or sys.maxsize < 1 << 32:  # where 8 bytes are two stores, none is whole
            raise CrystalError("Crystal Core needs a little-endian 64-bit processor; gamesad works without it")
        geometry = Geometry(columns, tunables, decisions, rings, pool_max)
        if not geometry.possible:
            raise ValueError(f"no segment with {columns} columns, {tunables} tunables, pool {pool_max}, rings {rings}")
        flags = layout.FLAG_SIMULATED if simulated else 0
        if platform.machine() not in _STRONG_ORDER:
            flags |= layout.FLAG_CRC
        previous, why = Previous.find(path)
        try:
            _refuse_another(path, previous)
            segment = cls(path, geometry, version=version, flags=flags, stale_after_s=stale_after_s)
        except BaseException:
            if previous:
                previous.close()
            raise
        segment.set_aside = why
        segment._follow(previous)
        if not previous:
            try:
                segment.publish()
            except NotTrusted:
                segment.close()
                raise
        return segment

    def replace(self) -> Segment:
        """A new file of the same geometry with everything but the pool's contents; it waits for ``publish``.

        CrystalFull: this segment goes on as if nothing had been tried. After ``publish`` close this one, not unlinked.
        """
        fresh = self.successor()
        try:
            for _ in fresh.take_from(self):
                pass
        except CrystalFull:
            fresh.close(unlink=False)
            raise
        return fresh

    def successor(self) -> Segment:
        """As ``replace``, and nothing is in it yet."""
        fresh = Segment(
            self.path, self.geometry, version=self.version, flags=self.flags, stale_after_s=self.stale_after_s
        )
        fresh.generation = self.generation + 1
        fresh.words[layout.GENERATION_AT // 8] = fresh.generation
        fresh.words[layout.STARTED_AT // 8] = self.words[layout.STARTED_AT // 8]
        return fresh

    def take_from(self, other: Segment) -> Iterator[None]:
        """Copies everything but the pool's contents, with a stop after each MiB. CrystalFull."""
        end = min(other.length, self._sections[layout.POOL][0])
        with memoryview(other.memory) as source:
            for at in range(layout.HEADER_SIZE, end, STEP):
                upto = min(at + STEP, end)
                self.ensure(upto)
                self.memory[at:upto] = source[at:upto]
                yield

    def _follow(self, previous: Previous | None) -> None:
        self.previous = previous
        if previous:
            self.generation = previous.generation + 1
            self.words[layout.GENERATION_AT // 8] = self.generation

    @property
    def length(self) -> int:
        """What is allocated and published; nothing beyond it may be touched."""
        return self._length

    def section(self, place: int) -> tuple[int, int]:
        """Offset and length; ``ensure`` their sum before the first touch."""
        return self._sections[place]

    def ensure(self, length: int) -> None:
        """Allocate up to ``length`` at least, in steps of 1 MiB, and tell readers. CrystalFull: nothing changed."""
        if length > self._length:
            self._grow(min(layout.aligned(length, STEP), len(self.memory)))
            self.words[layout.LENGTH_AT // 8] = self._length

    def beat(self) -> None:
        """The writer lives."""
        self.words[layout.HEARTBEAT_AT // 8] = time.monotonic_ns()

    def publish(self) -> None:
        """Put the segment in its place. Whoever reads the one that was there is told to attach again.

        NotTrusted: what lies there cannot be replaced; close it. Killed before the rename, the old one is whole.
        """
        if self._published:
            return
        handle = None
        try:
            handle = _make_way(self.path)
            os.rename(f"{self.path}.new", self.path)
            self._published = True
            if handle is not None:
                os.pwrite(handle, layout.REPLACED.to_bytes(4, "little"), layout.STATE_AT)
        except OSError as error:
            raise NotTrusted(f"{self.path} cannot be replaced ({error.strerror}); remove it or use --shm") from error
        finally:
            if handle is not None:
                os.close(handle)
        self._forget()

    def close(self, *, unlink: bool = True) -> None:
        """No more writes. ``unlink``: at a clean stop; readers learn that nothing is published any more."""
        if self._handle < 0:
            return
        if self._published and unlink:
            self.memory[layout.STATE_AT : layout.STATE_AT + 4] = layout.CLOSED.to_bytes(4, "little")
            with contextlib.suppress(OSError):
                if os.path.samestat(os.lstat(self.path), os.fstat(self._handle)):
                    os.unlink(self.path)
        self.words.release()
        self._discard()

    def _forget(self) -> None:
        """The kernel keeps a file that was replaced as long as somebody maps it."""
        if self.previous:
            self.previous.close()
            self.previous = None

    def _map(self, size: int) -> mmap.mmap:
        """The mapping may reach beyond the file's end, but mmap() of Python has to be shown such a file first."""
        try:
            os.ftruncate(self._handle, size)
            memory = mmap.mmap(self._handle, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
            os.ftruncate(self._handle, 0)
        except OSError as error:
            raise CrystalFull(
                f"{self.path}: {size} bytes cannot be mapped ({error.strerror}); lower its size"
            ) from error
        return memory

    def _grow(self, length: int) -> None:
        try:
            os.posix_fallocate(self._handle, self._length, length - self._length)
        except OSError as error:
            need = length - self._length
            raise CrystalFull(
                f"{self.path} needs {need} more bytes ({error.strerror}); free room in {os.path.dirname(self.path)}"
            ) from error
        self._length = length

    def _discard(self) -> None:
        if not self._published:
            with contextlib.suppress(OSError):
                os.unlink(f"{self.path}.new")
        self._forget()
        with contextlib.suppress(BufferError):  # somebody still has a view; the mapping goes with it
            if hasattr(self, "memory"):
                self.memory.close()
        os.close(self._handle)
        self._handle = -1


def _refuse_another(path: str, found: Previous | None) -> None:
    if found and found.state.pid != os.getpid() and found.lives:
        raise InUse(f"another gamesad (process {found.state.pid}) publishes at {path}; stop it or use --shm")


def _header_and_first(sections: header.Sections) -> int:
    """What a status needs: everything before the slower rings."""
    offset, length = sections[layout.RING_1S]
    return layout.aligned(offset + length, layout.PAGE)


def _create(path: str) -> int:
    """A new file that is nobody else's; one that a killed gamesad left is removed, a link is not followed."""
    for _ in range(2):
        try:
            handle = os.open(path, _NEW, 0o644)
        except FileExistsError:
            try:
                os.unlink(path)
            except OSError as error:
                raise NotTrusted(f"{path} is in the way ({error.strerror}); remove it") from error
        except OSError as error:
            raise CrystalError(f"{path} cannot be made ({error.strerror}); use --shm or mend its folder") from error
        else:
            os.fchmod(handle, 0o644)  # whatever the umask
            return handle
    raise NotTrusted(f"{path} is made again by somebody as soon as it is removed")


def _make_way(path: str) -> int | None:
    """A handle of the segment that lies there, if this user may mark it as replaced.

    A file of this user's own that is no segment may be somebody's work, and is kept as ``.damaged``.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    status = os.fstat(handle)
    mine = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_nlink == 1
    ours = mine and os.pread(handle, 8, 0) == layout.MAGIC
    if ours:
        return handle
    os.close(handle)
    if mine and status.st_size:
        os.rename(path, f"{path}.damaged")
    return None
