"""The daemon itself: pause, resume, reload."""

from __future__ import annotations

from gamesactl import bus
from gamesactl.arguments import Arguments
from gamesactl.output import Output
from gamesactl.render import number
from gamesactl.values import clock, duration_s

_UNTIL_RESUMED = 0


def pause(arguments: Arguments, output: Output) -> None:
    given = arguments.option("for")
    seconds = duration_s(given) if given is not None else _UNTIL_RESUMED

    async def work(gamesad: bus.Gamesad) -> bus.Fields:
        await gamesad.pause(seconds)
        return await gamesad.status()

    until = number(bus.run(work), "PausedUntil")
    when = clock(until) if until is not None else "resumed"
    output.done({"PausedUntil": until}, f"paused until {when}; everything is as found. gamesactl resume ends it")


def resume(_arguments: Arguments, output: Output) -> None:
    bus.run(lambda gamesad: gamesad.resume())
    output.done({"Paused": False}, "resumed")


def reload(_arguments: Arguments, output: Output) -> None:
    bus.run(lambda gamesad: gamesad.reload_config())
    output.done({"Reloaded": True}, "configuration read again")
