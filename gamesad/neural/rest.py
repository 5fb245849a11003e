"""When there is nothing to learn: ticks so far apart that the machine must be cool, quiet and far from every limit.

The cadence of ticks says so (gamesad.cadence); a forecast from every other second would be persistence anyway.
"""

from __future__ import annotations

_SLOW_S = 1.5
_TICKS = 3
"""So many slow ticks in a row, and it rests; one that comes sooner ends it."""
LOOK_S = 29.5
"""How often it is looked for what is odd meanwhile: a third of the times that everything is read."""


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

    @property
    def due(self) -> bool:
        """Whether it is time to look."""
        return self._at_s >= self._looked_s + LOOK_S

    def looked(self) -> None:
        self._looked_s = self._at_s
