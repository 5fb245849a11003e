"""What one snapshot says about each heat domain: which temperature asks for most, and how much is to spare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gamesad.config import ControlConfig
from gamesad.policy.regulator import FOLLOWED_C, NEAR_C, Demand, Trend, Weights, demand
from gamesad.types import Forecast, Heat, Limit, Snapshot

_FORESEEN_WITHIN_S = 10.0
_FORESEEN_NEAR_C = 8.0
_FORESEEN_RATE = 0.01
_FULL_EXCESS_C = 5.0


@dataclass(slots=True)
class View:
    """One domain. ``cut``, ``limit``, ``temp_c`` and ``rate`` are those of the temperature that asks for most.

    ``spare_c`` is the least headroom; None when a critical sensor, or every sensor, gives no value.
    ``foreseen``: only the forecast asks.
    """

    cut: float = 0.0
    spare_c: float | None = None
    limit: Limit | None = None
    temp_c: float = math.nan
    rate: float = 0.0
    foreseen: bool = False
    blind: bool = False

    def far(self, limit: Limit, temp_c: float, headroom_c: float) -> None:
        """Takes in a temperature that is too far from its limit to ask for anything."""
        if self.spare_c is None or headroom_c < self.spare_c:
            self.spare_c = headroom_c
            if not self.cut:
                self.limit, self.temp_c, self.rate = limit, temp_c, 0.0

    def near(self, limit: Limit, trend: Trend, asked: Demand, foreseen_cut: float) -> None:
        """Takes in a temperature that may ask for something."""
        cut = asked.cut or foreseen_cut
        spare_c = min(asked.spare_c, 0.0) if foreseen_cut else asked.spare_c
        less_spare = self.spare_c is None or spare_c < self.spare_c
        if cut > self.cut or (less_spare and not self.cut):
            self.cut, self.limit, self.temp_c, self.rate = cut, limit, trend.temp_c, trend.rate
            self.foreseen = foreseen_cut > 0.0
        if less_spare:
            self.spare_c = spare_c


@dataclass(slots=True)
class Sight:
    """``closest`` is the regulated sensor nearest to its limit, with its temperature; else the nearest of the rest."""

    views: dict[Heat, View]
    closest: tuple[Limit, float] | None = None


def look(
    trends: Mapping[str, Trend],
    snapshot: Snapshot,
    forecast: Forecast | None,
    limits: Mapping[str, Limit],
    *,
    passed_s: float,
    tuning: ControlConfig,
) -> tuple[Sight, dict[str, Trend]]:
    """Reads the snapshot against the limits; gives the trends of what is near its limit for the next time."""
    followed: dict[str, Trend] = {}
    weights: dict[float, Weights] = {}
    sight = Sight({})
    views = sight.views
    readings, ages_s, now_s = snapshot.readings, snapshot.ages_s, snapshot.monotonic_s
    least_c = math.inf
    # an enum's hash is a Python call: the view is looked up once for a run of sensors of one domain
    last, view, other = None, View(), Heat.OTHER
    for name, limit in limits.items():
        heat = limit.heat
        if heat is other:
            continue
        if heat is not last:
            last, view = heat, views.setdefault(heat, View())
        temp_c = readings.get(name, math.nan)
        headroom_c = limit.target_c - temp_c
        if not -math.inf < headroom_c < math.inf:
            view.blind |= limit.critical and not _asleep(snapshot, name)
            continue
        if headroom_c < least_c:
            least_c, sight.closest = headroom_c, (limit, temp_c)
        if headroom_c > NEAR_C and not (limit.critical and headroom_c <= FOLLOWED_C):
            view.far(limit, temp_c, headroom_c)
            continue
        before = trends.get(name)
        at_s = now_s - ages_s[name] if name in ages_s else now_s
        trend = followed[name] = Trend(temp_c, at_s) if before is None else before.then(temp_c, at_s, weights)
        if headroom_c > NEAR_C:
            view.far(limit, temp_c, headroom_c)
            continue
        asked = demand(trend, limit.target_c, passed_s, tuning)
        foreseen_cut = 0.0 if forecast is None or asked.cut else _foreseen(forecast, limit, trend.temp_c, passed_s)
        view.near(limit, trend, asked, foreseen_cut)
    for view in views.values():
        if view.blind:
            view.spare_c = None
    sight.closest = sight.closest or _closest_other(limits, readings)
    return sight, followed


def _closest_other(limits: Mapping[str, Limit], readings: Mapping[str, float]) -> tuple[Limit, float] | None:
    """Where nothing that can be regulated is known, at least what is watched."""
    seen = [(limit, readings[name]) for name, limit in limits.items() if name in readings]
    return min(seen, key=lambda pair: pair[0].target_c - pair[1], default=None)


def _foreseen(forecast: Forecast, limit: Limit, temp_c: float, passed_s: float) -> float:
    """A gentle cut when the forecast's upper bound comes over the target soon; 0 when it does not."""
    if limit.target_c - temp_c >= _FORESEEN_NEAR_C:
        return 0.0
    upper = forecast.upper.get(limit.sensor, ())
    soon = [bound for bound, at_s in zip(upper, forecast.horizon_s, strict=False) if at_s <= _FORESEEN_WITHIN_S]
    worst_c = max((bound for bound in soon if math.isfinite(bound)), default=-math.inf)
    part = min(1.0, max(0.0, worst_c - limit.target_c) / _FULL_EXCESS_C)
    return _FORESEEN_RATE * part * min(passed_s, 2.0)


def _asleep(snapshot: Snapshot, name: str) -> bool:
    absence = snapshot.absent.get(name)
    return absence is not None and absence.cause == "asleep"
