"""A machine of umockdev in which devices come and go under a program that listens (system Python, umockdev-wrapper).

``plug_bed.py CYCLES PAUSE PROGRAM...``: the program answers each line ``look`` on its stdin with a JSON line, and all
of them are printed. Before the first look the board is bare; each cycle plugs everything, with other numbers, and
unplugs it. A socket of umockdev's holds ten events, and its sender gives up on the eleventh: after five, ``hear`` asks
the program for an answer that says that it has heard them. Before the last event and after it PAUSE seconds pass: a
burst takes its time, and the files of a processor go a little later than its event.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402 - its version is chosen above

bed = UMockdev.Testbed.new()
root = Path(bed.get_root_dir())
POLICY = root / "sys/devices/system/cpu/cpufreq/policy1"
POLICY_FILES = {
    "affected_cpus": "1",
    "cpuinfo_min_freq": "800000",
    "cpuinfo_max_freq": "3200000",
    "scaling_min_freq": "800000",
    "scaling_max_freq": "3200000",
    "scaling_cur_freq": "1200000",
    "scaling_governor": "schedutil",
    "scaling_available_governors": "performance powersave schedutil",
}


def chip(number, parent, **attributes):
    return bed.add_device("hwmon", f"hwmon/hwmon{number}", parent, _flat(attributes), [])


def _flat(attributes):
    return [part for name, text in attributes.items() for part in (name, text + "\n")]


def plug(cycle):
    """Everything there is, with numbers that no cycle before had; the devices in the order of plugging."""
    number = 10 * cycle
    die = chip(number, platform, name="coretemp", temp1_label="Package id 0", temp1_input="41000", temp1_crit="100000")
    late = chip(number + 1, board, name="nct6798", temp1_label="SYSTIN", temp1_input="33000", fan1_input="900")
    nvme = chip(number + 2, drive, name="nvme", temp1_label="Composite", temp1_input="38000", temp1_crit="85000")
    block = bed.add_device("block", f"block/sda{cycle}", disk, ["stat", "5 0 0 0 5\n"], [])
    drivetemp = chip(number + 3, disk, name="drivetemp", temp1_input="30000")
    drm = bed.add_device("drm", f"drm/card{cycle}", card, [], ["DEVTYPE", "drm_minor"])
    gpu = chip(number + 4, card, name="amdgpu", temp1_label="edge", temp1_input="44000", temp1_crit="100000")
    battery = ["type", "Battery\n", "status", "Discharging\n", "capacity", "80\n"]
    supply = bed.add_device("power_supply", "BAT0", None, battery, [])
    POLICY.mkdir(parents=True)
    for name, text in POLICY_FILES.items():
        (POLICY / name).write_text(text + "\n")
    cpu = bed.add_device("cpu", f"cpu1_{cycle}", None, [], [])
    module = bed.add_device("module", f"nct6775_{cycle}", None, [], [])
    return [die, late, nvme, block, drivetemp, drm, gpu, supply, cpu, module]


def main():
    cycles, pause_s, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"

    def ask(what):
        child.stdin.write(what + "\n")
        child.stdin.flush()
        return child.stdout.readline()

    def tell(devices, action):
        for count, device in enumerate(devices, start=1):
            if count == len(devices):
                time.sleep(pause_s)
            bed.uevent(device, action)
            if action == "remove":
                bed.remove_device(device)
            if count % 5 == 0:
                ask("hear")

    print(ask("look"), end="")
    for cycle in range(1, cycles + 1):
        devices = plug(cycle)
        tell(devices, "add")
        print(ask("look"), end="")
        tell(devices[::-1], "remove")
        time.sleep(pause_s)
        shutil.rmtree(POLICY)
        print(ask("look"), end="")
    child.stdin.close()
    return child.wait()


platform = bed.add_device("platform", "platform/coretemp.0", None, [], [])
board = bed.add_device("platform", "platform/nct6775.656", None, [], [])
drive = bed.add_device("pci", "pci0000:00/0000:00:1d.0/0000:01:00.0", None, ["class", "0x010802\n"], [])
disk = bed.add_device("scsi", "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0", None, [], [])
card = bed.add_device(
    "pci", "pci0000:00/0000:00:01.0/0000:03:00.0", None, ["class", "0x030000\n", "vendor", "0x1002\n"], []
)
sys.exit(main())
