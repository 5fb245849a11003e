"""Gives an account of a step from one regulation to the next: the action, its source and the reason."""

from __future__ import annotations

from collections.abc import Mapping

from gamesad.policy.regulation import Regulation
from gamesad.policy.regulator import FULL
from gamesad.policy.sentences import cause, changes, short, where
from gamesad.policy.watch import Sight, View
from gamesad.types import Action, Advice, Controls, Decision, Heat, Origin, Value


def unchanged(after: Regulation, sight: Sight, led: Advice | None) -> Decision:
    """Nothing changes, and why. ``led``: the advice that is followed."""
    parts = [short(*sight.closest)] if sight.closest else ["no temperature with a known limit"]
    if after.intent is not None:
        parts.append(f"profile {after.intent.profile.name}")
    held = min((level.value for level in (*after.levels.values(), after.power_level)), default=1.0)
    if held < 1.0:
        blind = any(view.blind for view in sight.views.values())
        why = "a critical sensor gives no value" if blind else "more is given back when there is room"
        why = led.reason if led is not None else why
        state = f"held at {held:.0%} between floor and full; {why}"
    else:
        state = "in force" if after.settings else "left as found"
    text = "; ".join(parts)
    source = Origin.POLICY if led is not None and held < 1.0 else Origin.RULE
    return Decision(Action.NOOP, after.settings, source, f"noop: {text}{';' if held < 1.0 else ','} {state}")


def changed(before: Regulation, after: Regulation, sight: Sight, led: Advice | None) -> Decision:
    """The decision between two different settings: what changes, in which direction, and because of what.

    ``led``: the advice that is followed, when neither a rule nor a wish changes anything.
    """
    controls = after.known.controls
    moved = changes(before.settings, after.settings, controls)
    if led is not None:
        return _advised(after, sight, led, moved)
    heat = _steepest(before, after)
    view = sight.views.get(heat, View()) if heat is not None else View()
    rise = after.power_level.value - before.power_level.value
    fall = heat is not None and after.levels[heat].value < before.levels.get(heat, FULL).value
    told = where(view.limit, view.temp_c, view.rate) if view.limit else "its sensors are gone"
    up = _direction(before.settings, after.settings, controls) >= 0
    if fall:
        action, source, why = Action.THROTTLE, Origin.FORECAST if view.foreseen else Origin.RULE, told
        if view.foreseen:
            why = f"{told}, and is forecast to cross it"
    elif rise < 0.0:
        action, source, why = Action.REDUCE_POWER, Origin.USER, _over_power(after)
    elif after.base != before.base or (after.intent != before.intent and before.intent is not None):
        up = _upward(before, after, up=up)
        action, source = Action.BOOST if up else Action.REDUCE_POWER, Origin.USER
        why = cause(before.intent, after.intent)
    elif heat is not None:
        action, source, why = Action.BOOST, Origin.RULE, told
    elif rise > 0.0:
        action, source, why = Action.BOOST, Origin.USER, "power is under the limit set by a user"
    elif before.saving and not after.saving:
        action, source, why = Action.BOOST, Origin.POLICY, "power is saved no longer"
    else:
        action, source = Action.BOOST if up else Action.REDUCE_POWER, Origin.POLICY
        why = "what can be set has changed"
    return Decision(action, after.settings, source, f"{action}: {why}; {moved}")


def _advised(after: Regulation, sight: Sight, led: Advice, moved: str) -> Decision:
    near = f"{short(*sight.closest)}; " if sight.closest else ""
    return Decision(led.action, after.settings, Origin.POLICY, f"{led.action}: {led.reason}; {near}{moved}")


def _steepest(before: Regulation, after: Regulation) -> Heat | None:
    """The domain whose level moved, a falling one first."""
    moves = {heat: level.value - before.levels.get(heat, FULL).value for heat, level in after.levels.items()}
    heat = min(moves, key=lambda heat: moves[heat], default=None)
    if heat is not None and moves[heat] >= 0.0:
        heat = max(moves, key=lambda heat: moves[heat])
    return heat if heat is not None and moves[heat] else None


def _upward(before: Regulation, after: Regulation, *, up: bool) -> bool:
    """Whether another wish asks for more: by the profiles' ranks, else by the values."""
    old, new = before.intent, after.intent
    if old is not None and new is not None and old.profile.rank != new.profile.rank:
        return new.profile.rank > old.profile.rank
    return up


def _direction(before: Mapping[str, Value], after: Mapping[str, Value], controls: Controls) -> int:
    """How many tunables go up in power less how many go down."""
    total = 0
    for name in {**before, **after}:
        tunable, found = controls.tunables.get(name), controls.found.get(name)
        if tunable is None or found is None:
            continue
        old, new = tunable.power(before.get(name, found)), tunable.power(after.get(name, found))
        if old is not None and new is not None:
            total += (new > old) - (new < old)
    return total


def _over_power(after: Regulation) -> str:
    limits_w = after.intent.power_limits_w if after.intent is not None else {}
    over = {name: power_w - limits_w[name] for name, power_w in after.powers_w.items() if name in limits_w}
    name = max(over, key=lambda name: over[name])
    power = f"{name} {after.powers_w[name]:.1f} W is {over[name]:.1f} W over"
    return f"{power} the limit of {limits_w[name]:g} W set by a user"
