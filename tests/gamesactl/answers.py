"""What the daemon of these tests says: a laptop that is warm, held and limited."""

from __future__ import annotations

from typing import Any

CPU = "hwmon.coretemp-isa-0000.temp1"
DISK = "hwmon.nvme-pci-0100.temp1"
BOARD = "hwmon.nct6798-isa-0290.temp7"
CAP = "powercap.intel-rapl:0.constraint_0_power_limit_uw"
MAX_FREQ = "cpufreq.policy0.scaling_max_freq"
MAX_FREQ_1 = "cpufreq.policy1.scaling_max_freq"
EPP = "cpufreq.policy0.energy_performance_preference"

DECISION: dict[str, Any] = {
    "Action": "throttle",
    "Source": "rule",
    "Reason": (
        "throttle: CPU package 93.4 °C is 1.6 °C under its limit of 95 °C and rising 0.8 °C/s; "
        "scaling_max_freq 4.6 → 3.9 GHz"
    ),
    "Settings": {MAX_FREQ: 3900000},
    "Profile": "balanced",
    "Sensor": CPU,
}

STATUS: dict[str, Any] = {
    "Simulated": False,
    "Machine": "LENOVO 21AH",
    "Version": "0.1.0",
    "Mode": "active",
    "ThermalState": "hot",
    "ActiveProfile": "balanced",
    "SelectedProfile": "balanced",
    "ProfileCause": "selected by uid 1000",
    "Uptime": 7500.4,
    "Temperatures": [
        {"Name": CPU, "Label": "CPU package", "Value": 93.4, "Limit": 95.0, "Headroom": 1.6},
        {"Name": DISK, "Label": "Composite", "Value": 41.85},
    ],
    "Headroom": 1.6,
    "HottestSensor": CPU,
    "Power": {"powercap.intel-rapl:0.power": 28.3},
    "Utilization": {"cpu": 0.534, "memory": 0.41},
    "Frequency": {"cpufreq.policy0.frequency": 3.9e9, "cpufreq.policy1.frequency": 2.1e9},
    "Fans": {"hwmon.thinkpad-isa-0000.fan1": 2304.0},
    "OnBattery": True,
    "Battery": 0.81,
    "LastDecision": DECISION,
    "Limits": {},
    "Rejected": [BOARD],
    "Absent": [],
    "TickMs": 0.312,
}

SENSORS: list[dict[str, Any]] = [
    {
        "Name": CPU, "Quantity": "temperature", "Unit": "°C", "Label": "CPU package", "Value": 93.4, "State": "ok",
        "Age": 0.0, "Critical": True, "Driver": "coretemp", "Maximum": 100.0, "CriticalLimit": 105.0, "Limit": 95.0,
        "LimitOrigin": "5 °C under max 100 °C", "Path": "/sys/class/hwmon/hwmon3/temp1_input", "Divisor": 1000.0,
    },
    {
        "Name": DISK, "Quantity": "temperature", "Unit": "°C", "Label": "Composite", "Value": 41.85, "State": "ok",
        "Age": 4.2, "Critical": False, "Driver": "nvme",
    },
    {
        "Name": BOARD, "Quantity": "temperature", "Unit": "°C", "Label": "AUXTIN4", "State": "rejected",
        "Reason": "216 is outside what is possible, -55 to 150", "Age": 0.0, "Critical": False, "Driver": "nct6798",
    },
    {
        "Name": "cpu.utilization", "Quantity": "utilization", "Unit": "", "Label": "CPU", "Value": 0.534, "State": "ok",
        "Age": 0.0, "Critical": False, "Driver": "",
    },
    {
        "Name": "platform_profile", "Quantity": "state", "Unit": "", "Label": "platform profile", "Value": "balanced",
        "State": "ok", "Age": 0.0, "Critical": False, "Driver": "",
    },
    {
        "Name": "hwmon.acpitz-acpi-0.temp1", "Quantity": "temperature", "Unit": "°C", "Label": "acpitz",
        "State": "absent", "Reason": "ENODATA", "Age": 0.0, "Critical": False, "Driver": "acpitz",
    },
]  # fmt: skip

TUNABLES: list[dict[str, Any]] = [
    {
        "Name": MAX_FREQ, "Role": "frequency_maximum", "Unit": "kHz", "Value": 3900000, "Found": 4600000,
        "Writer": "gamesad", "Minimum": 400000, "Maximum": 4600000,
        "Path": "/sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq",
    },
    {
        "Name": MAX_FREQ_1, "Role": "frequency_maximum", "Unit": "kHz", "Value": 3900000, "Found": 4600000,
        "Writer": "gamesad", "Minimum": 400000, "Maximum": 4600000,
    },
    {
        "Name": EPP, "Role": "energy_performance_preference", "Unit": "", "Value": "balance_performance",
        "Found": "balance_performance", "Writer": "found",
        "Choices": ["power", "balance_power", "balance_performance", "performance"],
    },
    {
        "Name": CAP, "Role": "power_limit", "Unit": "µW", "Value": 15000000, "Found": 28000000, "Writer": "other",
        "Minimum": 0, "Maximum": 28000000, "Override": 20000000,
        "Refused": f"{CAP} was not set to 20000000: EPERM, locked by firmware",
    },
]  # fmt: skip

PROPERTIES: dict[str, Any] = {
    "Version": "0.1.0",
    "ActiveProfile": "balanced",
    "SelectedProfile": "balanced",
    "Profiles": [
        {
            "Name": "quiet", "Description": "Less noise.", "Inherits": "", "PowerProfile": "power-saver",
            "Source": "built in", "Rank": 20,
        },
        {
            "Name": "balanced", "Description": "The machine as it was found.", "Inherits": "",
            "PowerProfile": "balanced", "Source": "built in", "Rank": 30,
        },
        {
            "Name": "gaming", "Description": "Steady frame times.", "Inherits": "performance",
            "PowerProfile": "performance", "Source": "gaming.toml", "Rank": 50,
        },
    ],
    "Mode": "active",
    "ThermalState": "hot",
    "LastDecision": DECISION,
    "Components": {"bus": "on", "journal": "off", "udev": "pyudev is not installed"},
}  # fmt: skip

ANSWERS: dict[str, Any] = {
    "status": STATUS,
    "sensors": SENSORS,
    "tunables": TUNABLES,
    "properties": PROPERTIES,
    "decisions": [{**DECISION, "Numbers": {"hottest_c": 93.4}}, {**DECISION, "Action": "noop", "Reason": "cool"}],
}
