"""A user's own limits."""

from __future__ import annotations

from collections.abc import Sequence

from gamesactl import bus, lookup
from gamesactl.arguments import Arguments
from gamesactl.bus import Gamesad
from gamesactl.commands.status import unit_of
from gamesactl.errors import Failed, Usage
from gamesactl.output import Output
from gamesactl.render import Cell, Column, Fields, mapping, number, reading, table, text
from gamesactl.values import UNKNOWN, amount, quantity

_COLUMNS = (
    Column("SENSOR", shrink=14),
    Column("LABEL", shrink=8, drop=1),
    Column("VALUE", right=True, drop=2),
    Column("LIMIT", right=True),
    Column("FROM", wraps=True),
)
_LIMITED = ("temperature", "power")


def limit(arguments: Arguments, output: Output) -> None:
    name, value = arguments.word(0), arguments.word(1)
    if arguments.given("clear"):
        if value is not None:
            raise Usage("--clear takes a sensor and no value: gamesactl limit --clear SENSOR")
        _clear(name, output)
    elif name is None:
        _list(output)
    elif value is None:
        raise Usage(f"a value is missing: gamesactl limit {name} 85; without a sensor the limits are listed")
    else:
        _set(name, value, output)


def _list(output: Output) -> None:
    async def work(gamesad: Gamesad) -> tuple[Fields, list[bus.Fields]]:
        return mapping(await gamesad.status(), "Limits"), await gamesad.sensors()

    own, sensors = bus.run(work)
    if output.json:
        regulated = {text(one, "Name"): limit for one in sensors if (limit := number(one, "Limit")) is not None}
        output.document({"Limits": own, "Regulated": regulated})
        return
    rows = [_row(one, own) for one in sensors if number(one, "Limit") is not None or text(one, "Name") in own]
    known = {text(one, "Name") for one in sensors}
    rows += [[name, "", UNKNOWN, _own(own, name), "you"] for name in own if name not in known]
    output.lines(table(_COLUMNS, rows, output.width, output.style) if rows else ["no limits"])


def _row(sensor: Fields, own: Fields) -> list[Cell]:
    name = text(sensor, "Name")
    regulated, wanted = number(sensor, "Limit"), number(own, name)
    yours = wanted is not None and (regulated is None or wanted <= regulated)
    shown = _own(own, name) if yours else reading(sensor, "Limit")
    return [name, text(sensor, "Label"), reading(sensor), shown, "you" if yours else text(sensor, "LimitOrigin")]


def _own(own: Fields, name: str) -> str:
    value = number(own, name)
    return amount(value, unit_of(name)) if value is not None else UNKNOWN


def _set(name: str, value: str, output: Output) -> None:
    async def work(gamesad: Gamesad) -> tuple[Fields, float]:
        found = _named(await gamesad.sensors(), name)
        value_ = quantity(value, text(found, "Unit"))
        await gamesad.set_limit(text(found, "Name"), value_)
        # asked again: only of a sensor with a limit it is told whether that is kept
        return next((one for one in await gamesad.sensors() if one.get("Name") == found["Name"]), found), value_

    found, value_ = bus.run(work)
    sensor, limited = text(found, "Name"), f"{value_:g} {text(found, 'Unit')}"
    if found.get("Regulated") is False:
        said = f"you are alerted when {sensor} is over {limited}, and nothing is held back for it"
    else:
        said = f"{sensor} is limited to {limited}"
    output.done({"Limits": {sensor: value_}}, f"{said}; gamesactl limit --clear {sensor} takes it back")


def _clear(name: str | None, output: Output) -> None:
    async def work(gamesad: Gamesad) -> list[str]:
        own = mapping(await gamesad.status(), "Limits")
        if name is None:
            cleared = list(own)
        elif name in own:
            cleared = [name]
        else:
            cleared = [text(_named(await gamesad.sensors(), name), "Name")]
            if cleared[0] not in own:
                raise Failed(f"you have set no limit for {cleared[0]}; gamesactl limit lists them")
        for one in cleared:
            await gamesad.clear_limit(one)
        return cleared

    cleared = bus.run(work)
    output.done({"Cleared": cleared}, f"cleared: {', '.join(cleared)}" if cleared else "there were no limits of yours")


def _named(sensors: Sequence[Fields], name: str) -> Fields:
    limitable = [one for one in sensors if one.get("Quantity") in _LIMITED]
    return lookup.sensor(limitable, name, "temperature or power")
