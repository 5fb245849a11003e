"""cpuN/power/energy_perf_bias: Intel's hint between performance (0) and saving energy (15), one per CPU.

Documentation/admin-guide/pm/intel_epb.rst. The kernel answers with a number and takes numbers and five names. Since
5.2 it keeps the value over suspend. Where the processor has HWP with EPP, that is the better hint and this one is
ignored by most parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gamesad.hardware.base import Actuator, FileActuator, integer
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Role, Tunable, Value

_CPUS = "/sys/devices/system/cpu"
_NAMES: Mapping[str, int] = MappingProxyType(
    {"performance": 0, "balance-performance": 4, "normal": 6, "balance-power": 8, "power": 15}
)


class BiasActuator(FileActuator):
    """Numbers 0..15; a name that stands in the file is read as its number."""

    def read(self, tunable: Tunable) -> Value:
        text = self._sysfs.read(tunable.path)
        return _NAMES[text] if text in _NAMES else integer(text.encode())


def probe_actuators(sysfs: Sysfs) -> list[Actuator]:
    tunables = []
    for cpu in sysfs.list(_CPUS):
        path = f"{_CPUS}/{cpu}/power/energy_perf_bias"
        if cpu.startswith("cpu") and cpu[3:].isdigit() and sysfs.exists(path):
            name = f"{cpu}.energy_perf_bias"
            tunables.append(Tunable(name, Role.EPB, cpu, path, minimum=0, maximum=15, inverted=True))
    return [BiasActuator(sysfs, tunables)] if tunables else []
