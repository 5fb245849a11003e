"""A segment with its history, decisions and what of them is on disk, on a clock that is made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from gamesad.crystal.decisions import Entry
from gamesad.crystal.history.archive import Archive, renumbered
from gamesad.crystal.telemetry import Telemetry
from tests.crystal.histories import COLUMNS, RINGS, START_US, history, segment
from tests.crystal.steps import SECOND_US

NAMES = {"cpu": 0, "gpu": 1, "disk": 2}
KEEP = (RINGS[1][0], RINGS[2][0], 64)
EVERY_S = 900.0


class Daemon:
    """As much of one as an archive needs: a segment, its history, decisions, and a clock."""

    def __init__(
        self, place: Path, names: dict[str, int] = NAMES, every_s: float = EVERY_S, patience_s: float = 10.0
    ) -> None:
        self.place = place
        self.patience_s = patience_s
        self.lines: list[str] = []
        self.archive = Archive(str(place / "history"), KEEP, every_s, self.lines.append)
        self.now_s = 0.0
        self.start(names)

    def start(self, names: dict[str, int] = NAMES) -> None:
        self.segment = segment(self.place, columns=max(COLUMNS, len(names)))
        self.telemetry = Telemetry(self.segment)
        self.history = history(self.segment)
        if self.segment.previous:
            self.telemetry.take_over(self.segment.previous)
            self.history.recover(self.segment.previous, {column: column for column in names.values()})
            self.segment.publish()
        else:
            self.found = self.archive.wait(self.patience_s)
            self.telemetry.restore(renumbered(self.found.decisions, crc=False))
        self.archive.attach(self.segment, self.history, lambda: names)

    def settle(self) -> None:
        """Until everything that is due has been done."""
        until_s = monotonic() + 10
        while monotonic() < until_s:
            if self.archive._errand is not None:
                assert self.archive._errand.ended(10)
            self.archive.tend(self.now_s)
            if self.archive._errand is None and self.archive._ready:
                return
        raise AssertionError("the archive is not ready")

    def save(self) -> None:
        self.settle()
        self.now_s += EVERY_S + 1
        self.settle()
        self.archive.tend(self.now_s)
        self.settle()

    def stop(self) -> None:
        assert self.archive.close(10)
        self.segment.close()

    def lose_power(self) -> None:
        """What is on disk stays, nothing else."""
        if self.archive._errand is not None:
            assert self.archive._errand.ended(10)
        self.segment.close()

    def decided(self) -> list[str]:
        numbers = range(max(1, self.telemetry.decision_number - 62), self.telemetry.decision_number + 1)
        assert self.archive._ledger
        return [str(Entry(self.archive._ledger._decision(n), n, crc=False).text["Reason"]) for n in numbers]

    def decide(self, reason: str) -> None:
        self.telemetry.decision(1.8e9, "throttle", "rule", f"s\tReason\t{reason}\n".encode())


def push(daemon: Daemon, seconds: range, value: Callable[[int], float] = float) -> None:
    for second in seconds:
        daemon.history.push(START_US + second * SECOND_US, [value(second)] * daemon.segment.geometry.columns)
