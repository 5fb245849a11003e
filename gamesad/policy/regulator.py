"""The control law: how far one heat domain must give way, as a level from 1 (nothing held back) to 0 (the floors).

Velocity form, asymmetric: down as fast as the rise demands, up in small steps with a pause between them. Three things
keep it still at a limit. Nothing is given back until the temperature is a band below the target. A step that had to be
taken back widens the band for minutes. And the strength of each cut follows from the plant: the steepest rise seen
lately tells how strongly power moves this temperature, so that a bare die and a kilogram of copper both settle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from gamesad.config import ControlConfig

NEAR_C = 30.0
"""Temperatures further below their target than this ask for nothing, and are not followed."""

FOLLOWED_C = 60.0
"""Critical ones are followed from further away: a bare die heats by 40 °C/s, and its rate must be known on arrival."""

# Chosen by running first-order plants of 3 to 60 s and the simulated machines; seconds, °C and °C/s as they are named.
_QUICK_S = 0.8
_SLOW_S = 4.0
_STEEP_C_PER_S = 3.0
_LASTING = 2.5  # a rise is believed up to this many times what the slow filter has seen of it
_USUAL_RISE_C = 9.0  # no more is anticipated, unless it comes within _SHORT_S
_SHORT_S = 1.5
_LEAST_C_PER_LEVEL = 50.0  # a cut is never more than what would cool away the excess on a weak plant
_SENSOR_LAG_S = 1.0
_APPROACH_S = 10.0
_RESPONSE_S = 2.0
_STEEPEST_C_PER_S = (2.0, 20.0)
_STEEPEST_FORGOTTEN_S = 60.0
_LONGEST_STEP_S = 2.0
_OVER_RATE = 0.02
_SMALLEST_STEP = 1 / 64
_LARGEST_STEP = 0.15
_STEP_PER_C = 1 / 200
_GIVEN_LOOK_S = 30.0
_BLAMED_S = 30.0
_POWER_RATE = 0.5
_SPARE_C_PER_PART = 50.0  # 7 % under a power limit counts as 3.5 °C under a temperature limit
_WIDEST_C = 12.0
_WIDENED_FORGOTTEN_C_PER_S = 1 / 60


Weights = tuple[float, float, float]
"""What the quick and the slow filter take of a new rate, and what is kept of the steepest."""


class Trend(NamedTuple):
    """One temperature's recent past. The rate is filtered twice: quickly for a sudden load, slowly against noise."""

    temp_c: float
    at_s: float
    quick: float = 0.0
    slow: float = 0.0
    steepest: float = 5.0

    @property
    def rate(self) -> float:
        """°C per second. A jump of the die alone ends by itself; it shows in the quick filter, hardly in the slow."""
        if self.quick > _STEEP_C_PER_S:
            return max(self.slow, min(self.quick, _LASTING * self.slow))
        return self.quick if self.quick < -_STEEP_C_PER_S else self.slow

    def then(self, temp_c: float, at_s: float, known: dict[float, Weights]) -> Trend:
        """The trend with a newer reading; itself when the reading is not newer. ``known`` keeps the weights."""
        passed_s = at_s - self.at_s
        if passed_s <= 0.0:
            return self
        raw = (temp_c - self.temp_c) / passed_s
        if passed_s not in known:
            known[passed_s] = weights(passed_s)
        quick_part, slow_part, kept = known[passed_s]
        quick = self.quick + (raw - self.quick) * quick_part
        slow = self.slow + (raw - self.slow) * slow_part
        rate = quick if abs(quick) > _STEEP_C_PER_S else slow
        low, high = _STEEPEST_C_PER_S
        steepest = min(high, max(low, rate, self.steepest * kept))
        return Trend(temp_c, at_s, quick, slow, steepest)


def weights(passed_s: float) -> Weights:
    """The same for every sensor that was read in the same two ticks."""
    return (
        1.0 - math.exp(-passed_s / _QUICK_S),
        1.0 - math.exp(-passed_s / _SLOW_S),
        math.exp(-passed_s / _STEEPEST_FORGOTTEN_S),
    )


class Demand(NamedTuple):
    """What one temperature asks of its domain: a cut of the level now (0 for none), or how far it is from asking."""

    cut: float
    spare_c: float


@dataclass(frozen=True, slots=True)
class Level:
    """Where one domain stands. ``band_c`` is how far below the target something may be given back."""

    value: float = 1.0
    moved_s: float = -math.inf
    given_s: float = -math.inf
    given_at_c: float = 0.0
    band_c: float = 0.0


FULL = Level()


def demand(trend: Trend, target_c: float, passed_s: float, tuning: ControlConfig) -> Demand:
    """What this temperature asks for, ``passed_s`` after it was last asked."""
    rate = trend.rate
    now_c = trend.temp_c + _SENSOR_LAG_S * rate  # a sensor tells the past
    headroom_c = target_c - now_c
    allowed = headroom_c / (_APPROACH_S if headroom_c > 0.0 else 3.0)
    cut = 0.0
    rise_c = min(rate * tuning.anticipation_s, max(_USUAL_RISE_C, rate * _SHORT_S))
    excess_c = now_c + rise_c - target_c
    if excess_c > 0.0 and rate > allowed:
        cut = (rate - allowed) / (trend.steepest * _RESPONSE_S) * min(passed_s, _LONGEST_STEP_S)
        cut = min(cut, excess_c / _LEAST_C_PER_LEVEL)
    if trend.temp_c > target_c and rate > -0.2:
        cut = max(cut, _OVER_RATE * min(passed_s, _LONGEST_STEP_S))
    return Demand(cut, min(headroom_c, target_c - trend.temp_c) - max(rate, 0.0) * _GIVEN_LOOK_S)


def regulate(level: Level, now_s: float, cut: float, spare_c: float | None, tuning: ControlConfig) -> Level:
    """The next level, from the greatest cut and the least headroom of the domain.

    ``spare_c`` None: not known, because a critical sensor gives no value; then nothing is given back.
    """
    if cut > 0.0:
        if level.value <= 0.0:
            return level
        band_c = level.band_c
        if now_s - level.given_s < _BLAMED_S:
            band_c = min(_WIDEST_C, max(_band(level, now_s, tuning), level.given_at_c + 1.0))
        return replace(level, value=max(0.0, level.value - cut), moved_s=now_s, given_s=-math.inf, band_c=band_c)
    if level.value >= 1.0 or spare_c is None or now_s - level.moved_s < tuning.release_dwell_s:
        return level
    band_c = _band(level, now_s, tuning)
    if spare_c <= band_c:
        return level
    step = min(_LARGEST_STEP, max(_SMALLEST_STEP, (spare_c - tuning.band_c) * _STEP_PER_C))
    return Level(min(1.0, level.value + step), now_s, now_s, spare_c, band_c)


def _band(level: Level, now_s: float, tuning: ControlConfig) -> float:
    """A widened band closes again with time."""
    return max(tuning.band_c, level.band_c - max(0.0, now_s - level.moved_s) * _WIDENED_FORGOTTEN_C_PER_S)


def power_demand(power_w: float, limit_w: float, passed_s: float) -> Demand:
    """What a power above (or below) a user's limit asks for; power follows the level at once, so its error suffices."""
    over = power_w / limit_w - 1.0
    return Demand(max(0.0, over * _POWER_RATE * min(passed_s, _LONGEST_STEP_S)), -over * _SPARE_C_PER_PART)
