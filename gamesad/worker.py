"""The thread that ticks: takes requests between ticks, keeps the period, hands on what happened."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gamesad import state
from gamesad.cadence import Cadence, cadence
from gamesad.config import Config
from gamesad.control import Control
from gamesad.durable import DurableFile, Silent
from gamesad.errors import ConfigError, GamesadError
from gamesad.events import Event, Watch
from gamesad.messages import Message
from gamesad.pipeline import Pipeline
from gamesad.posture import Posture
from gamesad.report import Moment, ThermalState, thermal_state
from gamesad.state import Wishes
from gamesad.summary import on_battery
from gamesad.telemetry.history import Decisions, Record
from gamesad.types import Controls, Sensor, Snapshot, Tick, Value

_REQUESTS_MAX = 64
_INSPECT_S = 5.0
_REFRESH_S = 0.5
_WATCHED_S = 5.0
_SLEPT_S = 2.0
_DISK_S = 0.5
"""How often a disk that does not answer is looked at."""
_STEP_S = 0.01
"""Between two steps of what can wait."""
_AT_LAST_S = 2.0
"""What it is given at the stop."""

Request = Callable[[Control], Any]


class Surroundings(Protocol):
    """What the worker needs of the daemon around it."""

    def publish(self, moment: Moment, decided: Record | None, events: list[Event]) -> None:
        """Takes a finished tick. Called on the worker's thread."""

    def maintain(self) -> bool:
        """Does a millisecond of what can wait; whether there is more of it. Called on the worker's thread."""

    def load_config(self) -> Config:
        """Reads the configuration anew; ConfigError with every problem when it is bad."""

    def suspects(self) -> Sequence[str]:
        """The running programs that set the same tunables."""

    def configure(self, config: Config) -> None:
        """Takes what a new configuration says of the process itself."""

    def rescan(self, pipeline: Pipeline, *, anew: bool) -> None:
        """Probes sensors and tunables again; ``anew``: forgetting what counters said before."""


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    ticks: bool


class Worker:
    """Owns control, pipeline and what was told. Other threads may read its attributes: replaced, never mutated."""

    moment: Moment

    def __init__(
        self,
        pipeline: Pipeline,
        control: Control,
        config: Config,
        surroundings: Surroundings,
        *,
        posture: Posture,
        state_path: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.control = control
        self.decisions = Decisions()
        self.posture = posture
        self.clock = clock
        self.started_s = clock()
        self.watched_s = float("-inf")
        """When a client last looked; while one does, everything is read every second."""
        self._pipeline = pipeline
        self._config = config
        self._surroundings = surroundings
        self._file = DurableFile(state_path) if state_path else None
        self._saved: Wishes | None = control.wishes
        """None: something is on its way to the disk."""
        self._watch = Watch()
        self._requests: queue.Queue[_Asked | None] = queue.Queue(_REQUESTS_MAX)
        self._previous: Tick | None = None
        self._thermal_state = ThermalState.COOL
        self._values: Mapping[str, Value] = {}
        self._cadence = Cadence(0.0, 0.0)
        self._everything_s = self._inspect_s = self._refreshed_s = float("-inf")
        self._asleep = False
        self._suspended_s = _suspended_s()
        self._found: list[Event] = []
        """What the last tick taught: told with the next, so that it is on record beside readings."""
        self.refresh()
        self.step()

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        return self._pipeline.collector.sensors

    @property
    def controls(self) -> Controls:
        return self._pipeline.executor.controls

    # Called on other threads

    def submit(self, request: Request, answer: asyncio.Future[Any], *, ticks: bool) -> bool:
        """Queues a request; False when too many wait. ``ticks``: it is answered after a tick has applied it."""
        try:
            self._requests.put_nowait(_Asked(request, answer, answer.get_loop(), ticks))
        except queue.Full:
            return False
        return True

    def stop(self) -> None:
        """Ends ``run`` after the tick under way."""
        self._requests.put(None)

    # The worker's thread

    def run(self) -> None:
        """Ticks until ``stop``. Deadlines are absolute: what a tick costs does not add up to drift.

        One request is carried out before a tick that is due, not all that wait: there may be no end to them.
        """
        deadline_s = self.clock() + self._cadence.period_s
        while True:
            left_s = max(0.0, deadline_s - self.clock())
            waits = left_s > _STEP_S and self._surroundings.maintain()
            try:
                asked = self._requests.get(timeout=_STEP_S if waits else left_s)
            except queue.Empty:
                if waits:
                    continue
            else:
                if asked is None:
                    self._save_at_last()
                    for event in self._found:
                        self._tell(event)
                    return
                if self._carry_out(asked):
                    deadline_s = self.clock() + self._cadence.period_s
                if self.clock() < deadline_s:
                    continue
            self.step()
            deadline_s = max(deadline_s + self._cadence.period_s, self.clock())

    def step(self) -> None:
        """One tick, and everything that is told about it."""
        if self._suspended_s + _SLEPT_S < _suspended_s():  # resumed, and nobody told us
            self.wake()
        if self._asleep:
            return
        now_s = self.clock()
        self._look_around(now_s)
        everything = now_s >= self._everything_s
        before = self._previous.snapshot if self._previous else None
        battery = on_battery(before.readings, before.states) if before else None
        tick = self._pipeline.tick(now_s, self.control.intent(now_s, on_battery=battery), everything=everything)
        self._schedule(tick, everything)
        self._publish(tick)
        self._previous = tick
        if self._saved is None:
            self._save()
        if before and has_woken(before, tick.snapshot):
            self.rescan()

    # Requests; each is called between two ticks

    def reload(self) -> None:
        """Takes the configuration from its files; on ConfigError the one in force stays."""
        try:
            config = self._surroundings.load_config()
        except ConfigError as error:
            for problem in error.problems:
                self._tell(Event(Message.CONFIG_ERROR, f"{problem}; the configuration in force stays"))
            raise
        self._surroundings.configure(config)
        self.control.configure(config)
        self._pipeline.configure(config)
        self._config = config
        self._tell(Event(Message.CONFIG_RELOADED, "the configuration was read again and is in force"))

    def sleep(self) -> None:
        """The machine is about to suspend: hand it back, and tick no more."""
        self._pipeline.executor.restore()
        self._asleep = True

    def wake(self) -> None:
        """The machine has resumed: devices may have changed, and what was set may be lost."""
        self._asleep = False
        self._suspended_s = _suspended_s()
        if self._pipeline.optimizer:
            self._pipeline.optimizer.interrupt()
        self.rescan(anew=True)

    def rescan(self, *, anew: bool = False) -> None:
        """Devices came or went."""
        self._surroundings.rescan(self._pipeline, anew=anew)
        self._everything_s = float("-inf")

    def refresh(self) -> None:
        """Reads what the tunables hold now, at most twice a second."""
        if self.clock() < self._refreshed_s + _REFRESH_S:
            return
        self._refreshed_s = self.clock()
        executor = self._pipeline.executor
        values = {name: executor.value(name) for name in executor.controls.tunables}
        self._values = {name: value for name, value in values.items() if value is not None}
        if self._previous:
            self.moment = self._moment(self._previous, self.moment.record, self.moment.wall_s)

    def _carry_out(self, asked: _Asked) -> bool:
        """Whether a tick was made for it."""
        try:
            result = asked.request(self.control)
        except GamesadError as error:
            _answer(asked, error=error)
            return False
        except Exception as error:  # noqa: BLE001 - handed to whoever asked; one bad request must not end the regulation
            _answer(asked, error=error)
            return False
        if asked.ticks:
            self._save()
            self.step()
            self._refreshed_s = float("-inf")  # whoever asked looks at what came of it
        _answer(asked, result=result)
        return asked.ticks

    def _look_around(self, now_s: float) -> None:
        """Sees what others wrote, and whether to write at all."""
        executor = self._pipeline.executor
        if now_s >= self._inspect_s:
            self._inspect_s = now_s + _INSPECT_S
            executor.inspect()
            self.posture.update(executor.contested, now_s, self._surroundings.suspects)
        if bool(self.posture.reason) != executor.observe:
            if not executor.observe:
                executor.restore()
            executor.observe = bool(self.posture.reason)

    def _schedule(self, tick: Tick, everything: bool) -> None:
        bounds = self._config.daemon
        self._cadence = cadence(tick, self._previous, fastest_s=bounds.tick_fastest_s, slowest_s=bounds.tick_slowest_s)
        now_s = tick.snapshot.monotonic_s
        if now_s < self.watched_s + _WATCHED_S or _waits_for_a_second_sample(tick):
            self._cadence = Cadence(min(self._cadence.period_s, 1.0), min(self._cadence.everything_s, 1.0))
        if self._saved is None or self._pipeline.executor.waits:
            self._cadence = Cadence(min(self._cadence.period_s, _DISK_S), self._cadence.everything_s)
        # A pause or an override that ends by itself ends on time.
        until_change_s = max(0.0, self.control.next_change_s() - now_s)
        self._cadence = Cadence(min(self._cadence.period_s, until_change_s), self._cadence.everything_s)
        if everything:
            self._everything_s = now_s + self._cadence.everything_s * 0.99

    def _publish(self, tick: Tick) -> None:
        wall_s = time.time()
        self._thermal_state = thermal_state(tick, self._thermal_state)
        if tick.applied.settings:
            self._values = {**self._values, **tick.applied.settings}
        decided = self.decisions.note(tick, wall_s)
        self.moment = self._moment(tick, self.decisions.current, wall_s)
        events = [*self._found, *self._watch.changes(self.moment, decided=decided is not None)]
        self._surroundings.publish(self.moment, decided, events)
        found = self._pipeline.optimizer.learn(tick, self.sensors, wall_s) if self._pipeline.optimizer else ()
        self._found = [Event(finding.message, finding.text, finding.fields) for finding in found]

    def _moment(self, tick: Tick, record: Record | None, wall_s: float) -> Moment:
        executor = self._pipeline.executor
        return Moment(
            tick=tick,
            sensors=self.sensors,
            controls=executor.controls,
            values=self._values,
            writers={name: executor.writer(name) for name in executor.controls.tunables},
            refusals=executor.refused,
            record=record,
            thermal_state=self._thermal_state,
            observing=self.posture.reason,
            reverted=self.control.reverted,
            wall_s=wall_s,
            uptime_s=tick.snapshot.monotonic_s - self.started_s,
            selected=self.control.selected,
            holds=len(self.control.holds),
            paused_until_s=self.control.paused_until_s,
            odd=self._pipeline.optimizer.odd if self._pipeline.optimizer else (),
            advised=self._pipeline.optimizer.advised if self._pipeline.optimizer else "",
        )

    def _save(self, patience_s: float | None = None) -> None:
        """Keeps what people asked for; a disk that takes no writes is told once and costs only the memory of it.

        One that does not answer is told once too, and asked again after every tick until it does.
        """
        wishes = self.control.wishes
        if wishes == self._saved or self._file is None:
            return
        waited = self._saved is None
        try:
            self._file.keep(state.dump(wishes), patience_s)
        except Silent:
            self._saved = None
            if not waited:
                self._tell_unsaved("not saved yet", "the disk does not answer; it is saved once it does")
            return
        except OSError as error:
            self._tell_unsaved("was not saved", str(error.strerror))
        else:
            if waited:
                self._tell(Event(Message.STATE_SAVED, "the disk has answered: the choice is saved"))
        self._saved = wishes

    def _save_at_last(self) -> None:
        if self._saved is None:
            self._save(_AT_LAST_S)
        if self._saved is None:
            self._tell_unsaved("will be forgotten", "the disk does not answer, and gamesad stops")

    def _tell_unsaved(self, how: str, why: str) -> None:
        path = self._file.path if self._file else ""
        self._tell(Event(Message.STATE_UNSAVED, f"the choice is in force but {how}: {path}: {why}", {"path": path}))

    def _tell(self, event: Event) -> None:
        """What happened between two ticks."""
        self._surroundings.publish(self.moment, None, [event])


def _answer(asked: _Asked, *, result: object = None, error: Exception | None = None) -> None:
    def resolve() -> None:
        if asked.answer.done():  # the client is gone, or the daemon is stopping
            return
        if error is None:
            asked.answer.set_result(result)
        else:
            asked.answer.set_exception(error)

    asked.loop.call_soon_threadsafe(resolve)


def _waits_for_a_second_sample(tick: Tick) -> bool:
    """Rates and powers need two samples; after a start they are not to wait for the next seldom one."""
    return any(absence.cause == "first sample" for absence in tick.snapshot.absent.values())


def has_woken(before: Snapshot, now: Snapshot) -> bool:
    """Whether a device that slept is awake: what it has, and what can be set, is known only now."""
    woken = (name for name, word in now.states.items() if word == "active" and before.states.get(name, word) != word)
    waking = any(absence.cause == "waking" for absence in now.absent.values())
    return waking or any(name.endswith(".runtime_status") for name in woken)


def _suspended_s() -> float:
    """Seconds this machine spent suspended since boot: CLOCK_BOOTTIME goes on then, CLOCK_MONOTONIC does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
