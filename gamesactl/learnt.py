"""How what the daemon has learnt reads on a terminal: lines with a subject, and a row for each sensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gamesactl import describe
from gamesactl.output import Output
from gamesactl.render import Cell, Column, Fields, items, mapping, number, table, text, wrap
from gamesactl.terminal import harmless
from gamesactl.values import UNKNOWN, amount, clock, percent

_INDENT = 13
_LEARNING = ("learning", "on", "proposes", "advises", "acts", "watching")
MODES = {
    "shadow": "it proposes, the rules decide",
    "advise": "what it proposes is shown as advice, the rules decide",
    "act": "it chooses where the rules leave a choice",
}
_MEMBERS = 3
_RECENT = 3
_SENSORS = (
    Column("SENSOR", shrink=20),
    Column("LABEL", drop=3),
    Column("SKILL", right=True),
    Column("HOLDS", right=True),
    Column("ERROR", right=True, drop=2),
    Column("UNCHANGED", right=True, drop=4),
    Column("SAMPLES", right=True, drop=5),
    Column("BY", drop=6),
)


def said(rows: Sequence[tuple[str, str, str]], output: Output) -> Iterator[str]:
    """Subject, sentence and style of each; what is not known has no line."""
    for subject, said, name in rows:
        if said:
            first, *more = wrap(said, output.width, indent=_INDENT, first=subject)
            yield output.style("bold", first[:_INDENT]) + output.style(name, first[_INDENT:])
            yield from (output.style(name, line) for line in more)


def of_all(told: Fields) -> Iterator[tuple[str, str, str]]:
    state = text(told, "State") or "unknown"
    said = f"{state} {describe.since(told)}".rstrip()
    life = mapping(told, "Life")
    took, budget = number(life, "TickMs"), number(life, "BudgetMs")
    if took is not None:
        said += f"; takes {took:.2f} ms a second" + (f", {budget:g} ms at most" if budget is not None else "")
    yield "Models", said, "" if state in _LEARNING else "warn"
    yielded = mapping(life, "Yielded")
    gave_way = [f"{harmless(name)} {count:.0f} times" for name in yielded if (count := number(yielded, name))]
    yield "Gave way", ", ".join(gave_way), "dim"
    forecast = mapping(told, "Forecast")
    horizons = forecast.get("Horizons")
    known = [one for one in horizons if isinstance(one, (int, float))] if isinstance(horizons, list) else []
    parts = [text(forecast, "State")] if text(forecast, "State") not in ("", *_LEARNING) else []
    parts += [f"{known[0]:g} to {known[-1]:g} s ahead"] if known else []
    confidence = number(forecast, "Confidence")
    parts += [f"upper bounds for {percent(confidence)}"] if confidence is not None else []
    yield "Forecast", ", ".join(parts), ""


def of_policy(told: Fields) -> Iterator[tuple[str, str, str]]:
    policy = mapping(told, "Policy")
    mode, state = text(policy, "Mode"), text(policy, "State")
    said = f"{mode}: {MODES[mode]}" if mode in MODES else mode
    yield "Policy", "; ".join(one for one in (said, state if state not in (*_LEARNING, mode) else "") if one), ""
    if proposed := text(policy, "Proposed"):
        since = describe.since(policy, "ProposedSince")
        reason = text(policy, "Reason")
        yield "Proposes", f"{proposed} {since}".rstrip() + (f": {reason}" if reason else ""), ""
    yield "Worth", _worth(policy), ""


def _worth(policy: Fields) -> str:
    """What its proposals bring a step against the rules, with the interval and how that was estimated."""
    estimate, low, high = (number(policy, key) for key in ("Estimate", "EstimateLow", "EstimateHigh"))
    if estimate is None:
        return "not known yet" if policy else ""
    said = f"{estimate:.3f}"
    said += f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else ""
    rules = number(policy, "RulesValue")
    said += f", the rules {rules:.3f}" if rules is not None else ""
    return said + (f"; {text(policy, 'Method')}" if text(policy, "Method") else "")


def of_anomalies(told: Fields) -> Iterator[tuple[str, str, str]]:
    anomalies = mapping(told, "Anomalies")
    if not anomalies:
        return
    active, rate, budget = items(anomalies, "Active"), number(anomalies, "Rate"), number(anomalies, "Budget")
    said = [f"{len(active)} now" if active else "none now"]
    said += [f"{rate:.2g} a week so far"] if rate is not None else []
    said += [f"{budget:g} false a week at most"] if budget is not None else []
    state = text(anomalies, "State")
    yield "Anomalies", ", ".join([*said, *([state] if state not in ("", *_LEARNING) else [])]), ""
    for one in active:
        yield "", f"{describe.odd(one)} {describe.since(one)}".rstrip(), "warn"
    for one in items(anomalies, "Recent")[:_RECENT]:
        began, until = (
            clock(then) if (then := number(one, key)) is not None else UNKNOWN for key in ("Since", "Until")
        )
        yield "", f"{began} to {until}: {describe.odd(one)}", "dim"


def of_life(told: Fields) -> Iterator[tuple[str, str, str]]:
    life = mapping(told, "Life")
    saved, put_back, set_aside = (number(life, key) for key in ("Checkpoint", "Rollbacks", "SetAside"))
    said = [clock(saved) if saved else "not yet"] if life else []
    said += [f"models put back: {put_back:.0f}"] if put_back else []
    said += [f"files set aside: {set_aside:.0f}"] if set_aside else []
    memory = number(life, "Memory")
    said += [amount(memory, "B")] if memory else []
    yield "Saved", ", ".join(said), "dim"


def sensors(told: Fields, output: Output) -> list[str]:
    """How good the forecasts of each are; nothing where there are none."""
    rows = [_sensor(one) for one in items(mapping(told, "Forecast"), "Sensors")]
    return ["", *table(_SENSORS, rows, output.width, output.style)] if rows else []


def _sensor(one: Fields) -> list[Cell]:
    skill, coverage, samples = number(one, "Skill"), number(one, "Coverage"), number(one, "Samples")
    errors = [
        f"{error:.3f} °C" if (error := number(one, key)) is not None else UNKNOWN for key in ("Error", "Persistence")
    ]
    members = mapping(one, "Members")
    weights = sorted(((number(members, name) or 0.0, harmless(name)) for name in members), reverse=True)[:_MEMBERS]
    return [
        text(one, "Sensor") or UNKNOWN,
        text(one, "Label"),
        (percent(skill), "good" if skill > 0 else "warn" if skill < 0 else "") if skill is not None else UNKNOWN,
        percent(coverage) if coverage is not None else UNKNOWN,
        *errors,
        f"{samples:.0f}" if samples is not None else UNKNOWN,
        ", ".join(f"{name} {percent(weight)}" for weight, name in weights),
    ]
