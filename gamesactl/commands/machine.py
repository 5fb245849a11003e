"""What is read and what can be set."""

from __future__ import annotations

from gamesactl import bus
from gamesactl.arguments import Arguments
from gamesactl.errors import Failed
from gamesactl.output import Output
from gamesactl.render import Cell, Column, Fields, names, number, reading, setting, table, text
from gamesactl.suggest import did_you_mean
from gamesactl.values import UNKNOWN, clock, span

_SENSORS = (
    Column("NAME", shrink=14),
    Column("LABEL", shrink=8, drop=2),
    Column("VALUE", right=True),
    Column("LIMIT", right=True, drop=1),
    Column("NOTE", wraps=True),
)
_SENSORS_ALL = (
    *_SENSORS[:4],
    Column("MAX", right=True, drop=7),
    Column("CRIT", right=True, drop=6),
    Column("AGE", right=True, drop=5),
    Column("DRIVER", shrink=6, drop=8),
    _SENSORS[4],
)
_TUNABLES = (
    Column("NAME", shrink=16),
    Column("VALUE", right=True),
    Column("FOUND", right=True, drop=1),
    Column("SET BY", drop=2),
    Column("NOTE", wraps=True),
)
_TUNABLES_ALL = (*_TUNABLES[:4], Column("MAY BE", shrink=16, drop=3), _TUNABLES[4])


def sensors(arguments: Arguments, output: Output) -> None:
    found = _matching(bus.run(lambda gamesad: gamesad.sensors()), arguments.word(0), "sensor")
    if output.json:
        output.document(found)
        return
    everything = arguments.given("all")
    shown = [one for one in found if everything or text(one, "State") != "absent" or one.get("Critical") is True]
    columns = _SENSORS_ALL if everything else _SENSORS
    rows = [_sensor_row(one, everything=everything) for one in shown]
    output.lines(table(columns, rows, output.width, output.style))
    hidden = len(found) - len(shown)
    if hidden:
        output.line(output.style("dim", f"{hidden} absent; gamesactl sensors --all shows them"))
    if not found:
        output.line("no sensors")


def _sensor_row(sensor: Fields, *, everything: bool) -> list[Cell]:
    state = text(sensor, "State")
    limit, value = number(sensor, "Limit"), number(sensor, "Value")
    hot = limit is not None and value is not None and value >= limit
    style = {"rejected": "warn", "absent": "dim"}.get(state, "bad" if hot else "")
    note = f"{state}: {text(sensor, 'Reason')}".removesuffix(": ") if state not in ("ok", "") else ""
    row: list[Cell] = [text(sensor, "Name"), text(sensor, "Label"), (reading(sensor), style), reading(sensor, "Limit")]
    if everything:
        age = number(sensor, "Age")
        row += [reading(sensor, "Maximum"), reading(sensor, "CriticalLimit")]
        row += [span(age) if age is not None else UNKNOWN, text(sensor, "Driver")]
    return [*row, (note, style)]


def tunables(arguments: Arguments, output: Output) -> None:
    found = _matching(bus.run(lambda gamesad: gamesad.tunables()), arguments.word(0), "tunable")
    if output.json:
        output.document(found)
        return
    everything = arguments.given("all")
    rows = [_tunable_row(one, everything=everything) for one in found]
    output.lines(table(_TUNABLES_ALL if everything else _TUNABLES, rows, output.width, output.style))
    if not found:
        output.line("nothing can be set on this machine")


def _tunable_row(tunable: Fields, *, everything: bool) -> list[Cell]:
    unit, writer = text(tunable, "Unit"), text(tunable, "Writer")
    style = {"gamesad": "good", "other": "warn"}.get(writer, "")
    who = {"found": "", "other": "somebody else"}.get(writer, writer)
    row: list[Cell] = [
        text(tunable, "Name"),
        (setting(tunable.get("Value"), unit), style),
        setting(tunable.get("Found"), unit),
    ]
    row.append((who, style))
    if everything:
        row.append(allowed(tunable))
    return [*row, (_tunable_note(tunable), "warn" if text(tunable, "Refused") else "")]


def _tunable_note(tunable: Fields) -> str:
    until = number(tunable, "Until")
    notes = [text(tunable, "Refused").removeprefix(f"{text(tunable, 'Name')} was ")]
    if until is not None:
        notes.append(f"goes back at {clock(until)} unless confirmed")
    elif "Override" in tunable:
        notes.append("set by a person")
    return "; ".join(note for note in notes if note)


def allowed(tunable: Fields) -> str:
    """The choices, or the range with its unit."""
    choices = names(tunable, "Choices")
    if choices:
        return " ".join(choices)
    unit = text(tunable, "Unit")
    return f"{setting(tunable.get('Minimum'), unit)} to {setting(tunable.get('Maximum'), unit)}"


def _matching(found: list[dict[str, object]], wanted: str | None, kind: str) -> list[dict[str, object]]:
    if wanted is None:
        return found
    word = wanted.casefold()
    some = [one for one in found if word in text(one, "Name").casefold() or word in text(one, "Label").casefold()]
    if not some:
        hint = did_you_mean(wanted, [text(one, "Name") for one in found])
        raise Failed(f"no {kind} has {wanted!r} in its name{hint}; gamesactl {kind}s lists them")
    return some
