"""How often the processor throttled itself: cpu*/thermal_throttle (Intel only).

arch/x86/kernel/cpu/mce/therm_throt.c: every CPU of a package shows the package's count, every thread of a core the
core's, so each is read once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gamesad.hardware.base import Sink
from gamesad.hardware.counters import Counter, CounterBatch
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Quantity, Sensor

_CPUS = "/sys/devices/system/cpu"
_HIGHEST_RATE = 1e6


def probe_sources(sysfs: Sysfs) -> list[Throttle]:
    packages: dict[int, str] = {}
    cores: dict[int, dict[int, str]] = {}
    for cpu in sysfs.list(_CPUS):
        if not re.fullmatch(r"cpu[0-9]+", cpu):
            continue
        folder = f"{_CPUS}/{cpu}/thermal_throttle"
        entries = sysfs.list(folder)
        package = _number(sysfs, f"{_CPUS}/{cpu}/topology/physical_package_id", 0)
        if "package_throttle_count" in entries:
            packages.setdefault(package, f"{folder}/package_throttle_count")
        if "core_throttle_count" in entries:
            core = _number(sysfs, f"{_CPUS}/{cpu}/topology/core_id", int(cpu[3:]))
            cores.setdefault(package, {}).setdefault(core, f"{folder}/core_throttle_count")
    counters = [_counter(f"package{package}", (path,), "package") for package, path in packages.items()]
    counters += [_counter(f"cores{package}", tuple(paths.values()), "core") for package, paths in cores.items()]
    return [Throttle(sysfs, counters)] if counters else []


class Throttle:
    name = "throttle"
    slow = False
    period_s = 1.0

    def __init__(self, sysfs: Sysfs, counters: Sequence[Counter]) -> None:
        self._sensors = tuple(counter.sensor for counter in counters)
        self._counters = CounterBatch(sysfs, counters)

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        self._counters.sample(now_s, sink)

    def close(self) -> None:
        self._counters.close()


def _counter(name: str, paths: tuple[str, ...], what: str) -> Counter:
    label = f"CPU {what} throttle events"
    return Counter(Sensor(f"throttle.{name}.rate", Quantity.RATE, label, path=paths[0]), paths, 1, _HIGHEST_RATE)


def _number(sysfs: Sysfs, path: str, otherwise: int) -> int:
    try:
        number = int(sysfs.read(path))
    except (OSError, ValueError):
        return otherwise
    return number if 0 <= number < 65536 else otherwise  # -1: the firmware does not say
