"""Levels become settings: what a domain gives up as it is held back, least loss of work first.

From level 1 down: the sustained power limit falls from what is being drawn, the energy preference softens, then the
highest frequency falls, then boost goes off. Without a usable power limit the frequency falls from the start.
"""

from __future__ import annotations

from collections.abc import Mapping

from gamesad.policy.scale import between, floor, lesser, on_scale
from gamesad.types import Controls, Heat, Role, Tunable, Value

_FREQUENCY_FROM = 0.85
_SOFTER_EPP_BELOW = 0.95
_SOFTEST_EPP_BELOW = 0.5
_BOOST_OFF_BELOW = 0.4
_OVER_PEAK = 1.1
_UNMEASURED_MOST = 250.0
_UNITS_PER_W = {"µW": 1e6, "mW": 1e3, "W": 1.0}


def shaped(
    base: Mapping[str, Value], controls: Controls, levels: Mapping[Heat, float], peaks_w: Mapping[str, float]
) -> dict[str, Value]:
    """``base`` with every domain below level 1 held back. Nothing means more power than in ``base``."""
    settings = dict(base)
    held = {heat for heat, level in levels.items() if level < 1.0}
    if not held:
        return settings
    starts = {heat: _power_limits(base, controls, heat, peaks_w) for heat in held}
    for tunable in controls.tunables.values():
        if tunable.heat not in held or tunable.name not in controls.found:
            continue
        top = base.get(tunable.name, controls.found[tunable.name])
        if not on_scale(tunable, top):
            continue
        if tunable.role is Role.EPP and _pinned_fast(tunable.domain, controls, base):
            continue
        value = _held(tunable, top, controls.found[tunable.name], levels[tunable.heat], starts[tunable.heat])
        if value != top:
            settings[tunable.name] = value
    return settings


def sensor_of(limit: Tunable) -> str:
    """The sensor that measures what a power limit limits."""
    return limit.name.rsplit(".", 1)[0] + ".power"


def watts(limit: Tunable, power_w: float) -> int | None:
    """A power in the limit's own unit."""
    factor = _UNITS_PER_W.get(limit.unit)
    return None if factor is None else int(power_w * factor)


def _power_limits(
    base: Mapping[str, Value], controls: Controls, heat: Heat, peaks_w: Mapping[str, float]
) -> dict[str, Value]:
    """Where each sustained power limit starts to fall from. Boards state limits of 4095 W: what is drawn counts."""
    starts: dict[str, Value] = {}
    for tunable in controls.of(Role.POWER_LIMIT):
        found = controls.found.get(tunable.name)
        if found is None or tunable.heat is not heat:
            continue
        top = base.get(tunable.name, found)
        most = watts(tunable, peaks_w.get(tunable.name, _UNMEASURED_MOST) * _OVER_PEAK)
        if most is None or not isinstance(top, int) or not on_scale(tunable, top):
            continue
        if tunable.name in peaks_w:
            lowest = floor(tunable, found)
            starts[tunable.name] = max(lesser(tunable, top, most), lowest) if isinstance(lowest, int) else top
        elif top <= most:
            starts[tunable.name] = top
    return starts


def _held(tunable: Tunable, top: Value, found: Value, level: float, starts: Mapping[str, Value]) -> Value:
    """One tunable's value at a level below 1."""
    value = top
    match tunable.role:
        case Role.FREQUENCY_MAXIMUM:
            value = between(tunable, lesser(tunable, top, floor(tunable, found)), top, _frequency_level(level, starts))
        case Role.POWER_LIMIT if tunable.name in starts:
            value = between(tunable, floor(tunable, found), starts[tunable.name], level)
        case Role.BOOST if level < _BOOST_OFF_BELOW:
            value = tunable.least
        case Role.EPP if level < _SOFTER_EPP_BELOW:
            value = _softer(tunable, top, level)
        case Role.FREQUENCY_MINIMUM if level < _SOFTEST_EPP_BELOW:
            value = lesser(tunable, top, tunable.least)
    return lesser(tunable, top, value)


def _frequency_level(level: float, starts: Mapping[str, Value]) -> float:
    """The level of the frequency: it waits for the power limit where there is one."""
    return min(1.0, level / _FREQUENCY_FROM) if starts else level


def _softer(epp: Tunable, top: Value, level: float) -> Value:
    if not isinstance(top, str):
        return top
    at = epp.choices.index(top)
    return epp.choices[min(at, 1) if level < _SOFTEST_EPP_BELOW else max(min(at, 1), at - 1)]


def _pinned_fast(domain: str, controls: Controls, base: Mapping[str, Value]) -> bool:
    """With governor performance the kernel refuses every other energy preference."""
    for governor in controls.of(Role.GOVERNOR):
        if governor.domain == domain:
            return base.get(governor.name, controls.found.get(governor.name)) == "performance"
    return False
