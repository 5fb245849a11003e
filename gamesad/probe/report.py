"""``gamesad --probe``: looks once, writes nothing, says what it found as text or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from gamesad.errors import GamesadError
from gamesad.probe import boards, graphics, heat, power, system
from gamesad.probe.findings import Finding, Level, count, listed
from gamesad.probe.seen import Seen, look

EXIT_OK, EXIT_MISSING, EXIT_USAGE = 0, 1, 2

CHECKS: tuple[Callable[[Seen], Iterator[Finding]], ...] = (
    heat.temperatures,
    power.clocks,
    power.limits,
    power.platform,
    power.anything,
    graphics.graphics,
    boards.boards,
    boards.disks,
    boards.pi,
    system.surroundings,
    system.rights,
    system.rivals,
    system.configuration,
    system.libraries,
)
"""In the order in which people read what they say."""

_MARKS = {Level.GOOD: "ok", Level.NOTE: "note", Level.MISSING: "missing", Level.FAULT: "FAULT"}


def run(options: argparse.Namespace) -> int:
    """Exit status: 0 everything essential is here, 1 something is not, 2 there is no such machine."""
    try:
        with ExitStack() as stack:
            told = report(look(options, stack))
    except GamesadError as error:
        print(f"gamesad: {error}", file=sys.stderr)
        return EXIT_USAGE
    text = json.dumps(told, ensure_ascii=False) if options.probe == "json" else "\n".join(lines(told))
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.flush()
    return int(told["ExitStatus"])


def report(seen: Seen) -> dict[str, Any]:
    findings = [finding for check in CHECKS for finding in check(seen)]
    return {
        "Machine": seen.machine,
        "Processor": seen.processor.name,
        "Sensors": len(seen.sensors),
        "Tunables": len(seen.tunables),
        "Findings": [
            {"Part": one.part, "Level": str(one.level), "Text": one.text, "Remedy": one.remedy} for one in findings
        ],
        "Limits": [
            {
                "Sensor": limit.sensor,
                "Label": limit.label,
                "Regulated": limit.heat.value != "other",
                "Limit": limit.target_c,
                "Origin": limit.origin,
                "Source": heat.stated_by(seen.sensors[limit.sensor]),
            }
            for limit in seen.limits.values()
        ],
        "ExitStatus": EXIT_MISSING if any(one.level is Level.FAULT for one in findings) else EXIT_OK,
    }


def _limits(limits: list[dict[str, Any]]) -> Iterator[str]:
    """A line for all sensors whose limit is the same in number and origin."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for limit in limits:
        told = (limit["Regulated"], limit["Limit"], limit["Origin"], limit["Source"])
        alike.setdefault(told, []).append(limit["Label"])
    for (regulated, celsius, origin, source), labels in alike.items():
        held = "kept" if regulated else "alert"
        yield f"  {held:<8} {listed(labels)}: {celsius:g} °C, {origin}; {source}"


def lines(told: dict[str, Any]) -> Iterator[str]:
    """The report for people, a line for each finding and one for what to do about it."""
    yield " · ".join(text for text in (told["Machine"], told["Processor"]) if text)
    part = ""
    for one in told["Findings"]:
        if one["Part"] != part:
            part = one["Part"]
            yield f"\n{part}"
        yield f"  {_MARKS[Level(one['Level'])]:<8} {one['Text']}"
        if one["Remedy"]:
            yield f"           → {one['Remedy']}"
    if told["Limits"]:
        yield "\nlimits in force with nothing chosen"
        yield from _limits(told["Limits"])
    faults = sum(one["Level"] == Level.FAULT for one in told["Findings"])
    missing = sum(one["Level"] == Level.MISSING for one in told["Findings"])
    yield ""
    if faults:
        yield f"{count(faults, 'fault')}: what is essential is not all here"
    else:
        yield "everything essential is here" + (f"; {count(missing, 'thing')} would help" if missing else "")
