"""Which rows and decisions of a segment are on disk, and which rows on disk belong into the segment.

Rows are told by their time and number of samples: one that is in a ring that was recovered after a kill is not put
there again. Where a clock was set back, or a restart cut a period in two, several have the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gamesad.crystal import decisions, layout
from gamesad.crystal.history.chunks import COUNT_MAX, SERIALS
from gamesad.crystal.history.library import DECISIONS, MIDDLE, SLOW, Batch, Placed
from gamesad.crystal.history.rows import Row, folded, grouped

if TYPE_CHECKING:
    from gamesad.crystal.history.history import History, RingWriter
    from gamesad.crystal.segment import Segment


class Plan(NamedTuple):
    """What is to be written; ``more``: there is more than that."""

    batches: list[Batch]
    more: bool


class Ledger:
    """Of one segment; belongs to the thread that ticks."""

    def __init__(self, segment: Segment, history: History, columns: Callable[[], Mapping[str, int]]) -> None:
        """Before the first ``push``, after what is recovered."""
        self.columns = columns
        self.width = segment.geometry.columns
        self._segment, self._history = segment, history
        self._until = [ring.written for ring in history.rings[1:]] or [0, 0]
        """Rows from here on were pushed."""
        self._below: Iterator[tuple[RingWriter, Row]] = iter(())
        self._saved = [0, 0]
        """Rows before these numbers are on disk."""
        self._ahead = 0
        """Serials of middle rows on disk are so far ahead of their numbers here."""
        self._decided = 0

    def move(self, segment: Segment) -> None:
        """To another segment with the same contents."""
        self._segment = segment

    @property
    def grown(self) -> bool:
        """Whether the rings are there."""
        return len(self._history.rings) > SLOW + 1

    @property
    def _rings(self) -> list[RingWriter]:
        return self._history.rings[1:]

    # ---- from disk

    def prepare(self, found: Placed, newest_decision: bytes | None) -> None:
        """Finds what is on disk, ``newest_decision`` the last one, and which rows of that are in no ring yet."""
        middle, slow = self._rings
        self._until = [max(until, ring.first) for until, ring in zip(self._until, self._rings, strict=True)]
        in_middle, in_slow = (list(self._keys(place)) for place in (MIDDLE, SLOW))
        self._saved[MIDDLE] = middle.oldest + _on_disk(in_middle, found.middle)
        self._saved[SLOW] = slow.oldest + _on_disk(in_slow, found.slow)
        self._ahead = found.serial - self._saved[MIDDLE]
        rows, slow_rows = _missing(found.middle, in_middle), _missing(found.slow, in_slow)
        pending = {id(row) for row in found.middle[len(found.middle) - found.pending :]}
        groups = grouped((row for row in rows if id(row) in pending), slow.period_us)
        if made := [folded(group, slow.period_us) for group in groups]:
            self._saved[SLOW] = slow.first - len(made)
        below = [(slow, row) for row in reversed(slow_rows + made)] + [(middle, row) for row in reversed(rows)]
        self._below = iter(below)
        self._decided = self._find(newest_decision)

    def take(self, count: int) -> bool:
        """Puts some of them there; False: it was the last."""
        for ring, row in islice(self._below, count):
            count -= 1
            ring.prepend(row)
        return not count

    def _find(self, decision: bytes | None) -> int:
        """The number that it has here; 0: it is not here."""
        newest = self._newest_decision
        numbers = range(newest, max(0, newest - self._segment.geometry.decisions), -1)
        return next((number for number in numbers if decision and self._decision(number)[8:] == decision[8:]), 0)

    def _keys(self, place: int) -> Iterator[tuple[int, int]]:
        """Of the rows in a ring that were not pushed."""
        ring = self._rings[place]
        return ((ring.time_us(number), ring.samples(number)) for number in range(ring.oldest, self._until[place]))

    # ---- to disk

    def flush(self) -> None:
        """What was pushed becomes rows, so that it can be written."""
        self._history.flush(coarser=True)

    def plan(self, slow_at_least: int) -> Plan:
        """What is not on disk, of middle rows and decisions at most COUNT_MAX; slow rows only if they are so many."""
        middle, slow = self._rings
        self._saved = [max(number, ring.oldest) for number, ring in zip(self._saved, self._rings, strict=True)]
        batches = []
        if slow.written - self._saved[SLOW] >= slow_at_least:
            rows = list(slow.rows(self._saved[SLOW]))
            serial = (middle.unfolded + self._ahead) % SERIALS
            parts = (rows[begin : begin + COUNT_MAX] for begin in range(0, len(rows), COUNT_MAX))
            batches += [Batch(SLOW, part, slow.period_us // 1_000_000, serial) for part in parts]
        if rows := list(islice(middle.rows(self._saved[MIDDLE]), COUNT_MAX)):
            serial = (self._saved[MIDDLE] + self._ahead) % SERIALS
            batches.append(Batch(MIDDLE, rows, middle.period_us // 1_000_000, serial))
        newest = self._newest_decision
        self._decided = max(self._decided, newest - self._segment.geometry.decisions)
        until = min(newest, self._decided + COUNT_MAX)
        if until > self._decided:
            entries = [self._decision(number) for number in range(self._decided + 1, until + 1)]
            batches.append(Batch(DECISIONS, entries))
        return Plan(batches, any(len(batch.items) == COUNT_MAX for batch in batches))

    def wrote(self, done: list[Batch]) -> None:
        for batch in done:
            if batch.kind == DECISIONS:
                self._decided += len(batch.items)
            else:
                self._saved[batch.kind] += len(batch.items)

    @property
    def _newest_decision(self) -> int:
        return self._segment.words[self._segment.section(layout.DECISIONS)[0] // 8]

    def _decision(self, number: int) -> bytes:
        at = self._segment.section(layout.DECISIONS)[0] + decisions.place(number, self._segment.geometry.decisions)
        return self._segment.memory[at : at + layout.DECISION_SIZE]


def _key(row: Row) -> tuple[int, int]:
    return row.time_us, row.samples


def _on_disk(keys: list[tuple[int, int]], found: list[Row]) -> int:
    """How many of the keys come before those of rows that are not on disk."""
    if not keys:
        return 0
    count, on_disk = 0, Counter(map(_key, found))
    for place, key in enumerate(keys, 1):
        if on_disk[key] > 0:
            on_disk[key] -= 1
            count = place
    return count


def _missing(found: list[Row], keys: list[tuple[int, int]]) -> list[Row]:
    """The rows on disk that are not in the ring with these keys."""
    there = set(keys)
    return [row for row in found if _key(row) not in there]
