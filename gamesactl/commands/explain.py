"""Why it does what it does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from gamesactl import bus, describe, lookup, provenance
from gamesactl.arguments import Arguments
from gamesactl.bus import Gamesad
from gamesactl.commands.status import unit_of
from gamesactl.errors import Usage
from gamesactl.output import Output
from gamesactl.render import Cell, Column, Fields, items, mapping, number, setting, table, text, wrap
from gamesactl.render import names as words
from gamesactl.terminal import harmless
from gamesactl.values import clock, span

_COLUMNS = (
    Column("SINCE"),
    Column("ACTION"),
    Column("SOURCE", drop=2),
    Column("PROFILE", drop=1),
    Column("REASON", wraps=True),
)
_COUNT = 20
_COUNT_MAXIMUM = 1000
_TEMPERATURES = 3
_SOURCES = {
    "safety": "the safety envelope decided that",
    "forecast": "a forecast led to that",
    "rule": "a rule of the controller led to that",
    "policy": "the profile asks for that",
    "user": "somebody asked for that",
}


class _Known:
    """What the sentences are made of: the answers of one moment."""

    def __init__(
        self, status: Fields, sensors: Sequence[Fields], tunables: Sequence[Fields], properties: Fields
    ) -> None:
        self.status = status
        self.sensors = sensors
        self.tunables = tunables
        self.properties = properties


def explain(arguments: Arguments, output: Output) -> None:
    """Of everything, or of one sensor or one tunable."""
    sensor, tunable = arguments.option("sensor"), arguments.option("tunable")
    if sensor is not None and tunable is not None:
        raise Usage("--sensor and --tunable exclude each other; ask for one after the other")
    if sensor is not None:
        _explain_sensor(sensor, output)
    elif tunable is not None:
        _explain_tunable(tunable, output)
    else:
        _explain_all(output)


def _explain_sensor(wanted: str, output: Output) -> None:
    async def work(gamesad: Gamesad) -> tuple[Sequence[Fields], Sequence[Fields], Fields]:
        return await gamesad.sensors(), await gamesad.decisions(_COUNT_MAXIMUM), await gamesad.status()

    sensors, made, status = bus.run(work)
    found = lookup.sensor(sensors, wanted)
    used = [one for one in made if text(one, "Sensor") == text(found, "Name")]
    document = {"Sensor": found, "Decision": used[0] if used else None}
    _say(provenance.of_sensor(found, made), status, document, output)


def _explain_tunable(wanted: str, output: Output) -> None:
    async def work(gamesad: Gamesad) -> tuple[Sequence[Fields], Fields]:
        return await gamesad.tunables(), await gamesad.status()

    tunables, status = bus.run(work)
    found = lookup.tunable(tunables, wanted)
    wanted_now = mapping(mapping(status, "LastDecision"), "Settings").get(text(found, "Name"))
    _say(provenance.of_tunable(found, status), status, {"Tunable": found, "Wanted": wanted_now}, output)


def _say(sentences: Iterator[str], status: Fields, document: Mapping[str, object], output: Output) -> None:
    said = [_capital(sentence) for sentence in sentences]
    if output.json:
        output.document({"Sentences": said, **document})
        return
    for sentence in [*filter(None, [describe.simulated(status)]), *said]:
        output.lines(wrap(sentence, output.width, hang=2))


def _explain_all(output: Output) -> None:
    async def work(gamesad: Gamesad) -> _Known:
        return _Known(
            await gamesad.status(), await gamesad.sensors(), await gamesad.tunables(), await gamesad.properties()
        )

    known: _Known = bus.run(work)
    sentences = [_capital(sentence) for sentence in explanation(known)]
    if output.json:
        output.document({"Sentences": sentences, "Status": known.status})
        return
    for sentence in sentences:
        output.lines(wrap(sentence, output.width, hang=2))


def explanation(known: _Known) -> Iterator[str]:
    """From what is being done, to who wants it, to what stands in the way."""
    status = known.status
    if banner := describe.simulated(status):
        yield banner
    yield from _decision(status)
    yield from _mode(status, known.properties)
    yield from _profile(status, known.properties)
    yield from _temperatures(status, known.sensors)
    yield from _held_back(known.tunables)
    yield from _by_hand(known.tunables)
    yield from _trouble(known)


def _decision(status: Fields) -> Iterator[str]:
    decision = mapping(status, "LastDecision")
    if not decision:
        yield "gamesad has decided nothing yet."
        return
    why = _SOURCES.get(text(decision, "Source"), f"source: {text(decision, 'Source') or 'unknown'}")
    yield f"{describe.action(decision)} {describe.since(decision)}".rstrip() + f"; {why}."
    reason = describe.reason(decision)
    if reason:
        yield f"the reason: {reason.rstrip('.')}."
    now = describe.now(status)
    if now != reason:
        yield f"right now: {now.rstrip('.')}."


def _mode(status: Fields, properties: Fields) -> Iterator[str]:
    mode = text(status, "Mode")
    if mode == "observe":
        why = text(status, "ObserveReason") or "another daemon owns the controls, or it was started with --observe"
        yield f"nothing is written, only observed: {why}."
    elif mode == "failsafe":
        yield "failsafe: critical sensors are lost; the machine is kept at conservative settings until they are back."
    elif mode and mode != "active":
        yield f"the mode is {mode}."
    if "PausedUntil" in status:
        until = number(status, "PausedUntil")
        end = clock(until) if until is not None else "gamesactl resume"
        yield f"it is paused until {end}; everything is as found."
    components = mapping(properties, "Components")
    for name in components:
        if (state := text(components, name)) not in ("on", "off", ""):
            yield f"the part {harmless(name)} is not available: {state.rstrip('.')}."


def _profile(status: Fields, properties: Fields) -> Iterator[str]:
    active = text(status, "ActiveProfile")
    described = [text(one, "Description") for one in items(properties, "Profiles") if text(one, "Name") == active]
    cause = text(status, "ProfileCause")
    yield (
        f"the profile is {active or 'unknown'}"
        + (f": {described[0].rstrip('.')}" if described and described[0] else "")
        + "."
    )
    if cause:
        yield f"who chose it: {cause}."
    selected = text(status, "SelectedProfile")
    if selected and selected != active:
        yield f"without holds it would be {selected}."
    for hold in items(status, "Holds"):
        yield f"held: {describe.hold(hold)}."


def _temperatures(status: Fields, sensors: Sequence[Fields]) -> Iterator[str]:
    found = describe.temperatures(status, _TEMPERATURES)
    if not found:
        yield "no temperature is known, so nothing can be said of heat."
        return
    origins = {text(one, "Name"): text(one, "LimitOrigin") for one in sensors}
    for one in found:
        if number(one, "Limit") is None:
            continue
        origin = origins.get(text(one, "Name"), "")
        yield f"temperature: {describe.temperature(one)}" + (f" ({origin})" if origin else "") + "."
    if ahead := describe.ahead(status):
        yield f"forecast: {ahead}."
    for sentence in words(status, "Anomalies"):
        yield f"unlike what is usual here: {sentence.rstrip('.')}."
    if advice := text(status, "Advice"):
        yield f"the learnt policy advises: {advice.rstrip('.')}; the rules decide."
    own = mapping(status, "Limits")
    for name in own:
        if (value := number(own, name)) is not None:
            yield f"a limit was set by hand: {harmless(name)} at most {value:g} {unit_of(name)}."


def _held_back(tunables: Sequence[Fields]) -> Iterator[str]:
    """One sentence per setting, however many processors share it."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in tunables:
        if text(one, "Writer") == "gamesad" and one.get("Value") != one.get("Found"):
            unit, name = text(one, "Unit"), text(one, "Name")
            key = (name.rpartition(".")[2], setting(one.get("Found"), unit), setting(one.get("Value"), unit))
            groups.setdefault(key, []).append(name)
    for (short, found, now), members in groups.items():
        where = members[0] if len(members) == 1 else f"{short} of {len(members)} policies or domains"
        yield f"{where} is {now} instead of {found} as found."
    if not groups:
        yield "every setting is as it was found."


def _by_hand(tunables: Sequence[Fields]) -> Iterator[str]:
    for one in tunables:
        name, unit = text(one, "Name"), text(one, "Unit")
        until = number(one, "Until")
        if "Override" in one:
            end = (
                f"goes back in {span(until - time.time())} unless: gamesactl confirm {name}"
                if until is not None
                else "until gamesactl reset"
            )
            yield f"{name} was set to {setting(one.get('Override'), unit)} by hand; {end}."
        if text(one, "Writer") == "other":
            yield f"somebody else set {name} to {setting(one.get('Value'), unit)}; it is left alone."


def _trouble(known: _Known) -> Iterator[str]:
    for one in known.tunables:
        if refused := text(one, "Refused"):
            yield f"{refused.rstrip('.')}."
    absent = []
    for one in known.sensors:
        state, why = text(one, "State"), text(one, "Reason")
        critical = one.get("Critical") is True
        if state == "rejected" or (state == "absent" and critical):
            kind = "critical sensor" if critical else "sensor"
            name = text(one, "Name")
            yield f"the {kind} {describe.label(one)} ({name}) is {state}: {why.rstrip('.') or 'no reason given'}."
        elif state == "absent":
            absent.append(text(one, "Name"))
    if absent:
        yield f"{len(absent)} sensor{'s give' if len(absent) > 1 else ' gives'} no reading: {describe.some(absent)}."


def decisions(arguments: Arguments, output: Output) -> None:
    count = _count(arguments.option("count"))
    found = bus.run(lambda gamesad: gamesad.decisions(count))
    if output.json:
        output.document(found)
        return
    rows: list[list[Cell]] = [
        [
            clock(since) if (since := number(one, "Since")) is not None else "",
            (text(one, "Action"), describe.action_style(one)),
            text(one, "Source"),
            text(one, "Profile"),
            describe.reason(one),
        ]
        for one in found
    ]
    output.lines(table(_COLUMNS, rows, output.width, output.style) if rows else ["no decisions yet"])


def _count(word: str | None) -> int:
    if word is None:
        return _COUNT
    if not (word.isascii() and word.isdigit() and 0 < int(word) <= _COUNT_MAXIMUM):
        raise Usage(f"--count: {word!r} is not a number from 1 to {_COUNT_MAXIMUM}")
    return int(word)


def _capital(sentence: str) -> str:
    """A sentence begins with a capital, unless with a name: those of sensors and tunables keep their spelling."""
    first = sentence.partition(" ")[0]
    return sentence if "." in first or "_" in first or first == "gamesad" else sentence[:1].upper() + sentence[1:]
