"""/proc: stat, meminfo, loadavg, pressure, cpuinfo and what names the boot. Formats: man 5 proc, accounting/psi.rst."""

from __future__ import annotations

from functools import partial

from gamesad.simulation.files.cpufreq import Cpufreq
from gamesad.simulation.noise import uniform
from gamesad.simulation.plant import Plant
from gamesad.simulation.tree import Tree

_HZ = 100


def build(tree: Tree, plant: Plant, cpufreq: Cpufreq) -> None:
    digits = "".join(f"{round((uniform(plant.seed, 0, place) + 0.5) * 255):02x}" for place in range(16))
    boot_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    kind = plant.kind
    tree.file("/proc/stat", lambda: stat_text(plant, cpufreq))
    tree.file("/proc/meminfo", lambda: meminfo_text(plant))
    tree.file("/proc/loadavg", lambda: loadavg_text(plant))
    tree.file("/proc/uptime", lambda: f"{plant.time_s + 60.0:.2f} {plant.time_s:.2f}")
    for name in ("cpu", "memory", "io"):
        tree.file(f"/proc/pressure/{name}", partial(pressure_text, plant, name))
    tree.file("/proc/cpuinfo", lambda: cpuinfo_text(plant, cpufreq))
    tree.constant("/proc/sys/kernel/random/boot_id", boot_id)
    tree.constant("/proc/sys/kernel/osrelease", "6.12.0-gamesad-simulated")
    tree.constant("/proc/version", f"Linux version 6.12.0-gamesad-simulated (simulated {kind.name})")


def loadavg_text(plant: Plant) -> str:
    averages = " ".join(f"{load:.2f}" for load in plant.load_average)
    return f"{averages} {round(plant.runnable)}/400 4242"


def stat_text(plant: Plant, cpufreq: Cpufreq) -> str:
    rows, totals = [], [0, 0]
    up_s = plant.time_s + 60.0
    for policy in cpufreq.policies:
        busy = round(plant.busy_s[policy.cpu] * _HZ)
        idle = max(round(up_s * _HZ) - busy, 0)
        totals[0] += busy
        totals[1] += idle
        if cpufreq.online[policy.cpu]:
            rows.append(f"cpu{policy.cpu} {busy * 9 // 10} 0 {busy - busy * 9 // 10} {idle} 0 0 0 0 0 0")
    first = f"cpu  {totals[0] * 9 // 10} 0 {totals[0] - totals[0] * 9 // 10} {totals[1]} 0 0 0 0 0 0"
    runnable = round(plant.runnable) + 1
    tail = ["intr 0", "ctxt 0", "btime 1700000000", "processes 4242", f"procs_running {runnable}", "procs_blocked 0"]
    return "\n".join([first, *rows, *tail])


def meminfo_text(plant: Plant) -> str:
    total = plant.kind.memory_kib
    used = round(total * min(0.2 + 0.5 * plant.runnable / max(plant.cpu_count, 1), 0.75))
    swap = 4 * 1024 * 1024
    rows = {
        "MemTotal": total,
        "MemFree": total - used - total // 10,
        "MemAvailable": total - used,
        "Buffers": total // 50,
        "Cached": total // 12,
        "SwapCached": 0,
        "SwapTotal": swap,
        "SwapFree": swap,
    }
    return "\n".join(f"{name + ':':<15} {kib:8d} kB" for name, kib in rows.items())


def pressure_text(plant: Plant, name: str) -> str:
    part = {"cpu": 100.0, "memory": 0.0, "io": 4.0}[name]
    spans = zip((10, 60, 300), plant.pressure, strict=True)
    average = " ".join(f"avg{span}={part * value:.2f}" for span, value in spans)
    total = round(plant.pressure_total_s * part * 1e4)
    full = "full avg10=0.00 avg60=0.00 avg300=0.00 total=0"
    return f"some {average} total={total}\n{full}"


def cpuinfo_text(plant: Plant, cpufreq: Cpufreq) -> str:
    kind = plant.kind
    family = 6 if kind.vendor == "GenuineIntel" else 25
    return "\n\n".join(
        f"processor\t: {policy.cpu}\nvendor_id\t: {kind.vendor}\ncpu family\t: {family}\n"
        f"model\t\t: 1\nmodel name\t: {kind.cpu_model}\ncpu MHz\t\t: {policy.core.khz / 1000.0:.3f}"
        for policy in cpufreq.policies
        if cpufreq.online[policy.cpu]
    )
