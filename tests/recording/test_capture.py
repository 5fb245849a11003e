"""What a recorder touches: what sleeps stays asleep, and files that have effects are never opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamesad.hardware.sysfs import Sysfs
from gamesad.recording.extent import FOLDERS, NEVER
from gamesad.recording.load import load
from gamesad.recording.replay import Replay
from tests.support.machines import rewrite, tree
from tests.support.recorded import Clock, record, text
from tests.support.trees import DISK, GPU, RYZEN_DESKTOP


class Counting(Sysfs):
    """Every path that is opened, as the device has it."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.opened: list[str] = []

    def open(self, path: str) -> int:
        self.opened.append(self.resolve(path))
        return super().open(path)


CARD = {
    "/sys/class/drm/card1": f"-> {GPU}/drm/card1",
    f"{GPU}/drm/card1/device": f"-> {GPU}",
    f"{GPU}/uevent": "DRIVER=amdgpu\nPCI_ID=1002:73FF\nPCI_SLOT_NAME=0000:03:00.0",
    f"{GPU}/vendor": "0x1002",
    f"{GPU}/power/control": "auto",
    f"{GPU}/power_dpm_force_performance_level": "auto",
    f"{GPU}/pp_dpm_sclk": "0: 500Mhz *\n1: 2124Mhz",
    f"{GPU}/gpu_busy_percent": "3",
    f"{GPU}/hwmon/hwmon4/power1_cap": "203000000",
    f"{GPU}/hwmon/hwmon4/power1_cap_max": "203000000",
}
ASLEEP = CARD | {f"{GPU}/power/runtime_status": "suspended", f"{DISK}/power/runtime_status": "suspended"}
HARMLESS = ("/power/", "/uevent", "/vendor", "/name")
LIMITS = ("temp1_max", "temp1_crit")
"""drivers/hwmon/drivetemp.c answers these from what it asked the disk when it was loaded."""


def test_a_sleeping_card_and_a_sleeping_disk_are_not_touched(tmp_path: Path) -> None:
    sysfs = Counting(tree(tmp_path, RYZEN_DESKTOP | ASLEEP))
    made, _totals = record(sysfs, times_s=[float(second) for second in range(1, 60)])
    for device in (GPU, DISK):
        touched = [path for path in sysfs.opened if path.startswith(f"{device}/")]
        harmless = (*HARMLESS, *LIMITS) if device == DISK else HARMLESS
        assert [path for path in touched if not any(part in path for part in harmless)] == []
        assert touched, "that it sleeps was seen"
    assert f"0644 {GPU}/hwmon/hwmon4/temp1_input ! unread" in text(made)
    assert f"0644 {GPU}/power/runtime_status = suspended" in text(made)


def test_a_card_on_a_bridge_that_sleeps_is_not_touched_either(tmp_path: Path) -> None:
    bridge = GPU.rpartition("/")[0]
    sysfs = Counting(tree(tmp_path, RYZEN_DESKTOP | CARD | {f"{bridge}/power/runtime_status": "suspended"}))
    record(sysfs)
    assert not [path for path in sysfs.opened if path.endswith("/pp_dpm_sclk")]


def test_a_card_that_wakes_is_recorded_from_then_on(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", RYZEN_DESKTOP | ASLEEP)

    def wake(at_s: float) -> None:
        if at_s == 5.0:
            rewrite(root, f"{GPU}/power/runtime_status", "active")

    made, _totals = record(Sysfs(str(root)), times_s=[float(second) for second in range(1, 20)], between=wake)
    (tmp_path / "made.gz").write_bytes(made.data)
    clock = Clock()
    sysfs = Replay(load(str(tmp_path / "made.gz")), clock).sysfs
    with pytest.raises(OSError, match="No data"):
        sysfs.read(f"{GPU}/hwmon/hwmon4/temp1_input")
    clock.now_s = 15.0
    assert sysfs.read(f"{GPU}/hwmon/hwmon4/temp1_input") == "44000"
    assert sysfs.read(f"{GPU}/pp_dpm_sclk").startswith("0: 500Mhz")


def test_files_with_effects_are_never_opened(tmp_path: Path) -> None:
    names = (
        "config", "rom", "vpd", "resource0", "remove", "rescan", "temp1_alarm", "intrusion0_alarm", "cpuinfo_cur_freq",
        "pp_table", "edid", "emul_temp", "current_link_speed", "reset", "scaling_setspeed",
    )  # fmt: skip
    policy = "/sys/devices/system/cpu/cpufreq/policy0"
    zone = "/sys/devices/virtual/thermal/thermal_zone0"
    folders = (GPU, f"{GPU}/drm/card1", f"{GPU}/hwmon/hwmon4", policy, zone, "/sys/devices/system/cpu")
    planted = {f"{folder}/{name}": "1" for folder in folders for name in names}
    planted |= {
        f"{policy}/scaling_governor": "powersave",
        f"{policy}/scaling_cur_freq": "1",
        f"{zone}/type": "x",
        f"{zone}/temp": "20000",
    }
    planted["/sys/class/thermal/thermal_zone0"] = f"-> {zone}"
    sysfs = Counting(tree(tmp_path, RYZEN_DESKTOP | CARD | planted))
    made, _totals = record(sysfs)
    assert f"{policy}/scaling_governor" in text(made)
    assert [path for path in sysfs.opened if path.rpartition("/")[2] in names] == []


def test_the_table_of_what_is_never_read_gives_reasons() -> None:
    assert all(len(why) > 10 for _pattern, why in NEVER)
    assert all(
        folder.startswith(("/sys/class/", "/sys/devices/system/", "/sys/firmware/", "/proc")) for folder, _ in FOLDERS
    )


def test_processes_are_not_listed(tmp_path: Path) -> None:
    root = tree(tmp_path, RYZEN_DESKTOP | {"/proc/4242/comm": "secret", "/proc/4242/cmdline": "secret"})
    assert "4242/" not in text(record(Sysfs(str(root)))[0])


def test_what_a_user_may_not_read_is_counted_and_named(tmp_path: Path) -> None:
    class Unprivileged(Sysfs):
        def open(self, path: str) -> int:
            if path.endswith("temp1_input"):
                raise PermissionError(13, "Permission denied", path)
            return super().open(path)

    made, totals = record(Unprivileged(str(tree(tmp_path, RYZEN_DESKTOP))))
    assert totals.refused == text(made).count("! EACCES") > 0
