"""A simulated machine with decide, enforce and the executor in the loop, in made-up time: for the learnt policy."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.config import LimitsConfig
from gamesad.hardware import ACTUATORS, hwmon, memory, powercap, pressure, procstat
from gamesad.neural.policy.agent import Policy
from gamesad.neural.policy.inputs import Reader, Scene
from gamesad.neural.policy.reward import WEIGHTS, reward
from gamesad.policy.decide import Regulation, decide
from gamesad.policy.envelope import Envelope, enforce
from gamesad.policy.limits import derive
from gamesad.simulation import open_machine
from gamesad.telemetry.collector import Collector
from gamesad.types import Action, Decision, Intent, Mode, Sensor

TICK_S = 1.0
_SOURCES = (hwmon, powercap, procstat, pressure, memory)


@dataclasses.dataclass
class Run:
    """What one run came to. ``rewards``: one a second; ``over_c``: how far the hottest was over its target."""

    rewards: list[float] = dataclasses.field(default_factory=list)
    over_c: list[float] = dataclasses.field(default_factory=list)
    frames: list[float] = dataclasses.field(default_factory=list)
    decisions: list[Decision] = dataclasses.field(default_factory=list)
    failsafe: int = 0
    work: float = 0.0

    @property
    def worth(self) -> float:
        """Reward a second."""
        return math.fsum(self.rewards) / len(self.rewards)


class Bed:
    """``name`` is KIND/SCENARIO. ``policy`` None: the rules alone. ``start_s`` keeps one policy's clock going on."""

    def __init__(self, name: str, folder: str, *, seed: int, wish: Intent, start_s: float = 0.0) -> None:
        self.now_s = start_s
        self.wish = wish
        self.machine = open_machine(name, seed=seed, clock=lambda: self.now_s)
        probes = [module.probe_sources for module in _SOURCES]
        self.collector = Collector(self.machine.sysfs, probes, clock=lambda: self.now_s)
        self.collector.rescan()
        actuators = [actuator for probe in ACTUATORS for actuator in probe(self.machine.sysfs)]
        self.executor = Executor(actuators, Baseline(folder, folder, boot="one"), clock=lambda: self.now_s)
        self.limits = derive(self.collector.sensors, wish, LimitsConfig())
        self._targets_c = {name: limit.target_c for name, limit in self.limits.items() if limit.critical}
        self._reader = Reader()
        self._regulation, self._envelope = Regulation(), Envelope()

    def run(
        self, seconds: float, policy: Policy | None = None, *, anomaly: Callable[[float], bool] | None = None
    ) -> Run:
        seen, sensors = Run(), dict[str, Sensor](self.collector.sensors)
        weights = WEIGHTS[self.wish.profile.power_profile]
        done = self.machine.work_done
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += TICK_S
            now = self.collector.sample(self.now_s)
            fps = self.machine.frame_rate or None
            odd = anomaly is not None and anomaly(self.now_s)
            controls = self.executor.controls
            scene = Scene(now, None, self.limits, self.wish, sensors, controls, odd, self.now_s, fps)
            advice = None if policy is None else policy.step(scene)
            wanted, self._regulation = decide(self._regulation, now, None, self.wish, self.limits, controls, advice)
            decision, self._envelope = enforce(self._envelope, wanted, now, self.limits, controls)
            self.executor.apply(decision.settings)
            if policy is not None:
                policy.note(decision, Mode.FAILSAFE if self._envelope.failsafe else Mode.ACTIVE)
            if decision.action is not Action.NOOP:
                seen.decisions.append(decision)
            seen.failsafe += self._envelope.failsafe
            overs_c = [now.readings[name] - target for name, target in self._targets_c.items() if name in now.readings]
            seen.over_c.append(max(overs_c, default=math.nan))
            seen.frames.append(fps or math.nan)
            seen.rewards.append(reward(self._reader.read(scene), weights, anomaly=odd))
        seen.work = self.machine.work_done - done
        return seen


@contextmanager
def opened(name: str, *, seed: int, wish: Intent, start_s: float = 0.0) -> Iterator[Bed]:
    """A bed whose baseline lies in memory where that can be had: it is written with fsync."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        bed = Bed(name, folder, seed=seed, wish=wish, start_s=start_s)
        try:
            yield bed
        finally:
            bed.executor.restore()
            bed.collector.close()
