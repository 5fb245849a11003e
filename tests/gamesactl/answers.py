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
FORECAST: dict[str, Any] = {
    "Name": CPU, "Label": "CPU package", "Horizon": 5.0, "Expected": 96.1, "Upper": 98.0, "Crossing": 0.62,
}  # fmt: skip

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

ANOMALY: dict[str, Any] = {
    "Sensor": CPU, "Label": "CPU package", "Sentence": "CPU package 14 °C above what 28 W usually give",
    "Score": 4.2, "Threshold": 2.5, "Since": 1764270000.0, "Active": True,
}  # fmt: skip

NEURAL: dict[str, Any] = {
    "State": "learning",
    "Seed": 0,
    "Machine": "LENOVO 21AH",
    "Forecast": {
        "State": "on", "Horizons": [1, 2, 3, 4, 5], "Confidence": 0.9,
        "Sensors": [
            {
                "Sensor": CPU, "Label": "CPU package", "Skill": 0.143, "Coverage": 0.907, "Samples": 7200,
                "Error": 0.4212, "Persistence": 0.4915,
                "Members": {"ridge": 0.61, "persistence": 0.13, "network": 0.26},
            },
            {"Sensor": DISK, "Label": "Composite", "Skill": -0.01, "Samples": 12},
        ],
    },
    "Policy": {
        "Mode": "shadow", "State": "learning", "Proposed": "throttle", "Reason": "the package will be 96 °C in 4 s",
        "Estimate": 0.121, "EstimateLow": 0.083, "EstimateHigh": 0.159, "RulesValue": 0.104, "Method": "doubly robust",
        "Steps": 5400, "Explored": 120, "Inputs": {"headroom": 1.6, "cpu": 0.534},
        "Proposals": [
            {"Time": 1764270001.0, "Action": "throttle", "InForce": "noop", "Reason": "96 °C in 4 s", "Would": "4 GHz"},
            {"Time": 1764269990.0, "Action": "noop", "InForce": "noop", "Reason": "cool enough"},
        ],
    },
    "Anomalies": {
        "State": "on", "Budget": 1.0, "Rate": 0.34, "Threshold": 2.5, "Score": 4.2, "Active": [ANOMALY],
        "Recent": [{**ANOMALY, "Sentence": "fan 1 stands still", "Until": 1764270060.0, "Active": False}],
    },
    "Life": {
        "Checkpoint": 1764269700.0, "Checkpoints": 24, "Rollbacks": 1, "SetAside": 0, "TickMs": 0.42, "BudgetMs": 2.0,
        "Yielded": {"training": 3, "mixture": 0}, "Memory": 2097152,
    },
}  # fmt: skip

ANSWERS: dict[str, Any] = {
    "status": STATUS,
    "sensors": SENSORS,
    "tunables": TUNABLES,
    "properties": PROPERTIES,
    "neural": NEURAL,
    "decisions": [{**DECISION, "Numbers": {"hottest_c": 93.4}}, {**DECISION, "Action": "noop", "Reason": "cool"}],
}
