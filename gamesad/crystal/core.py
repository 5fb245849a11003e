"""One segment and everything that the daemon writes into it, from its making to its end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic, perf_counter

from gamesad.config import CrystalConfig
from gamesad.crystal import layout
from gamesad.crystal.archive import Archive, renumbered
from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.flight import OWNER, Recorder
from gamesad.crystal.history import History
from gamesad.crystal.keeper import Keeper
from gamesad.crystal.pool import Pool
from gamesad.crystal.prefetch import Budget
from gamesad.crystal.previous import Previous
from gamesad.crystal.publisher import Publisher, with_column
from gamesad.crystal.segment import Segment
from gamesad.crystal.settings import Settings
from gamesad.crystal.takeover import former_sensors, last_decisions, last_rows, take_over_pool
from gamesad.crystal.telemetry import Telemetry
from gamesad.crystal.texts import StatusText
from gamesad.crystal.tiers import Rules
from gamesad.events import Event
from gamesad.report import Dictionary, Moment
from gamesad.telemetry.history import Record

MAINTAIN_S = 0.5e-3
"""What one tick spends on the pool at most."""
_DISK_S = 0.2
"""What a start waits for history on disk."""
_AT_LAST_S = 2.0
"""What a stop gives the disk."""
_GROW_AGAIN_S = 60.0
_SPARE = 16
"""Columns and tunables kept free for what is plugged in later: so many, or a quarter of what there is."""
_LOG = logging.getLogger(__name__)


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
        except BaseException:
            self.segment.close(unlink=self.segment.previous is None)  # else the one before is still in its place
            raise

    def _fill(self, place: Place, moment: Moment, *, again: bool) -> None:
        segment, previous = self.segment, self.segment.previous
        self._telemetry = Telemetry(segment)
        self.history = History(segment)
        self.pool = Pool(segment)
        self.recorder = Recorder(self.settings.flight_before_s, self.settings.flight_after_s)
        text = StatusText(version=place.version, machine=place.machine, simulated=place.simulated)
        self.publisher = Publisher(self._telemetry, self.history, text, tunables=segment.geometry.tunables)
        self.keeper = Keeper(self.pool, kept(self.settings), tell=self._told, replaced=self._moved)
        self._compacted: list[Callable[[str], None]] = []
        self._problem = ""
        self._grow_s = 0.0
        if segment.set_aside:
            _LOG.warning("%s", segment.set_aside)
        if previous is not None:
            self._take_over(previous, moment)
            if previous.state.state == layout.LIVE and not again:
                rows = last_rows(self.history, self.settings.flight_before_s)
                what = f"gamesad (process {previous.state.pid}) ended without a word"
                self.recorder.crashed(rows, last_decisions(segment), what, moment)
        elif self._archive:
            found = self._archive.wait(_DISK_S)
            self.publisher.describe(moment.sensors, moment.controls, former=sorted(found.names))
            entries = found.decisions[-segment.geometry.decisions :]
            self._telemetry.restore(renumbered(entries, crc=bool(segment.flags & layout.FLAG_CRC)))
        if self._archive:
            self._archive.attach(segment, self.history, lambda: self.publisher.columns)

    def _take_over(self, previous: Previous, moment: Moment) -> None:
        """What is whole in the segment of before, and one line on it."""
        former = former_sensors(previous)
        self.publisher.describe(moment.sensors, moment.controls, former=former)
        self.history.grow()
        self._grow_s = inf
        known = self.publisher.columns
        columns = {theirs: known[name] for theirs, name in enumerate(former) if name in known}
        decided = self._telemetry.take_over(previous)
        rows = self.history.recover(previous, columns)
        blocks = take_over_pool(previous, self.pool)
        whole = f"{rows[0]} rows, {decided[0]} decisions and {blocks[0]} blocks are whole"
        lost = f"{rows[1]}, {decided[1]} and {blocks[1]} are not"
        _LOG.info("the segment that was there is taken over: %s, %s", whole, lost)

    # ---- each tick

    def publish(self, moment: Moment, decided: Record | None, events: Sequence[Event]) -> None:
        """NoColumn: nothing was published, a larger segment is needed."""
        self.segment.beat()
        self.publisher.publish(moment, decided)
        if self.settings.flights:
            document = self.recorder.note(moment, self.publisher.values, tuple(self.publisher.columns), events)
            if document is not None:
                self._keep(document)

    def maintain(self) -> bool:
        """A bounded step of what else is to be done; whether there is more."""
        if monotonic() >= self._grow_s:
            self._grow()
        began_s = perf_counter()
        self.keeper.maintain(monotonic(), MAINTAIN_S)
        if self._archive:
            self._archive.tend(monotonic())
        if self._compacted and not self.keeper.compacting:
            compacted, self._compacted = self._compacted, []
            for done in compacted:
                done(self._problem)
        return self.keeper.compacting or perf_counter() - began_s >= MAINTAIN_S

    def _grow(self) -> None:
        """The coarser rings, once there is room for them."""
        try:
            self.history.grow()
            self._grow_s = inf
        except CrystalFull as error:
            if not self._grow_s:
                _LOG.warning("history goes back %d minutes only: %s", self.settings.fast_for_minutes, error)
            self._grow_s = monotonic() + _GROW_AGAIN_S

    def _keep(self, document: bytes) -> None:
        """Stores a recording; the oldest go when there are too many, or no room."""
        flights = [block for block in self.pool.blocks() if block.owner == OWNER]
        while len(flights) >= self.settings.flights:
            self.pool.free(flights.pop(0))
        while True:
            try:
                block = self.pool.allocate(len(document), layout.COLD, OWNER)
                break
            except CrystalFull as error:
                if not flights:
                    _LOG.warning("a flight recording of %d bytes was not kept: %s", len(document), error)
                    return
                self.pool.free(flights.pop(0))
        self.pool.write(block, document)

    def _told(self, text: str) -> None:
        _LOG.info("%s", text)
        if text.startswith("not compacted"):
            self._problem = text

    def _moved(self, segment: Segment) -> None:
        """A compaction has put another segment in the place of this one."""
        self.segment = segment
        self._telemetry = self.publisher.move(Telemetry(segment))
        self.history.move(segment)
        if self._archive:
            self._archive.move(segment)

    # ---- what is asked

    def compact(self, done: Callable[[str], None]) -> None:
        self._problem = ""
        self.keeper.compact()
        self._compacted.append(done)

    def statistics(self) -> Dictionary:
        segment = self.segment
        numbers = {"path": segment.path, "generation": segment.generation, "length": segment.length}
        texts = {"Advice": self.keeper.advice(), "Survey": self.keeper.survey()}
        return {**numbers, **self.pool.statistics(), **self.keeper.statistics(), **texts}

    def configure(self, settings: CrystalConfig) -> None:
        """Takes what can change while the segment lives."""
        self.settings = settings
        self.keeper.configure(kept(settings))
        self.recorder.before_s, self.recorder.after_s = settings.flight_before_s, settings.flight_after_s

    def close(self, *, clean: bool) -> None:
        """The end. ``clean``: the segment goes, once its history is on disk; else it stays for the next gamesad."""
        self.keeper.close()
        saved = True
        if clean and self._archive and self._archive.every_s:
            saved = self._archive.close(_AT_LAST_S)
        self.history.flush()
        document = self.recorder.finish({}, tuple(self.publisher.columns))
        if document is not None and self.settings.flights:
            self._keep(document)
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


def kept(settings: CrystalConfig) -> Settings:
    """What the keeper of the pool is to go by."""
    rules = Rules(settings.promote_above, settings.demote_below, settings.half_life_s, settings.dwell_s)
    budget = Budget(settings.prefetch_mib << 20, settings.prefetch_cpu) if settings.prefetch else None
    return Settings(rules, budget)


def _with_spare(count: int) -> int:
    return layout.aligned(count + max(_SPARE, count // 4), _SPARE)
