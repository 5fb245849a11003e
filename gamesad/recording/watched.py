"""A machine that is looked at: another Sysfs, with everything that was read, listed or resolved through it."""

from __future__ import annotations

import stat

from gamesad.hardware.sysfs import Sysfs, errno_name
from gamesad.recording.lines import UNREAD

_MOST_LINKS = 40


class Watched(Sysfs):
    """``entries``: what stands at each path, links not followed, as (mode, target). ``contents``: by the path without
    links, what was last read from a file: its text, or an errno name.

    Sources may read in threads of their own; each path is written by one of them.
    """

    def __init__(self, machine: Sysfs) -> None:
        super().__init__("/")
        self.root = machine.root
        self.simulated = machine.simulated
        self.description = str(getattr(machine, "description", ""))
        self.entries: dict[str, tuple[int, str]] = {}
        self.contents: dict[str, bytes | str] = {}
        self._machine = machine
        self._opened: dict[int, str] = {}
        self._cut: set[str] = set()

    def open(self, path: str) -> int:
        real = self.trace(path)
        try:
            handle = self._machine.open(path)
        except OSError as error:
            self.contents[real] = errno_name(error)
            raise
        self._opened[handle] = real
        return handle

    def pread(self, handle: int, size: int, offset: int = 0) -> bytes:
        path = self._opened[handle]
        try:
            data = self._machine.pread(handle, size, offset)
        except OSError as error:
            self.contents[path] = errno_name(error)
            raise
        if offset == 0:
            self.contents[path] = data
        elif isinstance(before := self.contents[path], bytes) and len(before) == offset:
            self.contents[path] = before + data
        if len(data) == size:
            self._cut.add(path)
        else:
            self._cut.discard(path)
        return data

    def close(self, handle: int) -> None:
        self._opened.pop(handle, None)
        self._machine.close(handle)

    def write(self, path: str, text: str) -> None:
        """A recorder writes nothing."""
        raise NotImplementedError

    def writable(self, path: str) -> bool:
        return self._machine.writable(path)

    def list(self, path: str) -> list[str]:
        names = self._machine.list(path)
        real = self.trace(path)
        if real.startswith("/sys/"):
            for name in names:
                self._note(f"{real}/{name}")
        return names

    def exists(self, path: str) -> bool:
        self.trace(path)
        return self._machine.exists(path)

    def entry(self, path: str) -> tuple[int, str]:
        return self._machine.entry(path)

    def resolve(self, path: str) -> str:
        self.trace(path)
        return self._machine.resolve(path)

    def content(self, path: str) -> bytes | str:
        """Without its last newline; of a text that was not read to its end (/proc/stat), whole lines only."""
        content = self.contents[path]
        if isinstance(content, str) or b"\0" in content:
            return content
        return (
            content[: content.rindex(b"\n")] if path in self._cut and b"\n" in content else content.removesuffix(b"\n")
        )

    def trace(self, path: str) -> str:
        """Notes every link and folder on the way; the path without links, as far as there is one."""
        here = ""
        todo = [part for part in path.split("/") if part][::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                here = here.rpartition("/")[0]
                continue
            step = f"{here}/{part}"
            noted = self._note(step)
            if noted and noted[1] and links < _MOST_LINKS:
                links += 1
                here = "" if noted[1].startswith("/") else here
                todo += [one for one in noted[1].split("/") if one not in ("", ".")][::-1]
            else:
                here = step
        return here

    def _note(self, path: str) -> tuple[int, str] | None:
        noted = self.entries.get(path)
        if noted is None:
            try:
                noted = self.entries[path] = self._machine.entry(path)
            except OSError:
                return None
            if stat.S_ISREG(noted[0]):
                self.contents.setdefault(path, UNREAD)
        return noted
