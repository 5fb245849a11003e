"""What to have in force now: the profile, within the temperatures and powers that are asked for. Pure.

``Regulation`` is what one decision leaves for the next; time comes from the snapshot alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from gamesad.policy.account import changed, unchanged
from gamesad.policy.profiles import settings_for
from gamesad.policy.regulation import Known, Regulation
from gamesad.policy.regulator import FULL, Level, heed, power_demand, regulate
from gamesad.policy.scale import floor, lesser, on_scale
from gamesad.policy.sentences import changes
from gamesad.policy.shaping import saving, sensor_of, shaped, watts
from gamesad.policy.watch import Sight, look
from gamesad.types import (
    Action,
    Advice,
    Controls,
    Decision,
    Forecast,
    Heat,
    Intent,
    Limit,
    Origin,
    Role,
    Snapshot,
    Value,
)

_PEAK_FORGOTTEN_S = 30.0
_POWER_FILTER_S = 2.0
_FORESEEN_LEAST_LEVEL = 0.7

__all__ = ["Regulation", "decide"]


def decide(  # noqa: PLR0917 - everything a decision goes by, in the order of the tick
    state: Regulation,
    snapshot: Snapshot,
    forecast: Forecast | None,
    intent: Intent,
    limits: Mapping[str, Limit],
    controls: Controls,
    advice: Advice | None = None,
) -> tuple[Decision, Regulation]:
    """The decision for this snapshot, and the state for the next.

    ``advice`` is followed where the rules leave a choice; None leaves everything to them.

    A reading that is absent, rejected or not a finite number counts as not known: it neither holds anything back nor
    lets anything be given back. With nothing chosen and every limit far the settings are empty.
    """
    if intent.paused:
        return _paused(state, intent)
    now_s = snapshot.monotonic_s
    passed_s = 0.0 if state.at_s is None else max(0.0, now_s - state.at_s)
    known = state.known if state.known.controls is controls else _know(controls)
    same = known is state.known and (intent is state.intent or intent == state.intent)
    sight, trends = look(state.trends, snapshot, forecast, limits, levels=state.levels, tuning=state.tuning)
    levels, led = _levels(state, known, sight, now_s, advice)
    power_level, powers_w = _power_level(state, snapshot, intent, now_s, passed_s)
    after = Regulation(
        tuning=state.tuning,
        at_s=now_s,
        known=known,
        trends=trends,
        levels=levels,
        power_level=power_level,
        powers_w=powers_w,
        saving=_saving(state, sight, advice),
        peaks_w=_peaks(state, known, snapshot, levels, passed_s) if known.meters else state.peaks_w,
        intent=intent,
        base=state.base if same else _base(intent, controls),
        settings=state.settings,
    )
    if same and levels == state.levels and power_level is state.power_level and after.saving is state.saving:
        return unchanged(after, sight, led), after
    values = {heat: level.value for heat, level in levels.items()}
    base = saving(after.base, controls, kept=intent.overrides) if after.saving else after.base
    settings = shaped(base, controls, values, after.peaks_w, user_level=power_level.value)
    if settings == state.settings:
        return unchanged(after, sight, led), after
    after = replace(after, settings=settings)
    return changed(state, after, sight, led if same else None), after


def _paused(state: Regulation, intent: Intent) -> tuple[Decision, Regulation]:
    """As found, and regulation starts afresh afterwards."""
    after = Regulation(tuning=state.tuning, known=state.known, intent=intent, base={})
    if not state.settings:
        return Decision(Action.NOOP, after.settings, Origin.USER, "paused: everything is left as found"), after
    moved = changes(state.settings, {}, state.known.controls)
    return Decision(Action.BOOST, after.settings, Origin.USER, f"boost: paused, everything goes back; {moved}"), after


def _know(controls: Controls) -> Known:
    limits = controls.of(Role.POWER_LIMIT)
    return Known(
        controls=controls,
        heats=frozenset(tunable.heat for tunable in controls.tunables.values()),
        meters=tuple((sensor_of(limit), limit.heat) for limit in limits),
    )


def _base(intent: Intent, controls: Controls) -> dict[str, Value]:
    """The profile (once chosen), the user's power limits and overrides, the later over the earlier."""
    base = settings_for(intent.profile, controls) if intent.chosen else {}
    for tunable in controls.of(Role.POWER_LIMIT, Role.POWER_LIMIT_SHORT):
        limit_w = intent.power_limits_w.get(sensor_of(tunable))
        found = controls.found.get(tunable.name)
        if limit_w is None or found is None or not on_scale(tunable, found):
            continue
        wanted = watts(tunable, limit_w)
        if wanted is not None:
            lowest = floor(tunable, found)
            usable = lowest if lesser(tunable, wanted, lowest) == wanted else wanted
            base[tunable.name] = lesser(tunable, base.get(tunable.name, found), usable)
    base.update(intent.overrides)
    return base


def _levels(
    state: Regulation, known: Known, sight: Sight, now_s: float, advice: Advice | None
) -> tuple[Mapping[Heat, Level], Advice | None]:
    """The next level of every domain that something can be set in; and the advice, when it decides and no rule cuts."""
    levels = dict(state.levels)
    led = advice if advice is not None and advice.action is Action.REDUCE_POWER else None
    cut = False
    for heat, view in sight.views.items():
        if heat not in known.heats:
            continue
        before = levels.get(heat, FULL)
        excess_c = 0.0 if view.foreseen and before.value <= _FORESEEN_LEAST_LEVEL else view.excess_c
        level = ruled = regulate(before, now_s, excess_c, view.spare_c, state.tuning, foreseen=view.foreseen)
        if advice is not None:
            level = heed(before, ruled, now_s, advice.action, excess_c=excess_c, spare_c=view.spare_c)
        levels[heat] = level
        cut |= level is ruled and ruled.value < before.value
        led = advice if level is not ruled else led
    for heat in levels.keys() - sight.views.keys():  # its last sensor is gone: nothing left to hold it back for
        levels[heat] = regulate(levels[heat], now_s, 0.0, math.inf, state.tuning)
    return levels, None if cut else led


def _saving(state: Regulation, sight: Sight, advice: Advice | None) -> bool:
    """Whether power is saved on advice; that ends with the advice or with a boost, unless something is too hot."""
    if advice is not None and advice.action is not Action.BOOST:
        return state.saving or advice.action is Action.REDUCE_POWER
    return state.saving and any(view.blind or view.excess_c > 0.0 for view in sight.views.values())


def _power_level(
    state: Regulation, snapshot: Snapshot, intent: Intent, now_s: float, passed_s: float
) -> tuple[Level, Mapping[str, float]]:
    """The level that the user's own power limits ask for, from the measured power."""
    if not intent.power_limits_w:
        if state.power_level.value >= 1.0:
            return state.power_level, state.powers_w
        return regulate(state.power_level, now_s, 0.0, math.inf, state.tuning), {}
    powers_w: dict[str, float] = {}
    excess_c, spare_c = 0.0, math.inf
    cards = {sensor for sensor, heat in state.known.meters if heat is Heat.GPU}
    for name, limit_w in intent.power_limits_w.items():
        if name in cards:  # the card keeps its cap itself, and the processor's frequency is none of its business
            continue
        power_w = snapshot.readings.get(name, math.nan)
        if not math.isfinite(power_w) or limit_w <= 0.0:
            spare_c = -math.inf
            continue
        before_w = state.powers_w.get(name, min(power_w, limit_w))
        powers_w[name] = before_w + (power_w - before_w) * (1.0 - math.exp(-passed_s / _POWER_FILTER_S))
        asked = power_demand(powers_w[name], limit_w)
        excess_c, spare_c = max(excess_c, asked.excess_c), min(spare_c, asked.spare_c)
    return regulate(state.power_level, now_s, excess_c, spare_c, state.tuning), powers_w


def _peaks(
    state: Regulation, known: Known, snapshot: Snapshot, levels: Mapping[Heat, Level], passed_s: float
) -> Mapping[str, float]:
    """The power each limited domain drew lately: where its limit starts to fall from."""
    peaks_w: dict[str, float] = {}
    for sensor, heat in known.meters:
        before_w = state.peaks_w.get(sensor)
        if before_w is not None and (levels.get(heat, FULL).value < 1.0 or state.power_level.value < 1.0):
            peaks_w[sensor] = before_w
            continue
        power_w = snapshot.readings.get(sensor)
        if power_w is None:  # the memory-mapped limit counts no energy of its own on some machines
            power_w = snapshot.readings.get(sensor.replace("-mmio", ""), math.nan)
        faded_w = before_w * math.exp(-passed_s / _PEAK_FORGOTTEN_S) if before_w is not None else 0.0
        if math.isfinite(power_w) and power_w > faded_w:
            peaks_w[sensor] = power_w
        elif before_w is not None:
            peaks_w[sensor] = faded_w
    return peaks_w
