"""Profiles and the choice among them."""

from __future__ import annotations

from gamesactl import bus
from gamesactl.arguments import Arguments
from gamesactl.bus import Gamesad
from gamesactl.errors import ClientError, Failed, Usage
from gamesactl.output import Output
from gamesactl.render import Cell, Column, Fields, items, table, text
from gamesactl.suggest import did_you_mean
from gamesad.bus import names

_COLUMNS = (
    Column(""),
    Column("NAME"),
    Column("STANDS FOR", drop=1),
    Column("DESCRIPTION", wraps=True),
    Column("FROM", shrink=12, drop=2),
)
_KEYS = ("ActiveProfile", "SelectedProfile", "Profiles", "Holds")
_COOKIE_MAXIMUM = 0xFFFFFFFF


def profiles(_arguments: Arguments, output: Output) -> None:
    found = bus.run(lambda gamesad: gamesad.properties())
    if output.json:
        output.document({key: found[key] for key in _KEYS if key in found})
        return
    columns = (*_COLUMNS[:3], _COLUMNS[4], _COLUMNS[3])
    active, selected = text(found, "ActiveProfile"), text(found, "SelectedProfile")
    rows = [_row(one, active) for one in items(found, "Profiles")]
    output.lines(table(columns, rows, output.width, output.style))
    if active != selected:
        output.line(f"{active} is held; without holds it would be {selected}")


def _row(profile: Fields, active: str) -> list[Cell]:
    name = text(profile, "Name")
    mark, style = ("*", "good") if name == active else (" ", "")
    return [
        (mark, style),
        (name, style),
        text(profile, "PowerProfile"),
        text(profile, "Source"),
        text(profile, "Description"),
    ]


def set_profile(arguments: Arguments, output: Output) -> None:
    name = arguments.words[0]

    async def work(gamesad: Gamesad) -> Fields:
        try:
            await gamesad.set_profile(name)
        except ClientError as error:
            raise await known_better(gamesad, name, error) from None
        return await gamesad.properties()

    found: Fields = bus.run(work)
    active, selected = text(found, "ActiveProfile"), text(found, "SelectedProfile")
    held = f"; {active} stays active while it is held" if active != selected else ""
    output.done({"ActiveProfile": active, "SelectedProfile": selected}, f"profile {selected} selected{held}")


async def known_better(gamesad: Gamesad, name: str, error: ClientError) -> ClientError:
    """The error, with a suggestion where it is about a profile that does not exist."""
    if error.name != names.ERROR_UNKNOWN_PROFILE:
        return error
    known = [text(one, "Name") for one in items(await gamesad.properties(), "Profiles")]
    return Failed(f"unknown profile {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}", error.name)


def release(arguments: Arguments, output: Output) -> None:
    word = arguments.words[0]
    if not (word.isascii() and word.isdigit() and int(word) <= _COOKIE_MAXIMUM):
        raise Usage(f"{word!r} is not a hold's number; gamesactl status lists the holds")
    cookie = int(word)
    try:
        bus.run(lambda gamesad: gamesad.release_profile(cookie))
    except ClientError as error:
        if error.name == names.ERROR_UNKNOWN_HOLD:
            raise Failed(f"there is no hold {cookie}; gamesactl status lists the holds", error.name) from None
        raise
    output.done({"Cookie": cookie}, f"hold {cookie} released")
