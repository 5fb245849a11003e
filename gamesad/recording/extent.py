"""What is recorded besides what gamesad itself reads: the rest of the folders that it knows, for drivers to come.

Only what stands still: everything that moves is read by gamesad's own sources, which know what sleeps and what is slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from gamesad.hardware.runtime_power import ASLEEP
from gamesad.hardware.sysfs import Sysfs

FOLDERS = (
    ("/sys/class/hwmon/*", r"name|label|update_interval|pwm\d+(_enable|_mode)?"),
    ("/sys/class/hwmon/*", r"[a-z]+\d+_(label|type|enable|fault|l?crit|min|max|emergency|rated_\w+|cap\w*|\w+_hyst)"),
    ("/sys/class/thermal/thermal_zone*", r"type|mode|policy|available_policies|trip_point_\d+_\w+|cdev\d+_trip_point"),
    ("/sys/class/thermal/cooling_device*", r"type|max_state"),
    ("/sys/class/powercap/*", r"name|enabled|max_energy_range_uj|constraint_\d+_\w+"),
    ("/sys/class/power_supply/*", r"type|scope|technology|voltage_m(in|ax)_design|(energy|charge)_full(_design)?"),
    ("/sys/class/drm/card*/device", r"vendor|device|subsystem_(vendor|device)|revision|class|uevent|boot_vga"),
    ("/sys/class/drm/card*/device",
     r"power_dpm_\w+|pp_(dpm_\w+|power_profile_mode|od_clk_voltage|features)|mem_info_vram_total"),
    ("/sys/class/drm/card*", r"gt_\w+_freq_mhz"),
    ("/sys/class/drm/card*/gt/gt*", r"id|rc6_enable|rps_\w+_freq_mhz|throttle_reason_\w+"),
    ("/sys/class/drm/card*/device/tile*/gt*/freq*", r"\w+_freq|power_profile"),
    ("/sys/class/drm/card*/device/tile*/gt*/freq*/throttle", r"status|reason_\w+"),
    ("/sys/class/platform-profile/*", r"name|profile|choices"),
    ("/sys/firmware/acpi", r"platform_profile(_choices)?|pm_profile"),
    ("/sys/class/dmi/id", r"sys_vendor|(product|board)_(name|vendor|version|family)|bios_(vendor|date)|chassis_type"),
    ("/sys/devices/system/cpu", r"online|offline|present|possible|kernel_max"),
    ("/sys/devices/system/cpu/*_pstate", r"\w+"),
    ("/sys/devices/system/cpu/cpufreq", r"boost"),
    ("/sys/devices/system/cpu/cpufreq/policy*", r"(?!cpuinfo_cur_freq|scaling_setspeed)\w+"),
    ("/sys/devices/system/cpu/cpu*/cpufreq", r"(?!cpuinfo_cur_freq|scaling_setspeed)\w+"),
    ("/sys/devices/system/cpu/cpu*", r"cpu_capacity|online"),
    ("/sys/devices/system/cpu/cpu*/topology", r"core_id|physical_package_id|die_id|cluster_id|\w+_list"),
    ("/proc/sys/kernel", r"ostype|osrelease"),
    ("/proc/device-tree", r"model|compatible"),
    ("/proc", r"cpuinfo|stat|loadavg|meminfo"),
)  # fmt: skip
"""Folders and the files in them, by full name."""

NEVER = (
    (r"config|rom|vpd|resource\d*.*|legacy_\w+", "device memory: reading wakes the device, and may hang or change it"),
    (r"remove|rescan|reset|bind|unbind|new_id|probe|trigger|reload|emul_temp|uevent_suppress", "written, never read"),
    (r"\w+_alarm|intrusion\d+_\w+|\w+_beep", "on some chips a read clears it"),
    (r"cpuinfo_cur_freq|feedback_ctrs", "interrupts the processor that is asked"),
    (r"gpu_metrics|pp_table|ras_\w+|\w+_dump|error|data|edid|hdcp\w*", "binary, long, or a log that a read empties"),
    (r"scaling_setspeed|pm_test|disk|state|wake\w*", "means something only when it is written, or suspends"),
    (r"current_link_(speed|width)", "asks the PCI device itself"),
)
"""Files, by full name, that are never read of a recorder's own accord, each with the reason.

Of the binary ones gamesad itself reads ``gpu_metrics``, and a recording has what gamesad reads.
"""

ASLEEP_TOO = re.compile(r"vendor|device|subsystem_vendor|subsystem_device|revision|class|uevent|name|type|label")
"""What the kernel answers from memory, of a device that sleeps too."""

_NEVER = re.compile("|".join(f"(?:{pattern})" for pattern, _why in NEVER))
_SLEEPS = "power/runtime_status"


def look(sysfs: Sysfs) -> None:
    """Reads everything of FOLDERS through ``sysfs`` once; what sleeps is left asleep."""
    asleep: dict[str, bool] = {}
    for pattern, files in FOLDERS:
        wanted = re.compile(files)
        for folder in _folders(sysfs, pattern):
            for name in _names(sysfs, folder, files):
                if not wanted.fullmatch(name) or _NEVER.fullmatch(name):
                    continue
                if not ASLEEP_TOO.fullmatch(name) and _sleeps(sysfs, folder, asleep):
                    continue
                try:
                    sysfs.read(f"{folder}/{name}")
                except (OSError, ValueError):
                    continue  # noted by the Sysfs itself


def _folders(sysfs: Sysfs, pattern: str) -> Iterator[str]:
    """The folders that match, a ``*`` within one part only."""
    found = [""]
    for part in pattern.split("/")[1:]:
        if "*" in part:
            found = [f"{one}/{name}" for one in found for name in sysfs.list(one) if fnmatchcase(name, part)]
        else:
            found = [f"{one}/{part}" for one in found]
    yield from found


def _names(sysfs: Sysfs, folder: str, files: str) -> list[str]:
    """/proc is not listed: its folders are other people's processes."""
    return files.split("|") if folder.startswith("/proc") else sysfs.list(folder)


def _sleeps(sysfs: Sysfs, folder: str, known: dict[str, bool]) -> bool:
    """Whether the device of a folder, or one that it hangs on, is suspended."""
    place = sysfs.resolve(folder)
    while place.count("/") > 2:
        if place not in known:
            try:
                known[place] = sysfs.read(f"{place}/{_SLEEPS}") in ASLEEP
            except OSError:
                known[place] = False
        if known[place]:
            return True
        place = place.rpartition("/")[0]
    return False
