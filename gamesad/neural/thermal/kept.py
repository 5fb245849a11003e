"""State of every sensor: how it is saved, checked, and carried over when sensors come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array, Arrays, Unusable

Mask = NDArray[np.bool_] | Literal[True]


def number(value: float) -> Array:
    """As an array without axes, which a ufunc reads in 0.1 µs; a plain number takes it 0.4, as long as all the rest."""
    return np.array(value)


def span(least: float, most: float) -> tuple[Array, Array]:
    """Of ``within``."""
    return np.array(least), np.array(most)


def within(values: Array, least: float | Array, most: float | Array, out: Array | None = None) -> Array:
    """As np.clip, which costs three times as much for a few numbers; NaN stays."""
    out = np.maximum(values, least, out=out)
    return np.minimum(out, most, out=out)


def where(mask: NDArray[np.bool_]) -> Mask:
    """For a ufunc, which takes twice as long with a mask: True if it is true throughout, as it mostly is."""
    return True if b"\0" not in mask.tobytes() else mask


class Kept:
    """``KEPT`` names the arrays that are the whole state; in those of ``UNKNOWN`` NaN may stand.

    ``SENSORS`` is the axis of the sensors in all of them, the first or the last; a saved state has it first.
    """

    SENSORS: ClassVar[int] = 0

    KEPT: ClassVar[tuple[str, ...]]
    UNKNOWN: ClassVar[frozenset[str]] = frozenset()
    SHARED: ClassVar[frozenset[str]] = frozenset()
    """What is only remembered, and so large that a copy to go back to does without its own."""
    WATCHED: ClassVar[tuple[str, ...]]
    """Those through which all that goes wrong passes within a second; in them everything is finite."""
    MOST: ClassVar[float] = 1e13
    """No number of it can be larger: readings are clipped, and what is learnt is relative to a scale."""

    def state(self, part: str, *, copied: bool = True) -> dict[str, NDArray[Any]]:
        """``copied`` False: but for those of ``SHARED``, which go on as they are."""
        arrays = {name: self._rows(name) for name in self.KEPT}
        return {f"{part}/{name}": a.copy() if copied or name not in self.SHARED else a for name, a in arrays.items()}

    def check(self, state: Arrays, part: str, sensors: int) -> None:
        """Unusable: an array is not there, or not what so many sensors can have."""
        for name in self.KEPT:
            ours, theirs = self._rows(name), state.get(f"{part}/{name}")
            if theirs is None:
                raise Unusable(f"the saved {part} has no {name}")
            if theirs.dtype != ours.dtype or theirs.shape != (sensors, *ours.shape[1:]):
                raise Unusable(f"the saved {part}/{name} is {theirs.dtype}{theirs.shape}, which is of no use here")
            if not self._possible(name, theirs):
                raise Unusable(f"the saved {part}/{name} holds what cannot have been learnt")

    def load(self, state: Arrays, part: str) -> None:
        """Takes up what was checked."""
        for name in self.KEPT:
            self._rows(name)[...] = state[f"{part}/{name}"]

    def adopt(self, other: Self, ours: Sequence[int], theirs: Sequence[int]) -> None:
        """Takes the rows ``theirs`` of the other as its own rows ``ours``."""
        for name in self.KEPT:
            self._rows(name)[ours] = other._rows(name)[theirs]

    def sound(self) -> bool:
        watched = (getattr(self, name) for name in self.WATCHED)
        return all(float(np.vdot(values, values)) <= values.size * self.MOST**2 for values in watched)  # NaN is not

    def _rows(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = getattr(self, name)
        return array.swapaxes(0, -1) if self.SENSORS else array

    def _possible(self, name: str, values: NDArray[Any]) -> bool:
        if values.dtype.kind != "f" or not values.size:
            return True
        sizes = np.abs(values)
        most = np.nanmax(sizes, initial=0.0) if name in self.UNKNOWN else sizes.max()
        return bool(most <= self.MOST)
