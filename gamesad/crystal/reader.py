"""What any Python program may read of gamesad, without asking it: the newest tick, history, decisions, the pool.

    from gamesad.crystal.reader import attach

    for tick in attach().follow():
        print(tick.tick, tick.values["hwmon.k10temp-pci-00c3.temp1"])

Standard library only. Nothing here waits for the daemon or can disturb it. Every call may raise NotThere (no daemon, or
it has just started), NotTrusted (not root's file and not this user's), WrongAbi, Damaged and Torn; each is one line.
"""

from __future__ import annotations

import time

from gamesad.crystal import layout
from gamesad.crystal.attachment import Attachment
from gamesad.crystal.directory import Column, Directory
from gamesad.crystal.errors import CrystalError, Damaged, NotThere, NotTrusted, Torn, WrongAbi
from gamesad.crystal.header import directory_slot, latest_slot
from gamesad.crystal.latest import Forecast, Latest
from gamesad.crystal.source import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

    from numpy.typing import NDArray

    from gamesad.crystal.blocks import BlockInfo, Blocks
    from gamesad.crystal.decisions import Entry
    from gamesad.crystal.points import Point

__all__ = [
    "Column", "Crystal", "CrystalError", "Damaged", "Directory", "Forecast", "Latest", "NotThere", "NotTrusted", "Torn",
    "WrongAbi", "attach",
]  # fmt: skip

POLL_S = 0.05
"""Between two looks of ``follow``: a tick is seen so much later at most."""
_TRIES = 8
_FOREVER_US = 1 << 63


def attach(path: str = layout.PATH, *, mapped: bool = False) -> Crystal:
    """The segment at the path.

    ``mapped``: read memory instead of the file, without a system call. If root cuts the file off in place, which
    gamesad never does, the reading process then ends by SIGBUS where it otherwise gets Damaged.
    """
    return Crystal(path, mapped=mapped)


class Crystal:
    """A view of the segment that attaches again by itself when the daemon was restarted or has moved it.

    For one thread.
    """

    def __init__(self, path: str = layout.PATH, *, mapped: bool = False) -> None:
        self._at = Attachment(path, mapped=mapped)
        self._directory: Directory | None = None
        self._directory_of = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._at.close()

    # ---- who writes

    @property
    def path(self) -> str:
        return self._at.path

    @property
    def generation(self) -> int:
        """Larger in each file that replaces another."""
        return self._at.state.generation

    @property
    def version(self) -> str:
        """Of the gamesad that writes."""
        return self._at.header.version

    @property
    def simulated(self) -> bool:
        return bool(self._at.state.flags & layout.FLAG_SIMULATED)

    @property
    def started_s(self) -> float:
        """When the gamesad that writes was started, in s since the epoch."""
        return self._at.state.started_ns / 1e9

    @property
    def stale_since_s(self) -> float | None:
        """When the daemon last said that it lives, in s since the epoch; None while it does."""
        try:
            state = self._at.fresh()
        except NotThere:
            state = self._at.state
        now_ns = time.monotonic_ns()
        return None if state.alive(now_ns) else time.time() - max(0, now_ns - state.heartbeat_ns) / 1e9

    # ---- what is

    def latest(self) -> Latest:
        """The newest tick. NotThere before the first."""
        self._at.fresh()
        return self._latest()

    def directory(self) -> Directory:
        """What the sensors and tunables are."""
        self._at.fresh()
        return self._read_directory()

    def follow(self, timeout_s: float | None = None) -> Iterator[Latest]:
        """Each new tick, once, as it comes; ticks that came between two looks are skipped.

        Waits while there is no daemon and goes on with the next one, with its first tick; ends after ``timeout_s``
        without a tick.
        """
        looked: tuple[int, int] | None = None
        seen: tuple[int, int] | None = None
        until_s = _after(timeout_s)
        while until_s is None or time.monotonic() < until_s:
            try:
                state = self._at.fresh()
                look = (self._at.number, self._at.source.word(self._at.header.sections[layout.LATEST][0]))
                if look != looked:
                    tick = self._latest()
                    looked = look
                    if (state.started_ns, tick.tick) != seen:
                        seen = (state.started_ns, tick.tick)
                        yield tick
                        until_s = _after(timeout_s)
                        continue
            except (NotThere, Torn):  # none yet, or none any more, or on the next look
                pass
            time.sleep(POLL_S)

    # ---- what was

    def history(self, sensor: str, since_us: int = 0, until_us: int = _FOREVER_US, max_points: int = 0) -> list[Point]:
        """Time in µs since the epoch at its end, minimum, mean and maximum of each stretch, oldest first.

        From the finest ring that reaches back to ``since_us``; at most ``max_points`` (0: no bound), merged so that no
        extreme is lost. KeyError: no such sensor.
        """
        from gamesad.crystal import points  # noqa: PLC0415 - a status does without

        length = self._at.fresh().length
        names = [column.name for column in self._read_directory().columns]
        if sensor not in names:
            raise KeyError(sensor)
        columns = self._at.header.geometry.columns
        rings = [
            points.Ring(self._at.source, found[0], columns, ring, crc=self._at.crc)
            for number, ring in enumerate(self._at.header.geometry.rings)
            if (found := self._at.section(layout.RING_1S + number, length))
        ]
        return points.query(rings, names.index(sensor), since_us, until_us, max_points)

    def decisions(self, count: int = 0) -> list[Entry]:
        """The newest ``count`` (0: all there are), oldest first; those that are not whole are left out."""
        from gamesad.crystal.decisions import place, whole  # noqa: PLC0415 - a status does without

        found = self._at.section(layout.DECISIONS, self._at.fresh().length)
        if not found:
            return []
        slots, source = self._at.header.geometry.decisions, self._at.source
        written = source.word(found[0])
        rows = {
            number: source.copy(found[0] + place(number, slots), layout.DECISION_SIZE)
            for number in range(max(1, written + 1 - min(count or slots, slots)), written + 1)
        }
        safe = source.word(found[0]) - slots + 1  # what the writer may be at has the place of the one before that
        return [
            entry for number, row in rows.items() if number > safe and (entry := whole(row, number, crc=self._at.crc))
        ]

    def arrays(self) -> dict[int, NDArray[Any]]:
        """The rings where they lie, by period in s, for programs with numpy: no copy, read-only, changing as you look.

        Fields ``time_us``, ``samples``, ``columns`` (minimum, mean, maximum of each); row n lies in place n % rows.
        What must not be torn is copied, and counts if the ring was not written that far meanwhile, as in ``history``.
        """
        from gamesad.crystal.arrays import rings  # noqa: PLC0415 - only with numpy

        return rings(self._at, self._at.fresh().length)

    # ---- the pool

    def blocks(self) -> list[BlockInfo]:
        """Every block of the pool, by address."""
        return self._pool().all()

    def read(self, block: int) -> bytes:
        """What the block of that id holds, inflated and checked. NotThere: none has it."""
        return self._pool().read(block)

    def statistics(self) -> dict[str, int]:
        """Of the pool, as the daemon last published them (``layout.STATISTICS``); {} before the pool is used."""
        return self._pool().statistics()

    def _pool(self) -> Blocks:
        from gamesad.crystal.blocks import Blocks  # noqa: PLC0415 - a status does without

        return Blocks(self._at)

    def _latest(self) -> Latest:
        """A directory newer than the tick will do: columns stay where they are."""
        at, columns = self._at, self._at.header.geometry.columns
        offset, slot = at.header.sections[layout.LATEST][0], latest_slot(columns)
        for _ in range(_TRIES):
            data = record(at.source, offset, slot, crc=at.crc)
            if not data:
                raise NotThere(f"gamesad has just started, no tick is at {at.path} yet; try again in a second")
            known = self._directory if self._directory_of == at.number else None
            directory = known or self._read_directory()
            latest = Latest(data, columns, directory)
            if latest.directory_generation <= directory.generation:
                return latest
            self._directory = None
        raise Torn(f"{at.path}: the directory changed in each of {_TRIES} tries; try again")

    def _read_directory(self) -> Directory:
        at, geometry = self._at, self._at.header.geometry
        size = directory_slot(geometry.columns, geometry.tunables)
        directory = Directory(record(at.source, at.header.sections[layout.DIRECTORY][0], size, crc=at.crc), geometry)
        self._directory, self._directory_of = directory, at.number
        return directory


def _after(timeout_s: float | None) -> float | None:
    return None if timeout_s is None else time.monotonic() + timeout_s
