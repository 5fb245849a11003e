"""A laptop with an executor on it, and the names of what it can set."""

from __future__ import annotations

import json
from pathlib import Path

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.hardware import cpufreq, energy_perf_bias, platform_profile, powercap
from gamesad.hardware.base import Actuator
from gamesad.types import Value
from tests.support.kernel import CPUFREQ, Kernel, laptop, values

GOVERNOR = "cpufreq.policy0.scaling_governor"
EPP = "cpufreq.policy0.energy_performance_preference"
MINIMUM = "cpufreq.policy0.scaling_min_freq"
MAXIMUM = "cpufreq.policy0.scaling_max_freq"
LONG = "powercap.intel-rapl:0.constraint_0_power_limit_uw"
SHORT = "powercap.intel-rapl:0.constraint_1_power_limit_uw"
EPP_FILE = f"{CPUFREQ}/policy0/energy_performance_preference"
MAXIMUM_FILE = f"{CPUFREQ}/policy0/scaling_max_freq"


class Machine:
    """A laptop's tree with an executor on it and a clock of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = laptop(tmp_path / "root")
        self.before = values(self.root)
        self.run = tmp_path / "run"
        self.lib = tmp_path / "lib"
        self.run.mkdir()
        self.lib.mkdir()
        self.kernel = Kernel(self.root)
        self.now_s = 100.0
        self.executor = self.start()

    def start(self, *, observe: bool = False) -> Executor:
        baseline = Baseline.load(str(self.run), str(self.lib), self.kernel)
        return Executor(self.actuators(), baseline, observe=observe, clock=lambda: self.now_s)

    def actuators(self) -> list[Actuator]:
        probes = (platform_profile, cpufreq, energy_perf_bias, powercap)
        return [actuator for probe in probes for actuator in probe.probe_actuators(self.kernel)]

    def apply(self, **settings: Value) -> list[str]:
        """What one apply writes."""
        self.kernel.writes.clear()
        self.executor.apply({name.replace("__", "."): value for name, value in settings.items()})
        return self.kernel.written

    def recorded(self) -> dict[str, list[object]]:
        file = self.run / "baseline.json"
        return json.loads(file.read_text())["entries"] if file.exists() else {}
