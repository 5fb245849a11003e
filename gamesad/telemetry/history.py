"""The recent decisions, newest last, each with the numbers behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from gamesad.types import Action, Decision, Heat, Tick

_DECISIONS_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Record:
    """One decision since ``since_s`` (seconds since the epoch), under which profile, and the numbers it saw.

    ``sensor`` is the regulated one nearest to its limit then, hence the one it went by; empty where there was none.
    """

    decision: Decision
    since_s: float
    profile: str
    numbers: Mapping[str, float]
    sensor: str = ""


class Decisions:
    """What was decided and since when. A noop that keeps everything as it is belongs to the decision before it."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque(maxlen=_DECISIONS_KEPT)

    def note(self, tick: Tick, wall_s: float) -> Record | None:
        """The new record when this tick's decision differs from the one in force, else None."""
        if self._records and not _differs(self._records[-1].decision, tick.decision):
            return None
        closest = least_headroom(tick)
        sensor = closest[0] if closest else ""
        record = Record(tick.decision, wall_s, tick.intent.profile.name, numbers(tick), sensor)
        self._records.append(record)
        return record

    @property
    def current(self) -> Record | None:
        return self._records[-1] if self._records else None

    def newest(self, count: int) -> list[Record]:
        """At most ``count`` records, newest first."""
        return list(islice(reversed(self._records), count))


def numbers(tick: Tick) -> dict[str, float]:
    """The readings that decisions turn on: the sensor nearest to its limit, and the load."""
    found: dict[str, float] = {}
    if closest := least_headroom(tick):
        name, headroom_c = closest
        found["temperature_c"] = tick.snapshot.readings[name]
        found["limit_c"] = tick.limits[name].target_c
        found["headroom_c"] = round(headroom_c, 3)
    if "cpu.utilization" in tick.snapshot.readings:
        found["cpu_utilization"] = round(tick.snapshot.readings["cpu.utilization"], 3)
    return found


def least_headroom(tick: Tick) -> tuple[str, float] | None:
    """The regulated sensor nearest to its limit and the degrees between; None when none has a reading.

    A disk or a network chip is alerted on, but nothing here cools it: it is left out.
    """
    readings = tick.snapshot.readings
    return min(
        (
            (name, limit.target_c - readings[name])
            for name, limit in tick.limits.items()
            if limit.heat is not Heat.OTHER and name in readings
        ),
        key=itemgetter(1),
        default=None,
    )


def _differs(last: Decision, new: Decision) -> bool:
    return new.settings != last.settings or (new.action is not Action.NOOP and new.action is not last.action)
