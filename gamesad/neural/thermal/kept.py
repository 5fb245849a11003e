"""State with one row per sensor: how it is saved, checked, and carried over when sensors come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from gamesad.neural.model import Arrays, Unusable

_MOST = 1e9
"""No number that is learnt is larger: inputs are clipped, and all else is relative to a scale."""


class Kept:
    """``KEPT`` names the arrays (sensors, ...) that are the whole state; those in ``UNKNOWN`` may hold NaN and infinity."""

    KEPT: ClassVar[tuple[str, ...]]
    UNKNOWN: ClassVar[frozenset[str]] = frozenset()

    def state(self, part: str) -> dict[str, NDArray[Any]]:
        return {f"{part}/{name}": getattr(self, name).copy() for name in self.KEPT}

    def check(self, state: Arrays, part: str, sensors: int) -> None:
        """Unusable: an array is not there, or not what so many sensors can have."""
        for name in self.KEPT:
            ours, theirs = getattr(self, name), state.get(f"{part}/{name}")
            if theirs is None:
                raise Unusable(f"the saved {part} has no {name}")
            if theirs.dtype != ours.dtype or theirs.shape != (sensors, *ours.shape[1:]):
                raise Unusable(f"the saved {part}/{name} is {theirs.dtype}{theirs.shape}, which is of no use here")
            if not _possible(theirs, unknown=name in self.UNKNOWN):
                raise Unusable(f"the saved {part}/{name} holds what cannot have been learnt")

    def load(self, state: Arrays, part: str) -> None:
        """Takes up what was checked."""
        for name in self.KEPT:
            getattr(self, name)[...] = state[f"{part}/{name}"]

    def adopt(self, other: Self, ours: Sequence[int], theirs: Sequence[int]) -> None:
        """Takes the rows ``theirs`` of the other as its own rows ``ours``."""
        for name in self.KEPT:
            getattr(self, name)[ours] = getattr(other, name)[theirs]

    def sound(self) -> bool:
        return all(_possible(getattr(self, name), unknown=name in self.UNKNOWN) for name in self.KEPT)


def _possible(values: NDArray[Any], *, unknown: bool) -> bool:
    if values.dtype.kind != "f" or not values.size or unknown:
        return True
    return bool(values.min() >= -_MOST and values.max() <= _MOST)  # NaN is neither
