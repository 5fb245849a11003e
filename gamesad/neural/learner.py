"""The Neural Optimizer as one thing: a snapshot in, a forecast and advice out, and what was odd told afterwards.

The daemon's tick and the evaluation of recordings drive the same class. It needs no daemon; with a budget without end
everything depends on the seed and the readings alone. Nothing that goes wrong in a model comes out of it.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gamesad.config import NeuralConfig
from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.neural.budget import Budget
from gamesad.neural.findings import Finding
from gamesad.neural.grid import MISSED_MOST, Grid
from gamesad.neural.model import Arrays
from gamesad.neural.ward import Ward
from gamesad.types import Advice, Controls, Forecast, Intent, Limit, Sensor, Snapshot, Tick

CONFIDENCE = 0.9
_FRESH_S = 1.0


class Learner:
    """Belongs to one thread. ``folder``: where what is learnt is kept; None for nowhere."""

    def __init__(
        self,
        settings: NeuralConfig,
        *,
        folder: str | None = None,
        machine: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.settings = settings
        self._machine = machine
        self._grid = Grid()
        self._budget = Budget(settings.tick_budget_ms / 1e3, clock)
        self._findings: list[Finding] = []
        self._sensors: Mapping[str, Sensor] = {}
        self._forecast: Forecast | None = None
        self._forecast_s = float("-inf")
        self._prediction: Any = None
        self._advice: Advice | None = None
        self._second: int | None = None
        self._new_second = self._gap = False
        self._wall_ahead_s = 0.0
        self._thermal = _ward("forecast", "thermal.predictor", "Thermal", self._tell, (), seed=settings.seed)

    # In the tick

    def forecast(
        self, snapshot: Snapshot, sensors: Mapping[str, Sensor], limits: Mapping[str, Limit]
    ) -> Forecast | None:
        """What the temperatures will be; None while that cannot be said. Once per tick, after sampling."""
        with self._budget.spending(), np.errstate(all="ignore"):
            rows = self._grid.rows(snapshot, sensors, limits)
            self._new_second = bool(rows)
            if not rows:
                return self._forecast if snapshot.monotonic_s < self._forecast_s + _FRESH_S else None
            effort = self._budget.begin()
            second = rows[-1].second
            self._gap = self._second is not None and second - self._second > MISSED_MOST
            self._second = second
            if self._thermal is None:
                return None
            names = self._grid.names
            if self._thermal.model.names != names:
                self._thermal.work(lambda thermal: thermal.rename(names), None)
            for row in rows:
                self._prediction = self._thermal.work(lambda thermal, row=row: thermal.step(row, effort), None)
                self._thermal.second()
            self._forecast = self._told()
            self._forecast_s = snapshot.monotonic_s
        return self._forecast

    def advice(
        self,
        snapshot: Snapshot,
        forecast: Forecast | None,
        limits: Mapping[str, Limit],
        intent: Intent,
        sensors: Mapping[str, Sensor],
        controls: Controls,
    ) -> Advice | None:
        """What the policy would have done; None unless it has a say. Once per tick, before ``decide``."""
        return None

    def learn(self, tick: Tick, sensors: Mapping[str, Sensor], wall_s: float) -> list[Finding]:
        """What came of it, after the tick was applied and published; gives what is worth telling."""
        self._wall_ahead_s = wall_s - tick.snapshot.monotonic_s
        findings, self._findings = self._findings, []
        return findings

    # Between ticks

    def interrupt(self) -> None:
        """The machine slept."""
        self._grid.interrupt()

    def maintain(self) -> bool:
        """A bounded step of what can wait; whether there is more."""
        return False

    def configure(self, settings: NeuralConfig) -> None:
        self.settings = settings
        self._budget.limit_s = settings.tick_budget_ms / 1e3

    def status(self) -> dict[str, Any]:
        return {"State": "learning", "Seed": self.settings.seed, "Machine": self._machine}

    def checkpoint(self, done: Callable[[str], None]) -> None:
        """Begins to save; ``done`` is called with "" when everything is on the disk, or with why it is not."""
        done("")

    def reset(self, which: str) -> None:
        """Forgets "all", or one of "forecast", "policy", "anomaly"."""

    def mode(self, mode: str) -> None:
        """What the policy may do: "shadow", "advise" or "act"."""

    def close(self) -> None:
        """Saves, and ends. Raises nothing."""

    # Within

    def _told(self) -> Forecast | None:
        prediction = self._prediction
        if prediction is None:
            return None
        names = self._grid.names
        known = np.isfinite(prediction.expected).all(1) & np.isfinite(prediction.upper).all(1)
        if not known.any():
            return None
        rows = zip(names, known.tolist(), prediction.expected.tolist(), prediction.upper.tolist(), strict=True)
        expected: dict[str, tuple[float, ...]] = {}
        upper: dict[str, tuple[float, ...]] = {}
        for name, good, values, bounds in rows:
            if good:
                expected[name], upper[name] = tuple(values), tuple(bounds)
        chances = zip(names, prediction.crossing.tolist(), strict=True)
        crossing = {name: chance for name, chance in chances if chance == chance and name in expected}  # not NaN
        return Forecast((1.0, 2.0, 3.0, 4.0, 5.0), expected, upper, CONFIDENCE, crossing)

    def _tell(self, model: str, problem: str) -> None:
        if problem:
            self._say(Message.MODELS_ROLLED_BACK, f"the {model} model failed: {problem}", Fields(model=model))
        else:
            self._say(Message.MODELS_SOUND, f"the {model} model is sound again", Fields(model=model))

    def _say(self, message: Message, text: str, fields: Fields) -> None:
        self._findings.append(Finding(message, text, fields))


def _ward(
    name: str, module: str, kind: str, tell: Callable[[str, str], None], *args: Any, **more: Any
) -> Ward[Any] | None:
    try:
        make = getattr(importlib.import_module(f"gamesad.neural.{module}"), kind)
    except ImportError:
        return None

    def load(state: Arrays) -> Any:
        model = make(*args, **more)
        model.load(state)
        return model

    return Ward(name, lambda: make(*args, **more), load, tell)
