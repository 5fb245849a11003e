"""What a profile means on this machine: preferences become values that its tunables offer."""

from __future__ import annotations

from gamesad.policy.bounds import minimum_under_maximum
from gamesad.policy.scale import between, ceiling, floor, lesser, on_scale, pins_minimum
from gamesad.types import Controls, Heat, Profile, Role, Tunable, Value


def settings_for(profile: Profile, controls: Controls) -> dict[str, Value]:
    """Everything the profile wants other than it was found. What the machine does not offer is left as found.

    Nothing limited (frequencies, power limits, boost) goes above its ceiling.
    """
    settings: dict[str, Value] = {}
    governors: dict[str, Value] = {}
    for tunable in controls.of(Role.GOVERNOR):
        governors[tunable.domain] = _governor(profile, tunable) or controls.found.get(tunable.name, "")
    for tunable in controls.tunables.values():
        found = controls.found.get(tunable.name)
        if found is None:
            continue
        if tunable.heat is Heat.GPU:
            wanted = _wanted_of_card(profile, tunable, found)
        else:
            wanted = _wanted(profile, tunable, found, governors.get(tunable.domain))
        if wanted is not None and wanted != found and tunable.allows(wanted):
            settings[tunable.name] = wanted
    minimum_under_maximum(settings, controls)
    return settings


def _wanted(profile: Profile, tunable: Tunable, found: Value, governor: Value | None) -> Value | None:
    """The value for one tunable; None for as found."""
    wanted: Value | None = None
    match tunable.role:
        case Role.GOVERNOR:
            wanted = governor
        case Role.EPP:
            # with governor performance the kernel answers EBUSY to every other preference
            offered = ("performance",) if governor == "performance" else tunable.choices
            wanted = _first(profile.epp, offered)
        case Role.PLATFORM_PROFILE:
            wanted = _first(profile.platform_profile, tunable.choices)
        case Role.EPB:
            wanted = profile.epb
        case Role.BOOST if profile.boost is not None:
            wanted = ceiling(tunable, found) if profile.boost else tunable.least
        case Role.FREQUENCY_MINIMUM:
            wanted = _frequency(profile.frequency_minimum, tunable, found)
        case Role.FREQUENCY_MAXIMUM:
            wanted = _frequency(profile.frequency_maximum, tunable, found)
            if wanted is not None:
                wanted = _at_least_floor(tunable, found, wanted)
        case Role.POWER_LIMIT | Role.POWER_LIMIT_SHORT:
            wanted = _power_limit(profile.power_limit, tunable, found)
    return wanted


def _wanted_of_card(profile: Profile, tunable: Tunable, found: Value) -> Value | None:
    """Both parts are of the value found: a card has no default that the kernel documents."""
    match tunable.role:
        case Role.FREQUENCY_MAXIMUM | Role.FREQUENCY_BURST if profile.gpu_frequency_maximum is not None:
            return _at_least_floor(tunable, found, between(tunable, 0, found, profile.gpu_frequency_maximum))
        case Role.POWER_LIMIT | Role.POWER_LIMIT_SHORT if profile.gpu_power_limit is not None:
            return _power_limit(profile.gpu_power_limit, tunable, found)
    return None


def _at_least_floor(tunable: Tunable, found: Value, wanted: Value) -> Value:
    lowest = floor(tunable, found)
    return lowest if lesser(tunable, lowest, wanted) == wanted else wanted


def _first(preferences: tuple[str, ...], offered: tuple[str, ...]) -> str | None:
    return next((word for word in preferences if word in offered), None)


def _governor(profile: Profile, tunable: Tunable) -> str | None:
    """The first that is offered. powersave is only meant where it is a dynamic governor."""
    pinned = pins_minimum(tunable)
    offered = tuple(choice for choice in tunable.choices if not (pinned and choice == "powersave"))
    return _first(profile.governor, offered)


def _frequency(part: float | None, tunable: Tunable, found: Value) -> Value | None:
    if part is None:
        return None
    wanted = between(tunable, tunable.minimum, tunable.maximum, part)
    return lesser(tunable, wanted, ceiling(tunable, found))


def _power_limit(part: float | None, tunable: Tunable, found: Value) -> Value | None:
    """A part of the limit found, but not so little that the machine stops being usable. 1 is the hardware's default."""
    if part is None or not on_scale(tunable, found) or not isinstance(found, int):
        return None
    if part >= 1.0:
        return ceiling(tunable, found)
    return _at_least_floor(tunable, found, between(tunable, 0, found, part))
