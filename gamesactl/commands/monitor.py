"""Status, live."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from typing import Protocol

from gamesactl import describe, terminal
from gamesactl.arguments import Arguments
from gamesactl.bus import Gamesad, connect, start
from gamesactl.commands.status import lines
from gamesactl.errors import Unreachable, Usage
from gamesactl.output import Output
from gamesactl.render import Fields, elide, mapping, names, text, to_json
from gamesactl.terminal import Screen
from gamesactl.values import clock, duration_s, span

_INTERVAL = "1s"
_LEAST_S = 0.25


class View(Protocol):
    """One way of showing. ``status`` is the last one known; ``stale_s`` since when it is no longer known."""

    def show(self, status: Fields, now_s: float, stale_s: float | None, why: str) -> None: ...


def monitor(arguments: Arguments, output: Output) -> int | None:
    interval_s = duration_s(arguments.option("interval") or _INTERVAL)
    count = _count(arguments.option("count"))
    if output.json:
        return int(start(_watch(_Documents(output), interval_s, count)))
    if not terminal.is_capable(sys.stdout):
        return int(start(_watch(_Lines(output), interval_s, count)))
    with Screen(sys.stdout) as screen:
        return int(start(_watch(_Live(screen, output), interval_s, count, screen)))


def _count(word: str | None) -> int | None:
    if word is None:
        return None
    if not (word.isascii() and word.isdigit() and int(word) > 0):
        raise Usage(f"--count: {word!r} is not a number above 0")
    return int(word)


async def _watch(view: View, interval_s: float, count: int | None, screen: Screen | None = None) -> int:
    """Looks every ``interval_s``, and at once when the daemon decides something; 143 after SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if screen is not None:
        loop.add_signal_handler(signal.SIGTSTP, screen.suspend)
    last = _Last(view)
    left = count
    while not stop.is_set() and left != 0:
        try:
            async with connect() as gamesad:
                if screen is not None:
                    await gamesad.follow()
                left = await _while_there(gamesad, last, interval_s, left, stop)
        except Unreachable as error:
            if not last.status:
                raise
            last.lost(str(error))
            left = left - 1 if left is not None else None
        if left != 0:
            await _either(stop, None, interval_s)
    return 128 + signal.SIGTERM if stop.is_set() else 0


async def _while_there(
    gamesad: Gamesad, last: _Last, interval_s: float, left: int | None, stop: asyncio.Event
) -> int | None:
    """Until the daemon goes (Unreachable), the looks are used up, or stopped; returns the looks that are left."""
    while not stop.is_set():
        last.seen(await gamesad.status())
        left = left - 1 if left is not None else None
        if left == 0:
            break
        await _either(stop, gamesad.changed, interval_s)
        gamesad.changed.clear()
    return left


async def _either(stop: asyncio.Event, changed: asyncio.Event | None, seconds: float) -> None:
    """Waits for the time, or for an event; looks never follow each other faster than four times a second."""
    waiting = [asyncio.create_task(event.wait()) for event in (stop, changed) if event is not None]
    started_s = time.monotonic()
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    if not stop.is_set():
        await asyncio.sleep(max(0.0, min(seconds, _LEAST_S) - (time.monotonic() - started_s)))


class _Last:
    """The last status known, and whether it still is true."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._seen_s = 0.0
        self.status: Fields = {}

    def seen(self, status: Fields) -> None:
        self.status, self._seen_s = status, time.time()
        self._view.show(status, self._seen_s, None, "")

    def lost(self, why: str) -> None:
        self._view.show(self.status, time.time(), self._seen_s, why)


class _Live:
    def __init__(self, screen: Screen, output: Output) -> None:
        self._screen = screen
        self._output = output

    def show(self, status: Fields, now_s: float, stale_s: float | None, why: str) -> None:
        width, style = terminal.width(), self._output.style
        heading = f"gamesad {clock(now_s)}"
        if stale_s is not None:
            stale = f"stale since {clock(stale_s)} ({span(now_s - stale_s)}): {why}"
            shown = [style("bad", elide(stale, width)), *lines(status, width, terminal.Style(color=False))]
        else:
            shown = [style("dim", heading), *lines(status, width, style)]
        self._screen.draw([*shown, style("dim", "Ctrl-C ends")])


class _Lines:
    """One line per look, for a pipe or a plain terminal."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def show(self, status: Fields, now_s: float, stale_s: float | None, why: str) -> None:
        now = clock(now_s)
        if stale_s is not None:
            self._output.line(elide(f"{now}  stale since {clock(stale_s)}: {why}", self._output.width))
        else:
            self._output.line(elide(f"{now}  {summary(status)}", self._output.width))
        self._output.flush()


class _Documents:
    """A status per line, with ``Time``; while it is stale ``StaleSince`` and ``Error`` instead of values."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def show(self, status: Fields, now_s: float, stale_s: float | None, why: str) -> None:
        if stale_s is None:
            self._output.line(to_json({"Time": now_s, **status}))
        else:
            self._output.line(to_json({"Time": now_s, "StaleSince": stale_s, "Error": why}))
        self._output.flush()


def summary(status: Fields) -> str:
    """The status in one line."""
    hottest = describe.hottest(status)
    recorded = text(status, "Machine").startswith("recording")
    parts = ["recording" if recorded else "simulated"] if status.get("Simulated") is True else []
    parts += [describe.profile(status).partition(",")[0]]
    parts += [describe.temperature(hottest) if hottest else "temperature unknown"]
    parts += [*describe.power(status)[:1], *describe.utilization(status)[:1], describe.frequency(status)]
    parts += [describe.action(mapping(status, "LastDecision")), *(f"odd: {one}" for one in names(status, "Anomalies"))]
    return "  ".join(part for part in parts if part)
