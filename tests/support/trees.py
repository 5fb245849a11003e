"""Machines made by hand, each with the habits of one kind: folder and file names as on the real thing."""

from __future__ import annotations

from tests.support.machines import Tree


def chip(number: int, device: str, files: dict[str, str]) -> dict[str, str]:
    """One hwmon chip below its device, with its class link."""
    folder = f"{device}/hwmon/hwmon{number}"
    made = {f"{folder}/{name}": content for name, content in files.items()}
    return made | {f"{folder}/device": f"-> {device}", f"/sys/class/hwmon/hwmon{number}": f"-> {folder}"}


def zone(number: int, kind: str, temp: str, **files: str) -> dict[str, str]:
    folder = f"/sys/devices/virtual/thermal/thermal_zone{number}"
    made = {f"{folder}/{name}": content for name, content in ({"type": kind, "temp": temp} | files).items()}
    return made | {f"/sys/class/thermal/thermal_zone{number}": f"-> {folder}"}


def cooling(number: int, kind: str, state: str, highest: str) -> dict[str, str]:
    folder = f"/sys/devices/virtual/thermal/cooling_device{number}"
    made = {f"{folder}/type": kind, f"{folder}/cur_state": state, f"{folder}/max_state": highest}
    return made | {f"/sys/class/thermal/cooling_device{number}": f"-> {folder}"}


def amd_cpu(family: int, name: str) -> dict[str, str]:
    text = f"processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: {family}\nmodel\t\t: 1\nmodel name\t: {name}\n"
    return {"/proc/cpuinfo": text}


CORETEMP = "/sys/devices/platform/coretemp.0"
K10TEMP = "/sys/devices/pci0000:00/0000:00:18.3"
NVME = "/sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0"
DISK = "/sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0"
GPU = "/sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0"
SUPER_IO = "/sys/devices/platform/nct6775.656"

PROC: Tree = {
    "/proc/stat": "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0\nintr 5",
    "/proc/loadavg": "0.50 0.25 0.10 1/100 4242",
    "/proc/meminfo": "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    4000000 kB\n"
    "Buffers:          100000 kB\nCached:          3000000 kB\n"
    "SwapTotal:       2000000 kB\nSwapFree:        1500000 kB",
    "/proc/pressure/cpu": "some avg10=1.50 avg60=2.00 avg300=3.00 total=1000000\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0",
    "/proc/pressure/memory": "some avg10=0.10 avg60=2.00 avg300=3.85 total=15\n"
    "full avg10=0.20 avg60=3.00 avg300=4.95 total=25",
    "/proc/pressure/io": "some avg10=0.10 avg60=2.00 avg300=3.85 total=15\n"
    "full avg10=0.20 avg60=3.00 avg300=4.95 total=25",
}

INTEL_LAPTOP: Tree = {
    **PROC,
    **chip(
        3,
        CORETEMP,
        {
            "name": "coretemp",
            "temp1_label": "Package id 0",
            "temp1_input": "61000",
            "temp1_max": "100000",
            "temp1_crit": "100000",
            "temp1_crit_alarm": "0",
            "temp2_label": "Core 0",
            "temp2_input": "59000",
            "temp2_max": "80000",
            "temp2_crit": "100000",
        },
    ),
    **chip(
        1,
        NVME,
        {
            "name": "nvme",
            "temp1_label": "Composite",
            "temp1_input": "43850",
            "temp1_max": "84850",
            "temp1_crit": "94850",
            "temp1_min": "-273150",
            "temp2_label": "Sensor 1",
            "temp2_input": "52850",
            "temp2_max": "65261850",
        },
    ),
    **chip(0, "/sys/devices/platform/thinkpad_hwmon", {"name": "thinkpad", "fan1_input": "2900", "temp1_input": "0"}),
    **zone(0, "acpitz", "27800", trip_point_0_type="critical", trip_point_0_temp="128000", mode="enabled"),
    **zone(1, "INT3400 Thermal", "20000", mode="disabled"),
    **zone(2, "x86_pkg_temp", "61000", trip_point_0_type="passive", trip_point_0_temp="-274000", mode="enabled"),
    **cooling(0, "Processor", "0", "10"),
    **cooling(1, "Processor", "0", "10"),
    **cooling(2, "intel_powerclamp", "-1", "50"),
    **cooling(3, "Fan", "0", "0"),
    "/sys/class/power_supply/AC/type": "Mains",
    "/sys/class/power_supply/AC/online": "0",
    "/sys/class/power_supply/BAT0/type": "Battery",
    "/sys/class/power_supply/BAT0/status": "Discharging",
    "/sys/class/power_supply/BAT0/capacity": "57",
    "/sys/class/power_supply/BAT0/current_now": "1500000",
    "/sys/class/power_supply/BAT0/voltage_now": "12000000",
    "/sys/class/power_supply/BAT0/energy_now": "20000000",
    "/sys/class/power_supply/hidpp_battery_0/type": "Battery",
    "/sys/class/power_supply/hidpp_battery_0/scope": "Device",
    "/sys/class/power_supply/hidpp_battery_0/status": "Discharging",
    "/sys/class/power_supply/hidpp_battery_0/capacity": "80",
    "/sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count": "10",
    "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "4",
    "/sys/devices/system/cpu/cpu0/topology/physical_package_id": "0",
    "/sys/devices/system/cpu/cpu0/topology/core_id": "0",
    "/sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count": "10",
    "/sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count": "4",
    "/sys/devices/system/cpu/cpu1/topology/physical_package_id": "0",
    "/sys/devices/system/cpu/cpu1/topology/core_id": "0",
}

RYZEN_DESKTOP: Tree = {
    **PROC,
    **amd_cpu(25, "AMD Ryzen 9 7950X 16-Core Processor"),
    **chip(
        2,
        K10TEMP,
        {
            "name": "k10temp",
            "temp1_label": "Tctl",
            "temp1_input": "55125",
            "temp3_label": "Tccd1",
            "temp3_input": "48500",
        },
    ),
    **chip(
        5,
        SUPER_IO,
        {
            "name": "nct6798",
            "in0_input": "1032",
            "in0_min": "0",
            "in0_max": "1744",
            "fan1_input": "0",
            "fan2_input": "1205",
            "temp1_label": "SYSTIN",
            "temp1_input": "34000",
            "temp1_max": "80000",
            "temp4_label": "AUXTIN1",
            "temp4_input": "98000",
            "temp4_max": "80000",
            "temp5_label": "AUXTIN2",
            "temp5_input": "-44000",
            "temp6_label": "PCH_CHIP_TEMP",
            "temp6_input": "0",
        },
    ),
    **chip(0, DISK, {"name": "drivetemp", "temp1_input": "31000", "temp1_max": "55000", "temp1_crit": "60000"}),
    f"{DISK.split('/host2', maxsplit=1)[0]}/ata_port/ata3/port_no": "3",
    f"{DISK}/power/runtime_status": "active",
    **chip(
        4,
        GPU,
        {
            "name": "amdgpu",
            "temp1_label": "edge",
            "temp1_input": "44000",
            "temp1_crit": "100000",
            "temp1_crit_hyst": "-273150",
            "power1_average": "31000000",
            "power1_cap": "203000000",
            "freq1_input": "500000000",
        },
    ),
    f"{GPU}/power/runtime_status": "active",
}

OLD_CORE2: Tree = {
    "/sys/devices/platform/coretemp.0/name": "coretemp",
    "/sys/devices/platform/coretemp.0/temp2_label": "Core 0",
    "/sys/devices/platform/coretemp.0/temp2_input": " 45000",
    "/sys/devices/platform/coretemp.0/temp2_crit": "100000",
    "/sys/devices/platform/coretemp.0/temp3_label": "Core 1",
    "/sys/devices/platform/coretemp.0/temp3_input": "46000",
    "/sys/class/hwmon/hwmon0/device": "-> /sys/devices/platform/coretemp.0",
}

ARM_BOARD: Tree = {
    **PROC,
    **zone(0, "soc-thermal", "50000", trip_point_0_type="critical", trip_point_0_temp="115000"),
    **zone(
        1,
        "cpu-thermal",
        "52000",
        trip_point_0_type="passive",
        trip_point_0_temp="75000",
        trip_point_0_hyst="2000",
        trip_point_1_type="critical",
        trip_point_1_temp="95000",
        trip_point_2_type="active",
        trip_point_2_temp="50000",
    ),
    **zone(2, "gpu-thermal", "49000"),
    **chip(0, "/sys/devices/virtual/thermal/thermal_zone1", {"name": "cpu_thermal", "temp1_input": "52000"}),
}

VIRTUAL_MACHINE: Tree = {**PROC}

HAND_MADE: dict[str, Tree] = {
    "intel-laptop": INTEL_LAPTOP,
    "ryzen-desktop": RYZEN_DESKTOP,
    "old-core2": OLD_CORE2,
    "arm-board": ARM_BOARD,
    "virtual-machine": VIRTUAL_MACHINE,
}
