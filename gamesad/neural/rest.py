"""When there is nothing to learn: ticks so far apart that the machine must be cool, quiet and far from every limit.

The cadence of ticks says so (gamesad.cadence); a forecast from every other second would be persistence anyway.
"""

from __future__ import annotations

_SLOW_S = 1.5
_TICKS = 5
"""So many slow ticks in a row, and it rests; one that comes sooner ends it."""
LOOK_S = 9.5
"""How often it is looked for what is odd meanwhile: as often as everything is read."""


class Rest:
    """``resting``: since the last ``tick``."""

    def __init__(self) -> None:
        self.resting = False
        self._slow = 0
        self._at_s = self._looked_s = float("-inf")

    def tick(self, now_s: float) -> bool:
        """Takes the next tick; whether it rests."""
        self._slow = self._slow + 1 if now_s >= self._at_s + _SLOW_S else 0
        self._at_s = now_s
        self.resting = self._slow > _TICKS
        return self.resting

    def looks(self, *, everything: bool) -> bool:
        """Whether this tick, in which ``everything`` or only what is critical was read, is one to look at."""
        if not everything or self._at_s < self._looked_s + LOOK_S:
            return False
        self._looked_s = self._at_s
        return True
