"""The last word on every decision. Pure, and reads the snapshot only: no forecast, model, profile or client passes it.

What leaves is known, inside its tunable, and never above its ceiling. As a domain's hottest temperature goes from its
envelope to its failsafe limit, the most power allowed falls from full to the failsafe settings; it comes back in steps
after a calm. A critical sensor without a valid value for 3 s (asleep is not lost) means the failsafe settings for
everything, until all have been valid for 5 s. A machine without critical sensors has none to lose, and runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gamesad.policy.bounds import NOTHING, Allowed, allowed
from gamesad.policy.sentences import changes
from gamesad.types import Action, Controls, Decision, Heat, Limit, Origin, Snapshot, Value

LOST_AFTER_S = 3.0
FOUND_AFTER_S = 5.0
_CALM_BELOW_C = 2.0
_CALM_FOR_S = 5.0
_STEPS = 8  # caps move in eighths: a temperature that trembles does not write at every tick
_AT_ENVELOPE = 0.75
_FALL_PER_S = 0.1
_NO_CONTROLS = Controls({}, {})


class Hottest(NamedTuple):
    """A domain's worst: ``over_c`` above the envelope, and that as a ``part`` of the way to the failsafe limit."""

    over_c: float
    part: float
    limit: Limit
    temp_c: float


@dataclass(frozen=True, slots=True)
class Cap:
    """The most power one domain may have, 1 (full) to 0 (failsafe settings), and since when it has been calm."""

    level: float = 1.0
    calm_s: float | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """The state between two ticks; ``Envelope()`` is the start. ``failsafe``: the failsafe settings are in force."""

    failsafe: bool = False
    at_s: float | None = None
    valid_s: Mapping[str, float] = field(default_factory=dict)
    """When each critical sensor last had a valid value."""
    lost: frozenset[str] = frozenset()
    """The lost sensors, kept until all have been valid for long enough."""
    found_s: float | None = None
    caps: Mapping[Heat, Cap] = field(default_factory=dict)
    wanted: Mapping[str, Value] = field(default_factory=dict)
    controls: Controls = _NO_CONTROLS
    levels: Mapping[Heat, float] = field(default_factory=dict)
    outcome: Allowed = NOTHING
    """What ``wanted`` became on these controls at these levels: worked out once, not every tick."""


def enforce(
    state: Envelope, wanted: Decision, snapshot: Snapshot, limits: Mapping[str, Limit], controls: Controls
) -> tuple[Decision, Envelope]:
    """What may be put in force of what is wanted.

    For the same state and wish, a higher temperature never gives more power in any tunable; one that is not named
    counts as found.
    """
    now_s = snapshot.monotonic_s
    hottest = _hottest(snapshot, limits)
    valid_s, all_valid = _validity(state.valid_s, snapshot, limits)
    lost, found_s = _lost(state, valid_s, now_s, all_valid=all_valid)
    passed_s = max(0.0, now_s - state.at_s) if state.at_s is not None else 0.0
    caps = {}
    for heat in {**state.caps, **hottest}:
        watched = heat in hottest or any(limit.heat is heat for limit in limits.values())
        caps[heat] = _cap(state.caps.get(heat, Cap()), hottest.get(heat), now_s, passed_s, watched=watched)
    levels = dict.fromkeys(Heat, 0.0) if lost else _levels(caps, controls)
    same = wanted.settings is state.wanted and controls is state.controls and levels == state.levels
    outcome = state.outcome if same else allowed(wanted.settings, controls, levels)
    after = Envelope(
        failsafe=any(level <= 0.0 for level in levels.values()),
        at_s=now_s,
        valid_s=valid_s,
        lost=lost,
        found_s=found_s,
        caps=caps,
        wanted=wanted.settings,
        controls=controls,
        levels=levels,
        outcome=outcome,
    )
    if not after.failsafe and outcome.settings == wanted.settings and not outcome.faults:
        return wanted, after
    return _decision(wanted, after, hottest, limits), after


def _hottest(snapshot: Snapshot, limits: Mapping[str, Limit]) -> dict[Heat, Hottest]:
    """The worst temperature of each regulated domain; one that is not a finite number is none."""
    hottest: dict[Heat, Hottest] = {}
    readings = snapshot.readings
    # an enum's hash is a Python call: the worst is looked up once for a run of sensors of one domain
    last, worst, other = None, None, Heat.OTHER
    for name, limit in limits.items():
        temp_c, heat = readings.get(name), limit.heat
        if temp_c is None or heat is other:
            continue
        if heat is not last:
            last, worst = heat, hottest.get(heat)
        over_c = temp_c - limit.envelope_c
        if not -math.inf < over_c < math.inf or (worst is not None and over_c < 0.0 and over_c <= worst.over_c):
            continue
        part = -1.0
        if over_c >= 0.0:
            span_c = limit.failsafe_c - limit.envelope_c
            part = over_c / span_c if span_c > 0.0 else 1.0
        if worst is None or (part, over_c) > (worst.part, worst.over_c):
            worst = hottest[heat] = Hottest(over_c, part, limit, temp_c)
    return hottest


def _validity(
    before_s: Mapping[str, float], snapshot: Snapshot, limits: Mapping[str, Limit]
) -> tuple[Mapping[str, float], bool]:
    """When each critical sensor last was valid, and whether all are now. A new one counts from its first snapshot."""
    now_s = snapshot.monotonic_s
    valid_s: dict[str, float] = {}
    all_valid = True
    for name, limit in limits.items():
        if not limit.critical:
            continue
        last_s = before_s.get(name, now_s)
        if -math.inf < snapshot.readings.get(name, math.nan) < math.inf:
            last_s = max(last_s if name in before_s else -math.inf, now_s - snapshot.ages_s.get(name, 0.0))
        elif name in snapshot.absent and snapshot.absent[name].cause == "asleep":
            last_s = now_s
        else:
            all_valid = False
        valid_s[name] = last_s
    return valid_s, all_valid


def _lost(
    state: Envelope, valid_s: Mapping[str, float], now_s: float, *, all_valid: bool
) -> tuple[frozenset[str], float | None]:
    """The sensors that count as lost, and since when all are back while they still count."""
    lost = frozenset(name for name, at_s in valid_s.items() if now_s - at_s >= LOST_AFTER_S)
    if lost or not state.lost:
        return lost, None
    if not all_valid:
        return state.lost, None
    found_s = now_s if state.found_s is None else state.found_s
    return (frozenset(), None) if now_s - found_s >= FOUND_AFTER_S else (state.lost, found_s)


def _cap(cap: Cap, hottest: Hottest | None, now_s: float, passed_s: float, *, watched: bool) -> Cap:
    """Down at once with the temperature and on with time above the envelope; up a step after each calm."""
    if hottest is None and watched:  # nothing is known: nothing is given back
        return Cap(cap.level)
    if hottest is not None and hottest.part >= 0.0:
        level = min(_AT_ENVELOPE * (1.0 - hottest.part), cap.level - _FALL_PER_S * passed_s)
        return Cap(max(0.0, level))
    if cap.level >= 1.0 or (hottest is not None and hottest.over_c > -_CALM_BELOW_C):
        return Cap(cap.level)
    calm_s = now_s if cap.calm_s is None else cap.calm_s
    if now_s - calm_s < _CALM_FOR_S:
        return Cap(cap.level, calm_s)
    return Cap(min(1.0, cap.level + 1 / _STEPS), now_s)


def _levels(caps: Mapping[Heat, Cap], controls: Controls) -> dict[Heat, float]:
    """The caps in steps, of the domains that something can be set in."""
    levels = {}
    for heat, cap in caps.items():
        level = math.floor(cap.level * _STEPS) / _STEPS
        if level >= 1.0 or any(tunable.heat is heat for tunable in controls.tunables.values()):
            levels[heat] = level
    return levels


def _decision(
    wanted: Decision, after: Envelope, hottest: Mapping[Heat, Hottest], limits: Mapping[str, Limit]
) -> Decision:
    """The decision as limited, with why."""
    settings, faults = after.outcome
    dropped = f"; not as asked: {', '.join(faults)}" if faults else ""
    if after.lost:
        names = ", ".join(sorted(limits[name].label if name in limits else name for name in after.lost))
        why = f"critical sensor {names} " + ("has just come back" if after.found_s is not None else "gives no value")
    elif hottest:
        worst = max(hottest.values(), key=lambda each: (each.part, each.over_c))
        side = f"{abs(worst.over_c):.1f} °C {'over' if worst.over_c >= 0.0 else 'under'}"
        why = f"{worst.limit.label} {worst.temp_c:.1f} °C is {side} its hardware limit of {worst.limit.envelope_c:g} °C"
    else:
        why = "no temperature is known since the last overheating"
    moved = changes({}, settings, after.controls)
    if after.failsafe:
        text = f"conservative: {why}; failsafe settings, from found: {moved}{dropped}"
        return Decision(Action.CONSERVATIVE, settings, Origin.SAFETY, text)
    if all(level >= 1.0 for level in after.levels.values()):
        return Decision(wanted.action, settings, wanted.source, f"{wanted.reason}{dropped}")
    least = min(after.levels.values())
    text = f"throttle: {why}; at most {least:.0%} between floor and full, from found: {moved}{dropped}"
    return Decision(Action.THROTTLE, settings, Origin.SAFETY, text)
