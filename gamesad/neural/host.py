"""The learner as the daemon has it: begun on a thread of its own, and the daemon goes by rules while there is none.

Imports nothing of numpy until ``begin``: no start waits for it, and without it the rest works.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gamesad.config import NeuralConfig
from gamesad.errors import Failed
from gamesad.neural.findings import Finding
from gamesad.types import Advice, Controls, Forecast, Intent, Limit, Sensor, Snapshot, Tick

if TYPE_CHECKING:
    from gamesad.neural.learner import Learner

ON, OFF = "on", "off"
_LOG = logging.getLogger(__name__)


class Host:
    """Belongs to the thread that ticks. ``tell`` is called with "on", "off" or why not, when that changes; on any
    thread. ``folder`` None: what is learnt is not kept."""

    def __init__(
        self, settings: NeuralConfig, tell: Callable[[str], None], *, folder: str | None, machine: str
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._folder, self._machine = folder, machine
        self._learner: Learner | None = None
        self._state = OFF
        self._begun = False

    def begin(self) -> None:
        """Starts to learn, as soon as everything is there; the start of the daemon is over."""
        self._begun = True
        if self._settings.enabled and self._learner is None:
            threading.Thread(target=self._make, name="neural", daemon=True).start()

    # In the tick

    def forecast(
        self, snapshot: Snapshot, sensors: Mapping[str, Sensor], limits: Mapping[str, Limit]
    ) -> Forecast | None:
        return self._learner.forecast(snapshot, sensors, limits) if self._learner else None

    def advice(
        self,
        snapshot: Snapshot,
        forecast: Forecast | None,
        limits: Mapping[str, Limit],
        intent: Intent,
        sensors: Mapping[str, Sensor],
        controls: Controls,
    ) -> Advice | None:
        return self._learner.advice(snapshot, forecast, limits, intent, sensors, controls) if self._learner else None

    def learn(self, tick: Tick, sensors: Mapping[str, Sensor], wall_s: float) -> list[Finding]:
        return self._learner.learn(tick, sensors, wall_s) if self._learner else []

    # What clients ask for; Failed says why not

    def status(self) -> dict[str, Any]:
        return self._learner.status() if self._learner else {"State": self._state}

    def checkpoint(self, done: Callable[[str], None]) -> None:
        """Begins to save; ``done`` is called on the worker's thread, with "" or why it came to nothing."""
        self._asked().checkpoint(done)

    def reset(self, which: str) -> None:
        """ "all", "forecast", "policy" or "anomaly"."""
        self._asked().reset(which)

    def mode(self, mode: str) -> None:
        """ "shadow", "advise" or "act"."""
        self._asked().mode(mode)

    # Within

    def _asked(self) -> Learner:
        if self._learner is None:
            raise Failed(f"nothing is learnt here: {self._state}")
        return self._learner

    def _make(self) -> None:
        try:
            from gamesad.neural.learner import Learner  # noqa: PLC0415 - numpy takes 50 ms, and may not be there

            self._learner = Learner(self._settings, folder=self._folder, machine=self._machine)
        except ImportError as error:
            library = (error.name or "numpy").partition(".")[0]
            self._say(f"{library} cannot be imported (apt install python3-{library})")
        else:
            self._say(ON)

    def _say(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._tell(state)
