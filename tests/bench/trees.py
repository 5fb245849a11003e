"""Machine trees to measure on, in memory (tmpfs) where there is one: a read costs what the call costs, and no disk."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from glob import glob
from pathlib import Path

from tests.support.machines import tree

_CHANNELS_PER_CHIP = 20
_MEMORY = "/dev/shm"  # a tmpfs on every Linux with a C library


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder on tmpfs, removed at the end."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="gamesad-bench-", dir=place) as made:
        yield Path(made)


def sensor_files(root: Path, count: int) -> Path:
    """A machine of hwmon chips alone with ``count`` number files: a processor's, then Super-I/O chips of 20."""
    cores = min(_CHANNELS_PER_CHIP, count) - 1
    entries = _coretemp(0, cores)
    remaining, number = count - cores - 1, 1
    while remaining > 0:
        channels = min(_CHANNELS_PER_CHIP, remaining)
        entries |= _super_io(number, channels)
        remaining, number = remaining - channels, number + 1
    entries["/proc/cpuinfo"] = "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 167\nmodel name\t: Bench"
    return tree(root, entries)


def kernel_attributes(count: int) -> list[str]:
    """``count`` number files that every Linux has and that cost what a sensor's file costs; repeated if need be."""
    found = []
    for path in sorted([*glob("/sys/class/net/*/statistics/*"), *glob("/sys/block/*/queue/*")]):
        with contextlib.suppress(OSError, ValueError), open(path) as file:
            int(file.read())
            found.append(path)
    return list(itertools.islice(itertools.cycle(found), count))


@contextmanager
def restless(paths: Sequence[str]) -> Iterator[Callable[[], float]]:
    """A function that gives each file a new five-digit number, in place; what it answers means nothing."""
    handles = [os.open(path, os.O_WRONLY | os.O_TRUNC) for path in paths]
    numbers = itertools.count(1)

    def change() -> float:
        number = next(numbers)
        for place, handle in enumerate(handles):
            os.pwrite(handle, b"%d\n" % (20000 + (number * 37 + place * 111) % 20000), 0)
        return 0.0

    try:
        change()
        yield change
    finally:
        for handle in handles:
            os.close(handle)


def whole_machine(root: Path, *, package_c: float = 45.0) -> Path:
    """A quiet desktop with about a hundred sensors of every kind, and everything that can be set."""
    sensor_files(root, 60)
    entries = {
        **_coretemp(0, 8, package_c=package_c),
        **_zone(0, "x86_pkg_temp", package_c),
        **_zone(1, "acpitz", 27.8),
        **{f"/sys/class/thermal/cooling_device{cpu}/{name}": text for cpu in range(8) for name, text in _COOLING},
        **{path: text for cpu in range(8) for path, text in _cpu(cpu).items()},
        **_POWERCAP,
        **_KERNEL,
        **moving(0.0),
        "/sys/devices/system/cpu/intel_pstate/no_turbo": "0",
        "/sys/devices/system/cpu/intel_pstate/status": "active",
        "/sys/class/power_supply/AC/type": "Mains",
        "/sys/class/power_supply/AC/online": "1",
        "/sys/firmware/acpi/platform_profile": "balanced",
        "/sys/firmware/acpi/platform_profile_choices": "low-power balanced performance",
    }
    return tree(root, entries)


def _coretemp(number: int, cores: int, *, package_c: float = 45.0) -> dict[str, str]:
    chip = f"/sys/devices/platform/coretemp.{number}/hwmon/hwmon{number}"
    entries = {f"/sys/class/hwmon/hwmon{number}": f"-> {chip}", f"{chip}/name": "coretemp"}
    for channel in range(1, cores + 2):
        entries |= {
            f"{chip}/temp{channel}_input": f"{package_c * 1000 - (channel > 1) * 2000:.0f}",
            f"{chip}/temp{channel}_label": f"Core {channel - 2}" if channel > 1 else "Package id 0",
            f"{chip}/temp{channel}_crit": "100000",
        }
    return entries


def _super_io(number: int, channels: int) -> dict[str, str]:
    chip = f"/sys/devices/platform/nct6775.{600 + number}/hwmon/hwmon{number}"
    entries = {f"/sys/class/hwmon/hwmon{number}": f"-> {chip}", f"{chip}/name": "nct6798"}
    kinds = (("temp", "38500", 1), ("fan", "1180", 1), ("in", "1016", 0))
    for place in range(channels):
        kind, text, first = kinds[place % len(kinds)]
        entries[f"{chip}/{kind}{first + place // len(kinds)}_input"] = text
    return entries


def _zone(number: int, kind: str, temperature_c: float) -> dict[str, str]:
    folder = f"/sys/class/thermal/thermal_zone{number}"
    return {f"{folder}/type": kind, f"{folder}/temp": f"{temperature_c * 1000:.0f}", f"{folder}/mode": "enabled"}


_COOLING = (("type", "Processor"), ("cur_state", "0"), ("max_state", "10"))


def _cpu(cpu: int) -> dict[str, str]:
    folder = f"/sys/devices/system/cpu/cpufreq/policy{cpu}"
    texts = {
        "affected_cpus": f"{cpu}",
        "cpuinfo_min_freq": "800000",
        "cpuinfo_max_freq": "4800000",
        "scaling_min_freq": "800000",
        "scaling_max_freq": "4800000",
        "scaling_cur_freq": "800000",
        "scaling_driver": "intel_pstate",
        "scaling_governor": "powersave",
        "scaling_available_governors": "performance powersave",
        "energy_performance_preference": "balance_performance",
        "energy_performance_available_preferences": "default performance balance_performance balance_power power",
    }
    link = {f"/sys/devices/system/cpu/cpu{cpu}/cpufreq": f"-> {folder}"}
    bias = {f"/sys/devices/system/cpu/cpu{cpu}/power/energy_perf_bias": "6"}
    return {f"{folder}/{name}": text for name, text in texts.items()} | link | bias


_PACKAGE = "/sys/class/powercap/intel-rapl:0"
_POWERCAP = {
    f"{_PACKAGE}/name": "package-0",
    f"{_PACKAGE}/enabled": "1",
    f"{_PACKAGE}/max_energy_range_uj": "262143328850",
    f"{_PACKAGE}/constraint_0_name": "long_term",
    f"{_PACKAGE}/constraint_0_power_limit_uw": "125000000",
    f"{_PACKAGE}/constraint_0_max_power_uw": "125000000",
    f"{_PACKAGE}/constraint_1_name": "short_term",
    f"{_PACKAGE}/constraint_1_power_limit_uw": "180000000",
    f"{_PACKAGE}/constraint_1_max_power_uw": "0",
    f"{_PACKAGE}:0/name": "core",
    f"{_PACKAGE}:0/max_energy_range_uj": "262143328850",
}

MOVING = ("/proc/stat", f"{_PACKAGE}/energy_uj", f"{_PACKAGE}:0/energy_uj")
"""The files that never stand still."""


def moving(seconds: float) -> dict[str, str]:
    """What the files of ``MOVING`` hold after that long at 1 % load and 5 W; always of the same length."""
    busy, idle = 4705 + seconds, 3699176 + seconds * 99
    lines = [f"cpu{name} {busy:09.0f} 356 584 {idle:09.0f} 23060 0 277 0 0 0" for name in ("", *range(8))]
    texts = ("\n".join(lines), f"{1e9 + seconds * 5e6:012.0f}", f"{2e8 + seconds * 2e6:012.0f}")
    return dict(zip(MOVING, texts, strict=True))


_PSI = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1200"
_MEMINFO = """MemTotal:       32768000 kB
MemFree:        20000000 kB
MemAvailable:   28000000 kB
SwapTotal:       8000000 kB
SwapFree:        8000000 kB"""
_KERNEL = {
    "/proc/meminfo": _MEMINFO,
    "/proc/loadavg": "0.12 0.10 0.08 1/300 4321",
    **{f"/proc/pressure/{resource}": _PSI for resource in ("cpu", "io", "memory")},
}
