"""The values before us, on disk: what makes it safe to write at all.

Two files of one form: /run/gamesad/baseline.json for what a reboot resets, and /var/lib/gamesad/baseline.json for
what firmware keeps (platform_profile). Each is replaced as a whole, and removed when nothing of ours is in force.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from gamesad.actuation.entry import Entry, boot_id, dump, permitted
from gamesad.actuation.restore import FILE, load
from gamesad.durable import DurableFile, replace
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Tunable, Value

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Unrecorded(Exception):
    """A baseline file could not be written. ``volatile`` False: only that of the tunables that outlive a reboot."""

    def __init__(self, error: OSError, *, volatile: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.volatile = volatile


class Baseline:
    """Entries by name, in memory; ``save`` brings them to disk. ``problems`` are sentences for the journal.

    Entries that are there after ``load`` were left by a daemon that is no more: put them back before anything else.
    """

    def __init__(self, runtime_dir: str, state_dir: str, *, boot: str = "", root: str = "/") -> None:
        self._boot = boot
        self._root = root
        self._volatile = os.path.join(runtime_dir, FILE)
        self._persistent = os.path.join(state_dir, FILE)
        self._persistent_file = DurableFile(self._persistent)
        self._entries: dict[str, Entry] = {}
        self._awaited: dict[str, Entry] = {}
        self._outlive: set[str] = set()
        self._changed: set[str] = set()
        self._sequence = 0
        self.problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, runtime_dir: str, state_dir: str, sysfs: Sysfs) -> Baseline:
        """What is on disk; a damaged file is set aside and named in ``problems``. Raises nothing for what it finds."""
        try:
            boot = boot_id(sysfs.read(_BOOT_ID))
        except OSError:
            boot = ""
        root = "simulated" if sysfs.simulated else sysfs.root or "/"
        baseline = cls(runtime_dir, state_dir, boot=boot, root=root)
        baseline._read()
        return baseline

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def intend(self, tunable: Tunable, original: Value, value: Value) -> None:
        """``value`` is about to be written; ``original`` counts only where the tunable wasn't known yet."""
        entry = self._entry(tunable, original)
        entry.previous = entry.read_back
        entry.intended = value
        entry.read_back = None

    def watch(self, tunable: Tunable, original: Value) -> None:
        """Something of ours is about to move this one, which is not ours otherwise."""
        self._entry(tunable, original)

    def settle(self, name: str, value: Value) -> None:
        """``value`` is what stands there now, by our doing."""
        entry = self._entries[name]
        if entry.read_back != value or entry.previous is not None:
            entry.previous, entry.read_back = None, value
            self._mark(name)

    def release(self, name: str) -> None:
        """It went back to the original, and something else of ours moves it: watched from now on."""
        self._entries[name].intended = None
        self._mark(name)

    def put(self, name: str, entry: Entry | None) -> None:
        """Back to an earlier state of the entry (a write was refused), or to none (the value isn't ours any more)."""
        self._mark(name)
        if entry is not None:
            self._entries[name] = entry
        else:
            self._entries.pop(name, None)

    def postpone(self, name: str, entry: Entry | None) -> None:
        """As ``put``; what was intended stays on its way to the disk, where it does no harm: it is not written yet."""
        if (intended := self._entries.get(name)) is not None:
            self._awaited[name] = intended
        self.put(name, entry)

    def await_only(self, names: Collection[str]) -> None:
        """Nobody wishes any more for what else was postponed."""
        for name in self._awaited.keys() - set(names):
            del self._awaited[name]
            self._mark(name)

    @property
    def recorded(self) -> Collection[str]:
        """What was postponed and may be intended again, now that the disk has answered."""
        return self._awaited if self._persistent_file.answered else ()

    def save(self) -> None:
        """Write what changed. Unrecorded: a file could not be, and nothing that belongs in it may be written."""
        failures: dict[str, OSError] = {}
        for place in (self._volatile, self._persistent):
            if place not in self._changed:
                continue
            persistent = place == self._persistent
            entries = {**self._entries, **self._awaited}.values()
            kept = [entry for entry in entries if (entry.name in self._outlive) is persistent]
            data = dump(kept, boot_id=self._boot, root=self._root) if kept else None
            try:
                if persistent:
                    self._persistent_file.keep(data)
                else:
                    replace(place, data)
            except OSError as error:
                failures[place] = error
                continue
            self._changed.discard(place)
        if failures:
            raise Unrecorded(next(iter(failures.values())), volatile=self._volatile in failures)

    def _entry(self, tunable: Tunable, original: Value) -> Entry:
        if not permitted(tunable.path):
            raise ValueError(f"{tunable.path} is no place for a tunable")
        entry, awaited = self._entries.get(tunable.name), self._awaited.pop(tunable.name, None)
        if entry is None and awaited is not None and awaited.original == original:
            entry = self._entries[tunable.name] = awaited
        if entry is None:
            self._sequence += 1
            entry = Entry(tunable.name, tunable.path, tunable.role.value, original, self._sequence)
            self._entries[tunable.name] = entry
            if tunable.persistent:
                self._outlive.add(tunable.name)
        self._mark(tunable.name)
        return entry

    def _mark(self, name: str) -> None:
        self._changed.add(self._persistent if name in self._outlive else self._volatile)

    def _read(self) -> None:
        problems = []
        for place, boot in ((self._volatile, self._boot), (self._persistent, None)):
            entries, problem = load(place, boot, self._root)
            if problem:
                problems.append(problem)
            for entry in entries:
                self._entries[entry.name] = entry
                self._sequence = max(self._sequence, entry.sequence)
                if place == self._persistent:
                    self._outlive.add(entry.name)
            self._changed.add(place)  # so that a file from before a reboot goes at the next save
        self.problems = tuple(problems)
