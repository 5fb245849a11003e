"""What one reading usually is, given others: robust on-line regression of many targets on the same regressors.

With regressors x and targets y, A = Σ λ^age·c·xx' + r·1 and B = Σ λ^age·c·xỹ' give weights A⁻¹B; leverage is x'A⁻¹x,
large in a state unlike any seen before, where the residual's spread s·√(1 + leverage) makes nothing of any residual. ỹ
is y with its residual winsorised at 3 spreads (Huber 1964), so a fault moves what is usual only slowly. Values of one
hour repeat each other: each counts for c, one part in 200. The past is forgotten in half a week.
Nothing is expected outside the range that was seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array, Arrays, Unusable

_COUNTS_FOR = 0.005
_FORGETTING = 1.0 - 1.0 / 60000
_RIDGE = 1e-4
_WINSOR = 3.0
_PACE = 0.0005
_YOUNG = 120
_SOLVE_EVERY = 12


class Relation:
    """``regressors`` numbers of the order of 1 explain each target. ``floor`` (targets,): the least spread there is."""

    def __init__(self, regressors: int, floor: Array) -> None:
        self._floor = floor
        self._gram: Array = np.zeros((regressors, regressors))
        self._moments: Array = np.zeros((regressors, len(floor)))
        self._weights: Array = np.zeros((regressors, len(floor)))
        self._inverse: Array = np.eye(regressors) / _RIDGE
        self._spread = floor * 1.0
        self._count: Array = np.zeros(len(floor))
        self._range: Array = np.full((2, len(floor)), np.nan)
        self._steps = 0

    @property
    def regressors(self) -> int:
        return len(self._gram)

    def step(self, x: Array, y: Array, frozen: NDArray[np.bool_]) -> tuple[Array, Array]:
        """(regressors,), (targets,) → expected (targets,), residual ÷ spread (targets,), NaN where y is.

        ``frozen`` targets are judged and not learnt from, and while there are any, nothing is: all share what was seen.
        """
        here = np.isfinite(y)
        young = self._count < _YOUNG
        held = here & frozen & ~young
        learns = here & ~held
        expected = np.fmin(np.fmax(x @ self._weights, self._range[0]), self._range[1])
        wide = math.sqrt(1.0 + max(float(x @ self._inverse @ x), 0.0))
        spread = np.maximum(self._spread, self._floor)
        residual = np.where(here, y - expected, 0.0)
        scaled = residual / (spread * wide)
        if learns.any() and not held.any():
            most = np.where(young, np.inf, (_WINSOR * wide) * spread)
            self._learn(x, expected, np.minimum(np.maximum(residual, -most), most) * learns, learns)
            self._count += learns
            pace = np.maximum(_PACE, 1.0 / np.maximum(self._count - (_YOUNG - 1.0), 1.0)) * (learns & ~young)
            self._spread += pace * (1.25 * spread * np.minimum(np.abs(scaled), _WINSOR) - self._spread)
        return expected, np.where(here & ~young, scaled, np.nan)

    def _learn(self, x: Array, expected: Array, residual: Array, learns: NDArray[np.bool_]) -> None:
        taken = expected + residual
        seen = np.where(learns, taken, np.nan)
        np.fmin(self._range[0], seen, out=self._range[0])
        np.fmax(self._range[1], seen, out=self._range[1])
        counted = (_COUNTS_FOR * x)[:, None]
        self._gram *= _FORGETTING
        self._moments *= _FORGETTING
        self._gram += counted * x
        self._moments += counted * taken
        self._steps += 1
        if self._steps % _SOLVE_EVERY == 0:
            self._inverse[...] = np.linalg.inv(self._gram + _RIDGE * np.eye(len(x)))
            np.matmul(self._inverse, self._moments, out=self._weights)

    def choose(self, columns: Sequence[int | None], floor: Array) -> Relation:
        """The relation of these targets of old ones, in this order; None is a new one, not judged at first."""
        made = Relation(self.regressors, floor)
        made._gram, made._inverse, made._steps = self._gram.copy(), self._inverse.copy(), self._steps
        for new, old in enumerate(columns):
            if old is not None:
                made._moments[:, new], made._weights[:, new] = self._moments[:, old], self._weights[:, old]
                made._spread[new], made._count[new] = self._spread[old], self._count[old]
                made._range[:, new] = self._range[:, old]
        return made

    def state(self) -> dict[str, NDArray[np.generic]]:
        return {
            "gram": self._gram.copy(),
            "moments": self._moments.copy(),
            "weights": self._weights.copy(),
            "inverse": self._inverse.copy(),
            "spread": self._spread.copy(),
            "count": self._count.copy(),
            "range": self._range.copy(),
            "steps": np.array(self._steps),
        }

    def load(self, state: Arrays) -> None:
        """Takes up a saved state. Unusable: of another shape, or not finite."""
        taken = {}
        for name, now in self.state().items():
            if name not in state:
                raise Unusable(f"a relation without {name}")
            taken[name] = np.array(state[name], dtype=float)
            if taken[name].shape != now.shape or not _fine(name, taken[name]):
                raise Unusable(f"a relation whose {name} is of another shape or not finite")
        self._gram, self._moments, self._weights = taken["gram"], taken["moments"], taken["weights"]
        self._inverse, self._spread, self._count = taken["inverse"], taken["spread"], taken["count"]
        self._range, self._steps = taken["range"], int(taken["steps"])

    def sound(self) -> bool:
        sums = self._weights.sum() + self._moments.sum() + self._inverse.sum() + self._gram.sum()
        return math.isfinite(sums)


def _fine(name: str, values: Array) -> bool:
    """Finite; only a range that nothing was in yet is NaN."""
    return not np.isinf(values).any() if name == "range" else bool(np.isfinite(values).all())
