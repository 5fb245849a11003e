"""The tick: sense, forecast, decide, enforce, act. Synchronous and given its clock; reads as the architecture."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from gamesad.actuation.executor import Executor
from gamesad.config import Config
from gamesad.neural.findings import Finding
from gamesad.policy import limits
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.sentences import changes
from gamesad.telemetry.collector import Collector
from gamesad.types import (
    Advice,
    Applied,
    Controls,
    Decision,
    Forecast,
    Intent,
    Limit,
    Mode,
    Origin,
    Sensor,
    Snapshot,
    Tick,
)


class Optimizer(Protocol):
    """What is learnt: gamesad.neural's Host or Learner. Nothing here waits or raises."""

    @property
    def odd(self) -> tuple[str, ...]:
        """What is odd now, a sentence each."""

    @property
    def advised(self) -> str:
        """What the policy advises people, and why; empty unless it is asked to advise."""

    def forecast(
        self, snapshot: Snapshot, sensors: Mapping[str, Sensor], limits: Mapping[str, Limit]
    ) -> Forecast | None:
        """What is expected next; None while it cannot say."""

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
        """What to do where the rules leave a choice; None leaves it to them. ``would`` tells what one would change."""

    def learn(self, tick: Tick, sensors: Mapping[str, Sensor], wall_s: float) -> Sequence[Finding]:
        """Takes a tick that was applied and published; gives what is worth telling."""

    def interrupt(self) -> None:
        """What comes next does not go on from what was."""


class Pipeline:
    """Owns the state that one tick hands to the next. One thread calls it."""

    def __init__(
        self,
        collector: Collector,
        executor: Executor,
        config: Config,
        *,
        optimizer: Optimizer | None = None,
    ) -> None:
        self.collector = collector
        self.executor = executor
        self.optimizer = optimizer
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
        limits_now = self._derive(intent)
        controls, sensors = self.executor.controls, self.collector.sensors
        forecast = advice = None
        if self.optimizer:
            forecast = self.optimizer.forecast(snapshot, sensors, limits_now)
            before = self._regulation

            def would(one: Advice) -> str:
                wanted, _after = decide(before, snapshot, forecast, intent, limits_now, controls, one)
                return changes(before.settings, wanted.settings, controls)

            advice = self.optimizer.advice(snapshot, forecast, limits_now, intent, sensors, controls, would)
        wanted, self._regulation = decide(self._regulation, snapshot, forecast, intent, limits_now, controls, advice)
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
