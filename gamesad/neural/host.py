"""The learner as the daemon has it: begun on a thread once the daemon is ready, and if it fails, begun again later.

Nothing that goes wrong here reaches the tick. numpy is imported on that thread only: no start waits for it, and without
it the rest works.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from gamesad.config import NeuralConfig
from gamesad.errors import Failed
from gamesad.journal import log_event
from gamesad.neural.findings import Finding
from gamesad.types import Advice, Controls, Forecast, Intent, Limit, Quantity, Sensor, Snapshot, Tick

if TYPE_CHECKING:
    from gamesad.neural.learner import Learner

T = TypeVar("T")

RETRY_S = 60.0
_ON, _OFF = "on", "off"
_M_MMAP_THRESHOLD, _LARGE_B = -3, 256 << 10
_LOG = logging.getLogger(__name__)


class Host:
    """Belongs to the thread that ticks. ``folder``: where what is learnt is kept; None for nowhere.

    ``kept`` gives, on that thread, what ``blocks`` gave a gamesad that was killed. ``tell`` is called with "on", "off"
    or why not when that changes, on any thread.
    """

    def __init__(
        self,
        settings: NeuralConfig,
        tell: Callable[[str], None],
        *,
        folder: str | None,
        machine: str,
        kept: Callable[[], Sequence[Mapping[str, bytes]]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.learner: Learner | None = None
        """Replaced, never shared: None while there is none."""
        self._settings = settings
        self._tell = tell
        self._folder, self._machine, self._kept, self._clock = folder, machine, kept, clock
        self._state = _OFF
        self._ready = False
        self._retry_s = float("-inf")
        self._making: threading.Thread | None = None
        self._left: Learner | None = None
        """One that is no more, whose last words nobody has heard yet."""
        self._packing: threading.Thread | None = None
        self._blocks: Mapping[str, bytes] = {}
        self._powers_of: tuple[Mapping[str, Sensor] | None, Sequence[str]] = None, ()
        self._told_of: tuple[Snapshot | None, Snapshot] = None, Snapshot(0, 0.0, {})

    def begin(self) -> None:
        """The daemon is ready: from now on there is time to learn. On any thread."""
        self._ready = True

    @property
    def odd(self) -> tuple[str, ...]:
        """What is odd now, a sentence each."""
        nothing: tuple[str, ...] = ()
        return self._try(lambda learner: learner.odd, nothing)

    @property
    def advised(self) -> str:
        """What the policy advises people, and why; empty unless it is asked to advise."""
        return self._try(lambda learner: learner.advised, "")

    # In the tick

    def forecast(
        self, snapshot: Snapshot, sensors: Mapping[str, Sensor], limits: Mapping[str, Limit]
    ) -> Forecast | None:
        seen = self._coarse(snapshot, sensors)
        return self._try(lambda learner: learner.forecast(seen, sensors, limits), None)

    def advice(  # noqa: PLR0917 - all that a decision goes by
        self,
        snapshot: Snapshot,
        forecast: Forecast | None,
        limits: Mapping[str, Limit],
        intent: Intent,
        sensors: Mapping[str, Sensor],
        controls: Controls,
        would: Callable[[Advice], str] | None = None,
    ) -> Advice | None:
        seen = self._coarse(snapshot, sensors)
        return self._try(lambda learner: learner.advice(seen, forecast, limits, intent, sensors, controls, would), None)

    def learn(self, tick: Tick, sensors: Mapping[str, Sensor], wall_s: float) -> Sequence[Finding]:
        left, self._left = self._left, None
        if left:
            return left.last_words(wall_s)
        seen = replace(tick, snapshot=self._coarse(tick.snapshot, sensors))
        return self._try(lambda learner: learner.learn(seen, sensors, wall_s), ())

    # Between ticks

    def interrupt(self) -> None:
        """The machine slept."""
        self._try(lambda learner: learner.interrupt(), None)

    def maintain(self) -> bool:
        """A bounded step of what can wait; whether there is more of it now."""
        wanted = self._ready and self._settings.enabled and self.learner is None
        if wanted and self._making is None and self._clock() >= self._retry_s:
            self._making = threading.Thread(target=self._make, args=(self._kept(),), name="neural", daemon=True)
            self._making.start()
        return self._try(lambda learner: learner.maintain(), otherwise=False)

    def blocks(self) -> Mapping[str, bytes]:
        """What was learnt, for memory that everybody may read and that outlives this process.

        Made on a thread of its own, some ms for each ten temperatures: nothing until they are, or when nothing is new.
        """
        made, self._blocks = self._blocks, {}
        if not made and self._packing is None and (work := self._try(lambda learner: learner.blocks(), None)):
            self._packing = threading.Thread(target=self._pack, args=(work,), name="blocks", daemon=True)
            self._packing.start()
        return made

    def configure(self, settings: NeuralConfig) -> None:
        """Takes a new configuration at once."""
        self._settings = settings
        self._retry_s = float("-inf")
        if not settings.enabled:
            self._leave()
            self._say(_OFF)
        self._try(lambda learner: learner.configure(settings), None)

    def close(self) -> None:
        """The end: what was learnt is saved. Raises nothing."""
        self._ready = False
        self._leave()
        for finding in self._left.last_words(time.time()) if self._left else ():  # no tick is left to tell it
            log_event(finding.message, finding.text, **finding.fields)

    # What clients ask for, between ticks; Failed says why not

    def status(self) -> dict[str, Any]:
        return self._try(lambda learner: learner.status(), None) or {"State": self._state}

    def checkpoint(self, done: Callable[[str], None]) -> None:
        """Begins to save; ``done`` is called on this thread, with "" or why it came to nothing."""
        self._asked.checkpoint(done)

    def reset(self, which: str) -> None:
        """Forgets "all", or one of "forecast", "policy" and "anomaly", on disk too."""
        self._asked.reset(which)

    def mode(self, mode: str) -> None:
        """What the policy may do, until the next start or reload: "shadow", "advise" or "act"."""
        self._asked.mode(mode)

    # Within

    @property
    def _asked(self) -> Learner:
        if self.learner is None:
            raise Failed(f"nothing is learnt here: {self._state}")
        return self.learner

    def _coarse(self, snapshot: Snapshot, sensors: Mapping[str, Sensor]) -> Snapshot:
        """With powers as they may be told: what is learnt from them lies where everybody may read it."""
        if sensors is not self._powers_of[0]:
            powers = [name for name, sensor in sensors.items() if sensor.quantity is Quantity.POWER]
            self._powers_of = sensors, powers
        if snapshot is not self._told_of[0]:
            readings = snapshot.readings
            coarse = {name: round(readings[name], 1) for name in self._powers_of[1] if name in readings}
            told = replace(snapshot, readings={**readings, **coarse}) if coarse else snapshot
            self._told_of = snapshot, told
        return self._told_of[1]

    def _try(self, what: Callable[[Learner], T], otherwise: T) -> T:
        learner = self.learner
        if learner is None:
            return otherwise
        try:
            return what(learner)
        except Exception:  # noqa: BLE001 - a bug here must not end the regulation
            _LOG.exception("the Neural Optimizer failed")
            self.learner, self._left = None, learner
            self._retry_s = self._clock() + RETRY_S
            self._say("it failed, the journal says how; gamesad works without it")
            return otherwise

    def _leave(self) -> None:
        self._try(lambda learner: learner.close(), None)
        self.learner, self._left = None, self.learner or self._left

    def _pack(self, work: Callable[[], Mapping[str, bytes]]) -> None:
        """On a thread of its own."""
        try:
            self._blocks = work()
        except Exception:  # noqa: BLE001 - as above
            _LOG.exception("what is learnt cannot be put into the shared memory")
        self._packing = None

    def _make(self, kept: Sequence[Mapping[str, bytes]]) -> None:
        """On a thread of its own."""
        try:
            _give_back_large()
            from gamesad.neural.learner import Learner  # noqa: PLC0415 - 50 ms, and numpy may not be there

            learner = Learner(self._settings, folder=self._folder, machine=self._machine, kept=kept)
        except ImportError as error:
            library = (error.name or "numpy").partition(".")[0]
            self._retry_s = float("inf")
            self._say(f"{library} cannot be imported (apt install python3-{library})")
        except Exception:  # noqa: BLE001 - as above
            _LOG.exception("the Neural Optimizer could not begin")
            self._retry_s = self._clock() + RETRY_S
            self._say("it could not begin, the journal says how; gamesad works without it")
        else:
            _trim()
            if self._ready and self._settings.enabled:  # still
                self.learner = learner
                self._say(_ON)
        self._making = None

    def _say(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._tell(state)


def _give_back_large() -> None:
    """Arrays and packed checkpoints of MiB go back to the system when they are freed: mallopt(3). glibc would come to
    take them from its heaps, which keep them for ever."""
    import ctypes  # noqa: PLC0415 - as numpy, not before READY

    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_B)


def _trim() -> None:
    """What importing and unpacking took goes back to the system; glibc keeps it, and there were 10 MiB of it."""
    import ctypes  # noqa: PLC0415 - numpy has loaded it

    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
