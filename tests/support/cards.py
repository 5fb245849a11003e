"""Graphics cards made by hand, and a Sysfs that counts every access."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gamesad.hardware.sysfs import Sysfs
from tests.support.machines import Tree
from tests.support.trees import chip

SLOT = "0000:03:00.0"
DEVICE = f"/sys/devices/pci0000:00/0000:00:01.1/{SLOT}"
NVIDIA_SLOT = "0000:09:00.0"
NVIDIA = f"/sys/devices/pci0000:00/0000:00:03.1/{NVIDIA_SLOT}"
STATUS = "power/runtime_status"


def card(number: int, device: str, driver: str, ids: str, files: Mapping[str, str], **chip_files: str) -> Tree:
    """One card as the kernel shows it, with a connector beside it; ``files`` are below its PCI device."""
    slot = device.rpartition("/")[2]
    drm = f"{device}/drm/card{number}"
    made = {f"{device}/{name}": content for name, content in files.items()} | {
        f"{device}/uevent": f"DRIVER={driver}\nPCI_CLASS=30000\nPCI_ID={ids}\nPCI_SLOT_NAME={slot}",
        f"{device}/{STATUS}": files.get(STATUS, "active"),
        f"{drm}/device": f"-> {device}",
        f"/sys/class/drm/card{number}": f"-> {drm}",
        f"/sys/class/drm/card{number}-DP-1/status": "connected",
        f"/sys/class/drm/renderD{128 + number}/device": f"-> {device}",
        f"/sys/bus/pci/drivers/{driver}/{slot}": f"-> {device}",
    }
    return made | (chip(number, device, {"name": driver, **chip_files}) if chip_files else {})


RADEON: Tree = card(
    1,
    DEVICE,
    "amdgpu",
    "1002:73FF",
    {
        "gpu_busy_percent": "80",
        "mem_busy_percent": "30",
        "mem_info_vram_used": "1000000000",
        "mem_info_vram_total": "8000000000",
        "power_dpm_force_performance_level": "auto",
        "power/control": "auto",
        "power/autosuspend_delay_ms": "5000",
    },
    temp1_label="edge",
    temp1_input="70000",
    temp1_crit="100000",
    temp2_label="junction",
    temp2_input="80000",
    temp2_crit="110000",
    power1_average="100000000",
    power1_cap="200000000",
    power1_cap_min="0",
    power1_cap_default="200000000",
    freq1_input="2000000000",
    freq2_input="1000000000",
)
GEFORCE: Tree = card(0, NVIDIA, "nvidia", "10DE:2704", {"power/control": "on"})
ARC_I915: Tree = card(
    0,
    DEVICE,
    "i915",
    "8086:56A5",
    {
        f"drm/card0/gt/gt{number}/{file}": value
        for number in (0, 1)
        for file, value in {
            "rps_act_freq_mhz": "600",
            "rps_cur_freq_mhz": "650",
            "rps_min_freq_mhz": "300",
            "rps_max_freq_mhz": "2450",
            "rps_boost_freq_mhz": "2450",
            "rps_RP0_freq_mhz": "2450",
            "rps_RPn_freq_mhz": "300",
            "throttle_reason_status": "1" if number else "0",
            "throttle_reason_pl1": "1" if number else "0",
            "throttle_reason_thermal": "1" if number else "0",
            "throttle_reason_vr_tdc": "0",
        }.items()
    },
    temp1_input="55000",
    energy1_input="5000000",
    power1_max="55000000",
)


class CountingSysfs(Sysfs):
    """``accesses`` has every path that is opened, read, written, listed or looked for, links resolved.

    Not what is resolved or lstat-ed: that reaches the folders of sysfs and no driver.
    """

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.accesses: list[str] = []
        self._paths: dict[int, str] = {}

    def below(self, device: str) -> set[str]:
        """The files of a device that were accessed, as seen from it."""
        return {path.removeprefix(f"{device}/") for path in self.accesses if path.startswith(f"{device}/")}

    @contextmanager
    def counting(self) -> Iterator[None]:
        self.accesses.clear()
        yield

    def pread(self, handle: int, size: int, offset: int = 0) -> bytes:
        self._count(self._paths[handle])
        return super().pread(handle, size, offset)

    def exists(self, path: str) -> bool:
        self._count(path)
        return super().exists(path)

    def writable(self, path: str) -> bool:
        self._count(path)
        return super().writable(path)

    def _open(self, path: str, flags: int) -> int:
        self._count(path)
        handle = super()._open(path, flags)
        self._paths[handle] = path
        return handle

    def _count(self, path: str) -> None:
        self.accesses.append(os.path.realpath(self.root + path).removeprefix(self.root))
