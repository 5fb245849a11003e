"""The control law: how far one heat domain must give way, as a level from 1 (nothing held back) to 0 (the floors).

Integral action in velocity form on a predicted error, with a dead zone and conditional integration (Åström and Murray,
Feedback Systems, chapter 11); the adapted gain is the simplest of gain scheduling.

- Down at once, by the excess expected over the target, in levels: divided by the gain, the °C that follow a whole
  level within seconds. Then not again for the dead time of sensor and die, but for what comes on top. Where a cut does
  not lessen the excess, as on a heavy heatsink, the next is stronger.
- Up when the temperature is a band under the target and does not creep, a dwell after the last step, by a part of the
  room: what follows at once fills half of it, what follows with the heatsink has the rest.
- A step up that must be taken back soon was too large: from then on the gain counts as larger, so that steps are
  smaller and further apart, until steps up last again.
- Advice may take at any time, and gives only where the rules leave a choice: nothing is over its target and no critical
  sensor is blind.
- Looked ahead for ``anticipation_s`` is a rise that both a fast and a slow filter see: a jump that is over is none, and
  what an own step up explains does not count.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from gamesad.config import ControlConfig
from gamesad.types import Action

NEAR_C = 30.0
"""Temperatures further below their target than this ask for nothing, and are not followed."""

FOLLOWED_C = 60.0
"""Critical ones are followed from further away: a bare die heats by 40 °C/s, and its rate must be known on arrival."""

# Chosen by running first-order plants of 3 to 60 s and the simulated machines; seconds, °C and °C/s as they are named.
_FAST_S = 0.8
_SLOW_S = 5.0
_SENSOR_LAG_S = 1.0  # a sensor tells the past
_OWN_C_PER_S = 1.0
_OWN_S = 5.0
_DEAD_S = 2.0
_WORSE_C = 2.0
_LEAST_GAIN_C = 35.0
_MOST_GAIN_C = 80.0
_DOUBTED = 1.4
_DOUBTED_S = 10.0
_TRUSTED = 0.8
_URGED = 1.5
_MOST_URGE = 4.0
_CREEP_LOOK_S = 30.0
_SHARE = 0.5
_SMALLEST_STEP = 1 / 64
_LARGEST_STEP = 0.07  # a load that rests for seconds and comes back shall not find everything given back
_POWER_GAIN = 0.15
_SPARE_C_PER_PART = 50.0  # 7 % under a power limit counts as 3.5 °C under a temperature limit
_ADVISED_STEP = 1 / 16
_ADVISED_WITHIN_C = 15.0
_ADVISED_LEAST = 0.7  # what advice alone takes step by step costs at most about an eighth of the work


Weights = tuple[float, float]
"""What the fast and the slow filter take of a new rate."""


class Trend(NamedTuple):
    """One temperature's recent past: its rate in °C/s, filtered over less than a second and over several."""

    temp_c: float
    at_s: float
    fast: float = 0.0
    slow: float = 0.0

    @property
    def creep(self) -> float:
        """A rise that lasts: both filters see it."""
        return max(0.0, min(self.fast, self.slow))

    def then(self, temp_c: float, at_s: float, known: dict[float, Weights]) -> Trend:
        """The trend with a newer reading; itself when the reading is not newer. ``known`` keeps the weights."""
        passed_s = at_s - self.at_s
        if passed_s <= 0.0:
            return self
        raw = (temp_c - self.temp_c) / passed_s
        if passed_s not in known:
            known[passed_s] = (1.0 - math.exp(-passed_s / _FAST_S), 1.0 - math.exp(-passed_s / _SLOW_S))
        fast_part, slow_part = known[passed_s]
        fast = self.fast + (raw - self.fast) * fast_part
        slow = self.slow + (raw - self.slow) * slow_part
        return Trend(temp_c, at_s, fast, slow)


class Demand(NamedTuple):
    """How far over the target it will be (0 or less: not), and how much is to spare, °C."""

    excess_c: float
    spare_c: float


class Level(NamedTuple):
    """Where one domain stands. ``excess_c``, ``urge``: what the last cut was for, and how much stronger it was made.

    ``moved_s`` is the time of the last step either way, ``given_s`` that of the last one up unless a cut came since.
    ``lent``: what forecasts alone have taken; it goes back once they no longer ask, also within the dead zone.
    """

    value: float = 1.0
    moved_s: float = -math.inf
    given_s: float = -math.inf
    gain_c: float = _LEAST_GAIN_C
    excess_c: float = 0.0
    urge: float = 1.0
    lent: float = 0.0

    def rises_by_itself(self, now_s: float) -> bool:
        """Whether what the temperature does now may be the answer to an own step up."""
        return now_s - self.given_s < _OWN_S


FULL = Level()


def demand(trend: Trend, target_c: float, tuning: ControlConfig, *, own: bool) -> Demand:
    """What one temperature asks for. ``own``: an own step up makes it rise."""
    creep = trend.creep
    over_c = trend.temp_c + creep * _SENSOR_LAG_S - target_c
    ahead_c = max(0.0, creep - (_OWN_C_PER_S if own else 0.0)) * tuning.anticipation_s
    return Demand(over_c + ahead_c, -over_c - creep * _CREEP_LOOK_S)


def regulate(
    level: Level, now_s: float, excess_c: float, spare_c: float | None, tuning: ControlConfig, *, foreseen: bool = False
) -> Level:
    """The next level, from the greatest excess and the least room of the domain.

    ``spare_c`` None: not known, because a critical sensor gives no value; then nothing is given back. ``foreseen``:
    only a forecast asks. What it took must not stay taken where nothing moves the temperature out of the dead zone.
    """
    if excess_c > 0.0:
        cut = _cut(level, now_s, excess_c)
        return cut._replace(lent=level.lent + level.value - cut.value if foreseen else 0.0)
    if level.value >= 1.0 or spare_c is None or spare_c <= (0.0 if level.lent else tuning.band_c):
        return level
    if now_s - level.moved_s < tuning.release_dwell_s * level.gain_c / _LEAST_GAIN_C:
        return level
    gain_c = _trusted(level)
    step = min(_LARGEST_STEP, max(_SMALLEST_STEP, (spare_c - tuning.band_c / 2) * _SHARE / gain_c))
    if spare_c <= tuning.band_c:
        step = min(_LARGEST_STEP, level.lent)
    return Level(min(1.0, level.value + step), now_s, now_s, gain_c, lent=max(0.0, level.lent - step))


def heed(before: Level, ruled: Level, now_s: float, action: Action, *, excess_c: float, spare_c: float | None) -> Level:
    """The level when the rules say ``ruled`` and the policy ``action``; never above ``before`` unless it boosts.

    A boost gives back at once what fills half of the room, up to full. What advice takes answers no excess: a
    cut that the rules want next is not put off. An own step waits for what the last did, whoever made it.
    """
    answered = now_s - before.moved_s >= _DEAD_S
    if action is Action.BOOST:
        if excess_c > 0.0 or spare_c is None or spare_c <= 0.0 or before.value >= 1.0 or not answered:
            return _lower(before, ruled)
        gain_c = _trusted(before)
        return Level(min(1.0, before.value + max(_SMALLEST_STEP, spare_c * _SHARE / gain_c)), now_s, now_s, gain_c)
    wanted = before.value
    if action is Action.CONSERVATIVE:
        wanted = 0.0
    elif action is Action.THROTTLE and answered and spare_c is not None and spare_c < _ADVISED_WITHIN_C:
        wanted = min(wanted, max(_ADVISED_LEAST, wanted - _ADVISED_STEP))
    if ruled.value <= wanted:
        return ruled
    if wanted >= before.value:
        return before
    cut = ruled if ruled.value < before.value else before._replace(excess_c=0.0, urge=1.0)
    return cut._replace(value=wanted, moved_s=now_s, given_s=-math.inf)


def _lower(one: Level, other: Level) -> Level:
    return other if other.value < one.value else one


def _trusted(level: Level) -> float:
    """The gain for the next step up: nearer to the least when the last one has lasted."""
    return max(_LEAST_GAIN_C, level.gain_c * _TRUSTED) if level.given_s == level.moved_s else level.gain_c


def _cut(level: Level, now_s: float, excess_c: float) -> Level:
    """Takes back the excess; within the dead time of the last cut, only what has come on top."""
    since_s = now_s - level.moved_s
    answered_c = level.excess_c if since_s < _DEAD_S else 0.0
    if level.value <= 0.0 or (answered_c and excess_c <= answered_c + _WORSE_C):
        return level
    gain_c, urge = level.gain_c, 1.0
    if level.excess_c and since_s < 2.0 * _DEAD_S:
        helped = answered_c or excess_c <= level.excess_c
        urge = level.urge if helped else min(_MOST_URGE, level.urge * _URGED)
    if now_s - level.given_s < _DOUBTED_S:
        gain_c = min(_MOST_GAIN_C, gain_c * _DOUBTED)
    cut = max(_SMALLEST_STEP, urge * (excess_c - answered_c) / gain_c)
    moved_s = level.moved_s if answered_c else now_s
    return Level(max(0.0, level.value - cut), moved_s, -math.inf, gain_c, excess_c, urge)


def power_demand(power_w: float, limit_w: float) -> Demand:
    """What a power above (or below) a user's limit asks for; power follows the level at once, so its error suffices."""
    over = power_w / limit_w - 1.0
    return Demand(over * _POWER_GAIN * _LEAST_GAIN_C, -over * _SPARE_C_PER_PART)
