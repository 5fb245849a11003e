"""Makes a recording: the tree first, then once a period what changed, each sample on its way to the disk at once."""

from __future__ import annotations

import stat
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from gamesad import __version__
from gamesad.hardware import ACTUATORS
from gamesad.hardware.base import Actuator
from gamesad.hardware.sysfs import Sysfs, natural_key
from gamesad.recording import lines, scrub
from gamesad.recording.extent import look
from gamesad.recording.lines import Entry
from gamesad.recording.load import MOST_BYTES
from gamesad.recording.scrub import Scrub
from gamesad.recording.watched import Watched
from gamesad.telemetry.collector import Collector
from gamesad.types import Snapshot
from gamesad.worker import has_woken

_ABOUT = (
    "# A machine's sensors and settings, for those who work on gamesad. What could say whose machine it is was left",
    "# out (docs/recording.md says what); please look through it before you send it. To replay: gamesad --root FILE",
)


@dataclass(frozen=True, slots=True)
class Totals:
    """``refused``: files that this user may not read."""

    samples: int
    files: int
    moving: int
    refused: int
    text_bytes: int
    packed_bytes: int


class Capture:
    """One recording under way. ``write`` takes bytes and has passed them to the kernel when it returns.

    Reads what gamesad reads, by its own sources, so a sleeping device is left asleep and a slow one is read off the
    tick; a replay therefore sees what this gamesad saw. A card that
    wakes is looked at anew; devices that come later are not recorded.
    """

    def __init__(
        self,
        sysfs: Sysfs,
        write: Callable[[bytes], object],
        scrub: Scrub,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sysfs = Watched(sysfs)
        self._write = write
        self._scrub = scrub
        self._clock = clock
        self._start_s = clock()
        self._collector = Collector(self.sysfs, clock=clock)
        self._snapshot: Snapshot | None = None
        self._actuators = self._probe()
        self._seen: dict[str, bytes | str] = {}
        self._told: dict[str, bytes | str | None] = {}
        self._changed: set[str] = set()
        self._gzip = zlib.compressobj(9, wbits=31)
        self._samples = self._text_bytes = self._packed_bytes = 0

    def begin(self, machine: str) -> None:
        """The tree, and the first sample."""
        look(self.sysfs)
        self._read()
        paths = list(self.sysfs.entries)
        self._scrub.spare(paths)
        name = self._scrub.text("", machine.encode()).decode()
        head = [lines.FIRST, *_ABOUT, f"gamesad {__version__}", f"machine {lines.escape(name.encode())}"]
        self._tell(head)
        self._tell_sample(0.0)

    def sample(self) -> None:
        """What changed since the last sample."""
        self._read()
        self._tell_sample(self._clock() - self._start_s)

    def end(self) -> Totals:
        """The last line; nothing comes after it. Sources are closed."""
        self._collector.close()
        self._tell([lines.LAST], last=True)
        contents = self.sysfs.contents
        refused = [path for path, content in contents.items() if content in ("EACCES", "EPERM")]
        return Totals(
            self._samples, len(contents), len(self._changed), len(refused), self._text_bytes, self._packed_bytes
        )

    @property
    def full(self) -> bool:
        """Whether more of it could not be read back."""
        return self._text_bytes > MOST_BYTES * 0.95

    def _probe(self) -> list[Actuator]:
        return [actuator for probe in ACTUATORS for actuator in probe(self.sysfs)]

    def _read(self) -> None:
        before, self._snapshot = self._snapshot, self._collector.sample(self._clock())
        if before and has_woken(before, self._snapshot):
            self._collector.rescan()
            self._actuators = self._probe()
            look(self.sysfs)
        for actuator in self._actuators:
            for tunable in actuator.tunables():
                try:
                    actuator.read(tunable)
                except (OSError, ValueError):
                    continue  # what it answers is noted

    def _tell_sample(self, at_s: float) -> None:
        self._samples += 1
        new = sorted([*self._links_and_folders(), *self._files()], key=lambda one: natural_key(one.path))
        self._tell([*(line for one in new for line in one.lines()), lines.at(at_s)])

    def _links_and_folders(self) -> list[Entry]:
        """The new ones; a folder only while nothing is in it, for what is in it names it."""
        found = []
        entries = dict(self.sysfs.entries)
        filled = {path.rpartition("/")[0] for path in entries}
        for path, (mode, target) in entries.items():
            if path in self._told or stat.S_ISREG(mode):
                continue
            self._told[path] = None
            if target and lines.inside(path, target):
                found.append(Entry(self._scrub.path(path), target=self._scrub.path(target)))
            elif stat.S_ISDIR(mode) and path not in filled:
                found.append(Entry(self._scrub.path(path)))
        return found

    def _files(self) -> list[Entry]:
        found = []
        for path in list(self.sysfs.contents):
            content = self.sysfs.content(path)
            mode, _target = self.sysfs.entries.get(path, (0, ""))
            if content == self._seen.get(path) or not stat.S_ISREG(mode):
                continue
            self._seen[path] = content
            if isinstance(content, bytes):
                content = lines.WITHHELD if scrub.is_withheld(path) else self._scrub.text(path, content)
            known = self._told.get(path)
            if content == known:
                continue
            self._told[path] = content
            if known is not None:
                self._changed.add(path)
            found.append(Entry(self._scrub.path(path), content=content, mode=mode & 0o777 if known is None else None))
        return found

    def _tell(self, said: list[str], *, last: bool = False) -> None:
        text = "".join(f"{line}\n" for line in said).encode(errors="surrogateescape")
        packed = self._gzip.compress(text) + self._gzip.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
        self._text_bytes += len(text)
        self._packed_bytes += len(packed)
        self._write(packed)
