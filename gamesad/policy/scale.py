"""Where a tunable's values stand between the least that is usable and the most that is allowed.

Shared by what decides and what limits it, so that both mean the same floor.
"""

from __future__ import annotations

import math

from gamesad.types import Role, Tunable, Value

CEILED = frozenset(
    (
        Role.FREQUENCY_MINIMUM,
        Role.FREQUENCY_MAXIMUM,
        Role.FREQUENCY_BURST,
        Role.POWER_LIMIT,
        Role.POWER_LIMIT_SHORT,
        Role.BOOST,
        Role.PERFORMANCE_LEVEL,
    )
)
"""Never above the value found or the hardware's default. The others are preferences: they may be chosen freely."""

FREQUENCY_FLOOR = 0.25
POWER_FLOOR = 0.25
"""The floors, as parts of the ceiling: a desktop still answers at 1.2 GHz of 5 and at 11 W of 45; far below lies a
machine that cannot be used to mend what is wrong (power limits near 0 slow one down 18 times)."""

_POWER_FLOOR_UW = 4_000_000
STEPS = {"kHz": 50_000, "MHz": 50, "µW": 500_000, "mW": 500}
"""The least difference, by unit, that is worth a write."""

_PER_UW = {"µW": 1.0, "mW": 1e-3, "W": 1e-6}
_DYNAMIC_GOVERNORS = ("conservative", "schedutil", "ondemand", "interactive", "schedhorizon")


def on_scale(tunable: Tunable, value: Value) -> bool:
    """Whether the value has a place between least and most power; a power limit of 0 stands for none."""
    power = tunable.power(value)
    if power is None:
        return False
    return power > 0 or tunable.role not in {Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT}


def lesser(tunable: Tunable, one: Value, other: Value) -> Value:
    """Whichever means less power; ``one`` when they cannot be compared."""
    power, other_power = tunable.power(one), tunable.power(other)
    return other if power is not None and other_power is not None and other_power < power else one


def ceiling(tunable: Tunable, found: Value) -> Value:
    """The value of most power allowed: the one found, or the hardware's own default if that is more."""
    default = tunable.default
    if default is None or not on_scale(tunable, default):
        return found
    return default if lesser(tunable, default, found) == found else found


def floor(tunable: Tunable, found: Value) -> Value:
    """The least that is still usable, never more than the value found: what the failsafe settings are made of.

    The platform profile stays as found: "quiet" would slow the fans of a machine that is too hot.
    """
    match tunable.role:
        case Role.FREQUENCY_MAXIMUM | Role.FREQUENCY_BURST:
            lowest = _part(tunable, found, FREQUENCY_FLOOR, 0.0)
        case Role.POWER_LIMIT | Role.POWER_LIMIT_SHORT:
            # the driver's own floor, where it states one, knows limits of 4095 W that mean none
            least = _POWER_FLOOR_UW * _PER_UW.get(tunable.unit, 0.0)
            lowest = tunable.minimum or _part(tunable, found, POWER_FLOOR, least)
        case Role.GOVERNOR:
            pinned = pins_minimum(tunable)
            lowest = next((choice for choice in tunable.choices if not (pinned and choice == "powersave")), found)
        case Role.PLATFORM_PROFILE:
            lowest = found
        case _:
            lowest = tunable.least
    return lesser(tunable, found, lowest) if on_scale(tunable, found) else lowest


def pins_minimum(governor: Tunable) -> bool:
    """Whether powersave pins the lowest frequency here.

    Drivers that choose frequencies themselves (intel_pstate, amd_pstate active) offer powersave and performance alone,
    and their powersave is dynamic (Documentation/admin-guide/pm/intel_pstate.rst); the generic one pins the minimum.
    """
    return any(choice in _DYNAMIC_GOVERNORS for choice in governor.choices)


def between(tunable: Tunable, low: Value, high: Value, level: float) -> Value:
    """The value at ``level`` (0 low, 1 high), in steps that are worth a write, rounded towards ``low``."""
    if level >= 1.0:
        return high
    if isinstance(low, str) or isinstance(high, str):
        return _choice_between(tunable, low, high, level)
    step = STEPS.get(tunable.unit, 1)
    exact = (low + (high - low) * max(0.0, level)) / step
    value = (math.floor(exact) if high >= low else math.ceil(exact)) * step
    return min(max(value, min(low, high)), max(low, high))


def _choice_between(tunable: Tunable, low: Value, high: Value, level: float) -> Value:
    bottom, top = tunable.power(low), tunable.power(high)
    if bottom is None or top is None:
        return low
    return tunable.choices[int(bottom + (top - bottom) * max(0.0, level))]


def _part(tunable: Tunable, found: Value, part: float, least: float) -> Value:
    top = ceiling(tunable, found)
    if not isinstance(top, int):
        return found
    return max(tunable.minimum, math.ceil(max(top * part, least)))
