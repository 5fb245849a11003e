"""What one snapshot says about each heat domain: which temperature asks for most, and how much is to spare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gamesad.config import ControlConfig
from gamesad.policy.regulator import FOLLOWED_C, NEAR_C, Demand, Level, Trend, Weights, demand
from gamesad.types import Forecast, Heat, Limit, Snapshot

_FOLLOWED = 2  # of the sensors that are not critical, the hottest of each domain
_FORESEEN_WITHIN_S = 10.0
_FORESEEN_NEAR_C = 8.0
_FORESEEN_CHANCE = 0.1
_FORESEEN_PART = 0.1
_FORESEEN_MOST_C = 5.0


@dataclass(slots=True)
class View:
    """One domain. ``excess_c``, ``limit``, ``temp_c`` and ``rate`` are those of the temperature that asks for most.

    ``spare_c`` is the least room; None when a critical sensor, or every sensor, gives no value.
    ``foreseen``: only the forecast asks.
    """

    excess_c: float = 0.0
    spare_c: float | None = None
    limit: Limit | None = None
    temp_c: float = math.nan
    rate: float = 0.0
    foreseen: bool = False
    blind: bool = False

    def far(self, limit: Limit, temp_c: float, headroom_c: float) -> None:
        """Takes in a temperature that is too far from its limit to ask for anything, and nearer than those before."""
        self.spare_c, self.limit, self.temp_c = headroom_c, limit, temp_c

    def unseen(self, limit: Limit, *, asleep: bool) -> None:
        """Takes in a sensor without a value. What sleeps is as cool as it can be."""
        self.blind |= limit.critical and not asleep
        if asleep and self.spare_c is None:
            self.spare_c = math.inf

    def near(self, limit: Limit, trend: Trend, asked: Demand, *, foreseen: bool) -> None:
        """Takes in a temperature that may ask for something."""
        excess_c, spare_c = max(0.0, asked.excess_c), asked.spare_c
        less_spare = self.spare_c is None or spare_c < self.spare_c
        if excess_c > self.excess_c or (less_spare and not self.excess_c):
            self.excess_c, self.limit, self.temp_c, self.foreseen = excess_c, limit, trend.temp_c, foreseen
            self.rate = trend.fast if trend.fast * trend.slow > 0.0 else 0.0
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
    levels: Mapping[Heat, Level],
    tuning: ControlConfig,
) -> tuple[Sight, dict[str, Trend]]:
    """Reads the snapshot against the limits; gives the trends of what is near its limit for the next time.

    Followed are the critical sensors, and of a domain's others the hottest: a package has one for each core.
    """
    sight, near = _survey(snapshot, limits)
    readings, ages_s, now_s = snapshot.readings, snapshot.ages_s, snapshot.monotonic_s
    own = {heat: level.rises_by_itself(now_s) for heat, level in levels.items()}
    followed: dict[str, Trend] = {}
    weights: dict[float, Weights] = {}
    for _headroom_c, name, limit in near:
        temp_c, before = readings[name], trends.get(name)
        at_s = now_s - ages_s[name] if name in ages_s else now_s
        trend = followed[name] = Trend(temp_c, at_s) if before is None else before.then(temp_c, at_s, weights)
        asked = demand(trend, limit.target_c, tuning, own=own.get(limit.heat, False))
        foreseen_c = 0.0 if forecast is None or asked.excess_c > 0.0 else _foreseen(forecast, limit, temp_c)
        if foreseen_c:
            asked = Demand(foreseen_c, min(asked.spare_c, 0.0))
        sight.views[limit.heat].near(limit, trend, asked, foreseen=foreseen_c > 0.0)
    for view in sight.views.values():
        if view.blind:
            view.spare_c = None
    return sight, followed


Near = list[tuple[float, str, Limit]]
"""Headroom, name and limit; sorted, the hottest comes first."""


def _survey(snapshot: Snapshot, limits: Mapping[str, Limit]) -> tuple[Sight, Near]:
    """Every domain as far as its far temperatures tell, the closest of all, and those to follow."""
    sight = Sight({})
    views, readings = sight.views, snapshot.readings
    follow: Near = []
    others: dict[Heat, Near] = {}
    least_c = math.inf
    # an enum's hash is a Python call: the view is looked up once for a run of sensors of one domain
    last, view, close, other = None, View(), Near(), Heat.OTHER
    for name, limit in limits.items():
        heat = limit.heat
        if heat is other:
            continue
        if heat is not last:
            last, view, close = heat, views.setdefault(heat, View()), others.setdefault(heat, [])
        temp_c = readings.get(name, math.nan)
        headroom_c = limit.target_c - temp_c
        if not -math.inf < headroom_c < math.inf:
            view.unseen(limit, asleep=_asleep(snapshot, name))
            continue
        if headroom_c < least_c:
            least_c, sight.closest = headroom_c, (limit, temp_c)
        if limit.critical and headroom_c <= FOLLOWED_C:
            follow.append((headroom_c, name, limit))
        elif headroom_c <= NEAR_C:
            close.append((headroom_c, name, limit))
        elif view.spare_c is None or headroom_c < view.spare_c:
            view.far(limit, temp_c, headroom_c)
    for close in others.values():
        follow += sorted(close)[:_FOLLOWED]
    sight.closest = sight.closest or _closest_other(limits, readings)
    return sight, follow


def _closest_other(limits: Mapping[str, Limit], readings: Mapping[str, float]) -> tuple[Limit, float] | None:
    """Where nothing that can be regulated is known, at least what is watched."""
    seen = [(limit, readings[name]) for name, limit in limits.items() if name in readings]
    return min(seen, key=lambda pair: pair[0].target_c - pair[1], default=None)


def _foreseen(forecast: Forecast, limit: Limit, temp_c: float) -> float:
    """A part of the excess of the forecast's upper bound, when the target is not unlikely to be reached; else 0.

    The bound alone speaks too often: one reading in ten is above it, and near a limit that cost half a percent of work.
    """
    chance = forecast.crossing.get(limit.sensor, 0.0)
    if not chance >= _FORESEEN_CHANCE or limit.target_c - temp_c >= _FORESEEN_NEAR_C:
        return 0.0
    upper = forecast.upper.get(limit.sensor, ())
    soon = [bound for bound, at_s in zip(upper, forecast.horizon_s, strict=False) if at_s <= _FORESEEN_WITHIN_S]
    worst_c = max((bound for bound in soon if math.isfinite(bound)), default=-math.inf)
    return _FORESEEN_PART * min(_FORESEEN_MOST_C, max(0.0, worst_c - limit.target_c))


def _asleep(snapshot: Snapshot, name: str) -> bool:
    absence = snapshot.absent.get(name)
    return absence is not None and absence.cause == "asleep"
