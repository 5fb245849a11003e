"""What sensors showed before now: from the segment while the daemon keeps it, else from the daemon on the bus."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from gamesactl import lookup, segment
from gamesactl.errors import Unreachable
from gamesactl.graph import Point
from gamesactl.render import Fields, text
from gamesactl.values import clock
from gamesad.crystal.reader import Crystal

_NO_COLUMN = ("energy", "state")


class Past:
    """``since_us`` to ``until_us``, and for each sensor (Name, Label, Quantity, Unit) its points, oldest first."""

    def __init__(self, since_us: int, until_us: int, sensors: Sequence[tuple[Fields, list[Point]]]) -> None:
        self.since_us = since_us
        self.until_us = until_us
        self.sensors = sensors


def look(
    choose: Callable[[Sequence[Fields]], Sequence[Fields]], since_s: int, points: int, note: Callable[[str], None]
) -> Past:
    """``choose`` picks from all sensors; at most ``points`` for each, 0 for all there are."""
    crystal, stale_s = segment.found()
    if crystal is not None and stale_s is None:
        return _from_segment(crystal, choose, since_s, points, time.time())
    try:
        return _from_bus(choose, since_s, points)
    except Unreachable as error:
        if crystal is None or stale_s is None:
            raise
        note(f"stale since {clock(stale_s)}: {error}")
        return _from_segment(crystal, choose, since_s, points, stale_s)


def named(wanted: Sequence[str]) -> Callable[[Sequence[Fields]], Sequence[Fields]]:
    """Those with these names or labels; all where none is named."""
    return lambda sensors: [lookup.sensor(sensors, name) for name in wanted] if wanted else sensors


def _from_segment(
    crystal: Crystal,
    choose: Callable[[Sequence[Fields]], Sequence[Fields]],
    since_s: int,
    points: int,
    now_s: float,
) -> Past:
    until_us = int(now_s * 1e6)
    since_us = until_us - since_s * 1_000_000
    sensors: list[Fields] = [
        {"Name": column.name, "Label": column.label, "Quantity": column.quantity, "Unit": column.unit}
        for column in crystal.directory().columns
    ]
    found = []
    for one in choose(sensors):
        with suppress(KeyError):  # the daemon was restarted meanwhile, without this sensor
            found.append((one, crystal.history(str(one["Name"]), since_us, until_us, points)))
    return Past(since_us, until_us, found)


def _from_bus(choose: Callable[[Sequence[Fields]], Sequence[Fields]], since_s: int, points: int) -> Past:
    from gamesactl import bus  # noqa: PLC0415 - it cannot be imported without dbus_next

    until_us = time.time_ns() // 1000
    since_us = until_us - since_s * 1_000_000

    async def ask(gamesad: bus.Gamesad) -> list[tuple[Fields, list[Point]]]:
        kept = [one for one in await gamesad.sensors() if text(one, "Quantity") not in _NO_COLUMN]
        return [(one, await gamesad.history(str(one["Name"]), since_us, until_us, points)) for one in choose(kept)]

    return Past(since_us, until_us, bus.run(ask))
