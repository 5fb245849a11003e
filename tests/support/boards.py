"""Boards made by hand, as their drivers' sources and documents say that they look: names, labels, limits, cores."""

from __future__ import annotations

from tests.support.machines import Tree
from tests.support.trees import GPU, K10TEMP, NVME, PROC, amd_cpu, chip, zone


def policy(number: int, cpus: str, low_khz: int, high_khz: int, driver: str, **files: str) -> dict[str, str]:
    folder = f"/sys/devices/system/cpu/cpufreq/policy{number}"
    texts = {
        "affected_cpus": cpus,
        "related_cpus": cpus,
        "cpuinfo_min_freq": str(low_khz),
        "cpuinfo_max_freq": str(high_khz),
        "scaling_min_freq": str(low_khz),
        "scaling_max_freq": str(high_khz),
        "scaling_cur_freq": str(low_khz),
        "scaling_driver": driver,
        "scaling_governor": "schedutil",
        "scaling_available_governors": "performance powersave schedutil",
        **files,
    }
    return {f"{folder}/{name}": text for name, text in texts.items()}


def board(vendor: str, product: str, chassis: str = "3") -> dict[str, str]:
    texts = {"sys_vendor": vendor, "product_name": product, "board_vendor": vendor, "chassis_type": chassis}
    return {f"/sys/class/dmi/id/{name}": text for name, text in texts.items()}


def intel_cpu(name: str) -> dict[str, str]:
    flags = "flags\t\t: fpu dts acpi epb hwp hwp_epp"
    text = (
        f"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: {name}\n{flags}\n"
    )
    return {"/proc/cpuinfo": text}


def _package(number: int, cores: int, temp_c: int) -> dict[str, str]:
    files = {"name": "coretemp"}
    labels = [f"Package id {number}", *(f"Core {core}" for core in range(cores))]
    for channel, label in enumerate(labels, start=1):
        texts = {"label": label, "input": f"{temp_c}000", "max": "84000", "crit": "94000", "crit_alarm": "0"}
        files |= {f"temp{channel}_{name}": text for name, text in texts.items()}
    return chip(number + 4, f"/sys/devices/platform/coretemp.{number}", files)


def _rapl(number: int) -> dict[str, str]:
    folder = f"/sys/devices/virtual/powercap/intel-rapl/intel-rapl:{number}"
    texts = {
        "name": f"package-{number}",
        "enabled": "1",
        "energy_uj": "1000000",
        "max_energy_range_uj": "262143328850",
        "constraint_0_name": "long_term",
        "constraint_0_power_limit_uw": "225000000",
        "constraint_0_max_power_uw": "225000000",
    }
    link = {f"/sys/class/powercap/intel-rapl:{number}": f"-> {folder}"}
    return {f"{folder}/{name}": text for name, text in texts.items()} | link


def _node(number: int, temp_c: int) -> dict[str, str]:
    labels = {"temp1": "Tctl", "temp3": "Tccd1", "temp4": "Tccd2"}
    files = {"name": "k10temp"}
    for channel, label in labels.items():
        files |= {f"{channel}_label": label, f"{channel}_input": f"{temp_c}125"}
    return chip(number, f"/sys/devices/pci0000:00/0000:00:{0x18 + number:02x}.3", files)


TWO_XEONS: Tree = {
    **PROC,
    **board("Supermicro", "SYS-620P", "23"),
    **intel_cpu("Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"),
    **_package(0, 2, 60),
    **_package(1, 2, 71),
    **_rapl(0),
    **_rapl(1),
    **policy(0, "0", 800000, 3200000, "intel_pstate"),
    **policy(1, "1", 800000, 3200000, "intel_pstate"),
    "/sys/devices/system/cpu/intel_pstate/status": "active",
    "/sys/devices/system/cpu/intel_pstate/no_turbo": "0",
}

TWO_EPYCS: Tree = {
    **PROC,
    **board("GIGABYTE", "R282-Z90", "23"),
    **amd_cpu(25, "AMD EPYC 7713 64-Core Processor"),
    **_node(0, 55),
    **_node(1, 66),
    **policy(0, "0", 1500000, 2000000, "acpi-cpufreq"),
}

STEAM_DECK: Tree = {
    **PROC,
    **board("Valve", "Jupiter", "3"),
    **amd_cpu(23, "AMD Custom APU 0405"),
    **chip(4, K10TEMP, {"name": "k10temp", "temp1_label": "Tctl", "temp1_input": "61250"}),
    **chip(
        5,
        GPU,
        {
            "name": "amdgpu",
            "temp1_label": "edge",
            "temp1_input": "58000",
            "power1_label": "slowPPT",
            "power1_average": "9000000",
            "power1_cap": "15000000",
            "power2_label": "fastPPT",
            "power2_average": "9100000",
            "power2_cap": "15000000",
            "freq1_label": "sclk",
            "freq1_input": "1040000000",
        },
    ),
    **chip(
        6,
        "/sys/devices/pci0000:00/0000:00:14.3/PNP0C09:00/VLV0100:00/steamdeck-hwmon",
        {
            "name": "steamdeck_hwmon",
            "temp1_label": "Battery Temp",
            "temp1_input": "33000",
            "fan1_label": "System Fan",
            "fan1_input": "3105",
            "fan1_max": "7300",
            "curr1_label": "PD Contract Current",
            "curr1_input": "3000",
            "in0_label": "PD Contract Voltage",
            "in0_input": "15000",
        },
    ),
    **chip(1, NVME, {"name": "nvme", "temp1_label": "Composite", "temp1_input": "40850", "temp1_crit": "89850"}),
    **policy(0, "0 1", 1400000, 3500000, "amd-pstate-epp"),
    "/sys/devices/system/cpu/amd_pstate/status": "active",
}

_DEVICE_TREE = {"/proc/device-tree": "-> /sys/firmware/devicetree/base"}
_PI = "raspberrypi,4-model-b\0brcm,bcm2711\0"
RASPBERRY_PI: Tree = {
    **PROC,
    "/sys/firmware/devicetree/base/compatible": _PI,
    "/sys/firmware/devicetree/base/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    **_DEVICE_TREE,
    **zone(0, "cpu-thermal", "49173", trip_point_0_type="critical", trip_point_0_temp="110000"),
    **chip(0, "/sys/devices/virtual/thermal/thermal_zone0", {"name": "cpu_thermal", "temp1_input": "49173"}),
    **chip(1, "/sys/devices/platform/soc/soc:firmware/raspberrypi-hwmon", {"name": "rpi_volt", "in0_lcrit_alarm": "1"}),
    **policy(0, "0 1 2 3", 600000, 1800000, "cpufreq-dt", scaling_available_frequencies="600000 1200000 1800000"),
}

ROCK_5B: Tree = {
    **PROC,
    "/sys/firmware/devicetree/base/compatible": "radxa,rock-5b\0rockchip,rk3588\0",
    "/sys/firmware/devicetree/base/model": "Radxa ROCK 5B\0",
    **_DEVICE_TREE,
    **zone(0, "package-thermal", "41615", trip_point_0_type="critical", trip_point_0_temp="115000"),
    **zone(1, "bigcore0-thermal", "41615", trip_point_0_type="passive", trip_point_0_temp="85000",
           trip_point_1_type="critical", trip_point_1_temp="115000"),
    **zone(2, "bigcore2-thermal", "40692", trip_point_0_type="passive", trip_point_0_temp="85000"),
    **zone(3, "littlecore-thermal", "41615", trip_point_0_type="passive", trip_point_0_temp="85000"),
    **zone(4, "center-thermal", "40692", trip_point_0_type="critical", trip_point_0_temp="115000"),
    **zone(5, "gpu-thermal", "40692", trip_point_0_type="passive", trip_point_0_temp="85000"),
    **policy(0, "0 1", 408000, 1800000, "cpufreq-dt"),
    **policy(4, "4 5", 408000, 2400000, "cpufreq-dt"),
    **policy(6, "6 7", 408000, 2256000, "cpufreq-dt"),
    **{f"/sys/devices/system/cpu/cpu{cpu}/cpu_capacity": "1024" if cpu > 3 else "530" for cpu in range(8)},
}  # fmt: skip

JUNO: Tree = {
    **PROC,
    "/sys/firmware/devicetree/base/compatible": "arm,juno-r1\0arm,juno\0",
    "/sys/firmware/devicetree/base/model": "ARM Juno development board (r1)\0",
    **_DEVICE_TREE,
    **chip(
        0,
        "/sys/devices/platform/scpi/scpi:sensors",
        {
            "name": "scpi_sensors",
            "temp1_label": "pmic",
            "temp1_input": "30000",
            "temp2_label": "soc",
            "temp2_input": "45000",
            "in0_label": "sys",
            "in0_input": "890",
        },
    ),
    **policy(0, "0 3", 450000, 850000, "scpi-cpufreq"),
    **policy(1, "1 2", 600000, 1150000, "scpi-cpufreq"),
}

THINKPAD: Tree = {
    **PROC,
    **board("LENOVO", "20XXS00100", "10"),
    **intel_cpu("11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz"),
    **chip(
        7,
        "/sys/devices/platform/thinkpad_hwmon",
        {
            "name": "thinkpad",
            "temp1_label": "CPU",
            "temp1_input": "50000",
            "temp2_label": "GPU",
            "temp2_input": "0",
            "fan1_input": "2714",
        },
    ),
    **zone(0, "acpitz", "50000", trip_point_0_type="critical", trip_point_0_temp="128000"),
    **zone(1, "x86_pkg_temp", "51000"),
}

DELL: Tree = {
    **PROC,
    **board("Dell Inc.", "XPS 13 9310", "10"),
    **intel_cpu("11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz"),
    **_package(0, 4, 48),
    **chip(
        2,
        "/sys/devices/platform/dell_smm_hwmon",
        {"name": "dell_smm", "temp1_label": "CPU", "temp1_input": "48000", "temp2_label": "Ambient",
         "temp2_input": "127000", "fan1_label": "Processor Fan", "fan1_input": "0", "fan1_max": "5000"},
    ),
}  # fmt: skip

APPLE_SILICON: Tree = {
    **PROC,
    "/sys/firmware/devicetree/base/compatible": "apple,j293\0apple,t8103\0apple,arm-platform\0",
    "/sys/firmware/devicetree/base/model": "Apple MacBook Pro (13-inch, M1, 2020)\0",
    **_DEVICE_TREE,
    **chip(
        3,
        "/sys/devices/platform/soc/23e400000.smc/macsmc-hwmon",
        {"name": "macsmc_hwmon", "temp1_label": "NAND Flash Temperature", "temp1_input": "31000",
         "power1_label": "Total System Power", "power1_input": "6000000", "fan1_label": "Fan", "fan1_input": "0"},
    ),
    **policy(0, "0 1 2 3", 600000, 2064000, "apple-cpufreq"),
    **policy(4, "4 5 6 7", 600000, 3204000, "apple-cpufreq"),
}  # fmt: skip

BOARDS: dict[str, Tree] = {
    "two-xeons": TWO_XEONS,
    "two-epycs": TWO_EPYCS,
    "steam-deck": STEAM_DECK,
    "raspberry-pi": RASPBERRY_PI,
    "rock-5b": ROCK_5B,
    "juno": JUNO,
    "thinkpad": THINKPAD,
    "dell": DELL,
    "apple-silicon": APPLE_SILICON,
}
