"""The reasons, as sentences with the numbers in them."""

from __future__ import annotations

from collections.abc import Mapping

from gamesad.types import Controls, Intent, Limit, Role, Value

_SHOWN_FIRST = (
    Role.FREQUENCY_MAXIMUM,
    Role.POWER_LIMIT,
    Role.POWER_LIMIT_SHORT,
    Role.PERFORMANCE_LEVEL,
    Role.PLATFORM_PROFILE,
    Role.GOVERNOR,
    Role.EPP,
    Role.BOOST,
    Role.EPB,
    Role.FREQUENCY_MINIMUM,
    Role.FREQUENCY_BURST,
)
_MOST_CHANGES = 3
_SCALED = {"kHz": (1e6, "GHz"), "MHz": (1e3, "GHz"), "µW": (1e6, "W"), "mW": (1e3, "W")}


def where(limit: Limit, temp_c: float, rate: float = 0.0) -> str:
    """CPU package 93.4 °C is 1.6 °C under its limit of 95 °C and rising 0.8 °C/s."""
    headroom_c = limit.target_c - temp_c
    side = f"{headroom_c:.1f} °C under" if headroom_c >= 0.0 else f"{-headroom_c:.1f} °C over"
    text = f"{limit.label} {temp_c:.1f} °C is {side} its limit of {limit.target_c:g} °C"
    if abs(rate) < 0.05:
        return text
    return f"{text} and {'rising' if rate > 0 else 'falling'} {abs(rate):.1f} °C/s"


def short(limit: Limit, temp_c: float) -> str:
    """CPU package 62.0 °C, 33 °C under its limit."""
    headroom_c = limit.target_c - temp_c
    side = "under" if headroom_c >= 0.0 else "over"
    shown = abs(headroom_c)
    number = f"{shown:.0f}" if shown >= 10.0 else f"{shown:.1f}"
    return f"{limit.label} {temp_c:.1f} °C, {number} °C {side} its limit"


def changes(before: Mapping[str, Value], after: Mapping[str, Value], controls: Controls) -> str:
    """scaling_max_freq 4.6 → 3.9 GHz; one for each kind of tunable, the largest of its kind."""
    kinds: dict[tuple[int, str], tuple[float, str]] = {}
    for name in {**before, **after}:
        tunable = controls.tunables.get(name)
        found = controls.found.get(name)
        if tunable is None or found is None:
            continue
        old, new = before.get(name, found), after.get(name, found)
        if old == new:
            continue
        order = _SHOWN_FIRST.index(tunable.role)
        word = name.rsplit(".", 1)[-1]
        size = max(tunable.power(old) or 0.0, tunable.power(new) or 0.0)
        best = kinds.get((order, word))
        if best is None or size > best[0]:
            kinds[order, word] = (size, f"{word} {_step(old, new, tunable.unit)}")
    texts = [text for _key, (_size, text) in sorted(kinds.items())]
    if not texts:
        return "nothing that can be set here changes"
    more = len(texts) - _MOST_CHANGES
    return ", ".join(texts[:_MOST_CHANGES]) + (f" and {more} more" if more > 0 else "")


def _step(old: Value, new: Value, unit: str) -> str:
    factor, shown = _SCALED.get(unit, (1.0, unit))
    if isinstance(old, int) and isinstance(new, int):
        return f"{_plain(old / factor)} → {_plain(new / factor)} {shown}".rstrip()
    return f"{old} → {new}"


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def cause(before: Intent | None, after: Intent | None) -> str:
    """Whose wish changed, and which."""
    if after is None:
        return "nobody wishes anything"
    who = "held" if after.held else after.cause
    by = f" ({who})" if who else ""
    if before is None or (before.profile.name == after.profile.name and before.chosen != after.chosen):
        return f"profile {after.profile.name}{by}"
    if before.profile.name != after.profile.name:
        return f"profile {before.profile.name} → {after.profile.name}{by}"
    if before.power_limits_w != after.power_limits_w:
        given = ", ".join(f"{name} {limit_w:g} W" for name, limit_w in after.power_limits_w.items())
        return f"power limit {given or 'removed'} by a user"
    if before.overrides != after.overrides:
        names = [name for name in {**before.overrides, **after.overrides} if _differ(before, after, name)]
        return f"{', '.join(names[:_MOST_CHANGES])} set by a user"
    return f"profile {after.profile.name} has changed{by}"


def _differ(before: Intent, after: Intent, name: str) -> bool:
    return before.overrides.get(name) != after.overrides.get(name)
