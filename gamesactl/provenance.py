"""Where one number comes from and what became of one setting, in sentences; ``explain`` says them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from gamesactl import describe
from gamesactl.render import Fields, mapping, names, number, reading, setting, text
from gamesactl.values import amount, clock, span

_LIMITS = (
    ("Minimum", "minimum"), ("Maximum", "maximum"), ("CriticalLimit", "critical"), ("Emergency", "emergency"),
    ("Passive", "passive trip"), ("Hot", "hot trip"),
)  # fmt: skip
_CAUSES = {
    "asleep": "its device sleeps, and reading it would wake it",
    "idle": "its disk may be about to sleep, and reading it would keep it awake",
    "waking": "its device is waking up",
    "first sample": "a rate needs two samples, and there was one",
    "wrapped": "its counter began anew",
    "stale": "its last value is too old",
    "unread": "it has not answered yet",
    "offline": "its processor is switched off",
    "unparseable": "what stands in the file is no number",
    "ENODATA": "ENODATA, the driver has no value now",
    "ENODEV": "ENODEV, the device is gone",
    "ENOENT": "ENOENT, the file is gone",
    "ENXIO": "ENXIO, nothing answers there",
    "EIO": "EIO, the hardware does not answer",
    "EAGAIN": "EAGAIN, the driver asks to try later",
    "EACCES": "EACCES, gamesad may not read it",
    "EPERM": "EPERM, gamesad may not read it",
}
_RATES = ("power", "rate")


def of_sensor(sensor: Fields, decisions: Sequence[Fields]) -> Iterator[str]:
    """What it shows, where that comes from, what its limits are, and which decision went by it."""
    yield from _shown(sensor)
    yield from _source(sensor)
    yield from _limits(sensor)
    name = text(sensor, "Name")
    if not decisions:
        return
    used = [one for one in decisions if text(one, "Sensor") == name]
    if not used:
        none = (
            f"none of the last {len(decisions)} decisions went"
            if decisions[1:]
            else "the only decision so far did not go"
        )
        yield f"{none} by it."
        return
    which = "the decision in force" if used[0] is decisions[0] else f"the decision of {_when(used[0])}"
    yield f"{which} went by it: {describe.reason(used[0]).rstrip('.')}."


def of_tunable(tunable: Fields, status: Fields) -> Iterator[str]:
    """What it is and was, whose value it has, what it may be, what is wanted, and what was refused."""
    name, unit = text(tunable, "Name"), text(tunable, "Unit")
    role = text(tunable, "Role").replace("_", " ")
    now = f"is {setting(tunable.get('Value'), unit)}" if "Value" in tunable else "cannot be read now"
    yield f"{name} ({role or 'unknown'}) {now}."
    if path := text(tunable, "Path"):
        yield f"file: {path}."
    if "Found" in tunable:
        yield f"before gamesad wrote anything it was {setting(tunable.get('Found'), unit)}."
    yield from _writer(tunable, status)
    yield _may_be(tunable, unit)
    yield from _wanted(tunable, status, unit)
    if refused := text(tunable, "Refused"):
        yield f"refused: {refused.rstrip('.')}."


def _shown(sensor: Fields) -> Iterator[str]:
    name, state, why = text(sensor, "Name"), text(sensor, "State"), text(sensor, "Reason")
    said = f"{describe.label(sensor)} ({name})"
    if state == "ok":
        age_s = number(sensor, "Age") or 0.0
        yield f"{said} is {reading(sensor)}, read {f'{span(age_s)} ago' if age_s >= 1 else 'just now'}."
    elif state == "rejected":
        yield f"{said} is rejected: {why.rstrip('.')}; a value that cannot be true is shown and never acted on."
    else:
        yield f"{said} gives no reading: {_CAUSES.get(why, why.rstrip('.') or 'no reason given')}."
    if sensor.get("Critical") is True:
        yield "it is critical: without it for 3 s, gamesad goes to the failsafe settings."


def _source(sensor: Fields) -> Iterator[str]:
    path, driver, unit = text(sensor, "Path"), text(sensor, "Driver"), text(sensor, "Unit")
    quantity = text(sensor, "Quantity")
    if not path:
        yield f"the daemon does not say which file this {quantity or 'number'} comes from."
        return
    divisor = number(sensor, "Divisor")
    what = quantity + (f" in {unit}" if unit else "")
    rate = quantity in _RATES and path.rpartition("/")[2].startswith("energy")
    number_in_it = "the growth per second of the number in it" if rate else "the number in it"
    if divisor is None:
        scale = f"the {what} is worked out from what stands in it"
    elif divisor == 1:
        scale = f"{number_in_it} is the {what}"
    elif divisor < 1:
        scale = f"{number_in_it}, times {1 / divisor:g}, is the {what}"
    else:
        scale = f"{number_in_it}, divided by {divisor:.10g}, is the {what}"
    yield f"file: {path}" + (f", of the driver {driver}" if driver else "") + f"; {scale}."


def _limits(sensor: Fields) -> Iterator[str]:
    unit = text(sensor, "Unit")
    stated = [f"{word} {amount(value, unit)}" for key, word in _LIMITS if (value := number(sensor, key)) is not None]
    origin = text(sensor, "LimitsFrom") or "its driver"
    if stated:
        yield f"limits, from {origin}: {', '.join(stated)}."
    elif text(sensor, "Quantity") == "temperature":
        yield "its driver states no limit."
    limit = number(sensor, "Limit")
    if limit is not None:
        why = text(sensor, "LimitOrigin")
        if sensor.get("Regulated") is False:
            kept = f"above {amount(limit, unit)} gamesad gives an alert, for nothing that it sets cools this part"
        else:
            kept = f"it is kept at or below {amount(limit, unit)}"
        yield kept + (f": {why}." if why else ".")
    elif text(sensor, "Quantity") == "temperature":
        yield "gamesad keeps no limit for it."


def _writer(tunable: Fields, status: Fields) -> Iterator[str]:
    match text(tunable, "Writer"):
        case "gamesad":
            yield "gamesad wrote it last, and puts it back when it stops."
        case "other":
            yield "somebody else wrote it last; gamesad leaves it alone until gamesactl reset."
        case _:
            yield "gamesad has not changed it."
    if "Override" in tunable:
        until = number(tunable, "Until")
        end = f"until {clock(until)} unless confirmed" if until is not None else "until gamesactl reset"
        yield f"set by hand to {setting(tunable.get('Override'), text(tunable, 'Unit'))}, {end}."
    if text(status, "Mode") == "observe":
        yield f"nothing is written now: {text(status, 'ObserveReason') or 'gamesad observes'}."
    elif "PausedUntil" in status:
        yield "nothing is written now: gamesad is paused."


def _may_be(tunable: Fields, unit: str) -> str:
    choices = names(tunable, "Choices")
    if choices:
        return f"it may be {', '.join(choices)} (from least power to most)."
    low, high = number(tunable, "Minimum"), number(tunable, "Maximum")
    if low is None or high is None:
        return "what it may be is not known."
    return f"it may be {setting(low, unit)} to {setting(high, unit)}."


def _wanted(tunable: Fields, status: Fields, unit: str) -> Iterator[str]:
    decision = mapping(status, "LastDecision")
    if not decision:
        return
    settings = mapping(decision, "Settings")
    when = f"the last decision ({describe.action(decision)}{', ' + _when(decision) if _when(decision) else ''})"
    if (name := text(tunable, "Name")) in settings:
        yield f"{when} wants {setting(settings.get(name), unit)}: {describe.reason(decision).rstrip('.')}."
    else:
        yield f"{when} does not name it: it is to be as found."


def _when(decision: Fields) -> str:
    since = number(decision, "Since")
    return f"{clock(since)}, {span(time.time() - since)} ago" if since is not None else ""
