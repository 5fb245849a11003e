"""The coarser rings and the decisions on disk, so that they are there again after a reboot.

Only what is new is written. Every touch of the disk is on a thread of its own, one at a time, which no tick waits for:
what a disk that does not answer would have kept waits in memory.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from gamesad.crystal import decisions, layout
from gamesad.crystal.history.ledger import Ledger
from gamesad.crystal.history.library import Batch, Found, Library, Placed, placed

if TYPE_CHECKING:
    from gamesad.crystal.history.history import History
    from gamesad.crystal.segment import Segment

_SLOW_AT_ONCE = 12
"""Slow rows that are worth a chunk; until then they can be made of the middle rows on disk."""
_TAKEN_AT_ONCE = 500
"""Rows from disk that one tick puts into a ring: about a millisecond."""
_SILENT_S = 60.0
_NOTHING = Found([], [], [], [])


class Errand:
    """Something done on a thread of its own, because it may wait for a disk. Nothing can end it from outside."""

    def __init__(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """``then`` takes what ``work`` returns, in ``finish``. RuntimeError: there are no more threads."""
        self._ended = threading.Event()
        self._work, self._then = work, then
        self._result: Any = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="history", daemon=True).start()

    def ended(self, patience_s: float = 0.0) -> bool:
        return self._ended.wait(patience_s)

    def finish(self) -> None:
        """On the thread that waits for it, once it has ended. What ``work`` raised is raised here."""
        if self._error is not None:
            raise self._error
        self._then(self._result)

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        self._ended.set()


class Archive:
    """Belongs to the thread that ticks."""

    def __init__(self, folder: str, keep: tuple[int, int, int], every_s: float, tell: Callable[[str], None]) -> None:
        """Begins to read.

        ``keep``: middle rows, slow rows and decisions that shall stay on disk; ``every_s``: 0 for neither reading nor
        writing; ``tell`` takes one line for a person, once per trouble.
        """
        self.folder = folder
        self.every_s = every_s
        self._library = Library(folder, keep)
        self._tell = tell
        self._trouble = ""
        self._errand: Errand | None = None
        self._found: Found | None = None
        self._ledger: Ledger | None = None
        self._placed = self._ready = self._failed = False
        self._silent_s: float | None = None
        self._due_s: float | None = None
        if every_s:
            self._begin(self._library.read, self._have_read)

    def wait(self, patience_s: float) -> Found:
        """What is on disk if it could be read in that time: names for columns, decisions to ``restore``.

        Before ``attach``, where nothing is recovered.
        """
        self._detach()
        until_s = monotonic() + patience_s
        while self.every_s and self._found is None:
            if self._errand is None and not self._begin(self._library.read, self._have_read):
                break
            if self._errand is not None and not self._errand.ended(max(0.0, until_s - monotonic())):
                break
            self._finish()
        return self._found or _NOTHING

    def attach(self, segment: Segment, history: History, columns: Callable[[], Mapping[str, int]]) -> None:
        """From now on this is the segment: before its first ``push``, after what it recovers.

        ``columns`` gives the column of each sensor, those that are gone included, whenever it is asked.
        """
        self._detach()
        self._ledger = Ledger(segment, history, columns)

    def _detach(self) -> None:
        """From a segment that is no more; what is on disk by now is read anew for the next."""
        if self._ledger is not None:
            self._ledger = self._found = None
            self._placed = self._ready = False

    def move(self, segment: Segment) -> None:
        """A compaction has put ``segment`` in the place of the attached one."""
        if self._ledger is not None:
            self._ledger.move(segment)

    def configure(self, every_s: float) -> None:
        self.every_s = every_s
        self._due_s = None

    def tend(self, now_s: float) -> None:
        """A bounded step of what is to be done, after a tick; ``now_s`` on any clock that never goes back."""
        if self._errand is not None and not self._errand.ended():
            self._silent_s = now_s + _SILENT_S if self._silent_s is None else self._silent_s
            if now_s > self._silent_s:
                self._report("the disk does not answer")
        elif self.every_s:
            self._silent_s = None
            self._step()
            self._due_s = now_s + self.every_s if self._due_s is None else self._due_s
            if self._ready and now_s >= self._due_s and self._ledger and not self._save(self._ledger, _SLOW_AT_ONCE):
                self._due_s = None

    def close(self, patience_s: float) -> bool:
        """Writes all that is not on disk yet, before a clean stop; whether that could be done in this time."""
        if not self.every_s or self._ledger is None:
            return False
        self._ledger.flush()
        until_s = monotonic() + patience_s
        while self._errand is None or self._errand.ended(max(0.0, until_s - monotonic())):
            self._failed = False
            self._step()
            if self._ready and not self._failed and not self._save(self._ledger, 1):
                return not self._trouble
            if self._failed or not self._ledger.grown or monotonic() > until_s:
                return False
        self._report("the disk does not answer")
        return False

    def _step(self) -> None:
        """Takes what an errand brought, and goes on until the rings have what is on disk."""
        self._finish()
        if self._ready:
            return
        found, ledger = self._found, self._ledger
        if found is None:
            self._begin(self._library.read, self._have_read)
        elif ledger is None or not ledger.grown:
            return
        elif not self._placed:
            columns = dict(ledger.columns())

            def then(rows: Placed) -> None:
                if ledger is self._ledger:
                    ledger.prepare(rows, found.decisions[-1] if found.decisions else None)
                    self._placed = True

            self._begin(lambda: placed(found, columns, ledger.width), then)
        elif not ledger.take(_TAKEN_AT_ONCE):
            self._found, self._ready, self._due_s = _NOTHING, True, None

    def _finish(self) -> None:
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.finish()

    def _have_read(self, found: Found) -> None:
        self._found = found
        for line in found.lines:
            self._tell(line)

    def _save(self, ledger: Ledger, slow_at_least: int) -> bool:
        """Begins to write what is new; False: nothing is."""
        library = self._library
        plan, columns = ledger.plan(slow_at_least), dict(ledger.columns())

        def then(outcome: tuple[list[Batch], OSError | None]) -> None:
            done, error = outcome
            if ledger is self._ledger:
                ledger.wrote(done)
            self._failed = error is not None
            if error is not None or not plan.more:
                self._due_s = None
            if error is not None:
                self._report(error.strerror or str(error))
            elif self._trouble:
                self._trouble = ""
                self._tell(f"{self.folder} keeps history and decisions again")

        return bool(plan.batches) and self._begin(lambda: library.write(plan.batches, columns), then)

    def _begin(self, work: Callable[[], Any], then: Callable[[Any], None]) -> bool:
        try:
            self._errand = Errand(work, then)
        except RuntimeError:  # no more threads: somebody else's fork bomb, or TasksMax=
            self._report(os.strerror(errno.EAGAIN))
            return False
        return True

    def _report(self, problem: str) -> None:
        if problem != self._trouble:
            self._trouble = problem
            again = f"what is new waits in memory, the next try is in {self.every_s / 60:g} min"
            self._tell(f"{self.folder} cannot keep history and decisions ({problem}); {again}")


def renumbered(entries: list[bytes], *, crc: bool) -> dict[int, bytes]:
    """Decisions found on disk as the first ones of a segment, by number, for ``Telemetry.restore``."""
    fresh = {}
    for number, entry in enumerate(entries, 1):
        found = decisions.Entry(entry, int.from_bytes(entry[:8], "little"), crc=False)
        text = entry[layout.DECISION_HEAD.size :][: layout.DECISION_HEAD.unpack_from(entry)[5]]
        fresh[number] = decisions.pack(number, found.since_s, found.action, found.source, text, crc=crc)
    return fresh
