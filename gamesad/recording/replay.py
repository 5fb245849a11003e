"""A recorded machine, running again: its tree in memory, its readings moving as they did."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections.abc import Callable

from gamesad.recording.lines import Entry
from gamesad.recording.load import Recording
from gamesad.simulation.tree import Attribute, Link, SimulatedSysfs, Tree

_CHOICES = {
    "scaling_governor": "scaling_available_governors",
    "energy_performance_preference": "energy_performance_available_preferences",
    "platform_profile": "platform_profile_choices",
    "profile": "choices",
}
"""Files of words, and the file beside each that says which: Documentation/admin-guide/pm, ABI/testing."""
_NUMBER = re.compile(r"-?\d+")
_ROUNDING_S = 0.0005


class Replay:
    """``sysfs`` is what a daemon opens. Time begins with this object; after the last sample everything stays.

    A write is kept in memory, and from then on that file no longer follows the recording: nothing else reacts to it.
    """

    def __init__(self, recording: Recording, clock: Callable[[], float] = time.monotonic) -> None:
        self.recording = recording
        self.tree = Tree()
        self.sysfs = SimulatedSysfs(self.tree, self._fetch, self._store, f"recording of {recording.machine}")
        self.sysfs.root = "recording"  # not the running machine's; its tree may lack what a kernel always shows
        self._clock = clock
        self._start_s = clock()
        self._next = 0
        self._lock = threading.RLock()
        self._files: dict[str, _File] = {}
        self.advance()

    def advance(self) -> None:
        """Brings the tree up to the clock."""
        with self._lock:
            now_s = self._clock() - self._start_s + _ROUNDING_S
            samples = self.recording.samples
            while self._next < len(samples) and samples[self._next].at_s <= now_s:
                for entry in samples[self._next].entries:
                    self._take(entry)
                self._next += 1

    def _take(self, entry: Entry) -> None:
        path = entry.path
        if entry.target:
            self.tree.add(path, Link(entry.target))
        elif entry.content is None:
            self.tree.folder(path)
        elif path in self._files:
            self._files[path].follow(entry.content)
        else:
            file = self._files[path] = _File(entry.content, 0o444 if entry.mode is None else entry.mode)
            if file.mode & 0o222:
                file.write = lambda text: self._accept(path, file, text)
            self.tree.add(path, file)

    def _fetch(self, attribute: Attribute) -> bytes:
        with self._lock:
            self.advance()
            return attribute.content()

    def _store(self, attribute: Attribute, data: bytes) -> None:
        with self._lock:
            self.advance()
            attribute.store(data)

    def _accept(self, path: str, file: _File, text: str) -> None:
        """As a kernel would: a word must be among the choices, a number stays one. EINVAL otherwise."""
        folder, _slash, name = path.rpartition("/")
        value = text.strip()
        choices = self._files.get(f"{folder}/{_CHOICES.get(name, '')}")
        if choices is not None and value not in choices.words():
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        if choices is None and _NUMBER.fullmatch(" ".join(file.words())) and not _NUMBER.fullmatch(value):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        file.keep(value.encode())


class _File(Attribute):
    """A file as it was recorded, or as somebody wrote it since."""

    def __init__(self, content: bytes | str, mode: int) -> None:
        super().__init__(read=str, mode=mode)
        self._content = content
        self._written = False

    def content(self) -> bytes:
        if isinstance(self._content, str):  # an errno name; what nobody read has no text to give
            number = getattr(errno, self._content, errno.ENODATA)
            raise OSError(number, os.strerror(number))
        return self._content if b"\0" in self._content else self._content + b"\n"

    def words(self) -> list[str]:
        return self._content.decode(errors="replace").split() if isinstance(self._content, bytes) else []

    def follow(self, content: bytes | str) -> None:
        if not self._written:
            self._content = content

    def keep(self, content: bytes) -> None:
        self._content, self._written = content, True
