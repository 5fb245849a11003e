"""The Neural Optimizer as one thing: a snapshot in, a forecast and advice out, and what was odd told afterwards.

The daemon's tick and the evaluation of recordings drive the same class. It needs no daemon; with a budget without end
everything depends on the seed and the readings alone. Nothing that goes wrong in a model comes out of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gamesad.config import NeuralConfig
from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.neural import blocks
from gamesad.neural.anomaly.detector import Detector, Watched
from gamesad.neural.anomaly.episodes import Episode
from gamesad.neural.budget import Budget, Effort
from gamesad.neural.checkpoint import Header, Models
from gamesad.neural.findings import Finding
from gamesad.neural.grid import Grid, Row, fresh
from gamesad.neural.model import Arrays, Unusable
from gamesad.neural.oddities import Oddities
from gamesad.neural.policy.agent import Policy, PolicyMode, Scene
from gamesad.neural.rest import Rest
from gamesad.neural.shelf import Done, Shelf
from gamesad.neural.status import forecast_of, status
from gamesad.neural.thermal.predictor import Prediction, Thermal
from gamesad.neural.ward import Ward
from gamesad.types import Advice, Controls, Forecast, Intent, Limit, Sensor, Snapshot, Tick

_BLOCKS_S = 110
_FRESH_S = 1.0
"""So long a forecast is one; then the ticks that should have renewed it are missing."""


class Learner:
    """Belongs to one thread. ``folder``: where what is learnt is kept; None for nowhere. ``kept``: ``blocks`` of a
    learner before that was not closed, any of which may be damaged.

    ``clock`` measures what learning costs, and ``wall`` says since when it is done.
    """

    def __init__(
        self,
        settings: NeuralConfig,
        *,
        folder: str | None = None,
        machine: str = "",
        kept: Sequence[Mapping[str, bytes]] = (),
        clock: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.budget = Budget(settings.tick_budget_ms / 1e3, clock)
        self.header = Header(machine, settings.seed, since_s=wall())
        self._wall = wall
        self.sensors: Mapping[str, Sensor] = {}
        self._grid, self._rest = Grid(), Rest()
        self._mode = PolicyMode(settings.policy)
        self.thermal = Ward("forecast", self._fresh_thermal, self._loaded_thermal, self._fault)
        self.policy = Ward("policy", self._fresh_policy, self._loaded_policy, self._fault)
        self.anomaly = Ward("anomaly", self._fresh_detector, self._loaded_detector, self._fault)
        self.wards: tuple[Ward[Any], ...] = (self.thermal, self.policy, self.anomaly)
        self._findings: list[Finding] = []
        self._oddities = Oddities()
        self._row: Row | None = None
        """This tick's, when a second has begun with it."""
        self._second: int | None = None
        self._gap = True
        """What is seen next does not go on from what was seen."""
        self._prediction: Prediction | None = None
        self._forecast: Forecast | None = None
        self._advice: Advice | None = None
        self._at_s = float("-inf")
        self._ahead_s: float | None = None
        """What the wall clock is ahead of the ticks' own."""
        self._save_at = 0
        self._seconds, self._blocks_at = 0, _BLOCKS_S
        """Seconds of learning."""
        self.shelf = Shelf(folder, machine, self._say) if folder else None
        self._take_up(kept)

    @property
    def prediction(self) -> Prediction | None:
        """The newest second's, in the order of the temperatures; None where the last was too long ago, or failed."""
        return self._prediction

    @property
    def odd(self) -> tuple[str, ...]:
        """What is odd now, a sentence each."""
        return tuple(episode.sentence for episode in self.anomaly.model.active)

    @property
    def advised(self) -> str:
        """What the policy advises people, and why; empty unless it is asked to advise."""
        return "" if self._rest.resting else self.policy.model.advised

    # In the tick

    def forecast(
        self, snapshot: Snapshot, sensors: Mapping[str, Sensor], limits: Mapping[str, Limit]
    ) -> Forecast | None:
        """What the temperatures will be; None while that cannot be said. Once per tick, after sampling."""
        if self._rest.tick(snapshot.monotonic_s):
            self._row = self._prediction = self._forecast = self._advice = None
            return None
        with self.budget.spending(), np.errstate(all="ignore"):
            rows = self._grid.rows(snapshot, sensors, limits)
            self.sensors, self._row = sensors, rows[-1] if rows else None
            if rows:
                self._at_s = snapshot.monotonic_s
                self._begin(rows)
            elif snapshot.monotonic_s >= self._at_s + _FRESH_S:
                self._forecast = None
        return self._forecast

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
        """What the policy would do, for a second; None unless it has a say. Once per tick, before ``decide``."""
        if self._ahead_s is None:
            self._ahead_s = self._wall() - snapshot.monotonic_s
        if self._row is not None:
            odd = bool(self.anomaly.model.active)
            scene = Scene(
                snapshot=snapshot, forecast=forecast, limits=limits, intent=intent, sensors=sensors, controls=controls,
                anomaly=odd, wall_s=snapshot.monotonic_s + self._ahead_s, would=would,
            )  # fmt: skip
            with self.budget.spending(), np.errstate(all="ignore"):
                self._advice = self.policy.work(lambda policy: policy.step(scene), None)
        return self._advice

    def learn(self, tick: Tick, sensors: Mapping[str, Sensor], wall_s: float) -> list[Finding]:
        """What came of it, after the tick was applied and published; gives what is worth telling."""
        self._ahead_s = wall_s - tick.snapshot.monotonic_s
        if self._rest.resting:
            self._glance(tick.snapshot, sensors, wall_s)
        else:
            self._study(tick, sensors, wall_s)
        findings, self._findings = self._findings, []
        return findings

    def _glance(self, snapshot: Snapshot, sensors: Mapping[str, Sensor], wall_s: float) -> None:
        """While it rests: is anything odd?"""
        if not self._rest.due:
            return
        readings = fresh(snapshot)
        if 2 * len(readings) > len(snapshot.readings):  # not only what is critical was read
            self._rest.looked()
            with np.errstate(all="ignore"):
                self._watch(self._grid.second_of(snapshot), readings, sensors, wall_s)

    def _study(self, tick: Tick, sensors: Mapping[str, Sensor], wall_s: float) -> None:
        with self.budget.spending(), np.errstate(all="ignore"):
            train = self.budget.effort is Effort.TRAINING
            self._findings += self.policy.work(lambda policy: policy.note(tick.decision, tick.mode, train=train), [])
            if self._row is not None:
                self._watch(self._row.second, fresh(tick.snapshot), sensors, wall_s)
                self._seconds += 1
                for ward in self.wards:
                    ward.second()

    def _begin(self, rows: list[Row]) -> None:
        effort, names = self.budget.begin(), self._grid.names
        self._second = rows[-1].second
        if self.thermal.model.names != names:
            self.thermal.work(lambda thermal: thermal.rename(names), None)
        self._prediction = self.thermal.work(lambda thermal: _stepped(thermal, rows, effort), None) if names else None
        self._forecast = forecast_of(names, self._prediction)

    def _watch(self, second: int, readings: Mapping[str, float], sensors: Mapping[str, Sensor], wall_s: float) -> None:
        residuals: dict[str, float] = {}
        if self._prediction is not None:
            residuals = dict(zip(self._grid.names, self._prediction.residual.tolist(), strict=True))
        watched = Watched(second, wall_s, readings, sensors, residuals=residuals, critical_gap=self._gap)
        self._gap = False
        nothing: list[Episode] = []
        episodes = self.anomaly.work(lambda detector: detector.step(watched), nothing)
        self._findings += self._oddities.news(episodes, self.anomaly.model.active, wall_s)

    # Between ticks

    def interrupt(self) -> None:
        """The machine slept."""
        self._grid.interrupt()
        self._gap = True
        self.policy.work(lambda policy: policy.interrupt(), None)

    def maintain(self) -> bool:
        """A bounded step of what can wait; whether somebody waits for it."""
        if self.shelf is None:
            return False
        second, minutes = self._second or 0, self.settings.checkpoint_minutes
        if minutes and second >= self._save_at:
            if self._save_at:
                self._save(self.shelf)
            self._save_at = second + 60 * minutes
        return self.shelf.tend()

    def configure(self, settings: NeuralConfig) -> None:
        """Takes a new configuration at once, but for the seed."""
        self.settings = replace(settings, seed=self.settings.seed)
        self.budget.limit_s = settings.tick_budget_ms / 1e3
        self.anomaly.model.allow(settings.false_alarms_per_week)
        if settings.policy != self._mode:
            self.mode(settings.policy)
        self._save_at = min(self._save_at, (self._second or 0) + 60 * settings.checkpoint_minutes)

    def status(self) -> dict[str, Any]:
        """What ``gamesactl neural status`` shows; what is unknown is None or absent."""
        return status(self)

    def checkpoint(self, done: Done) -> None:
        """Begins to save; ``done`` is called with "" when everything is on the disk, or with why it is not."""
        if self.shelf is None:
            done("what is learnt on this machine is not kept: it is simulated, a recording, or only observed")
        else:
            self._save(self.shelf, done)

    def reset(self, which: str) -> None:
        """Forgets "all", or one of "forecast", "policy" and "anomaly"; on disk too, as soon as it answers."""
        for ward in self.wards:
            if which in ("all", ward.name):
                ward.reset()
        self._forecast = self._prediction = self._advice = None
        if self.shelf:
            self._save(self.shelf)

    def mode(self, mode: str) -> None:
        """What the policy may do: "shadow", "advise" or "act"."""
        self._mode = wanted = PolicyMode(mode)
        self.policy.work(lambda policy: policy.ask(wanted), None)
        self._advice = None
        self._say(Message.POLICY_MODE, f"the learnt policy's mode is {mode}", Fields(mode=mode))

    def blocks(self) -> Callable[[], dict[str, bytes]] | None:
        """All that was learnt, for memory that outlives a killed process; ``kept`` for the next learner.

        What is given makes them, on any thread: it has copies. None when hardly anything was learnt since last time.
        """
        if self._seconds < self._blocks_at:
            return None
        self._blocks_at = self._seconds + _BLOCKS_S
        return partial(blocks.split, *self._learnt())

    def close(self) -> None:
        """Saves, and gives the disk a moment."""
        if self.shelf:
            self._save(self.shelf)
            self.shelf.close()

    def last_words(self, wall_s: float) -> list[Finding]:
        """What is left to tell of one that is no more: how it was saved, and the end of what was odd."""
        return [*self._findings, *self._oddities.news((), (), wall_s)]

    # Within

    def _fresh_thermal(self) -> Thermal:
        return Thermal(self._grid.names, seed=self.settings.seed)

    def _loaded_thermal(self, state: Arrays) -> Thermal:
        """With the sensors of now where they are known already, else those that it was saved with."""
        model = Thermal(self._grid.names or [str(name) for name in state["names"]], seed=self.settings.seed)
        model.load(state)
        return model

    def _fresh_policy(self) -> Policy:
        return Policy(seed=self.settings.seed, mode=self._mode)

    def _loaded_policy(self, state: Arrays) -> Policy:
        model = self._fresh_policy()
        model.load(state)
        return model

    def _fresh_detector(self) -> Detector:
        return Detector(per_week=self.settings.false_alarms_per_week, seed=self.settings.seed)

    def _loaded_detector(self, state: Arrays) -> Detector:
        model = self._fresh_detector()
        model.load(state)
        return model

    def _take_up(self, kept: Sequence[Mapping[str, bytes]]) -> None:
        """Goes on from the newest that can be used: of the blocks of one that was killed, or the file."""
        file = self.shelf.load() if self.shelf else None
        found = [file] if file else []
        for one in kept:
            with suppress(Unusable):
                found.append(blocks.join(one, machine=self.header.machine))
        for header, models in sorted(found, key=lambda one: one[0].saved_s, reverse=True):
            problems = self._go_on(models)
            self.header = replace(self.header, since_s=header.since_s)
            if not problems:
                return
            if self.shelf and file and header is file[0]:
                self.shelf.put_aside("; ".join(problems))

    def _go_on(self, models: Models) -> list[str]:
        """Takes up each model; what could not be, and begins anew."""
        self._grid.interrupt()
        problems = []
        for ward in self.wards:
            try:
                ward.take_up(models.get(ward.name, {}))
            except Unusable as error:
                problems.append(f"{ward.name}: {error}")
        return problems

    def _learnt(self) -> tuple[Header, Models]:
        nothing: Arrays = {}
        models = {ward.name: ward.work(lambda model: model.state(), nothing) for ward in self.wards}
        return replace(self.header, saved_s=self._wall()), models

    def _save(self, shelf: Shelf, done: Done | None = None) -> None:
        shelf.save(*self._learnt(), done)

    def _fault(self, model: str, problem: str) -> None:
        if problem:
            self._say(Message.MODELS_ROLLED_BACK, f"the {model} model failed: {problem}", Fields(model=model))
        else:
            self._say(Message.MODELS_SOUND, f"the {model} model is sound again", Fields(model=model))

    def _say(self, message: Message, text: str, fields: Fields) -> None:
        self._findings.append(Finding(message, text, fields))


def _stepped(thermal: Thermal, rows: list[Row], effort: Effort) -> Prediction:
    """What it says after the last of the rows; there is one at least, and in those before it is nothing."""
    for row in rows[:-1]:
        thermal.step(row, Effort.PERSISTENCE)
    return thermal.step(rows[-1], effort)
