"""What this machine offers, what is missing and how to get it: gamesad's own probe, and the state of the service."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from gamesactl import executable, installation
from gamesactl.arguments import Arguments
from gamesactl.errors import Failed, Unreachable
from gamesactl.output import Output
from gamesactl.render import Fields, items, number, text, wrap
from gamesactl.values import amount

_MARKS = {"good": ("ok", "good"), "note": ("note", "dim"), "missing": ("missing", "warn"), "fault": ("FAULT", "bad")}
_INDENT = 11
_NAMED = 4


def doctor(_arguments: Arguments, output: Output) -> None:
    """Exit code 0: everything essential is here; 1: something is not; 3: that is all, but the daemon is not reached."""
    told = _probe()
    status, sensors, unreachable = _daemon()
    findings = [*items(told, "Findings"), *installation.findings(status)]
    limits = (
        _in_force(items(told, "Limits"), sensors) if status and not status.get("Simulated") else items(told, "Limits")
    )
    faults = sum(text(one, "Level") == "fault" for one in findings)
    code = Unreachable.exit_code if unreachable else Failed.exit_code if faults else 0
    if output.json:
        output.document({**told, "Findings": findings, "Limits": limits, "Daemon": status, "ExitStatus": code})
    else:
        output.lines(_lines(told, findings, limits, output))
    if unreachable:
        raise unreachable
    if faults:
        raise Failed(f"{faults} essential thing{'s are' if faults > 1 else ' is'} missing; see FAULT above")


def _probe() -> Fields:
    ran = executable.run(["--probe=json"])
    try:
        told = json.loads(ran.stdout)
    except ValueError:
        said = [line for line in ran.stderr.splitlines() if line]
        raise Failed(f"gamesad cannot probe: {said[-1] if said else 'it said nothing'}; try: gamesad --probe") from None
    if not isinstance(told, dict):
        raise Failed("gamesad printed no report; compare: gamesactl version")
    return told


def _daemon() -> tuple[Fields | None, Sequence[Fields], Unreachable | None]:
    """The daemon's status and sensors, or why it cannot be reached."""
    try:
        from gamesactl import bus  # noqa: PLC0415 - it cannot be imported without dbus_next

        async def ask(gamesad: bus.Gamesad) -> tuple[Fields, list[Fields]]:
            return await gamesad.status(), [*await gamesad.sensors()]

        status, sensors = bus.run(ask)
    except Unreachable as error:
        return None, (), error
    return status, sensors, None


def _in_force(probed: Sequence[Fields], sensors: Sequence[Fields]) -> list[Fields]:
    """The limits as the daemon keeps them now, with profile and users counted; where a number comes from, as probed."""
    known = {text(one, "Sensor"): one for one in probed}
    return [
        {
            **known.get(text(sensor, "Name"), {"Source": "", "Regulated": True}),
            "Sensor": text(sensor, "Name"),
            "Label": text(sensor, "Label"),
            "Limit": sensor["Limit"],
            "Origin": text(sensor, "LimitOrigin"),
            **({"Regulated": sensor["Regulated"]} if "Regulated" in sensor else {}),
        }
        for sensor in sensors
        if "Limit" in sensor
    ]


def _lines(told: Fields, findings: Sequence[Fields], limits: Sequence[Fields], output: Output) -> list[str]:
    style, width = output.style, min(output.width, 110)
    lines = [style("bold", " · ".join(one for one in (text(told, "Machine"), text(told, "Processor")) if one))]
    part = ""
    for one in findings:
        if text(one, "Part") != part:
            part = text(one, "Part")
            lines += ["", style("bold", part)]
        mark, name = _MARKS.get(text(one, "Level"), ("?", ""))
        first, *more = wrap(text(one, "Text"), width, indent=_INDENT, first=f"  {mark}")
        lines += [style(name, first[: len(mark) + 2]) + first[len(mark) + 2 :], *more]
        if remedy := text(one, "Remedy"):
            lines += wrap(f"→ {remedy}", width, indent=_INDENT, hang=2)
    if limits:
        lines += ["", style("bold", "limits")]
        for label, sentence in _alike(limits):
            lines += wrap(f"{label}: {sentence}", width, indent=2, hang=_INDENT - 2)
    faults, missing = (sum(text(one, "Level") == level for one in findings) for level in ("fault", "missing"))
    if not faults:
        help_ = f"; {missing} thing{'s' if missing > 1 else ''} would help" if missing else ""
        lines += ["", style("good", f"everything essential is here{help_}")]
    return lines


def _alike(limits: Sequence[Fields]) -> list[tuple[str, str]]:
    """Labels and a sentence, once for all sensors whose limit is the same in number and origin."""
    alike: dict[str, list[str]] = {}
    for one in limits:
        parts = (amount(number(one, "Limit") or math.nan, "°C"), text(one, "Origin"), text(one, "Source"))
        kind = "" if one.get("Regulated") else " (told, not regulated)"
        alike.setdefault("; ".join(part for part in parts if part) + kind, []).append(text(one, "Label"))
    return [
        (", ".join(labels[:_NAMED]) + (f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""), sentence)
        for sentence, labels in alike.items()
    ]
