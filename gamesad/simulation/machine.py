"""A machine that is not there: a plant behind a live tree of kernel files, brought up to the clock at every access."""

from __future__ import annotations

import difflib
import errno
import os
import threading
import time
from collections.abc import Callable

from gamesad.errors import Failed
from gamesad.simulation.files import powercap, procfs
from gamesad.simulation.files.cpufreq import Cpufreq
from gamesad.simulation.files.hwmon import Hwmon
from gamesad.simulation.files.platform import Platform
from gamesad.simulation.files.thermal import Thermal
from gamesad.simulation.kinds import KINDS, MachineKind
from gamesad.simulation.plant import STEP_S, Plant
from gamesad.simulation.scenarios import FAULT_PERIOD_S, SCENARIOS, Fault, Scenario
from gamesad.simulation.tree import Attribute, Node, SimulatedSysfs, Tree

_LONGEST_ABSENCE_S = 3600.0


def open_machine(name: str = "", *, seed: int = 0, clock: Callable[[], float] = time.monotonic) -> Machine:
    """The machine ``KIND/SCENARIO``, or either alone; nothing is a laptop with a steady game."""
    parts = [part for part in name.split("/") if part]
    for part in parts:
        if part not in KINDS and part not in SCENARIOS:
            close = difflib.get_close_matches(part, [*KINDS, *SCENARIOS], n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise Failed(f"there is no simulated machine or scenario named {part!r}{hint} {_choices()}")
    kinds = [part for part in parts if part in KINDS]
    scenarios = [part for part in parts if part in SCENARIOS]
    if len(kinds) > 1 or len(scenarios) > 1:
        raise Failed(f"{name!r} names more than one machine or more than one scenario. {_choices()}")
    kind = KINDS[kinds[0] if kinds else "laptop"]
    scenario = SCENARIOS[scenarios[0] if scenarios else "steady-game"]
    return Machine(kind, scenario, seed, clock)


def _choices() -> str:
    return f"Machines: {', '.join(KINDS)}. Scenarios: {', '.join(SCENARIOS)}. Give one, or MACHINE/SCENARIO."


class Machine:
    """``sysfs`` is what a daemon opens; ``control`` is what a test does to the machine; ``plant`` is the truth.

    Safe to use from several threads. Time stands still between accesses and catches up at each. When nobody looked for
    more than an hour it slept: its own time did not pass and it has cooled down.
    """

    def __init__(self, kind: MachineKind, scenario: Scenario, seed: int, clock: Callable[[], float]) -> None:
        self.kind = kind
        self.scenario = scenario
        self.description = f"simulated {kind.name} / {scenario.name}"
        self.plant = Plant(kind, scenario, seed)
        self.tree = Tree()
        self.cpufreq = Cpufreq(self.tree, kind, self.plant.cores)
        self.hwmon = Hwmon(self.tree, self.plant)
        self.hwmon.build()
        self.thermal = Thermal(self.tree, self.plant, self.cpufreq)
        powercap.build(self.tree, self.plant)
        self.platform = Platform(self.tree, self.plant)
        procfs.build(self.tree, self.plant, self.cpufreq)
        self.sysfs = SimulatedSysfs(self.tree, self.fetch, self.store, self.description)
        self.control = Control(self)
        self._clock = clock
        self._start_s = clock()
        self._lock = threading.RLock()
        self._active: list[Fault] = []

    @property
    def work_done(self) -> float:
        """10⁹ cycles of useful work since the start, weighted by what a cycle of each core does."""
        return self.plant.work_done

    @property
    def frame_rate(self) -> float:
        """Frames a second of the scenario's game; 0 when none is played."""
        return self.plant.frame_rate

    def advance(self, to_s: float | None = None) -> None:
        """Brings the machine up to a time of its clock (now when not given); never back."""
        with self._lock:
            plant = self.plant
            if to_s is None:
                self._sleep_through(self._clock())
            now_s = self._clock() if to_s is None else to_s
            due = int((now_s - self._start_s) / STEP_S + 1e-6)
            if due <= plant.steps:
                return
            while plant.steps < due:
                plant.step()
            if self.scenario.faults:
                self._break_sensors()

    def _sleep_through(self, now_s: float) -> None:
        asleep_s = now_s - self._start_s - self.plant.time_s
        if asleep_s > _LONGEST_ABSENCE_S:
            self._start_s += asleep_s
            self.plant.rest()

    def fetch(self, attribute: Attribute) -> bytes:
        """What a read from offset 0 gives now."""
        if attribute.delay_s:
            time.sleep(attribute.delay_s)
        with self._lock:
            self.advance()
            return attribute.content()

    def store(self, attribute: Attribute, data: bytes) -> None:
        """One write() of these bytes."""
        with self._lock:
            self.advance()
            attribute.store(data)

    def _break_sensors(self) -> None:
        t = self.plant.time_s % FAULT_PERIOD_S
        due = [fault for fault in self.scenario.faults if fault.start_s <= t < fault.end_s]
        if due == self._active:
            return
        for fault in self._active:
            if fault not in due:
                for path in self._paths(fault):
                    self.control.heal(path)
        for fault in due:
            if fault not in self._active:
                for path in self._paths(fault):
                    match fault.kind:
                        case "dies":
                            self.control.fail_sensor(path, errno.EIO)
                        case "sticks":
                            self.control.stick(path)
                        case _:
                            self.control.fail_sensor(path, value=str(round(fault.value_c * 1000)))
        self._active = due

    def _paths(self, fault: Fault) -> list[str]:
        every = self.hwmon.cpu_sensors + self.thermal.cpu_sensors
        return every if fault.sensor == "everything" else every[:1]


class Control:
    """What happens to a machine: sensors break, chips are pulled, the room warms, somebody presses Fn+Q."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._pulled: dict[str, list[tuple[str, Node]]] = {}

    def fail_sensor(self, path: str, number: int | None = None, value: str | None = None) -> None:
        """The file at ``path`` answers with this errno, or with this text whatever is true."""

        def broken() -> str:
            if number is not None:
                raise OSError(number, os.strerror(number))
            return value or ""

        self._attribute(path).fault = broken

    def stick(self, path: str) -> None:
        """The file keeps the value it has now."""
        attribute = self._attribute(path)
        text = attribute.read()
        attribute.fault = lambda: text

    def slow(self, path: str, delay_s: float) -> None:
        """Each read takes so long in real time, as of a disk that spins up."""
        self._attribute(path).delay_s = delay_s

    def heal(self, path: str) -> None:
        attribute = self._attribute(path)
        attribute.fault = None
        attribute.delay_s = 0.0

    def unplug(self, chip: str) -> None:
        """A hwmon chip goes, by its driver's name."""
        if chip not in self._machine.hwmon.chips:
            raise Failed(f"no chip {chip!r}; there are {', '.join(self._machine.hwmon.chips)}")
        taken = []
        for path in self._machine.hwmon.chips[chip]:
            node = self._machine.tree.remove(path)
            if node is not None:
                taken.append((path, node))
        self._pulled[chip] = taken

    def plug(self, chip: str) -> None:
        """The chip comes back where it was."""
        for path, node in self._pulled.pop(chip, []):
            self._machine.tree.put_back(path, node)

    def offline(self, cpu: int) -> None:
        """The CPU goes: its policy's files stay and answer EBUSY, its own folders go."""
        self._machine.cpufreq.set_online(cpu, online=False)

    def online(self, cpu: int) -> None:
        self._machine.cpufreq.set_online(cpu, online=True)

    def ambient(self, offset_c: float) -> None:
        """The room is so much warmer than the scenario says."""
        self._machine.plant.ambient_offset_c = offset_c

    def clog(self, airflow: float) -> None:
        """The part of the fans' air that gets through, on top of the scenario's."""
        self._machine.plant.airflow = airflow

    def firmware_profile(self, name: str) -> None:
        """The Fn key: platform_profile changes behind the kernel's back."""
        self._machine.platform.firmware_profile(name)

    def mains_on(self) -> None:
        self._machine.plant.mains = True

    def mains_off(self) -> None:
        """The plug is pulled."""
        self._machine.plant.mains = False

    def set_file(self, path: str, text: str) -> None:
        """Somebody else writes a file, as root would with echo."""
        self._machine.sysfs.write(path, text)

    def _attribute(self, path: str) -> Attribute:
        return self._machine.tree.attribute(path)
