"""What one reading usually is, given others: robust recursive least squares for many targets of the same regressors.

Weights w, covariance P of what is not known of them, both in the units of the residual's variance. For regressors x and
target y: expected = w·x, leverage h = x'Px, residual r = y − w·x. The spread of r is s·√(1 + h), so a state unlike any
seen before (h large) is no evidence of anything. r is winsorised at 3 spreads before it moves w and s (Huber 1964).
Values a few seconds apart repeat each other, so each counts for one part in 20; the past is forgotten in half a week.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array, Arrays, Unusable

_COUNTS_FOR = 0.05
_FORGETTING = 1.0 - 1.0 / 60000
_PRIOR = 1e4
_WINSOR = 3.0
_PACE = 0.0005
_YOUNG = 60


class Relation:
    """``targets`` by ``regressors``, each of the order of 1. ``floor`` (targets,): the least spread there is."""

    def __init__(self, regressors: int, floor: Array) -> None:
        self._floor = floor
        self._weights = np.zeros((regressors, len(floor)))
        self._covariance = np.eye(regressors) * _PRIOR
        self._spread = floor * 1.0
        self._count = np.zeros(len(floor))

    def step(self, x: Array, y: Array, frozen: NDArray[np.bool_]) -> tuple[Array, Array]:
        """(regressors,), (targets,) → expected (targets,), residual ÷ spread (targets,), NaN where y is.

        ``frozen`` targets are judged and not learnt from.
        """
        here = np.isfinite(y)
        towards = self._covariance @ x
        leverage = max(float(x @ towards), 0.0)
        expected = x @ self._weights
        residual = np.where(here, y - expected, 0.0)
        wide = float(np.sqrt(1.0 + leverage))
        spread = np.maximum(self._spread, self._floor) * wide
        scaled = residual / spread
        learns = here & ~(frozen & (self._count >= _YOUNG))
        young = self._count < _YOUNG
        self._count += learns
        moved = np.where(learns, np.where(young, scaled, np.clip(scaled, -_WINSOR, _WINSOR)), 0.0)
        if learns.any():
            gain = towards / (1.0 / _COUNTS_FOR + leverage)
            self._weights += np.outer(gain, moved * spread)
            self._covariance -= np.outer(gain, towards)
            self._covariance /= _FORGETTING
            np.minimum(self._covariance, _PRIOR, out=self._covariance)
        pace = np.where(learns, np.maximum(_PACE, 1.0 / (self._count + 1.0)), 0.0)
        settled = 1.25 * np.abs(np.clip(moved, -_WINSOR, _WINSOR)) * spread / wide
        self._spread += pace * (settled - self._spread)
        return expected, np.where(here & ~young, scaled, np.nan)

    @property
    def regressors(self) -> int:
        return len(self._covariance)

    def choose(self, columns: Sequence[int | None], floor: Array) -> Relation:
        """The relation of these targets of old ones, in this order; None is a new one."""
        made = Relation(len(self._covariance), floor)
        made._covariance = self._covariance.copy()
        for new, old in enumerate(columns):
            if old is not None:
                made._weights[:, new] = self._weights[:, old]
                made._spread[new], made._count[new] = self._spread[old], self._count[old]
        return made

    def state(self) -> dict[str, NDArray[np.generic]]:
        return {
            "weights": self._weights.copy(),
            "covariance": self._covariance.copy(),
            "spread": self._spread.copy(),
            "count": self._count.copy(),
        }

    def load(self, state: Arrays) -> None:
        """Takes up a saved state. Unusable: of another shape, or not finite."""
        taken = {}
        for name, now in self.state().items():
            if name not in state:
                raise Unusable(f"a relation without {name}")
            taken[name] = np.array(state[name], dtype=float)
            if taken[name].shape != now.shape or not np.isfinite(taken[name]).all():
                raise Unusable(f"a relation whose {name} is of another shape or not finite")
        self._weights, self._covariance = taken["weights"], taken["covariance"]
        self._spread, self._count = taken["spread"], taken["count"]

    def sound(self) -> bool:
        return bool(np.isfinite(self._weights).all() and np.isfinite(self._covariance).all())
