"""The tick: sense, forecast, decide, enforce, act. Synchronous and given its clock; reads as the architecture."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from gamesad.actuation.executor import Executor
from gamesad.config import Config
from gamesad.policy import limits
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.telemetry.collector import Collector
from gamesad.types import (
    Applied,
    Decision,
    Forecast,
    Intent,
    Limit,
    Mode,
    Origin,
    Snapshot,
    Tick,
)

Predictor = Callable[[Snapshot], Forecast | None]
"""The place of the thermal predictor: the newest snapshot in, what is expected next out; None while it cannot say."""


class Pipeline:
    """Owns the state that one tick hands to the next. One thread calls it."""

    def __init__(
        self,
        collector: Collector,
        executor: Executor,
        config: Config,
        *,
        predictor: Predictor | None = None,
    ) -> None:
        self.collector = collector
        self.executor = executor
        self._predict = predictor or _no_forecast
        self._regulation = Regulation(tuning=config.control)
        self._envelope = Envelope()
        self._paused = False
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Takes a new configuration from the next tick on."""
        self._config = config
        self._regulation = replace(self._regulation, tuning=config.control)
        self._limits_for: tuple[object, ...] = ()
        self._limits: Mapping[str, Limit] = {}

    def tick(self, now_s: float, intent: Intent, *, everything: bool = True) -> Tick:
        """One pass. ``everything`` False reads the critical sensors only; the others keep their values and ages."""
        started = time.perf_counter()
        snapshot = self.collector.sample(now_s, everything=everything)
        forecast = self._predict(snapshot)
        limits_now = self._derive(intent)
        controls = self.executor.controls
        wanted, self._regulation = decide(self._regulation, snapshot, forecast, intent, limits_now, controls)
        decision, self._envelope = enforce(self._envelope, wanted, snapshot, limits_now, controls)
        applied = self._act(decision, intent)
        return Tick(
            snapshot=snapshot,
            forecast=forecast,
            decision=decision,
            applied=applied,
            intent=intent,
            limits=limits_now,
            mode=self._mode(),
            duration_s=time.perf_counter() - started,
        )

    def _derive(self, intent: Intent) -> Mapping[str, Limit]:
        """Limits change with the sensors, the profile and the user's limits: seldom, so not every tick."""
        key = (self.collector.sensors, intent.profile, intent.temperature_limits_c)
        if key != self._limits_for:
            self._limits = limits.derive(self.collector.sensors, intent, self._config.limits)
            self._limits_for = key
        return self._limits

    def _act(self, decision: Decision, intent: Intent) -> Applied:
        if intent.paused:
            if not self._paused or self.executor.unrestored:  # a card that slept goes back when it wakes
                self.executor.restore()
            self._paused = True
            return Applied({})
        self._paused = False
        return self.executor.apply(decision.settings, force=decision.source is Origin.SAFETY)

    def _mode(self) -> Mode:
        if self.executor.observe:
            return Mode.OBSERVE
        return Mode.FAILSAFE if self._envelope.failsafe else Mode.ACTIVE


def _no_forecast(_snapshot: Snapshot) -> None:
    """Until a predictor is plugged in, decide goes by the measured rate of rise."""
