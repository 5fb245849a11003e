"""How well crossings of a limit were foretold: a moment under the limit is right if the next seconds reach it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gamesad.evaluation.baselines import STEPS
from gamesad.neural.model import Array

ALARM = 0.5
"""From this probability on a crossing counts as foretold."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Of one or more sensors: each moment's chance as the models and as persistence have it, and what came.

    ``leads``: for each crossing that was foretold how many steps before.
    """

    chances: Array
    rises: Array
    came: NDArray[np.bool_]
    leads: tuple[int, ...] = ()

    @property
    def average_precision(self) -> float | None:
        return average_precision(self.chances, self.came)

    @property
    def average_precision_of_rises(self) -> float | None:
        return average_precision(self.rises, self.came)

    @property
    def lead(self) -> float | None:
        """In steps, the mean over the crossings that were foretold."""
        return sum(self.leads) / len(self.leads) if self.leads else None

    @property
    def precision(self) -> float | None:
        """Of the moments at which a crossing was foretold, the part before which one came."""
        alarms = int((self.chances >= ALARM).sum())
        return int((self.came & (self.chances >= ALARM)).sum()) / alarms if alarms else None

    @property
    def recall(self) -> float | None:
        """Of the moments before a crossing, the part at which it was foretold."""
        came = int(self.came.sum())
        return int((self.came & (self.chances >= ALARM)).sum()) / came if came else None


def moments(seen: Array, chances: Array, rises: Array, limit_c: float) -> Moments:
    """(seconds,) each. Only where it was under the limit, something was foretold and all that came was seen."""
    ahead = following(seen)
    highest = ahead.max(axis=1)
    counts = np.isfinite(chances) & np.isfinite(rises) & np.isfinite(highest) & (seen < limit_c)
    reached = highest >= limit_c
    return Moments(chances[counts], rises[counts], reached[counts], _leads(seen, chances, counts, limit_c))


def together(parts: list[Moments]) -> Moments:
    return Moments(
        np.concatenate([part.chances for part in parts]),
        np.concatenate([part.rises for part in parts]),
        np.concatenate([part.came for part in parts]),
        tuple(lead for part in parts for lead in part.leads),
    )


def following(seen: Array) -> Array:
    """(seconds, ...) → (seconds, STEPS, ...): what came next, NaN past the end."""
    past_end = np.full((STEPS, *seen.shape[1:]), np.nan, seen.dtype)
    padded = np.concatenate((seen, past_end))
    ahead: Array = np.stack([padded[step : step + len(seen)] for step in range(1, STEPS + 1)], axis=1)
    return ahead


def average_precision(chances: Array, came: NDArray[np.bool_]) -> float | None:
    """The mean precision over all crossings as the threshold falls; equal chances fall together. None: none came."""
    if not came.any():
        return None
    order = np.argsort(-chances, kind="stable")
    falls = np.append(np.flatnonzero(np.diff(chances[order])), len(order) - 1)
    hits = np.cumsum(came[order])[falls]
    precision = hits / (falls + 1)
    return float(np.sum(precision * np.diff(hits, prepend=0)) / hits[-1])


def _leads(seen: Array, chances: Array, counts: NDArray[np.bool_], limit_c: float) -> tuple[int, ...]:
    under = seen < limit_c
    begins = np.flatnonzero((seen[1:] >= limit_c) & under[:-1]) + 1
    found = []
    for begin in begins.tolist():
        since = max(begin - STEPS, 0)
        alarms = np.flatnonzero(counts[since:begin] & (chances[since:begin] >= ALARM))
        if len(alarms):
            found.append(begin - since - int(alarms[0]))
    return tuple(found)
