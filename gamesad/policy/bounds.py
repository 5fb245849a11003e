"""What a machine may be set to: wishes made lawful, and capped at a level of power for each heat domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gamesad.policy.scale import CEILED, between, ceiling, floor, lesser, on_scale
from gamesad.types import Controls, Heat, Role, Tunable, Value

_POWER_LIMITS = (Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT)
_MOST_FAULTS = 3


class Allowed(NamedTuple):
    """Settings that may be written, and what was wrong with what was wanted, for people (a few, then a count)."""

    settings: Mapping[str, Value]
    faults: tuple[str, ...]


NOTHING = Allowed({}, ())


def allowed(wanted: Mapping[str, Value], controls: Controls, levels: Mapping[Heat, float]) -> Allowed:
    """Every wanted value that is known, inside its tunable and under its ceiling; then every domain's cap on all its
    tunables, wanted or not.
    """
    settings: dict[str, Value] = {}
    faults: list[str] = []
    for name, value in wanted.items():
        tunable, found = controls.tunables.get(name), controls.found.get(name)
        if tunable is None or found is None:
            faults.append(f"{str(name)[:80]!r} cannot be set here")
            continue
        lawful = _lawful(tunable, found, value)
        if lawful is not None:
            settings[name] = lawful
        if lawful != value:
            faults.append(f"{name} {'is left alone' if lawful is None else f'becomes {lawful}'}")
    for tunable in controls.tunables.values():
        level = levels.get(tunable.heat, 1.0)
        found = controls.found.get(tunable.name)
        if level < 1.0 and found is not None:
            _put_under(tunable, found, _cap(tunable, found, level), settings)
    minimum_under_maximum(settings, controls)
    if len(faults) > _MOST_FAULTS:
        faults[_MOST_FAULTS:] = [f"and {len(faults) - _MOST_FAULTS} more"]
    return Allowed(settings, tuple(faults))


def _lawful(tunable: Tunable, found: Value, value: Value) -> Value | None:
    """The value inside the tunable's range and under its ceiling; None when nothing like it can be set."""
    if not tunable.choices and isinstance(value, int) and not isinstance(value, bool):
        value = max(tunable.minimum, min(tunable.maximum, value))
    if not tunable.allows(value):
        return None
    if tunable.role in _POWER_LIMITS:
        if not on_scale(tunable, found):
            return None  # a limit found as 0 stands for none, and less than none cannot be told
        value = floor(tunable, found) if lesser(tunable, value, floor(tunable, found)) == value else value
    if tunable.role in CEILED:
        value = lesser(tunable, value, ceiling(tunable, found))
    return value if tunable.allows(value) else None


def _cap(tunable: Tunable, found: Value, level: float) -> Value:
    """The most power one tunable may have at a level below 1; preferences count as found until the failsafe."""
    lowest = floor(tunable, found)
    if level <= 0.0:
        return lowest
    match tunable.role:
        case Role.FREQUENCY_MAXIMUM | Role.FREQUENCY_BURST | Role.POWER_LIMIT | Role.POWER_LIMIT_SHORT:
            return between(tunable, lowest, ceiling(tunable, found), level)
        case Role.BOOST | Role.FREQUENCY_MINIMUM:
            return lowest
    return found if on_scale(tunable, found) else lowest


def _put_under(tunable: Tunable, found: Value, cap: Value, settings: dict[str, Value]) -> None:
    """Lowers what is wanted, or found, to the cap."""
    value = settings.get(tunable.name, found)
    if not on_scale(tunable, value):
        if tunable.role in _POWER_LIMITS:
            return
        value = cap  # a governor without a place between least and most, such as userspace
    lowered = lesser(tunable, value, cap)
    if lowered != settings.get(tunable.name, found) and tunable.allows(lowered):
        settings[tunable.name] = lowered


def minimum_under_maximum(settings: dict[str, Value], controls: Controls) -> None:
    """The kernel refuses a minimum above the maximum, or lets the minimum win."""
    highest = {
        tunable.domain: settings[tunable.name]
        for tunable in controls.of(Role.FREQUENCY_MAXIMUM)
        if tunable.name in settings
    }
    for tunable in controls.of(Role.FREQUENCY_MINIMUM):
        found, most = controls.found.get(tunable.name), highest.get(tunable.domain)
        if found is None or most is None:
            continue
        lowered = lesser(tunable, settings.get(tunable.name, found), most)
        if lowered == most and tunable.allows(lowered) and settings.get(tunable.name, found) != lowered:
            settings[tunable.name] = lowered
