"""One segment and everything that the daemon writes into it, from its making to its end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from gamesad.config import CrystalConfig
from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalFull, InUse
from gamesad.crystal.flight import Recorder
from gamesad.crystal.history.archive import Archive, renumbered
from gamesad.crystal.history.history import History
from gamesad.crystal.previous import Previous
from gamesad.crystal.publisher import Publisher, with_column
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from gamesad.crystal.texts import StatusText
from gamesad.events import Event
from gamesad.report import Dictionary, Moment
from gamesad.telemetry.history import Record

if TYPE_CHECKING:
    from gamesad.crystal.store import Store

_START_S = 1.0
"""Until then there are no steps between ticks: others are waiting for the start."""
LEARNT_S = 30.0
"""How often what is learnt is written."""
_LOOK_S = 10.0
"""How often it is seen to that the file is still in its place."""
_DISK_S = 0.2
"""What a start waits for history on disk."""
AT_LAST_S = 2.0
"""What a stop gives the disk."""
_GROW_AGAIN_S = 60.0
_DECISIONS = 16
"""How many of those before a crash its recording has."""
_SPARE = 16
"""Columns and tunables kept free for what is plugged in later: so many, or a quarter of what there is."""
_LOG = logging.getLogger(__name__)

Learnt = Callable[[], Mapping[str, bytes]]
"""What is learnt so far, by owner of its blocks."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the segment is and what it says of the daemon that writes it."""

    path: str
    version: str
    machine: str
    simulated: bool
    stale_after_s: float
    history_dir: str = ""
    """Where history is kept over reboots; empty for nowhere."""


class Core:
    """Belongs to the thread that ticks. Any error may come out of any method; then it is to be closed."""

    def __init__(
        self, place: Place, settings: CrystalConfig, moment: Moment, archive: Archive | None, *, again: bool
    ) -> None:
        """A new segment for this machine, with what was whole in the one before; in place when this returns.

        ``again``: the one that is found is of this process. CrystalError: nothing has changed.
        """
        self.settings = settings
        self._archive = archive
        self.segment = Segment.create(
            place.path,
            columns=_with_spare(len(with_column(moment.sensors))),
            tunables=_with_spare(len(moment.controls.tunables)),
            version=place.version,
            simulated=place.simulated,
            pool_max=settings.size_mib << 20,
            stale_after_s=place.stale_after_s,
            rings=rings(settings),
        )
        try:
            self._fill(place, moment, again=again)
            self.segment.publish()
            self._file = os.lstat(place.path)
        except BaseException:
            self.segment.close(unlink=self.segment.previous is None)  # else the one before is still in its place
            raise

    def _fill(self, place: Place, moment: Moment, *, again: bool) -> None:
        segment, previous = self.segment, self.segment.previous
        self._telemetry = Telemetry(segment)
        self.history = History(segment)
        self.recorder = Recorder(self.settings.flight_before_s, self.settings.flight_after_s)
        text = StatusText(version=place.version, machine=place.machine, simulated=place.simulated)
        self.publisher = Publisher(self._telemetry, self.history, text, tunables=segment.geometry.tunables)
        self._store: Store | None = None
        self._maintain_s = monotonic() + _START_S
        self._look_s = monotonic() + _LOOK_S
        self._grow_s = 0.0
        self._learnt_s = monotonic() + LEARNT_S
        if segment.set_aside:
            _LOG.warning("%s", segment.set_aside)
        if previous is not None:
            self._take_over(previous, moment)
            if previous.state.state == layout.LIVE and not again:
                rows = self.history.last(self.settings.flight_before_s)
                what = f"gamesad (process {previous.state.pid}) ended without a word"
                self.recorder.crashed(rows, self._telemetry.last_decisions(_DECISIONS), what, moment)
        elif self._archive:
            found = self._archive.wait(_DISK_S)
            self.publisher.describe(moment.sensors, moment.controls, former=sorted(found.names))
            entries = found.decisions[-segment.geometry.decisions :]
            self._telemetry.restore(renumbered(entries, crc=bool(segment.flags & layout.FLAG_CRC)))
        if self._archive:
            self._archive.attach(segment, self.history, lambda: self.publisher.columns)

    def _take_over(self, previous: Previous, moment: Moment) -> None:
        """What is whole in the segment of before, and one line on it."""
        former = previous.sensors()
        self.publisher.describe(moment.sensors, moment.controls, former=former)
        self.history.grow()
        self._grow_s = inf
        known = self.publisher.columns
        columns = {theirs: known[name] for theirs, name in enumerate(former) if name in known}
        decided = self._telemetry.take_over(previous)
        rows = self.history.recover(previous, columns)
        blocks = self.store.take_over(previous)
        whole = f"{rows[0]} rows, {decided[0]} decisions and {blocks[0]} blocks are whole"
        lost = f"{rows[1]}, {decided[1]} and {blocks[1]} are not"
        _LOG.info("the segment that was there is taken over: %s, %s", whole, lost)

    # ---- each tick

    def publish(self, moment: Moment, decided: Record | None, events: Sequence[Event]) -> None:
        """NoColumn: nothing was published, a larger segment is needed."""
        self.segment.beat()
        self.publisher.publish(moment, decided)
        if self.settings.flights:
            document = self.recorder.note(moment, self.publisher.values, self.publisher.columns, events)
            if document is not None:
                self.store.keep(document, self.settings.flights)

    def maintain(self, learnt: Learnt) -> bool:
        """A bounded step of what else is to be done; whether there is more."""
        now_s = monotonic()
        if now_s >= self._grow_s:
            self._grow()
        if now_s < self._maintain_s and self._store is None:
            return False
        if now_s >= self._look_s:
            self._look()
        if self._archive:
            self._archive.tend(now_s)
        if now_s >= self._learnt_s and (contents := learnt()):
            self._learnt_s = now_s + LEARNT_S
            self.store.keep_learnt(contents)
        return self.store.maintain()

    @property
    def store(self) -> Store:
        if self._store is None:
            from gamesad.crystal.store import Store  # noqa: PLC0415 - no start waits for it

            self._store = Store(self.segment, self.settings, self._moved)
        return self._store

    def _look(self) -> None:
        """A segment that somebody has removed is written anew, with all that is in it."""
        self._look_s = monotonic() + _LOOK_S
        path = self.segment.path
        if not os.path.lexists(path):
            _LOG.warning("%s was removed by somebody; it is made again", path)
            self.store.compact(lambda _: None)
        elif not os.path.samestat(os.lstat(path), self._file):
            raise InUse(f"{path} was replaced by somebody; gamesad looks again in a minute")

    def _grow(self) -> None:
        """The coarser rings, once there is room for them."""
        try:
            self.history.grow()
            if self._grow_s:
                _LOG.info("there is room again for all of the history")
            self._grow_s = inf
        except CrystalFull as error:
            if not self._grow_s:
                _LOG.warning("history goes back %d minutes only: %s", self.settings.fast_for_minutes, error)
            self._grow_s = monotonic() + _GROW_AGAIN_S

    def _moved(self, segment: Segment) -> None:
        """A compaction has put another segment in the place of this one."""
        self.segment.memory[layout.STATE_AT] = layout.REPLACED  # also where it was not in its place any more
        self.segment, self._file = segment, os.lstat(segment.path)
        self._telemetry = self.publisher.move(Telemetry(segment))
        self.history.move(segment)
        if self._archive:
            self._archive.move(segment)

    # ---- what is asked

    def statistics(self) -> Dictionary:
        segment = self.segment
        numbers = {"path": segment.path, "generation": segment.generation, "length": segment.length}
        return {**numbers, **self.store.statistics()}

    def configure(self, settings: CrystalConfig) -> None:
        """Takes what can change while the segment lives."""
        self.settings = settings
        if self._store:
            self._store.configure(settings)
        self.recorder.before_s, self.recorder.after_s = settings.flight_before_s, settings.flight_after_s

    def close(self, *, clean: bool, patience_s: float) -> None:
        """The end. ``clean``: the segment goes, once its history is on disk, which is given ``patience_s``; else it
        stays for the next gamesad."""
        if self._store:
            self._store.close()
        saved = True
        if clean and self._archive and self._archive.every_s:
            saved = self._archive.close(patience_s)
        self.history.flush()
        document = self.recorder.finish(self.publisher.sensors, self.publisher.columns)
        if document is not None and self.settings.flights:
            self.store.keep(document, self.settings.flights)
        if clean and not saved:
            self.segment.memory[layout.STATE_AT] = layout.CLOSED  # the next one is not to think that this one crashed
            _LOG.warning("%s stays for the next gamesad: its history is not on disk", self.segment.path)
        self.segment.close(unlink=clean and saved)


def rings(settings: CrystalConfig) -> tuple[tuple[int, int], ...]:
    """Rows and period in s of each ring."""
    return (
        (settings.fast_for_minutes * 60 // settings.fast_every_s, settings.fast_every_s),
        (settings.middle_for_hours * 3600 // settings.middle_every_s, settings.middle_every_s),
        (settings.slow_for_days * 86400 // settings.slow_every_s, settings.slow_every_s),
    )


def _with_spare(count: int) -> int:
    return layout.aligned(count + max(_SPARE, count // 4), _SPARE)
