"""Levels become settings: what a domain gives up as it is held back, least loss of work first.

A level is a part of the power. From 1 down the power limits fall from what is being drawn, the short one with the
sustained one and never below it: a burst runs into it at once, while the sustained one looks at an average of many
seconds. Near the floor the highest frequency falls too, the energy preference softens, and boost goes off. Without a
usable power limit the frequency falls from the start, with a root of the level: power grows faster than frequency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from gamesad.policy.scale import STEPS, between, floor, lesser, on_scale
from gamesad.types import Controls, Heat, Role, Tunable, Value

_LIMITED_FROM = 0.3
_STEPPED_FROM = 0.55
_FREQUENCY_ROOT = 0.6
_SOFTER_EPP_BELOW = 0.3
_SOFTEST_EPP_BELOW = 0.15
_BOOST_OFF_BELOW = 0.1
_ALONE_LOW_BELOW = 0.5
_OVER_PEAK = 1.1
_UNMEASURED_MOST_W = 250.0
_SAVING_PART = 0.85
_UNITS_PER_W = {"µW": 1e6, "mW": 1e3, "W": 1.0}
_POWER_LIMITS = (Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT)


def shaped(
    base: Mapping[str, Value],
    controls: Controls,
    levels: Mapping[Heat, float],
    peaks_w: Mapping[str, float],
    *,
    user_level: float = 1.0,
) -> dict[str, Value]:
    """``base`` with every domain below level 1 held back. Nothing means more power than in ``base``.

    ``user_level``: how far the CPU's frequency falls because the power limit that a user set is not obeyed.
    """
    settings = dict(base)
    held = {heat: level for heat, level in levels.items() if level < 1.0}
    if user_level < 1.0:
        held.setdefault(Heat.CPU, 1.0)
    if not held:
        return settings
    caps_w = _caps(base, controls, held, peaks_w)
    limited = {limit.heat for limit in controls.of(Role.POWER_LIMIT) if sensor_of(limit) in caps_w}
    graded = limited | {maximum.heat for maximum in controls.of(Role.FREQUENCY_MAXIMUM)}
    stepped, pinned = _stepped(controls), _pinned_fast(controls, base)
    holds = {
        heat: _hold(level, user_level if heat is Heat.CPU else 1.0, limited=heat in limited, stepped=heat in stepped)
        for heat, level in held.items()
    }
    for tunable in controls.tunables.values():
        found = controls.found.get(tunable.name)
        if tunable.heat not in held or found is None:
            continue
        top = base.get(tunable.name, found)
        if not on_scale(tunable, top):
            continue
        if tunable.role is Role.EPP and tunable.domain in pinned:
            continue
        if tunable.role in _POWER_LIMITS:
            value = _capped(tunable, top, found, caps_w.get(sensor_of(tunable)))
        else:
            hold = holds[tunable.heat]._replace(alone=tunable.heat not in graded)
            value = lesser(tunable, top, _held(tunable, top, found, hold))
        if value != top:
            settings[tunable.name] = value
    return settings


def saving(base: Mapping[str, Value], controls: Controls, *, kept: Mapping[str, Value]) -> dict[str, Value]:
    """``base`` with less power at least loss of work; ``kept`` is what a user set by name, and stays.

    A sustained power limit loses a part, the energy preference softens by one word, not to the softest; where there is
    neither, boost goes off: the last of the frequency costs the most power for its work.
    """
    settings = dict(base)
    pinned = _pinned_fast(controls, base)
    gentle = {tunable.heat for tunable in controls.of(Role.EPP, Role.POWER_LIMIT) if tunable.name in controls.found}
    for tunable in controls.tunables.values():
        found = controls.found.get(tunable.name)
        if found is None or tunable.name in kept:
            continue
        top = value = base.get(tunable.name, found)
        if not on_scale(tunable, top):
            continue
        if tunable.role is Role.POWER_LIMIT and isinstance(top, int):
            value = _capped(tunable, top, found, top * _SAVING_PART / _UNITS_PER_W.get(tunable.unit, math.inf))
        elif tunable.role is Role.EPP and tunable.domain not in pinned:
            value = _softer(tunable, top, _SOFTER_EPP_BELOW)
        elif tunable.role is Role.BOOST and tunable.heat not in gentle:
            value = tunable.least
        if value != top:
            settings[tunable.name] = value
    return settings


class Hold(NamedTuple):
    """One domain below level 1: its frequency at ``frequency_level``, boost off if ``boost_off``.

    ``alone``: it has neither power limit nor frequency, so that a card's performance level must do it all.
    """

    level: float
    frequency_level: float
    boost_off: bool
    alone: bool = False


def _hold(level: float, user_level: float, *, limited: bool, stepped: bool) -> Hold:
    """Where a power limit does most of the work, or boost goes first, the frequency waits for it."""
    start = _LIMITED_FROM if limited else _STEPPED_FROM if stepped else 1.0
    lower = min(level, user_level)
    return Hold(lower, min(1.0, level / start, user_level), lower < (1.0 if stepped else _BOOST_OFF_BELOW))


def sensor_of(limit: Tunable) -> str:
    """The sensor that measures what a power limit limits."""
    return limit.meter or limit.name.rsplit(".", 1)[0] + ".power"


def watts(limit: Tunable, power_w: float) -> int | None:
    """A power in the limit's own unit."""
    factor = _UNITS_PER_W.get(limit.unit)
    return None if factor is None else int(power_w * factor)


def _caps(
    base: Mapping[str, Value], controls: Controls, levels: Mapping[Heat, float], peaks_w: Mapping[str, float]
) -> dict[str, float]:
    """The power each limited place may draw, by its sensor: at level 1 what it drew lately, at 0 its limit's floor.

    Boards state limits of 4095 W: what is drawn counts, and where nothing is measured a limit that can be meant.
    """
    most_w: dict[str, float] = {}
    least_w: dict[str, float] = {}
    level_of: dict[str, float] = {}
    for tunable in controls.of(*_POWER_LIMITS):
        found, factor = controls.found.get(tunable.name), _UNITS_PER_W.get(tunable.unit)
        if tunable.heat not in levels or found is None or factor is None:
            continue
        top, lowest, sensor = base.get(tunable.name, found), floor(tunable, found), sensor_of(tunable)
        if not isinstance(top, int) or not isinstance(lowest, int) or not on_scale(tunable, top):
            continue
        level_of[sensor] = levels[tunable.heat]
        most_w[sensor] = max(most_w.get(sensor, 0.0), top / factor)
        least_w[sensor] = min(least_w.get(sensor, top / factor), lowest / factor)
    caps_w = {}
    for sensor, level in level_of.items():
        if sensor in peaks_w:
            start_w = min(most_w[sensor], peaks_w[sensor] * _OVER_PEAK)
        elif most_w[sensor] <= _UNMEASURED_MOST_W:
            start_w = most_w[sensor]
        else:
            continue
        caps_w[sensor] = least_w[sensor] + max(0.0, start_w - least_w[sensor]) * level
    return caps_w


def _stepped(controls: Controls) -> set[Heat]:
    """Where frequencies come from a table and boost is above its highest: between that and no boost lies nothing."""
    boosted = {boost.heat for boost in controls.of(Role.BOOST) if boost.name in controls.found}
    return boosted & {tunable.heat for tunable in controls.of(Role.FREQUENCY_MAXIMUM) if tunable.steps}


def _capped(limit: Tunable, top: Value, found: Value, cap_w: float | None) -> Value:
    """A power limit lowered to the cap, in steps that are worth a write, not below its floor."""
    cap = None if cap_w is None else watts(limit, cap_w)
    if cap is None:
        return top
    lowest = lesser(limit, top, floor(limit, found))
    step = STEPS.get(limit.unit, 1)
    return lesser(limit, top, max(cap // step * step, lowest) if isinstance(lowest, int) else top)


def _held(tunable: Tunable, top: Value, found: Value, hold: Hold) -> Value:
    """The value of what is not a power limit."""
    match tunable.role:
        case Role.FREQUENCY_MAXIMUM | Role.FREQUENCY_BURST:
            lowest = lesser(tunable, top, floor(tunable, found))
            value = between(tunable, lowest, top, hold.frequency_level**_FREQUENCY_ROOT)
            return max((step for step in tunable.steps if isinstance(value, int) and step <= value), default=value)
        case Role.BOOST if hold.boost_off:
            return tunable.least
        case Role.PERFORMANCE_LEVEL if hold.level < (_ALONE_LOW_BELOW if hold.alone else _BOOST_OFF_BELOW):
            return tunable.least
        case Role.EPP if hold.level < _SOFTER_EPP_BELOW:
            return _softer(tunable, top, hold.level)
        case Role.FREQUENCY_MINIMUM if hold.level < _SOFTER_EPP_BELOW:
            return tunable.least
    return top


def _softer(epp: Tunable, top: Value, level: float) -> Value:
    if not isinstance(top, str):
        return top
    at = epp.choices.index(top)
    return epp.choices[min(at, 1) if level < _SOFTEST_EPP_BELOW else max(min(at, 1), at - 1)]


def _pinned_fast(controls: Controls, base: Mapping[str, Value]) -> set[str]:
    """The domains with governor performance: there the kernel refuses every other energy preference."""
    return {
        governor.domain
        for governor in controls.of(Role.GOVERNOR)
        if base.get(governor.name, controls.found.get(governor.name)) == "performance"
    }
