"""What lies where the segment goes: the one of a gamesad that was killed, of another ABI, or something planted."""

from __future__ import annotations

import logging
import mmap
import os
import stat
import time

from gamesad.crystal import layout
from gamesad.crystal.directory import Directory
from gamesad.crystal.errors import CrystalError, Damaged, NotTrusted
from gamesad.crystal.header import Header, State, directory_slot
from gamesad.crystal.source import Mapped, record

_LOG = logging.getLogger(__name__)
_NOT_FOLLOWED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Previous:
    """A segment found at start, mapped read-only. Its header was checked; its contents are to be checked by who takes
    them over: what lies inside ``section`` may be touched, whatever it holds."""

    def __init__(self, handle: int, path: str) -> None:
        """Takes the handle. Damaged, WrongAbi."""
        size = os.fstat(handle).st_size
        page = os.pread(handle, layout.HEADER_SIZE, 0)
        self.header = Header(page, path)
        self.state = State(page)
        self.generation = self.state.generation
        self.length = min(self.state.length, size)
        if self.length < layout.HEADER_SIZE:
            raise Damaged(f"{path} is damaged: it is shorter than its header; restart gamesad")
        self.memory = mmap.mmap(handle, self.length, mmap.MAP_SHARED, mmap.PROT_READ)
        self.crc = bool(self.state.flags & layout.FLAG_CRC)

    @classmethod
    def find(cls, path: str) -> tuple[Previous | None, str]:
        """What may be taken over, or why nothing may ("" where nothing was). NotTrusted: a folder is in the way."""
        try:
            status = os.lstat(path)
        except OSError:
            return None, ""
        if stat.S_ISDIR(status.st_mode):
            raise NotTrusted(f"{path} is a folder; remove it or use --shm")
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink != 1:
            return None, f"what was at {path} is not ours and was replaced unread"
        try:
            handle = os.open(path, _NOT_FOLLOWED)
        except OSError as error:
            return None, f"what was at {path} cannot be read ({error.strerror}) and was replaced"
        try:
            if not os.path.samestat(status, os.fstat(handle)):
                return None, f"what was at {path} changed while it was opened and was replaced unread"
            return cls(handle, path), ""
        except CrystalError as error:
            return None, str(error)
        finally:
            os.close(handle)

    @property
    def lives(self) -> bool:
        """Whether its writer said so lately and is still a process."""
        if not self.state.pid or not self.state.alive(time.monotonic_ns()):
            return False
        try:
            os.kill(self.state.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            return True
        return True

    def section(self, place: int) -> tuple[int, int] | None:
        """Offset and length, of the pool as far as it is there; None where the section was never allocated."""
        offset, length = self.header.sections[place]
        if place == layout.POOL:
            length = min(length, self.length - offset)
        return (offset, length) if 0 < length <= self.length - offset else None

    def directory(self) -> Directory:
        """What its columns were. Damaged, Torn, NotThere."""
        geometry = self.header.geometry
        offset, _ = self.header.sections[layout.DIRECTORY]
        slot = directory_slot(geometry.columns, geometry.tunables)
        data = record(Mapped(self.memory), offset, slot, crc=self.crc)
        return Directory(data, geometry)

    def sensors(self) -> list[str]:
        """Their names, by column; none, and a line in the journal, where the directory is not whole."""
        try:
            return [column.name for column in self.directory().columns]
        except CrystalError as error:
            _LOG.warning("the sensors of the segment before are not known, so their history is not kept: %s", error)
            return []

    def close(self) -> None:
        """Nothing of ``memory`` may be in use any more; a view that still is keeps the mapping alive."""
        try:
            self.memory.close()
        except BufferError:
            return
