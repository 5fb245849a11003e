"""Two control charts for any number of series at any cadence, scored by how rare each one's own past makes them.

Level: an exponentially weighted mean (Roberts 1959) of the distance from a winsorised baseline, which a long fault
moves only slowly. Surprise: the same mean of the logarithm of persistence's error, after the anomaly likelihood of
Lavin and Ahmad (2015). Each statistic's tail is learnt: a running quantile, and above it the mean logarithmic excess
(Hill 1975), a peaks-over-threshold fit (Siffer et al. 2017) whose shape on the logarithm is the exponential.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array, Arrays, Unusable

LEVEL, SURPRISE = 0.02, 0.05
"""Weights of the newest value in the two charts: their memory is 50 and 20 values."""
_BASELINE = 0.0003
_WINSOR = 3.0
_TAIL = 0.98
_TAIL_RATE = 0.003
_EXCESS_RATE = 0.02
_OUTLIER = 12.0
"""So many mean excesses over the quantile are no part of a light tail, and not learnt."""
_YOUNG = 150
_MOST = 60.0
_RELATIVE = 1.25
"""Mean absolute deviation to standard deviation, of a normal distribution."""

_FIELDS = ("count", "baseline", "spread", "level", "last", "error", "habit", "restless", "surprise")
_TAILS = ("seen", "quantile", "excess", "peaks")


class Charts:
    """``size`` series. ``floor``, one or (size,): the least spread that counts, in the unit of the values.
    ``patience``: how many times more values than those of every five minutes, which the rates are made for, there are.
    ``light``: the tails are exponential, as those of residuals already in spreads, and not Pareto's.

    A series says nothing in its first 300 values, 150 for the baseline and 150 for the tail. A NaN changes nothing and
    scores NaN.
    """

    def __init__(self, size: int, *, floor: float | Array = 1e-9, patience: float = 1.0, light: bool = False) -> None:
        self._floor, self._patience, self._light = np.broadcast_to(floor, size), patience, light
        self._now: Array = np.zeros((len(_FIELDS), size))
        self._tail: Array = np.zeros((len(_TAILS), 2, size))
        self._tail[1], self._tail[2], self._tail[3] = np.nan, 0.3, 300.0 if light else 20.0
        self.deviations = np.full((2, size), np.nan)

    @property
    def size(self) -> int:
        return int(self._now.shape[1])

    def step(self, values: Array, frozen: NDArray[np.bool_] | None = None) -> Array:
        """(size,) → (size,) −log10 of the probability of anything so far out; NaN where nothing is known.

        ``frozen`` series are scored and not learnt from.
        """
        here = np.isfinite(values)
        x = np.where(here, values, 0.0)
        count, baseline, spread, level, last, error, habit, restless, surprise = self._now
        first = here & (count == 0)
        baseline[first], last[first] = x[first], x[first]
        young = count < _YOUNG
        learns = here & (young | ~frozen) if frozen is not None else here
        count += learns
        slow = np.where(learns, np.maximum(_BASELINE / self._patience, 1.0 / (count + 1.0)), 0.0)

        away = np.where(here, x - baseline, 0.0)
        level += np.where(here, LEVEL * (away - level), 0.0)
        deviation = _RELATIVE * np.maximum(spread, self._floor)
        missed = np.where(here, np.abs(x - last), 0.0)
        scale = np.maximum(error, self._floor)
        unrest = np.where(here & (count > 2), np.log(missed / scale + 0.05) - habit, 0.0)
        surprise += np.where(here, SURPRISE * (unrest - surprise), 0.0)
        self.deviations[0] = level / deviation
        self.deviations[1] = surprise / (_RELATIVE * np.maximum(restless, 0.5 if self._light else 0.05))

        widest = np.where(young, np.inf, _WINSOR * deviation)
        away = np.minimum(np.maximum(away, -widest), widest)
        baseline += slow * away
        spread += slow * (np.abs(away) - spread)
        error += slow * (np.where(young, missed, np.minimum(missed, _WINSOR * _RELATIVE * scale)) - error)
        habit += slow * unrest
        restless += slow * (np.abs(unrest) - restless)
        last[here] = x[here]
        return self._rarity(np.abs(self.deviations), here & ~young, learns & ~young)

    def _rarity(self, statistic: Array, here: NDArray[np.bool_], learns: NDArray[np.bool_]) -> Array:
        seen, quantile, excess, peaks = self._tail
        size = np.minimum(statistic, 1e3) if self._light else np.log(np.minimum(np.maximum(statistic, 1e-3), 1e9))
        first = learns & np.isnan(quantile)
        quantile[first] = np.minimum(size[first], 1.0) + 1.0 if self._light else size[first] + 1.0
        over = size - quantile
        above = over > 0
        if self._light:
            learns = learns & ~(over > _OUTLIER * excess)
        score = np.where(above, -np.log10(1 - _TAIL) + over / (excess * np.log(10)), 0.0)
        seen += learns
        searching = np.maximum(2.0 / (seen + 1.0), np.minimum(_TAIL_RATE, 20.0 / (seen + 1.0)))
        pace = np.where(learns, np.maximum(_TAIL_RATE / self._patience, searching), 0.0)
        quantile += np.where(np.isnan(over), 0.0, pace * np.where(above, _TAIL, _TAIL - 1.0))
        hit = learns & above
        peaks += hit
        share = np.where(hit, np.maximum(_EXCESS_RATE / self._patience, 1.0 / peaks), 0.0)
        excess += share * (np.where(hit, np.minimum(over, _WINSOR * excess), excess) - excess)
        np.clip(excess, 0.3 if self._light else 0.03, 2.0, out=excess)
        return np.where(here & (seen[0] > _YOUNG), np.minimum(np.max(score, axis=0), _MOST), np.nan)

    def times(self, index: int) -> float:
        """How many times as far from persistence's forecast a series has lately been as it usually is."""
        return float(np.exp(np.clip(self._now[_FIELDS.index("surprise"), index], -9.0, 9.0)))

    def settle(self, which: NDArray[np.bool_] | None = None) -> None:
        """After a gap, what was going on is over: the short memories begin anew, what is usual stays."""
        chosen = np.ones(self.size, bool) if which is None else which
        for name in ("level", "surprise"):
            self._now[_FIELDS.index(name), chosen] = 0.0

    def choose(self, columns: Sequence[int | None], floor: float | Array = 1e-9) -> Charts:
        """Charts of these series of old ones, in this order; None is a new one."""
        made = Charts(len(columns), floor=floor, patience=self._patience, light=self._light)
        kept = [(new, old) for new, old in enumerate(columns) if old is not None]
        if kept:
            new, old = map(list, zip(*kept, strict=True))
            made._now[:, new] = self._now[:, old]
            made._tail[:, :, new] = self._tail[:, :, old]
        return made

    def state(self) -> dict[str, NDArray[np.generic]]:
        return {"now": self._now.copy(), "tail": self._tail.copy()}

    def load(self, state: Arrays) -> None:
        """Takes up a saved state. Unusable: of another size, or not finite."""
        now, tail = (np.asarray(state[name], dtype=float) if name in state else np.zeros(0) for name in ("now", "tail"))
        if now.shape != self._now.shape or tail.shape != self._tail.shape:
            raise Unusable(f"charts of another size than {self.size}")
        if not (np.isfinite(now).all() and np.isfinite(tail[[0, 2, 3]]).all() and not np.isinf(tail).any()):
            raise Unusable("charts with numbers that are not finite")
        self._now, self._tail = now.copy(), tail.copy()

    def sound(self) -> bool:
        return bool(np.isfinite(self._now).all() and np.isfinite(self._tail[2]).all())
