"""Logs in the style of each format, made in tests: two sensors that move, what heats them, and what programs add."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

ROWS = 40


def cpu_c(second: int) -> float:
    return round(60 + 15 * math.sin(second / 7), 1)


def gpu_c(second: int) -> float:
    return 50.0 + second % 11


def power_w(second: int) -> float:
    return round(30 + 12 * math.sin(second / 7), 1)


def load_percent(second: int) -> float:
    return round(50 + 45 * math.sin(second / 7), 1)


MANGOHUD_COLUMNS = "fps,frametime,cpu_load,cpu_power,gpu_load,cpu_temp,gpu_temp,gpu_core_clock,ram_used,elapsed"


def _mangohud_rows(rows: int, step_s: float) -> list[str]:
    found = []
    for row in range(rows):
        at_s = (row + 1) * step_s
        second = int(at_s)
        found.append(
            f"60.1,16.6,{load_percent(second)},{power_w(second)},90,{cpu_c(second):.0f},{gpu_c(second):.0f},2100,8.1,"
            f"{int(at_s * 1e9)}"
        )
    return found


def mangohud(rows: int = ROWS * 10, step_s: float = 0.1) -> str:
    """With the banners of "v1"."""
    return "\n".join([
        "v1", "0.8.1", "---------------------SYSTEM INFO---------------------",
        "os,cpu,gpu,ram,kernel,driver,cpuscheduler",
        "Arch Linux,A Processor,A Card,32000000,6.17.4,,performance",
        "--------------------FRAME METRICS--------------------", MANGOHUD_COLUMNS, *_mangohud_rows(rows, step_s),
    ]) + "\n"  # fmt: skip


def mangohud_plain(rows: int = ROWS * 2, step_s: float = 0.5) -> str:
    """As before "v1"."""
    head = [
        "os,cpu,gpu,ram,kernel,driver,cpuscheduler",
        "Linux,A Processor,A Card,32000000,6.1,,powersave",
        MANGOHUD_COLUMNS,
    ]
    return "\n".join([*head, *_mangohud_rows(rows, step_s)]) + "\n"


HWINFO_FILLER = 430


def hwinfo(
    rows: int = ROWS,
    *,
    stamp: Callable[[int], str] = lambda second: f"13.8.2025|13:{58 + second // 60}:{second % 60}.0{second % 10}0",
    mark: str = ",",
    comma: str = ".",
) -> bytes:
    """440 columns in latin-1; at the end the header and the devices once more."""
    names = ["Date", "Time", "Total CPU Usage [%]", "CPU Package [°C]", "Core Max [°C]", "CPU Package [°C]",
             "Core 0 Distance to TjMAX [°C]", "CPU Package Power [W]", "PL1 Power Limit (Static) [W]",
             "GPU Temperature [°C]", "GPU Thermal Limit [°C]", "GPU Power [W]", "GPU Core Load [%]",
             "Drive Failure [Yes/No]"]  # fmt: skip
    names += [f"Virtual Memory {number} [MB]" for number in range(HWINFO_FILLER - 4)]
    header = mark.join([*names[:2], *(f'"{name}"' for name in names[2:])]) + mark
    lines = [header]
    for second in range(rows):
        values = [load_percent(second), cpu_c(second), cpu_c(second), cpu_c(second) + 1, 40.0, power_w(second), 45.0,
                  gpu_c(second), 83.0, 120.5, 77.0]  # fmt: skip
        cells = [str(value).replace(".", comma) for value in values] + ["No"] + ["123"] * (HWINFO_FILLER - 4)
        lines.append(stamp(second).replace("|", mark) + mark + mark.join(cells) + mark)
    lines += [header, mark * 2 + mark.join(["System: A Laptop"] * (len(names) - 2)) + mark]
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


TURBOSTAT_COLUMNS = "Package\tCore\tCPU\tAvg_MHz\tBusy%\tBzy_MHz\tCoreTmp\tPkgTmp\tPkgWatt"


def turbostat(rows: int = ROWS, *, times: bool = True) -> str:
    """Two cores of two threads; a header before each moment."""
    lines = ["turbostat version 2024.12.03 - Len Brown <lenb@kernel.org>", "cpu0: MSR_PLATFORM_INFO: 0x804043df0811900"]
    for second in range(rows):
        cpu = round(cpu_c(second))
        all_of = f"-\t-\t-\t900\t{load_percent(second)}\t2400\t{cpu}\t{cpu}\t{power_w(second)}"
        threads = [f"0\t0\t0\t900\t50.0\t2400\t{cpu - 1}\t{cpu}\t{power_w(second)}", "0\t0\t1\t900\t50.0\t2400",
                   f"0\t1\t2\t900\t50.0\t2400\t{cpu}", "0\t1\t3\t900\t50.0\t2400"]  # fmt: skip
        stamp = f"{1737461761.5 + second}\t" if times else ""
        first = "Time_Of_Day_Seconds\t" if times else ""
        lines += [first + TURBOSTAT_COLUMNS, *(stamp + row for row in (all_of, *threads))]
    return "\n".join(lines) + "\n"


def _chips(second: int) -> dict[str, object]:
    return {
        "coretemp-isa-0000": {
            "Adapter": "ISA adapter",
            "Package id 0": {"temp1_input": cpu_c(second), "temp1_max": 100.0, "temp1_crit": 100.0},
        },
        "amdgpu-pci-0300": {
            "Adapter": "PCI adapter",
            "edge": {"temp1_input": gpu_c(second), "temp1_crit": 100.0},
            "PPT": {"power1_average": power_w(second)},
            "fan1": {"fan1_input": 1200.0},
        },
        "nvme-pci-0100": {"Adapter": "PCI adapter", "Composite": {"temp1_input": 39.85, "temp1_alarm": 0.0}},
    }


def sensors_json(rows: int = ROWS, *, times: bool = True) -> str:
    """``while date +%s; sensors -j; do sleep 1; done``"""
    return "".join(
        (f"{1764270000 + second}\n" if times else "") + json.dumps(_chips(second), indent=3) + "\n"
        for second in range(rows)
    )


def sensors_raw(rows: int = ROWS) -> str:
    """``sensors -u``"""
    found = []
    for second in range(rows):
        for chip, features in _chips(second).items():
            assert isinstance(features, dict)
            found.append(f"{chip}\nAdapter: {features['Adapter']}")
            for label, values in features.items():
                if isinstance(values, dict):
                    found.append(f"{label}:\n" + "\n".join(f"  {key}: {value:.3f}" for key, value in values.items()))
            found.append("")
    return "\n".join(found)


def sensors_plain(rows: int = ROWS) -> str:
    """``sensors``"""
    return "".join(
        f"coretemp-isa-0000\nAdapter: ISA adapter\n"
        f"Package id 0:  +{cpu_c(second)}°C  (high = +86.0°C, crit = +100.0°C)\n\n"
        f"amdgpu-pci-0300\nAdapter: PCI adapter\nedge:         +{gpu_c(second)}°C\n"
        f"PPT:          {power_w(second):.2f} W\n\n"
        for second in range(rows)
    )


def table(
    header: Sequence[str], stamp: Callable[[int], str], rows: int = ROWS, mark: str = ",", comma: str = "."
) -> str:
    """Time, CPU °C, GPU °C, CPU W, CPU %."""
    lines = [mark.join(header)]
    for second in range(rows):
        values = (cpu_c(second), gpu_c(second), power_w(second), load_percent(second))
        lines.append(mark.join([stamp(second), *(str(value).replace(".", comma) for value in values)]))
    return "\n".join(lines) + "\n"


PLAIN = ("time_s", "cpu[°C]", "gpu[°C]", "cpu[W]", "cpu[%]")


def plain(rows: int = ROWS) -> str:
    return table(PLAIN, str, rows)


def flight(rows: int = ROWS) -> str:
    columns = [
        {"Name": "hwmon.coretemp-isa-0000.temp1", "Label": "CPU package", "Quantity": "temperature", "Unit": "°C"},
        {"Name": "battery.status", "Label": "Battery", "Quantity": "state", "Unit": ""},
        {"Name": "cpu.utilization", "Label": "CPU", "Quantity": "utilization", "Unit": ""},
    ]
    values = [
        [1764270000.0 + row, cpu_c(row) if row != 5 else None, None, load_percent(row) / 100] for row in range(rows)
    ]
    return json.dumps({"Version": 1, "Reason": "alert", "Text": "hot", "Began": 1764270000.0, "Ended": 1764270039.0,
                       "Rows": values, "Columns": columns, "Events": [], "Decisions": []})  # fmt: skip


def export(rows: int = ROWS) -> str:
    """``gamesactl export --format csv``: one sensor after the other."""
    lines = ["Time,Sensor,Label,Quantity,Unit,Minimum,Mean,Maximum"]
    told = (("hwmon.k10temp-pci-00c3.temp1", "Tctl", "temperature", "°C", cpu_c),
            ("powercap.intel-rapl:0.power", "package-0", "power", "W", power_w))  # fmt: skip
    for name, label, quantity, unit, value in told:
        lines += [
            f"2026-01-31T13:05:{second:02d}.000+00:00,{name},{label},{quantity},{unit},{value(second) - 1},"
            f"{value(second)},{value(second) + 1}"
            for second in range(rows)
        ]
    return "\r\n".join(lines) + "\r\n"
