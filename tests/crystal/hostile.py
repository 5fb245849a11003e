"""A segment in which there is something everywhere, everything that can be asked of one, and ways to damage it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from gamesad.crystal.errors import CrystalError
from gamesad.crystal.history.history import History
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.reader import Crystal, attach
from tests.crystal import publishing

BLOCKS = 6


def image() -> bytes:
    """A segment in which there is something everywhere."""
    path = f"/dev/shm/gamesad-test-image-{os.getpid()}"
    segment, telemetry = publishing.started(path, pool_max=2 << 20, stale_after_s=3600.0)
    publishing.tick(telemetry, 7)
    for number in range(10):
        telemetry.decision(float(number), "throttle", "rule", b"s\tReason\thot\n")
    history = History(segment)
    history.grow()
    for second in range(100):
        history.push((1_700_000_000 + second) * 1_000_000, [float(second)] * publishing.COLUMNS)
    pool = Pool(segment)
    for number in range(BLOCKS):
        block = pool.allocate(5000, owner="test")
        pool.write(block, bytes([number]) * 5000)
    pool.seal(1.0)
    assert pool.freeze(block)
    data = Path(path).read_bytes()
    segment.close()
    return data


ASKED: dict[str, Callable[[Crystal], object]] = {
    "latest": lambda crystal: crystal.latest().text,
    "directory": lambda crystal: [one.name for one in crystal.directory().columns + crystal.directory().tunables],
    "decisions": lambda crystal: crystal.decisions(),
    "history": lambda crystal: crystal.history(publishing.NAMES[0]),
    "merged": lambda crystal: crystal.history(publishing.NAMES[4], max_points=3),
    "blocks": lambda crystal: crystal.blocks(),
    "read": lambda crystal: [crystal.read(number) for number in range(1, BLOCKS + 1)],
    "statistics": lambda crystal: crystal.statistics(),
    "stale": lambda crystal: (crystal.stale_since_s, crystal.generation, crystal.started_s, crystal.version),
    "follow": lambda crystal: next(crystal.follow(timeout_s=0.0), None),
}


def asked(path: str, *, mapped: bool) -> dict[str, int]:
    """Asks everything; how often each was answered or refused in one line. Anything else fails the test."""
    told = {"answered": 0, "refused": 0}
    try:
        crystal = attach(path, mapped=mapped)
    except CrystalError as error:
        assert "\n" not in str(error)
        return {"answered": 0, "refused": len(ASKED)}
    with crystal:
        for ask in ASKED.values():
            try:
                ask(crystal)
                told["answered"] += 1
            except (CrystalError, KeyError) as error:
                assert "\n" not in str(error)
                told["refused"] += 1
    return told


def put(path: str, at: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def refused(ask: Callable[..., object], crystal: Crystal | None) -> bool:
    try:
        ask(crystal)
    except CrystalError as error:
        assert "\n" not in str(error)
        return True
    return False
