"""A plain tree that takes writes as the kernel does, refuses what it refuses, and remembers them in order."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from gamesad.hardware.sysfs import Sysfs
from tests.support.machines import tree

CPUFREQ = "/sys/devices/system/cpu/cpufreq"
RAPL = "/sys/class/powercap/intel-rapl:0"
PROFILE = "/sys/firmware/acpi/platform_profile"
NO_TURBO = "/sys/devices/system/cpu/intel_pstate/no_turbo"


class Kernel(Sysfs):
    """``refusing``: path → errno, until removed. ``rounding``: path → what the kernel makes of a text.

    ``after_write`` is called with path and text once a write is done: firmware that reacts. Built in: governor
    ``performance`` moves its policy's EPP and makes others EBUSY (intel_pstate.c, store_energy_performance_preference),
    and a frequency range is never crossed.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.writes: list[tuple[str, str]] = []
        self.refusing: dict[str, int] = {}
        self.rounding: dict[str, Callable[[str], str]] = {}
        self.after_write: Callable[[str, str], None] = lambda _path, _text: None

    def write(self, path: str, text: str) -> None:
        if path in self.refusing:
            raise OSError(self.refusing[path], "refused", path)
        folder, _, file = path.rpartition("/")
        other_preference = file == "energy_performance_preference" and text != "performance"
        if other_preference and self.read(f"{folder}/scaling_governor") == "performance":
            raise OSError(errno.EBUSY, "governor performance", path)
        if file == "scaling_min_freq":
            assert int(text) <= int(self.read(f"{folder}/scaling_max_freq")), f"minimum over maximum: {text}"
        if file == "scaling_max_freq":
            assert int(text) >= int(self.read(f"{folder}/scaling_min_freq")), f"maximum under minimum: {text}"
        self.writes.append((path, text))
        self.set(path, self.rounding[path](text) if path in self.rounding else text)
        if file == "scaling_governor" and text == "performance":
            self.set(f"{folder}/energy_performance_preference", "performance")
        self.after_write(path, text)

    def set(self, path: str, text: str) -> None:
        """By somebody else, or by the kernel itself."""
        if self.exists(path):
            super().write(path, text)

    @property
    def written(self) -> list[str]:
        """``policy0/scaling_governor=performance``: the last folder and the file, in order."""
        return ["/".join(path.split("/")[-2:]) + "=" + text for path, text in self.writes]


def values(root: Path) -> dict[str, str]:
    """Every file of the tree."""
    return {str(path.relative_to(root)): path.read_text().strip() for path in root.rglob("*") if path.is_file()}


def laptop(root: Path, policies: int = 2) -> Path:
    """An Intel laptop: intel_pstate active with HWP, RAPL, a platform profile."""
    entries = {
        "/proc/sys/kernel/random/boot_id": "5f0c9a3e-1d2b-4c4f-9a57-0123456789ab",
        PROFILE: "balanced",
        PROFILE + "_choices": "low-power balanced performance",
        NO_TURBO: "0",
        f"{RAPL}/name": "package-0",
        f"{RAPL}/enabled": "1",
        f"{RAPL}/energy_uj": "1000000",
        f"{RAPL}/max_energy_range_uj": "262143328850",
        f"{RAPL}/constraint_0_name": "long_term",
        f"{RAPL}/constraint_0_power_limit_uw": "28000000",
        f"{RAPL}/constraint_0_max_power_uw": "28000000",
        f"{RAPL}/constraint_1_name": "short_term",
        f"{RAPL}/constraint_1_power_limit_uw": "64000000",
        f"{RAPL}/constraint_1_max_power_uw": "0",
    }
    for number in range(policies):
        folder = f"{CPUFREQ}/policy{number}"
        entries |= {
            f"{folder}/affected_cpus": str(number),
            f"{folder}/scaling_driver": "intel_pstate",
            f"{folder}/scaling_governor": "powersave",
            f"{folder}/scaling_available_governors": "performance powersave",
            f"{folder}/energy_performance_preference": "balance_performance",
            f"{folder}/energy_performance_available_preferences": (
                "default performance balance_performance balance_power power"
            ),
            f"{folder}/scaling_min_freq": "400000",
            f"{folder}/scaling_max_freq": "4700000",
            f"{folder}/cpuinfo_min_freq": "400000",
            f"{folder}/cpuinfo_max_freq": "4700000",
            f"{folder}/scaling_cur_freq": "1800000",
            f"/sys/devices/system/cpu/cpu{number}/power/energy_perf_bias": "6",
        }
    return tree(root, entries)
