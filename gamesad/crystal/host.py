"""Crystal Core as the daemon has it: made, written, and if anything about it fails, left for a minute and tried again.

Nothing that goes wrong here reaches the tick.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from gamesad.config import CrystalConfig
from gamesad.crystal.core import AT_LAST_S, Core, Learnt, Place, rings
from gamesad.crystal.errors import CrystalError
from gamesad.crystal.history.archive import Archive
from gamesad.crystal.publisher import NoColumn
from gamesad.crystal.segment import DECISIONS
from gamesad.durable import PATIENCE_S
from gamesad.errors import Failed, UnknownSensor
from gamesad.events import Event
from gamesad.report import Dictionary, Moment
from gamesad.telemetry.history import Record
from gamesad.types import Tick

RETRY_S = 60.0
ON, OFF = "on", "off"
_FROM_THE_NEXT_START = (
    "size_mib", "fast_every_s", "fast_for_minutes", "middle_every_s", "middle_for_hours", "slow_every_s",
    "slow_for_days",
)  # fmt: skip
_LOG = logging.getLogger(__name__)


class Host:
    """Belongs to the thread that ticks. ``tell`` is called with "on", "off" or why not, when that changes; ``learnt``
    every 30 s, for what is to be there for the next gamesad if this one is killed."""

    def __init__(
        self,
        place: Place,
        settings: CrystalConfig,
        tell: Callable[[str], None],
        *,
        learnt: Learnt = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = place
        self._clock = clock
        self._settings = settings
        self._learnt = learnt
        self._tell = tell
        self._core: Core | None = None
        self._archive = _archive(place, settings) if settings.enabled else None
        self._made = False
        self._retry_s = float("-inf")
        self._tick: Tick | None = None
        self._state = ""

    def publish(self, moment: Moment, decided: Record | None, events: Sequence[Event]) -> None:
        """A finished tick; what happened between two is not published. Raises nothing."""
        if moment.tick is self._tick or not self._settings.enabled:
            return
        if self._core is None and self._clock() < self._retry_s:
            return
        self._tick = moment.tick
        try:
            if self._core is None:
                self._open(moment)
            try:
                self._written.publish(moment, decided, events)
            except NoColumn:
                self._close(clean=False)
                self._open(moment)
                self._written.publish(moment, decided, events)
        except Exception as error:  # noqa: BLE001 - a bug here must not end the regulation either
            self._give_up(error)

    def maintain(self) -> bool:
        """A bounded step of what can wait; whether there is more of it now. Raises nothing."""
        try:
            return self._core is not None and self._core.maintain(self._learnt)
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(error)
            return False

    def kept(self) -> Sequence[Mapping[str, bytes]]:
        """What a gamesad that was killed had learnt: by owner, once or twice. Raises nothing."""
        try:
            return self._core.store.learnt() if self._core else ()
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(error)
            return ()

    def configure(self, settings: CrystalConfig) -> str:
        """Takes a new configuration; what of it counts from the next start only, in words, or nothing."""
        before, self._settings = self._settings, settings
        self._retry_s = float("-inf")
        if not settings.enabled:
            self._close(clean=True, patience_s=PATIENCE_S)  # ticks go on
            self._say(OFF)
        elif self._core:
            self._core.configure(settings)
        if self._archive:
            self._archive.configure(settings.save_minutes * 60.0)
        waits = [f"crystal.{key}" for key in _FROM_THE_NEXT_START if getattr(before, key) != getattr(settings, key)]
        return f"{', '.join(waits)} from the next start" if waits and self._core else ""

    def close(self, *, clean: bool) -> None:
        """The end. ``clean``: nothing of this is to be taken over. Raises nothing."""
        self._close(clean=clean)

    # What clients ask for; GamesadError says why not

    def history(self, sensor: str, since_us: int, until_us: int, points: int) -> list[tuple[int, float, float, float]]:
        with self._asked() as core:
            column = core.publisher.columns.get(sensor)
            if column is None:
                raise UnknownSensor(f"there is no history of {sensor!r}; 'gamesactl sensors' lists what has numbers")
            return core.history.query(column, since_us, until_us or 1 << 63, points)

    def statistics(self) -> Dictionary:
        with self._asked() as core:
            return core.statistics()

    def compact(self, done: Callable[[str], None]) -> None:
        with self._asked() as core:
            core.store.compact(done)

    def apply_layout(self, plan: str) -> Dictionary:
        with self._asked() as core:
            return core.store.keeper.apply(plan)

    def hint(self, addresses: list[int]) -> None:
        with self._asked() as core:
            core.store.keeper.hint(addresses)

    # Within

    @property
    def _written(self) -> Core:
        if self._core is None:
            raise RuntimeError("no segment is open")
        return self._core

    def _open(self, moment: Moment) -> None:
        self._archive = self._archive or _archive(self._place, self._settings)
        self._core = Core(self._place, self._settings, moment, self._archive, again=self._made)
        self._made = True
        self._say(ON)

    def _give_up(self, error: Exception) -> None:
        self._retry_s = self._clock() + RETRY_S
        self._close(clean=False)
        if isinstance(error, CrystalError | OSError):
            self._say(str(error))
        else:
            _LOG.error("Crystal Core failed", exc_info=error)
            self._say("it failed, the journal says how; gamesad works without it")

    def _close(self, *, clean: bool, patience_s: float = AT_LAST_S) -> None:
        core, self._core = self._core, None
        if core is None:
            return
        try:
            core.close(clean=clean, patience_s=patience_s)
        except Exception:  # noqa: BLE001 - as in publish
            _LOG.exception("Crystal Core could not be closed in order")
            with suppress(Exception):
                core.segment.close(unlink=clean)

    @contextmanager
    def _asked(self) -> Iterator[Core]:
        if self._core is None:
            raise Failed(f"there is no shared memory to ask: {self._state or OFF}")
        try:
            yield self._core
        except CrystalError as error:
            raise Failed(str(error)) from error

    def _say(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._tell(state)


def _archive(place: Place, settings: CrystalConfig) -> Archive | None:
    """It begins to read at once."""
    if not place.history_dir:
        return None
    (_, _), (middle, _), (slow, _) = rings(settings)
    keep = (middle, slow, DECISIONS)
    return Archive(place.history_dir, keep, settings.save_minutes * 60.0, lambda line: _LOG.warning("%s", line))
