"""Segments as a daemon would make them, small and with values that tell which tick they are of."""

from __future__ import annotations

import os
import signal
import time
from array import array
from typing import Any

from gamesad.crystal import layout
from gamesad.crystal.directory import Column, TunableRow
from gamesad.crystal.header import Header
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry

COLUMNS = 5
RINGS = ((60, 1), (60, 10), (60, 300))
NAMES = [f"hwmon.chip-isa-0000.temp{number}" for number in range(1, COLUMNS + 1)]


def segment(path: str, **changed: Any) -> Segment:
    settings: dict[str, Any] = {
        "columns": COLUMNS, "tunables": 3, "version": "1.2.3", "simulated": False, "pool_max": 8 << 20,
        "rings": RINGS, "decisions": 8, "stale_after_s": 5.0,
    }  # fmt: skip
    return Segment.create(path, **{**settings, **changed})


def directory() -> tuple[list[Column], list[TunableRow]]:
    columns = [
        Column(
            name, label=f"Core {place} °C", unit="°C", quantity="temperature", driver="chip", heat="cpu",
            critical=place == 0, minimum=None, maximum=80.0 + place, critical_limit=95.0,
        )
        for place, name in enumerate(NAMES)
    ]  # fmt: skip
    tunables = [
        TunableRow("cpufreq.policy0.scaling_governor", "governor", choices=("powersave", "performance")),
        TunableRow("cpufreq.policy0.scaling_max_freq", "frequency_maximum", unit="kHz", minimum=-1, maximum=4_000_000),
    ]
    return columns, tunables


def started(path: str, **changed: Any) -> tuple[Segment, Telemetry]:
    """With a directory, and no tick yet."""
    made = segment(path, **changed)
    telemetry = Telemetry(made)
    telemetry.directory(*directory())
    return made, telemetry


def tick(telemetry: Telemetry, number: int, **changed: Any) -> None:
    """Everything in it is ``number``."""
    columns = telemetry.columns
    fields: dict[str, Any] = {
        "tick": number, "monotonic_ns": time.monotonic_ns(), "wall_ns": time.time_ns(), "duration_s": 0.001,
        "uptime_s": 60.0, "thermal_state": "warm", "mode": "active", "action": "throttle", "source": "rule",
        "values": array("d", [number] * columns), "limits": array("d", [number] * columns),
        "ages_s": array("f", [0.0] * columns), "states": bytearray([layout.OK] * columns),
        "text": text(number),
    }  # fmt: skip
    telemetry.latest(**{**fields, **changed})


def killed(path: str, ticks: int = 1) -> None:
    """Leaves what a daemon leaves that is killed after so many ticks."""
    child = os.fork()
    if not child:
        _, telemetry = started(path)
        for number in range(1, ticks + 1):
            tick(telemetry, number)
            telemetry.decision(float(number), "throttle", "rule", f"s\tReason\tnumber {number}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def text(number: int) -> bytes:
    """Long enough for a copy of it to be overtaken."""
    return f"i\tNumber\t{number}\ns\tMany\t{str(number) * 1000}\n".encode()


def offset_of(path: str, place: int) -> int:
    """Where a section of the segment at the path begins."""
    with open(path, "rb") as file:
        return Header(file.read(layout.HEADER_SIZE), path).sections[place][0]
