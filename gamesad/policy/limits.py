"""How warm each sensor may get: from what the hardware states, made stricter by profile, configuration and user.

Parts that their makers let sit at the critical temperature (laptop and desktop processors at 95 or 100 °C) are held
there and not lower. Others keep a margin. A sensor whose hardware states nothing usable has no limit, unless the user
gives one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from gamesad.config import LimitsConfig
from gamesad.types import Heat, Intent, Limit, Quantity, Sensor

MADE_TO_SIT_AT_CRITICAL = frozenset(("coretemp", "k10temp", "zenpower", "x86_pkg_temp"))
"""Drivers of processors that run at their critical temperature by design. Their ``max`` is no limit: coretemp's is
where the fans shall run at full speed, k10temp's a constant 70 °C on old parts."""

REGULATION_BAND_C = 1.5
_UNDER = f", regulated {REGULATION_BAND_C:g} °C under it"
_FAILSAFE_C = 3.0
_BELOW_PASSIVE_C = 5.0
_LEAST_PLAUSIBLE_C = 40.0
_UNSTATED_ENVELOPE_C = 95.0


def derive(sensors: Mapping[str, Sensor], intent: Intent, config: LimitsConfig) -> Mapping[str, Limit]:
    """A limit for each temperature that has one, in the order of the sensors.

    A limit of Heat.OTHER is for alerts: nothing that can be set cools a disk.
    """
    limits = {}
    for sensor in sensors.values():
        if sensor.quantity is not Quantity.TEMPERATURE:
            continue
        limit = _stricter(_hardware(sensor, config.margin_c), sensor, intent, config)
        if limit is not None:
            limits[sensor.name] = limit
    return limits


def _hardware(sensor: Sensor, margin_c: float) -> Limit | None:
    """The limit that the hardware states; None when it states none."""
    stated = sensor.limits
    critical_c = _lowest(stated.critical, stated.emergency)
    if sensor.driver in MADE_TO_SIT_AT_CRITICAL:
        if critical_c is None:
            return None
        origin = f"critical temperature {critical_c:g} °C, where this part is made to sit{_UNDER}"
        return _limit(sensor, critical_c - REGULATION_BAND_C, critical_c, critical_c + _FAILSAFE_C, origin)
    return _ordinary(sensor, _lowest(critical_c, stated.hot), _lowest(stated.maximum, stated.passive), margin_c)


def _ordinary(sensor: Sensor, hottest_c: float | None, softer_c: float | None, margin_c: float) -> Limit | None:
    """A margin under what must not be reached, or what the driver calls the maximum, whichever is lower."""
    softly = f"stated maximum or passive trip {softer_c:g} °C" if softer_c is not None else ""
    if hottest_c is None:
        if softer_c is None:
            return None
        hard_c = softer_c + _BELOW_PASSIVE_C
        return _limit(sensor, softer_c, hard_c, hard_c + _FAILSAFE_C, softly)
    regulated = sensor.heat not in (None, Heat.OTHER)
    envelope_c = hottest_c - margin_c
    target_c = envelope_c - REGULATION_BAND_C if regulated else envelope_c
    origin = f"critical temperature {hottest_c:g} °C less a margin of {margin_c:g} °C{_UNDER if regulated else ''}"
    if softer_c is not None and softer_c < target_c:
        target_c, origin = softer_c, softly
    return _limit(sensor, target_c, envelope_c, envelope_c + _FAILSAFE_C, origin)


def _stricter(limit: Limit | None, sensor: Sensor, intent: Intent, config: LimitsConfig) -> Limit | None:
    """The same limit with a lower target where the profile, the configuration or the user asks for one."""
    asked = [
        (celsius, f"configuration, {pattern}")
        for pattern, celsius in config.temperatures_c.items()
        if fnmatchcase(sensor.name, pattern)
    ]
    if sensor.name in intent.temperature_limits_c:
        asked.append((intent.temperature_limits_c[sensor.name], "set by a user"))
    if limit is None and asked:
        # the hardware states nothing: the user's word is all there is, and the envelope stays clear of it
        hard_c = max(min(asked)[0] + 10.0, _UNSTATED_ENVELOPE_C)
        limit = _limit(sensor, hard_c, hard_c, hard_c + _FAILSAFE_C, "")
    if limit is None:
        return None
    profile_c = intent.profile.temperature_limit_c
    if profile_c is not None and intent.chosen and limit.heat is not Heat.OTHER:
        asked.append((profile_c, f"profile {intent.profile.name}"))
    if asked and min(asked)[0] < limit.target_c:
        celsius, origin = min(asked)
        alert_c = celsius if limit.heat is Heat.OTHER else limit.envelope_c
        return replace(limit, target_c=celsius, envelope_c=alert_c, origin=origin)
    return limit


def _limit(sensor: Sensor, target_c: float, envelope_c: float, failsafe_c: float, origin: str) -> Limit:
    return Limit(
        sensor=sensor.name,
        label=sensor.label or sensor.name,
        heat=sensor.heat or Heat.OTHER,
        critical=sensor.critical,
        target_c=target_c,
        envelope_c=envelope_c,
        failsafe_c=failsafe_c,
        origin=origin,
    )


def _lowest(*stated: float | None) -> float | None:
    """The lowest that can be meant: firmware tables hold 0, -273.1 and 65261.8 °C for "none"."""
    plausible = [celsius for celsius in stated if celsius is not None and _LEAST_PLAUSIBLE_C <= celsius <= 130.0]
    return min(plausible, default=None)
