"""The pool of one segment and its keeper, and the flight recordings in it.

Imported when it is first needed, for all that belongs to it costs a start a sixth of its time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic

from gamesad.config import CrystalConfig
from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalFull
from gamesad.crystal.flight import OWNER
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.previous import Previous
from gamesad.crystal.segment import Segment
from gamesad.crystal.tiering.keeper import Keeper
from gamesad.crystal.tiering.prefetch import Budget
from gamesad.crystal.tiering.tiers import Rules, Settings
from gamesad.report import Dictionary

LEARNT = ("model", "episode", "calibration")
"""Owners of what is learnt: gamesad.neural.blocks."""
MAINTAIN_S = 0.5e-3
"""What one step between ticks takes, and a little more."""
_LOG = logging.getLogger(__name__)


class Store:
    """Belongs to the thread that ticks. ``moved`` is called with the segment that a compaction put in the place."""

    def __init__(self, segment: Segment, settings: CrystalConfig, moved: Callable[[Segment], None]) -> None:
        self._pool = Pool(segment)
        self.keeper = Keeper(self._pool, _kept(settings), tell=self._told, replaced=moved)
        self._waiting: list[Callable[[str], None]] = []
        self._problem = ""
        self._begun = self._full = False

    def take_over(self, previous: Previous) -> tuple[int, int]:
        """How many blocks of the pool before are whole, and how many are not."""
        section = previous.section(layout.POOL)
        if section is None:
            return 0, 0
        with memoryview(previous.memory)[section[0] : sum(section)] as pool:
            return self._pool.recover(pool)

    def keep(self, recording: bytes, count: int) -> None:
        """Keeps a flight recording as one of ``count``; the oldest go when there are too many, or no room."""
        flights = [block for block in self._pool.blocks() if block.owner == OWNER]
        while len(flights) >= count:
            self._pool.free(flights.pop(0))
        while True:
            try:
                block = self._pool.allocate(len(recording), layout.COLD, OWNER)
                break
            except CrystalFull as error:
                if not flights:
                    _LOG.warning("a flight recording of %d bytes was not kept: %s", len(recording), error)
                    return
                self._pool.free(flights.pop(0))
        self._pool.write(block, recording)

    def keep_learnt(self, contents: Mapping[str, bytes]) -> None:
        """A block for each owner instead of those that it has; these go when all the new ones are whole."""
        before = [block for block in self._pool.blocks() if block.owner in contents]
        made = []
        try:
            for owner, data in contents.items():
                made.append(self._pool.allocate(len(data), layout.WARM, owner))
                self._pool.write(made[-1], data)
        except CrystalFull as error:
            before = made
            self._told_full(error)
        else:
            self._full = False
        for block in before:
            self._pool.free(block)

    def learnt(self) -> list[dict[str, bytes]]:
        """The newest of each owner in LEARNT, and the oldest: one of them is of one moment, whenever the writer was
        killed."""
        blocks = [block for block in self._pool.blocks() if block.owner in LEARNT]
        return [
            {block.owner: bytes(self._pool.read(block)) for block in order}
            for order in ((blocks, blocks[::-1]) if blocks else ())
        ]

    def maintain(self) -> bool:
        """A bounded step of what can wait; whether there is more."""
        if not self._begun:
            self._begin()
        began_s = monotonic()
        self.keeper.maintain(began_s, MAINTAIN_S)
        if self._waiting and not self.keeper.compacting:
            waiting, self._waiting = self._waiting, []
            for done in waiting:
                done(self._problem)
        return self.keeper.compacting or monotonic() - began_s >= MAINTAIN_S

    def _begin(self) -> None:
        """The pool's first MiB, so that readers find its numbers though nothing is in it."""
        self._begun = True
        if not self._pool.statistics()["size"]:
            with suppress(CrystalFull):
                self._pool.free(self._pool.allocate(1))
        self._pool.publish()

    def compact(self, done: Callable[[str], None]) -> None:
        """Begins it; ``done`` gets "" or why it came to nothing. CrystalFull."""
        self._problem = ""
        self.keeper.compact()
        self._waiting.append(done)

    def statistics(self) -> Dictionary:
        texts = {"Advice": self.keeper.advice(), "Survey": self.keeper.survey()}
        return {**self._pool.statistics(), **self.keeper.statistics(), **texts}

    def configure(self, settings: CrystalConfig) -> None:
        self.keeper.configure(_kept(settings))

    def close(self) -> None:
        self.keeper.close()

    def _told_full(self, error: CrystalFull) -> None:
        if not self._full:
            _LOG.warning("what is learnt is not in the shared memory: %s", error)
        self._full = True

    def _told(self, text: str) -> None:
        _LOG.info("%s", text)
        if text.startswith("not compacted"):
            self._problem = text


def _kept(settings: CrystalConfig) -> Settings:
    """What the keeper is to go by."""
    rules = Rules(settings.promote_above, settings.demote_below, settings.half_life_s, settings.dwell_s)
    budget = Budget(settings.prefetch_mib << 20, settings.prefetch_cpu) if settings.prefetch else None
    return Settings(rules, budget)
