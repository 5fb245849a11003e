"""/sys/class/powercap: RAPL domains with wrapping energy counters and, on Intel, power limits.

drivers/powercap/powercap_sys.c: every refused write is EINVAL. drivers/powercap/intel_rapl_common.c: limits are kept
in eighths of a watt, 15 bits; 0 is accepted. AMD shows energy and no limit. energy_uj is for root (CVE-2020-8694).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

from gamesad.simulation.kernel_text import kstrtobool, kstrtoul, refuse
from gamesad.simulation.noise import uniform
from gamesad.simulation.plant import Plant
from gamesad.simulation.processor import PowerLimit, Socket
from gamesad.simulation.tree import Tree

ENERGY_RANGE_UJ = 262_143_328_850
_UNIT_UW = 125_000
_ENERGY_UNIT_UJ = 61  # 2^-14 J
_ROOT = "/sys/devices/virtual/powercap/intel-rapl"


def build(tree: Tree, plant: Plant) -> None:
    kind = plant.kind
    tree.constant(f"{_ROOT}/enabled", "1")
    tree.link("/sys/class/powercap/intel-rapl", _ROOT)
    for index, socket in enumerate(plant.sockets):
        package = f"{_ROOT}/intel-rapl:{index}"
        _domain(tree, plant, package, f"package-{index}", f"package{index}")
        if kind.has_rapl_limits:
            tree.file(f"{package}/enabled", partial(_enabled_text, socket), _enable(socket))
            _constraint(tree, f"{package}/constraint_0", "long_term", socket.long, kind.long_limit_w)
            _constraint(tree, f"{package}/constraint_1", "short_term", socket.short, 0.0)
        parts = ["core"]
        if kind.vendor == "GenuineIntel" and kind.sockets == 1:
            parts.append("uncore")
        if kind.dram_w:
            parts.append("dram")
        for number, part in enumerate(parts):
            _domain(tree, plant, f"{package}/intel-rapl:{index}:{number}", part, f"{part}{index}")


def energy_text(plant: Plant, key: str) -> str:
    """Counts from somewhere, in the counter's unit, and wraps."""
    start = (uniform(plant.seed, len(key), sum(key.encode())) + 0.5) * ENERGY_RANGE_UJ
    counted = int(start + plant.energy_j.get(key, 0.0) * 1e6) % ENERGY_RANGE_UJ
    return str(counted // _ENERGY_UNIT_UJ * _ENERGY_UNIT_UJ)


def _domain(tree: Tree, plant: Plant, folder: str, name: str, key: str) -> None:
    tree.constant(f"{folder}/name", name)
    tree.file(f"{folder}/energy_uj", lambda: energy_text(plant, key), mode=0o400)
    tree.constant(f"{folder}/max_energy_range_uj", ENERGY_RANGE_UJ)
    if not tree.folder(folder).entries.get("enabled"):
        tree.constant(f"{folder}/enabled", "0")
    tree.link(f"/sys/class/powercap/{folder.rsplit('/', 1)[1]}", folder)


def _enabled_text(socket: Socket) -> str:
    return str(int(socket.long.enabled))


def _enable(socket: Socket) -> Callable[[str], None]:
    def store(text: str) -> None:
        socket.long.enabled = kstrtobool(text)

    return store


def _constraint(tree: Tree, stem: str, name: str, limit: PowerLimit, hardware_w: float) -> None:
    """``hardware_w`` is what max_power_uw tells: the rated power for the long limit, 0 for the short one."""

    def set_limit(text: str) -> None:
        limit.limit_w = (_number(text) // _UNIT_UW & 0x7FFF) * _UNIT_UW / 1e6

    def set_window(text: str) -> None:
        limit.window_s = _representable(_number(text) / 1e6)

    tree.constant(f"{stem}_name", name)
    tree.constant(f"{stem}_max_power_uw", round(hardware_w * 1e6))
    tree.file(f"{stem}_power_limit_uw", lambda: str(round(limit.limit_w * 1e6)), set_limit)
    tree.file(f"{stem}_time_window_us", lambda: str(int(limit.window_s * 1e6)), set_window)


def _number(text: str) -> int:
    try:
        return kstrtoul(text, 10)
    except OSError:
        refuse(errno.EINVAL)  # out of range as well


def _representable(window_s: float) -> float:
    """The window at or below what was asked, or the shortest: 2^y · (1 + z/4) · 976 µs (Intel SDM vol. 3, 15.10.3)."""
    choices = [2.0**y * (1.0 + z / 4.0) * 0.000976 for y in range(32) for z in range(4)]
    return max((choice for choice in choices if choice <= window_s), default=choices[0])
