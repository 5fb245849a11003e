"""A profile for as long as this command runs."""

from __future__ import annotations

import asyncio
import signal
import time

from gamesactl import bus
from gamesactl.arguments import Arguments
from gamesactl.errors import INTERRUPTED, OK, ClientError
from gamesactl.holding import keep
from gamesactl.output import Output
from gamesactl.values import clock, duration_s


def hold(arguments: Arguments, output: Output) -> int:
    """0 after the time, SIGTERM or SIGHUP; 130 after Ctrl-C."""
    profile, reason = arguments.words[0], arguments.option("reason") or ""
    given = arguments.option("for")
    seconds = duration_s(given) if given is not None else None
    return int(bus.start(_hold(profile, reason, seconds, output)))


async def _hold(profile: str, reason: str, seconds: int | None, output: Output) -> int:
    stop = asyncio.Event()
    got: list[int] = []
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        got.append(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    until_s = time.time() + seconds if seconds is not None else None
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    first = True

    def held(cookie: int) -> None:
        nonlocal first
        if first:
            _say_held(profile, cookie, until_s, output)
        else:
            output.note(f"{profile} is held again (hold {cookie})")
        first = False

    released = await keep(profile, reason, "gamesactl hold", stop=stop, held=held, note=output.note)
    if released:
        raise ClientError("somebody released the hold; gamesactl explain says what is active now")
    return INTERRUPTED if signal.SIGINT in got else OK


def _say_held(profile: str, cookie: int, until_s: float | None, output: Output) -> None:
    document: dict[str, object] = {"Cookie": cookie, "Profile": profile}
    if until_s is not None:
        document["Until"] = until_s
    until = f" until {clock(until_s)}" if until_s is not None else ""
    try:
        output.done(document, f"{profile} is held{until} (hold {cookie}); Ctrl-C ends it")
        output.flush()
    except BrokenPipeError:
        output.silence()  # nobody listens; the hold goes on
