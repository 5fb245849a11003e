"""The composition root: builds everything from the options, runs it, and leaves the machine as it was found."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from gamesad import __version__, config, journal, state
from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.components import Components
from gamesad.config import Config
from gamesad.control import Control
from gamesad.crystal.host import Host
from gamesad.errors import ConfigError, Failed, GamesadError, UsageError
from gamesad.events import Event
from gamesad.hardware import ACTUATORS
from gamesad.hardware.base import Actuator
from gamesad.journal import log_event
from gamesad.machine import describe, lock, open_sysfs, running_rivals, shared_memory, why_observe, why_unwritable
from gamesad.messages import Message
from gamesad.neural.host import Host as Optimizer
from gamesad.notify import notify, watchdog_interval_s
from gamesad.pipeline import Pipeline
from gamesad.posture import Posture
from gamesad.report import Moment, tick_report
from gamesad.service import Service
from gamesad.state import Wishes
from gamesad.telemetry.collector import Collector
from gamesad.telemetry.history import Record
from gamesad.types import Quantity, Tick
from gamesad.worker import Worker

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2

_STOP_WITHIN_S = 10.0
_DEVICES_SETTLE_S, _DEVICES_LATEST_S = 0.5, 5.0
_ONCE_APART_S = 1.0
_NAMED = 5
"""So many tunables are named in a text; the journal's GAMESAD_SETTINGS has all."""
_LOG = logging.getLogger(__name__)


def run(options: argparse.Namespace) -> int:
    """The daemon until a signal, ``--duration`` or a failure; the exit status."""
    return _with_daemon(options, lambda daemon: asyncio.run(daemon.serve()))


def once(options: argparse.Namespace) -> int:
    """Two samples a second apart, and one tick printed as JSON; what it set is put back before it exits."""
    return _with_daemon(options, Daemon.print_tick)


def _with_daemon(options: argparse.Namespace, use: Callable[[Daemon], int]) -> int:
    """Builds a daemon, uses it, undoes everything it did; the exit status."""
    recorded = os.path.isfile(options.root)
    label = "recording" if recorded else "simulated"
    journal.setup(options.verbose, simulated=recorded or options.simulate is not None, label=label)
    try:
        with ExitStack() as stack:
            status = use(Daemon(options, stack))
    except ConfigError as error:
        for problem in error.problems:
            log_event(Message.CONFIG_ERROR, problem)
        return EXIT_USAGE
    except UsageError as error:
        log_event(Message.STOP, str(error), logging.ERROR)
        return EXIT_USAGE
    except GamesadError as error:
        log_event(Message.STOP, str(error), logging.ERROR)
        return EXIT_FAILED
    if not options.once:
        log_event(Message.STOP, "stopped")
    return status


class Daemon:
    """One gamesad. ``stack`` undoes what was built, last thing first: the machine is put back before files close."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack) -> None:
        self._options = options
        self._config = self.load_config()
        self._set_log_level(self._config)
        self.components = Components()
        self._crystal: Host | None = None
        self._optimizer: Optimizer | None = None
        stack.callback(self._leave_crystal)  # after everything is put back
        self._sysfs = open_sysfs(options, stack)
        self._posture = Posture(why_observe(options, self._config, self._sysfs))
        self._locked = not self._posture.reason
        if self._locked:
            stack.enter_context(lock(options.runtime_dir))
        sensors = self._config.sensors
        self._collector = Collector(self._sysfs, ignore=sensors.ignore, critical=sensors.critical)
        stack.callback(self._collector.close)
        self._closing = stack.enter_context(ExitStack())  # what waits for a disk does so when everything is put back
        self._executor = self._build_executor(stack)
        self._pipeline = Pipeline(self._collector, self._executor, self._config)
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tells = not options.once
        self._watchdog_s = watchdog_interval_s()
        self._fed_by: Tick | None = None
        self._fed_s = float("-inf")
        self._failure: BaseException | None = None

    # What the worker needs of its surroundings

    def publish(self, moment: Moment, decided: Record | None, events: list[Event]) -> None:
        """Tells journal, watchdog and bus of a completed tick, or of what happened since. On the worker's thread."""
        for event in events if self._tells else ():
            log_event(event.message, event.text, **event.fields)
        self._feed_watchdog(moment.tick)
        if self._crystal:
            self._crystal.publish(moment, decided, events)
        if self._loop and self._service:
            self._loop.call_soon_threadsafe(self._service.published, moment, decided, events)

    def maintain(self) -> bool:
        more = self._crystal is not None and self._crystal.maintain()
        return (self._optimizer is not None and self._optimizer.maintain()) or more

    def load_config(self) -> Config:
        return config.load(self._options.config)

    def configure(self, config: Config) -> None:
        self._set_log_level(config)
        self._collector.choose(config.sensors.ignore, config.sensors.critical)
        self._collector.rescan()
        if self._crystal and (later := self._crystal.configure(config.crystal)):
            log_event(Message.CONFIG_RELOADED, later)
        if self._optimizer:
            self._optimizer.configure(config.neural)
        reason = why_observe(self._options, config, self._sysfs)
        if self._locked:
            self._posture.ask(reason or why_unwritable(self._executor.controls, self._sysfs))
        elif not reason:
            log_event(Message.CONFIG_RELOADED, "started to observe, gamesad goes on observing until its next start")

    def suspects(self) -> list[str]:
        return running_rivals()

    def rescan(self, pipeline: Pipeline, *, anew: bool) -> None:
        pipeline.collector.rescan(anew=anew)
        pipeline.executor.rescan(self._actuators())

    def _set_log_level(self, config: Config) -> None:
        if not self._options.verbose:
            level = logging.getLevelNamesMapping()[config.daemon.log_level.upper()]
            logging.getLogger(journal.IDENTIFIER).setLevel(level)

    # The two ways to run

    def print_tick(self) -> int:
        self._collector.sample(time.monotonic())
        time.sleep(_ONCE_APART_S)
        moment = self._build_worker().moment
        text = json.dumps(tick_report(moment, {}), indent=1, ensure_ascii=False)
        try:
            _print(text)
        except OSError as error:  # a full disk, or a reader that has seen enough
            raise Failed(f"the tick could not be printed: {error.strerror}") from error
        return EXIT_OK

    async def serve(self) -> int:
        """Ticks and serves until told to stop; the exit status."""
        self._loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, stopped.set)
        machine = describe(self._sysfs)
        self._say_started(machine)
        place = shared_memory(self._options, self._config, self._sysfs, keeps=self._locked)
        self.components.update(crystal="off", neural="off")
        crystal = (self._config.crystal, self.components.crystal)
        self._crystal = Host(place, *crystal, learnt=self._learnt) if place else None
        self._pipeline.optimizer = self._optimizer = self._build_optimizer(machine)
        worker = self._build_worker()
        self._service = Service(
            worker, self._crystal, version=__version__, machine=machine, simulated=self._sysfs.simulated,
            components=self.components, models=self._optimizer,
        )  # fmt: skip
        thread = threading.Thread(target=self._tick, args=(worker, self._loop, stopped), name="tick", daemon=True)
        thread.start()
        try:
            await self._serve_until(stopped, self._service)
        finally:
            notify("STOPPING=1")
            worker.stop()
            await asyncio.to_thread(thread.join, _STOP_WITHIN_S)
            if thread.is_alive():
                # A read that hangs in the kernel holds the tick, and with it the executor: ExecStopPost restores.
                _LOG.error("the tick does not end; leaving the machine to 'gamesad --restore'")
                os._exit(EXIT_FAILED)
        return EXIT_OK if self._failure is None else EXIT_FAILED

    async def _serve_until(self, stopped: asyncio.Event, service: Service) -> None:
        """Everything that lives on the event loop; Failed when the bus name is taken."""
        connected = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._serve_bus(service, connected)),
                    group.create_task(self._watch_devices(service)),
                    group.create_task(self._reload_on_hangup(service)),
                    group.create_task(self._say_ready(connected)),
                ]
                try:
                    await asyncio.wait_for(stopped.wait(), self._options.duration)
                except TimeoutError:
                    if self._options.ending:
                        _LOG.info("%s", self._options.ending)
                for task in tasks:
                    task.cancel()
        except* Failed as group_error:
            raise group_error.exceptions[0] from None

    # Parts

    def _build_executor(self, stack: ExitStack) -> Executor:
        """The executor, after what a killed gamesad left is put back."""
        options = self._options
        baseline = Baseline.load(options.runtime_dir, options.state_dir, self._sysfs)
        for problem in baseline.problems:
            log_event(Message.STATE_DAMAGED, problem)
        executor = Executor(self._actuators(), baseline, observe=bool(self._posture.reason))
        if baseline.entries:
            _put_back(executor, "left set by a gamesad that was killed")
            executor.rescan(self._actuators())  # ranges that were probed while our values stood are too narrow
        self._posture.ask(self._posture.reason or why_unwritable(executor.controls, self._sysfs))
        executor.observe = bool(self._posture.reason)
        stack.callback(_put_back, executor, "stopping")
        return executor

    def _build_worker(self) -> Worker:
        """The worker, after its first tick."""
        wishes, folder = Wishes(), self._options.state_dir
        path = os.path.join(folder, "state.json")
        if not self._posture.reason:
            with contextlib.suppress(OSError):  # said when something is to be saved
                os.makedirs(folder, mode=0o755, exist_ok=True)
        try:
            wishes = state.load(path)
        except Failed as error:
            log_event(Message.STATE_DAMAGED, str(error))
        control = Control(self._config, wishes)
        return Worker(self._pipeline, control, self._config, self, posture=self._posture, state_path=path)

    def _build_optimizer(self, machine: str) -> Optimizer | None:
        if "neural" in self._options.without:
            return None
        folder = os.path.join(self._options.state_dir, "neural") if self._locked else None
        kept = self._crystal.kept if self._crystal else tuple
        optimizer = Optimizer(self._config.neural, self.components.neural, folder=folder, machine=machine, kept=kept)
        self._closing.callback(optimizer.close)
        return optimizer

    def _learnt(self) -> Mapping[str, bytes]:
        return self._optimizer.blocks() if self._optimizer else {}

    def _leave_crystal(self) -> None:
        """A gamesad that failed leaves its segment for the next one, as one that was killed does."""
        if self._crystal:
            self._crystal.close(clean=self._failure is None)

    def _actuators(self) -> list[Actuator]:
        return [actuator for probe in ACTUATORS for actuator in probe(self._sysfs)]

    def _tick(self, worker: Worker, loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
        """The worker's thread. A tick that fails ends the daemon: it puts the machine back, and systemd starts anew."""
        try:
            worker.run()
        except Exception as error:  # noqa: BLE001 - whatever it is: crash, restore, start anew
            _LOG.exception("a tick failed; ending")
            self._failure = error
        loop.call_soon_threadsafe(stopped.set)

    async def _serve_bus(self, service: Service, connected: asyncio.Event) -> None:
        if "bus" in self._options.without or not self._config.bus.enabled:
            self.components["bus"] = "left out"
            connected.set()
            return
        try:
            from gamesad.bus import connection  # noqa: PLC0415 - without dbus-next the rest works
        except ImportError as error:
            library = (error.name or "dbus_next").partition(".")[0]
            text = f"{library} cannot be imported (apt install python3-dbus-next): gamesactl cannot reach gamesad"
            self.components.lack("bus", text)
            connected.set()
            return

        def on_state(state: str) -> None:
            self.components.bus(state)
            connected.set()

        try:
            await connection.serve(service, on_state=on_state)
        except connection.NameTaken as error:
            raise Failed(f"{error}; stop the other gamesad first") from error

    async def _say_ready(self, connected: asyncio.Event) -> None:
        """READY once the first tick is done and the bus name is ours, or it is known why not."""
        await connected.wait()
        reason = self._posture.reason
        notify("READY=1", f"STATUS=observing: {reason}" if reason else "STATUS=regulating")
        if self._optimizer:
            self._optimizer.begin()

    async def _watch_devices(self, service: Service) -> None:
        """Probes again half a second after the last of a burst of udev events, at the latest 5 s after its first."""
        if "udev" in self._options.without or self._sysfs.simulated or self._options.root != "/":
            return
        from gamesad.hardware import udev  # noqa: PLC0415 - pyudev is optional

        monitor, problem = udev.open_monitor()
        if monitor is None:
            self.components.lack("udev", problem)
            return
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def on_event() -> None:
            if monitor.drain():
                changed.set()

        loop.add_reader(monitor.fileno(), on_event)
        try:
            while True:
                await changed.wait()
                latest_s = loop.time() + _DEVICES_LATEST_S
                while changed.is_set() and loop.time() < latest_s:
                    changed.clear()
                    await asyncio.sleep(_DEVICES_SETTLE_S)
                await service.rescan()
        finally:
            loop.remove_reader(monitor.fileno())
            monitor.close()

    async def _reload_on_hangup(self, service: Service) -> None:
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGHUP, asked.set)
        while True:
            await asked.wait()
            asked.clear()
            with contextlib.suppress(GamesadError):  # told where the configuration is taken
                await service.reload_config()

    def _feed_watchdog(self, tick: Tick) -> None:
        """Only a completed tick counts, and each once; a third of the interval, for a slow one is no hang."""
        now_s = tick.snapshot.monotonic_s
        if self._watchdog_s and tick is not self._fed_by and now_s >= self._fed_s + self._watchdog_s / 3:
            self._fed_by, self._fed_s = tick, now_s
            notify("WATCHDOG=1")

    def _say_started(self, machine: str) -> None:
        controls = self._executor.controls
        critical = sum(sensor.critical for sensor in self._collector.sensors.values())
        text = (
            f"gamesad {__version__} on {machine}: {len(self._collector.sensors)} sensors ({critical} critical), "
            f"{len(controls.tunables)} tunables"
        )
        log_event(Message.START, text)
        if not any(sensor.quantity is Quantity.TEMPERATURE for sensor in self._collector.sensors.values()):
            text = "there is no temperature sensor here: no limit can be kept"
            log_event(Message.COMPONENT_MISSING, text, component="sensors")
        if not controls.tunables:
            text = "nothing can be set here (no cpufreq, power limit or platform profile): gamesad only tells"
            log_event(Message.COMPONENT_MISSING, text, component="tunables")


def _print(text: str) -> None:
    """UTF-8 whatever the locale says: it is JSON. OSError when it cannot be written."""
    output = sys.stdout.buffer
    try:
        output.write(text.encode() + b"\n")
        output.flush()
    except OSError:  # what stays in the buffer is tried again at exit, which would then end with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _put_back(executor: Executor, why: str) -> None:
    """Restores what was found, and says what was put back and what was left."""
    restored = executor.restore()
    if restored.restored:
        named = ", ".join(restored.restored[:_NAMED])
        more = len(restored.restored) - _NAMED
        text = f"{why}: put back {named}" + (f" and {more} more" if more > 0 else "")
        log_event(Message.RESTORE, text, settings=" ".join(restored.restored))
    for name, reason in restored.left.items():
        log_event(Message.RESTORE, f"{why}: {name} was left: {reason}", logging.WARNING, tunable=name)
