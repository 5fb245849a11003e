"""How the daemon's dictionaries read in a sentence; shared by status, monitor and explain."""

from __future__ import annotations

import time

from gamesactl.render import Fields, items, mapping, number, text
from gamesactl.terminal import harmless
from gamesactl.values import amount, clock, percent, span

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from collections.abc import Callable

_ACTIONS = {
    "noop": ("nothing is changed", "good"),
    "throttle": ("throttling because of heat", "warn"),
    "boost": ("giving back what was held back", "good"),
    "reduce_power": ("saving power", "good"),
    "conservative": ("failsafe settings", "bad"),
}
_STATES = {"cool": "good", "warm": "", "hot": "warn", "critical": "bad"}
_LIKELY = 0.5
_MODES = {"active": "", "observe": "warn", "failsafe": "bad"}


def action(decision: Fields) -> str:
    """``throttling because of heat``; the daemon's own word where it is a new one."""
    name = text(decision, "Action")
    return _ACTIONS.get(name, (name or "unknown", ""))[0]


def reason(decision: Fields) -> str:
    """The reason without the action's name before it, which stands beside it anyway."""
    return _without_action(text(decision, "Reason"))


def _without_action(sentence: str) -> str:
    before, colon, rest = sentence.partition(": ")
    return rest if colon and before in _ACTIONS else sentence


def now(status: Fields) -> str:
    """How the decision stands now: the numbers of its reason are those of the moment when it was made."""
    return _without_action(text(status, "Explanation")) or reason(mapping(status, "LastDecision"))


def some(names: list[str], most: int = 3) -> str:
    """``a, b, c and 7 more``"""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def action_style(decision: Fields) -> str:
    return _ACTIONS.get(text(decision, "Action"), ("", ""))[1]


def state_style(state: str) -> str:
    return _STATES.get(state, "")


def mode_style(mode: str) -> str:
    return _MODES.get(mode, "warn")


def since(fields: Fields, key: str = "Since") -> str:
    """``since 13:05:01 (3 min 20 s)``, or nothing when it is not known."""
    then = number(fields, key)
    if then is None:
        return ""
    return f"since {clock(then)} ({span(time.time() - then)})"


def temperature(fields: Fields) -> str:
    """``CPU package 72.4 °C, 22.6 °C under its limit of 95 °C``."""
    value, limit, headroom = number(fields, "Value"), number(fields, "Limit"), number(fields, "Headroom")
    said = f"{label(fields)} {amount(value, '°C') if value is not None else 'unknown'}"
    if limit is None:
        return said
    if headroom is None:
        return f"{said}, limit {limit:g} °C"
    side = "under" if headroom >= 0 else "OVER"
    return f"{said}, {amount(abs(headroom), '°C')} {side} its limit of {limit:g} °C"


def ahead(status: Fields) -> str:
    """``CPU package 96.1 °C in 5 s, at most 98.0 °C: 62 % that it reaches its limit``; empty where that is unlikely."""
    forecast = mapping(status, "Forecast")
    chance, expected, upper = (number(forecast, key) for key in ("Crossing", "Expected", "Upper"))
    if chance is None or expected is None or chance < _LIKELY:
        return ""
    horizon_s = number(forecast, "Horizon")
    said = f"{label(forecast)} {amount(expected, '°C')}" + (f" in {span(horizon_s)}" if horizon_s else "")
    said += f", at most {amount(upper, '°C')}" if upper is not None else ""
    return f"{said}: {percent(chance)} that it reaches its limit"


def odd(anomaly: Fields) -> str:
    """What is unlike the usual, in the daemon's own sentence."""
    return text(anomaly, "Sentence") or f"{label(anomaly)} is not as usual"


def label(fields: Fields) -> str:
    return text(fields, "Label") or text(fields, "Name") or text(fields, "Sensor") or "unknown"


def hold(fields: Fields) -> str:
    """``gaming by game.exe: rendering (hold 3)``"""
    who = text(fields, "ApplicationId")
    why = text(fields, "Reason")
    cookie = number(fields, "Cookie")
    said = text(fields, "Profile") or "unknown"
    said += f" by {who}" if who else ""
    said += f": {why}" if why else ""
    return said + (f" (hold {cookie:.0f})" if cookie is not None else "")


def profile(status: Fields) -> str:
    """``quiet, selected by uid 1000`` and what it would be without holds."""
    active, selected = text(status, "ActiveProfile") or "unknown", text(status, "SelectedProfile")
    cause = text(status, "ProfileCause")
    said = active + (f", {cause}" if cause else "")
    return said + (f" (selected: {selected})" if selected and selected != active else "")


def power(status: Fields) -> list[str]:
    """``intel-rapl:0 28.3 W`` per domain."""
    return _each(status, "Power", lambda value: amount(value, "W"))


def fans(status: Fields) -> list[str]:
    return _each(status, "Fans", lambda value: amount(value, "rpm"))


def utilization(status: Fields) -> list[str]:
    """``CPU 53 %`` and ``memory 41 %``."""
    return [part.replace("cpu ", "CPU ", 1) for part in _each(status, "Utilization", percent)]


def frequency(status: Fields) -> str:
    """One number where the policies agree, else the range; empty when none is known."""
    policies = mapping(status, "Frequency")
    known = sorted(value for name in policies if (value := number(policies, name)) is not None)
    if not known:
        return ""
    low, high = amount(known[0], "Hz"), amount(known[-1], "Hz")
    return low if low == high else f"{low} to {high}"


def battery(status: Fields) -> str:
    """``81 %, on battery``; empty for a machine that says nothing of either."""
    charge, on_battery = number(status, "Battery"), status.get("OnBattery")
    said = [percent(charge)] if charge is not None else []
    if isinstance(on_battery, bool):
        said.append("on battery" if on_battery else "on mains")
    return ", ".join(said)


def temperatures(status: Fields, most: int) -> list[Fields]:
    """Of each device the temperature nearest to its limit, the nearest first: sixteen cores say the same."""
    nearest: dict[str, Fields] = {}
    for one in items(status, "Temperatures"):
        nearest.setdefault(text(one, "Name").rpartition(".")[0] or label(one), one)
    return list(nearest.values())[:most]


def hottest(status: Fields) -> Fields:
    """The temperature nearest to its limit; empty when there is none."""
    temperatures = items(status, "Temperatures")
    return temperatures[0] if temperatures else {}


def simulated(status: Fields) -> str:
    """The banner of a machine that is simulated or replayed; empty on a real one."""
    if status.get("Simulated") is not True:
        return ""
    machine = text(status, "Machine")
    said = machine if machine.casefold().startswith(("simulated", "recording")) else f"simulated {machine}".rstrip()
    return f"*** {said}: nothing here is real hardware ***"


def _each(status: Fields, key: str, shape: Callable[[float], str]) -> list[str]:
    parts = mapping(status, key)
    known = [(name, number(parts, name)) for name in parts]
    return [f"{_short(name)} {shape(value)}" for name, value in known if value is not None]


def _short(name: str) -> str:
    """A sensor's name without what the subject of the line says already."""
    return harmless(name).removeprefix("powercap.").removeprefix("hwmon.").removesuffix(".power")
