"""What clients may ask of the daemon, in plain Python: no D-Bus here, and no sensor is awaited on the event loop.

The tick runs on a thread of its own (``Worker``). A request becomes a function that the worker calls between two
ticks; the next tick follows at once, and only then is the request answered, so that what it changed can be seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from gamesad import report
from gamesad.control import Control
from gamesad.errors import Busy, Failed
from gamesad.events import Event, alert_report, anomaly_report
from gamesad.messages import Message
from gamesad.report import Dictionary, Moment, known, moved
from gamesad.telemetry.history import Record
from gamesad.worker import Worker

T = TypeVar("T")
Listener = Callable[[str, object], None]

_STATUS_PERIOD_S = 1.0
_NOT_LEARNT = "left out with --without neural"
_ALERTS = (Message.ALERT, Message.ALERT_END)
_ANOMALIES = (Message.ANOMALY, Message.ANOMALY_END)


class Crystal(Protocol):
    """What the service asks of the shared memory: gamesad.crystal.host.Host. Called on the worker's thread."""

    def history(self, sensor: str, since_us: int, until_us: int, points: int) -> list[tuple[int, float, float, float]]:
        """Time, minimum, mean and maximum, oldest first."""

    def statistics(self) -> Dictionary: ...
    def compact(self, done: Callable[[str], None]) -> None:
        """Begins it; ``done`` is called on the worker's thread, with "" or why it came to nothing."""

    def apply_layout(self, plan: str) -> Dictionary: ...
    def hint(self, addresses: list[int]) -> None: ...


class Models(Protocol):
    """What the service asks of what is learnt: gamesad.neural.host.Host. Called on the worker's thread."""

    def status(self) -> Dictionary: ...
    def checkpoint(self, done: Callable[[str], None]) -> None:
        """As ``Crystal.compact``."""

    def reset(self, which: str) -> None: ...
    def mode(self, mode: str) -> None: ...


class Service:
    """Every method is called on the event loop. Those that change something raise the classes of gamesad.errors."""

    def __init__(
        self,
        worker: Worker,
        crystal: Crystal | None,
        *,
        version: str,
        machine: str,
        simulated: bool,
        components: dict[str, str],
        models: Models | None = None,
    ) -> None:
        self.version = version
        self.components = components
        self._machine = machine
        self._simulated = simulated
        self._worker = worker
        self._crystal = crystal
        self._models = models
        self._listeners: list[Listener] = []
        self._properties: Dictionary = {}
        self._told_readings: Mapping[str, float] = {}
        self._told_wishes: tuple[object, ...] = ()
        self._told_status_s = float("-inf")

    # What is told

    def properties(self) -> Dictionary:
        """The values of the bus properties."""
        moment, control = self._worker.moment, self._worker.control
        return {
            "Version": self.version,
            "ActiveProfile": moment.tick.intent.profile.name,
            "SelectedProfile": control.selected,
            "Profiles": report.profile_reports(control),
            "Holds": report.hold_reports(control),
            "Mode": str(moment.tick.mode),
            "ThermalState": str(moment.thermal_state),
            "LastDecision": report.decision_report(moment.record) if moment.record else {},
            "Components": dict(self.components),
        }

    def status(self) -> Dictionary:
        """Everything an applet shows."""
        self._worker.watched_s = self._worker.clock()
        return self._status()

    def sensors(self) -> list[Dictionary]:
        self._worker.watched_s = self._worker.clock()
        return report.sensor_reports(self._worker.moment)

    async def tunables(self) -> list[Dictionary]:
        """With the values that they hold now, not those of the last tick."""
        await self._ask(lambda _control: self._worker.refresh(), ticks=False)
        return report.tunable_reports(self._worker.moment, self._worker.control.overrides)

    def decisions(self, count: int) -> list[Dictionary]:
        """The newest first, each with the numbers behind it."""
        return [report.decision_report(record, with_numbers=True) for record in self._worker.decisions.newest(count)]

    def subscribe(self, listener: Listener) -> None:
        """``listener`` is called on the event loop with a signal's name and its contents."""
        self._listeners.append(listener)

    def _status(self) -> Dictionary:
        moment, control, posture = self._worker.moment, self._worker.control, self._worker.posture
        status = self.properties()
        for elsewhere in ("Profiles", "Components"):
            del status[elsewhere]
        status |= report.readings_report(moment)
        status |= {
            "Simulated": self._simulated,
            "Machine": self._machine,
            "ProfileCause": moment.tick.intent.cause,
            "Explanation": moment.tick.decision.reason,
            "Uptime": round(moment.uptime_s, 1),
            "Time": moment.wall_s,
            "Limits": {**control.temperature_limits_c, **control.power_limits_w},
            "TickMs": round(moment.tick.duration_s * 1e3, 3),
        }
        if moment.odd:
            status["Anomalies"] = list(moment.odd)
        if moment.advised:
            status["Advice"] = moment.advised
        if posture.reason:
            status["ObserveReason"] = posture.reason
        if moment.paused_until_wall_s is not None:
            status["PausedUntil"] = moment.paused_until_wall_s
        return status

    # What is asked

    async def set_profile(self, name: str, *, uid: int) -> None:
        await self._ask(lambda control: control.select(name, uid))

    async def hold_profile(self, profile: str, reason: str, application_id: str, *, owner: str, uid: int) -> int:
        hold = await self._ask(lambda control: control.hold(profile, reason, application_id, owner=owner, uid=uid))
        return hold.cookie

    async def release_profile(self, cookie: int, *, uid: int) -> None:
        await self._ask(lambda control: control.release(cookie, uid))

    async def release_owner(self, owner: str) -> None:
        """The client with this unique name left the bus."""
        if any(hold.owner == owner for hold in list(self._worker.control.holds.values())):
            await self._ask(lambda control: control.release_owner(owner))

    async def set_tunable(self, name: str, value: object, revert_after_s: int, *, uid: int) -> None:
        del uid  # polkit judged it; a tunable belongs to the machine, not to who set it
        worker = self._worker
        await self._ask(
            lambda control: control.set_tunable(name, value, revert_after_s, worker.controls, worker.clock())
        )

    async def confirm_tunable(self, name: str) -> None:
        await self._ask(lambda control: control.confirm_tunable(name))

    async def reset_tunable(self, name: str) -> None:
        await self._ask(lambda control: control.reset_tunable(name))

    async def set_limit(self, name: str, value: float, *, uid: int) -> None:
        del uid
        await self._ask(lambda control: control.set_limit(name, value, self._worker.sensors))

    async def clear_limit(self, name: str) -> None:
        await self._ask(lambda control: control.clear_limit(name))

    async def pause(self, seconds: int) -> None:
        await self._ask(lambda control: control.pause(seconds, self._worker.clock()))

    async def resume(self) -> None:
        await self._ask(Control.resume)

    async def reload_config(self) -> None:
        """ConfigError, with every problem, when the files are bad: the configuration in force stays."""
        await self._ask(lambda _control: self._worker.reload())

    async def history(
        self, sensor: str, since_us: int, until_us: int, points: int
    ) -> list[tuple[int, float, float, float]]:
        """UnknownSensor, or Failed where no history is kept; so with all the next."""
        return await self._ask_crystal(lambda crystal: crystal.history(sensor, since_us, until_us, points))

    async def crystal_stats(self) -> Dictionary:
        return await self._ask_crystal(lambda crystal: crystal.statistics())

    async def compact_crystal(self) -> None:
        """Returns when it is done; the ticks go on meanwhile."""
        outcome = _Outcome()
        await self._ask_crystal(lambda crystal: crystal.compact(outcome.done))
        await outcome.good()

    async def apply_layout(self, plan: str) -> Dictionary:
        return await self._ask_crystal(lambda crystal: crystal.apply_layout(plan))

    async def crystal_hint(self, addresses: list[int]) -> None:
        await self._ask_crystal(lambda crystal: crystal.hint(addresses))

    async def neural_status(self) -> Dictionary:
        """Without models only why there are none."""
        if self._models is None:
            return {"State": _NOT_LEARNT}
        return known(await self._ask_models(lambda models: models.status()))

    async def checkpoint_models(self) -> None:
        """Returns when it is on the disk. Failed where nothing is learnt, as with the next two."""
        outcome = _Outcome()
        await self._ask_models(lambda models: models.checkpoint(outcome.done))
        await outcome.good()

    async def reset_models(self, which: str) -> None:
        await self._ask_models(lambda models: models.reset(which))

    async def set_policy_mode(self, mode: str) -> None:
        """Until the next start or reload."""
        await self._ask_models(lambda models: models.mode(mode))

    async def sleep(self) -> None:
        """The machine is about to suspend: hand it back and stop regulating."""
        await self._ask(lambda _control: self._worker.sleep())

    async def wake(self) -> None:
        """The machine resumed: look again at everything, and apply again."""
        await self._ask(lambda _control: self._worker.wake())

    async def rescan(self) -> None:
        """Devices came or went."""
        await self._ask(lambda _control: self._worker.rescan())

    async def rival(self, name: str, *, present: bool) -> None:
        """Another daemon that owns the same controls appeared on the bus, or left."""
        await self._ask(lambda _control: self._worker.posture.rival(name, present=present))

    def _ask_crystal(self, request: Callable[[Crystal], T]) -> Awaitable[T]:
        crystal = self._crystal
        if crystal is None:
            raise Failed("gamesad runs without shared memory, so it keeps no history; see --shm and --without")
        return self._ask(lambda _control: request(crystal), ticks=False)

    def _ask_models(self, request: Callable[[Models], T]) -> Awaitable[T]:
        models = self._models
        if models is None:
            raise Failed(f"gamesad learns nothing: {_NOT_LEARNT}")
        return self._ask(lambda _control: request(models), ticks=False)

    def _ask(self, request: Callable[[Control], T], *, ticks: bool = True) -> Awaitable[T]:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if not self._worker.submit(request, answer, ticks=ticks):
            raise Busy("too many requests are waiting; try again in a second")
        return answer

    # What the worker tells, on the event loop

    def published(self, moment: Moment, decided: Record | None, events: list[Event]) -> None:
        """Passes a tick's events on, then what changed of the properties, then the status past its dead bands."""
        if not self._listeners:
            return
        for event in events:
            if event.message in _ALERTS:
                self._tell("ThermalAlert", alert_report(event, moment.tick.forecast))
            elif event.message in _ANOMALIES:
                self._tell("AnomalyDetected", anomaly_report(event))
            elif event.message is Message.PROFILE_CHANGED:
                self._tell("ProfileChanged", (event.fields["profile"], event.fields["cause"]))
        if decided:
            self._tell("DecisionMade", report.decision_report(decided))
        properties = self.properties()
        changed = {name: value for name, value in properties.items() if self._properties.get(name) != value}
        self._properties = properties
        if changed:
            self._tell("PropertiesChanged", changed)
        if self._is_news(moment, changed=bool(changed)):
            self._told_readings, self._told_wishes = moment.tick.snapshot.readings, self._wishes()
            self._told_status_s = moment.tick.snapshot.monotonic_s
            self._tell("StatusChanged", self._status())

    def _is_news(self, moment: Moment, *, changed: bool) -> bool:
        """Whether a status is to be told. Asked before one is made: to make one costs more than a quiet tick."""
        snapshot = moment.tick.snapshot
        if snapshot.monotonic_s < self._told_status_s + _STATUS_PERIOD_S:
            return False
        if changed or self._wishes() != self._told_wishes:
            return True
        return moved(self._told_readings, snapshot.readings, moment.sensors)

    def _wishes(self) -> tuple[object, ...]:
        """What a status tells besides properties and readings: people's wishes, what is odd, and advice."""
        control = self._worker.control
        limits = (control.temperature_limits_c, control.power_limits_w)
        moment = self._worker.moment
        learnt = (moment.odd, moment.advised)
        return (moment.tick.intent.cause, *limits, control.paused_until_s, self._worker.posture.reason, *learnt)

    def _tell(self, name: str, contents: object) -> None:
        for listener in self._listeners:
            listener(name, contents)


class _Outcome:
    """Of what the worker begins and ends much later: ``done`` there, ``good`` here."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._problem: asyncio.Future[str] = self._loop.create_future()

    def done(self, problem: str) -> None:
        """``problem``: why it came to nothing, or "". On any thread."""
        self._loop.call_soon_threadsafe(self._settle, problem)

    async def good(self) -> None:
        """Waits for it; Failed."""
        if problem := await self._problem:
            raise Failed(problem)

    def _settle(self, problem: str) -> None:
        if not self._problem.done():  # whoever waited has gone
            self._problem.set_result(problem)
