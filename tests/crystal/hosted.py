"""Crystal Core as the daemon hosts it, on a clock that is the ticks' own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gamesad.config import CrystalConfig
from gamesad.crystal import layout, reader
from gamesad.crystal.core import Core, Place
from gamesad.crystal.host import Host
from gamesad.events import Event
from gamesad.messages import Message
from gamesad.report import Moment
from gamesad.types import Action, Decision, Origin
from tests.support.published import moment, record

SMALL = CrystalConfig(size_mib=8, middle_for_hours=1, slow_for_days=1, flight_before_s=5, flight_after_s=5, flights=3)
ALERT = Event(Message.ALERT, "CPU package 100.2 °C has reached its limit")


class Hosted:
    """A host whose clock is the ticks' own."""

    def __init__(self, folder: Path, settings: CrystalConfig = SMALL, *, history_dir: str = "") -> None:
        self.path = f"{folder}/segment"
        self.told: list[str] = []
        self.now_s = 0.0
        place = Place(self.path, "1.2", "a machine", simulated=True, stale_after_s=10.0, history_dir=history_dir)
        self.host = Host(place, settings, self.told.append, clock=lambda: self.now_s)

    def decide(self, reason: str) -> None:
        """One tick with a decision in it."""
        self.now_s += 1.0
        one = moment(now_s=self.now_s, decision=Decision(Action.THROTTLE, {"a": 1}, Origin.RULE, reason))
        one = replace(one, record=record(one))
        self.host.publish(one, one.record, ())
        self.host.maintain()

    def tick(self, *events: Event, seconds: int = 1, **of: Any) -> Moment:
        for _ in range(seconds):
            self.now_s += 1.0
            one = moment(now_s=self.now_s, **of)
            self.host.publish(one, None, events)
            self.host.maintain()
        return one

    def read(self) -> reader.Crystal:
        return reader.attach(self.path)

    def flights(self) -> list[dict[str, Any]]:
        with self.read() as crystal:
            return [json.loads(crystal.read(block.id)) for block in crystal.blocks() if block.owner == "flight"]

    @property
    def core(self) -> Core:
        return self.host._written

    def killed(self, folder: Path) -> Hosted:
        """The next process, after this one was killed: the file says that another process wrote it."""
        self.core.history.flush()
        disown(self.path)
        after = Hosted(folder)
        after.now_s = self.now_s
        return after


def disown(path: str | Path) -> None:
    """As if another process had written the segment."""
    with open(path, "r+b") as file:
        file.seek(layout.PID_AT)
        file.write((2**22 + 1).to_bytes(4, "little"))  # no process has that number: pid_max is at most 2^22


def until(true: Callable[[], object], hosted: Hosted) -> None:
    hosted.core._maintain_s = 0.0
    for _ in range(10000):
        if true():
            return
        hosted.host.maintain()
    raise AssertionError("never")
