"""The machine at a glance."""

from __future__ import annotations

import time

from gamesactl import describe, segment
from gamesactl.errors import Unreachable
from gamesactl.render import Fields, items, mapping, names, number, text, wrap
from gamesactl.terminal import Style, harmless
from gamesactl.values import clock, span

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from gamesactl.arguments import Arguments
    from gamesactl.output import Output

_INDENT = 13
_TEMPERATURES = 4


def status(_arguments: Arguments, output: Output) -> None:
    show(output)


def show(output: Output) -> None:
    found = _look(output)
    if output.json:
        output.document(found)
    else:
        output.lines(lines(found, output.width, output.style))


def _look(output: Output) -> Fields:
    """From the segment where that tells it all, else from the bus; from the segment too where the bus cannot tell."""
    seen = segment.status()
    if seen is not None and seen.stale_s is None and seen.whole:
        return seen.status
    try:
        from gamesactl import bus  # noqa: PLC0415 - 50 ms, and it cannot be imported without dbus_next

        return bus.run(lambda gamesad: gamesad.status())
    except Unreachable as error:
        if seen is None:
            raise
        if seen.stale_s is not None:
            raise Unreachable(f"stale since {clock(seen.stale_s)}: {error}", error.name) from None
        output.note(f"not all is shown: {error}")
        return seen.status


def lines(status: Fields, width: int, style: Style) -> list[str]:
    """Everything known, one subject per line; what is not known has no line, except the temperature."""
    result: list[str] = []
    for subject, said, name in _rows(status):
        if said:
            first, *more = wrap(said, width, indent=_INDENT, first=subject)
            result.append(style("bold", first[:_INDENT]) + style(name, first[_INDENT:]))
            result += [style(name, line) for line in more]
    banner = describe.simulated(status)
    return [*(style("notice", line) for line in (wrap(banner, width) if banner else [])), *result]


def _rows(status: Fields) -> list[tuple[str, str, str]]:
    """Subject, sentence, style."""
    decision = mapping(status, "LastDecision")
    since = describe.since(decision)
    mode = text(status, "Mode")
    said = f"{describe.action(decision)} {since}".rstrip() + f": {describe.now(status)}"
    rows = [("Machine", "" if status.get("Simulated") is True else text(status, "Machine"), "")]
    rows += [("Profile", describe.profile(status), "")]
    rows += [("Holds" if i == 0 else "", describe.hold(one), "") for i, one in enumerate(items(status, "Holds"))]
    rows += [("Mode", _mode(status), describe.mode_style(mode))]
    rows += [("Paused", _paused(status), "warn")]
    rows += [("Decision", said if decision else "none yet", describe.action_style(decision))]
    rows += _temperatures(status)
    rows += [("Forecast", describe.ahead(status), "warn")]
    rows += [("Odd" if i == 0 else "", one, "warn") for i, one in enumerate(names(status, "Anomalies"))]
    advice = text(status, "Advice")
    rows += [
        ("Advice", f"the learnt policy advises {advice}" if advice else "", ""),
        ("Power", ", ".join(describe.power(status)), ""),
        ("Load", ", ".join(describe.utilization(status)), ""),
        ("Frequency", describe.frequency(status), ""),
        ("Fans", ", ".join(describe.fans(status)), ""),
        ("Battery", describe.battery(status), ""),
        ("Your limits", ", ".join(_limits(status)), ""),
        ("Rejected", describe.some(names(status, "Rejected")), "warn"),
        ("Absent", describe.some(names(status, "Absent")), "dim"),
        ("gamesad", _daemon(status), "dim"),
    ]
    return rows


def _temperatures(status: Fields) -> list[tuple[str, str, str]]:
    found = describe.temperatures(status, _TEMPERATURES)
    if not found:
        return [("Temperature", "unknown", "warn")]
    state = text(status, "ThermalState")
    rows = []
    for i, one in enumerate(found):
        said = describe.temperature(one) + (f" ({state})" if i == 0 and state else "")
        rows.append(("Temperature" if i == 0 else "", said, describe.state_style(state) if i == 0 else ""))
    return rows


def _mode(status: Fields) -> str:
    mode = text(status, "Mode")
    why = text(status, "ObserveReason")
    meaning = {
        "observe": "observe: nothing is written" + (f" ({why})" if why else ""),
        "failsafe": "failsafe: critical sensors are lost",
    }
    return meaning.get(mode, mode if mode != "active" else "")


def _paused(status: Fields) -> str:
    if "PausedUntil" not in status:
        return ""
    until = number(status, "PausedUntil")
    if until is None:  # without an end
        return "everything is as found; gamesactl resume ends it"
    return f"until {clock(until)} ({span(until - time.time())} left); gamesactl resume ends it"


def _limits(status: Fields) -> list[str]:
    limits = mapping(status, "Limits")
    return [
        f"{harmless(name)} {value:g} {unit_of(name)}" for name in limits if (value := number(limits, name)) is not None
    ]


def unit_of(name: str) -> str:
    """A user's limit is in W for a power domain, else in °C."""
    return "W" if name.endswith(".power") or name.startswith("powercap.") else "°C"


def _daemon(status: Fields) -> str:
    version, uptime, tick_ms = text(status, "Version"), number(status, "Uptime"), number(status, "TickMs")
    said = [version] if version else []
    said += [f"up {span(uptime)}"] if uptime is not None else []
    said += [f"tick {tick_ms:.1f} ms"] if tick_ms is not None else []
    return ", ".join(said)
