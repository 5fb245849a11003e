"""Which runs of units are free: the writer's own memory, rebuilt from the blocks. A unit is 64 bytes.

Runs shorter than LARGE stand in one class per length and are found by a bit mask; longer ones are ordered by length,
then place, so that the first that is long enough fits best. Two runs never touch: ``give`` joins them.
"""

from __future__ import annotations

from bisect import bisect_left

LARGE = 64
"""4 KiB. Shorter runs are looked up by their exact length."""
_PLACE = (1 << 32) - 1


class FreeSpace:
    __slots__ = ("_ends", "_large", "_small", "_starts", "_which")

    def __init__(self) -> None:
        self._starts: dict[int, int] = {}
        """First unit of each run: its length."""
        self._ends: dict[int, int] = {}
        """The unit after each run: its first."""
        self._small: list[set[int]] = [set() for _ in range(LARGE)]
        self._which = 0
        """Bit n: there is a run of n units in ``_small[n]``."""
        self._large: list[int] = []
        """length << 32 | first unit, ascending."""

    def take(self, units: int) -> tuple[int, int]:
        """The first unit of a run of that length, or of the shortest that is longer, and its length. (-1, 0): none."""
        if units < LARGE and (which := self._which >> units):
            length = units + (which & -which).bit_length() - 1
            return self.take_exact(length), length
        place = bisect_left(self._large, units << 32)
        if place == len(self._large):
            return -1, 0
        run = self._large.pop(place)
        length, first = run >> 32, run & _PLACE
        del self._starts[first]
        del self._ends[first + length]
        return first, length

    def take_exact(self, units: int) -> int:
        """The first unit of a run of just that length, less than LARGE; -1: none."""
        runs = self._small[units]
        if not runs:
            return -1
        first = runs.pop()
        if not runs:
            self._which ^= 1 << units
        del self._starts[first]
        del self._ends[first + units]
        return first

    def ends_at(self, unit: int) -> bool:
        """Whether a run ends right before this unit."""
        return unit in self._ends

    def give(self, first: int, units: int) -> tuple[int, int]:
        """Joins these units with the runs beside them; first unit and length of the whole."""
        end = first + units
        before = self._ends.pop(first, -1)
        if before >= 0:
            self._forget(before, self._starts[before])
            first = before
        if after := self._starts.pop(end, 0):
            self._forget(end, after)
            end += after
        self.keep(first, end - first)
        return first, end - first

    def keep(self, first: int, length: int) -> None:
        """Adds a run that touches no other."""
        self._starts[first] = length
        self._ends[first + length] = first
        if length < LARGE:
            self._small[length].add(first)
            self._which |= 1 << length
        else:
            run = length << 32 | first
            self._large.insert(bisect_left(self._large, run), run)

    def last(self, end: int) -> int:
        """Length of the run that ends there, 0 if none does."""
        return end - self._ends.get(end, end)

    @property
    def units(self) -> int:
        return sum(self._starts.values())

    @property
    def largest(self) -> int:
        return self._large[-1] >> 32 if self._large else max(0, self._which.bit_length() - 1)

    def runs(self) -> dict[int, int]:
        """First unit and length of each run."""
        return dict(self._starts)

    def _forget(self, first: int, length: int) -> None:
        """Takes a run from its class; ``_starts`` and ``_ends`` are the caller's."""
        if length < LARGE:
            runs = self._small[length]
            runs.remove(first)
            if not runs:
                self._which ^= 1 << length
        else:
            del self._large[bisect_left(self._large, length << 32 | first)]
