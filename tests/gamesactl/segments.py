"""A segment as a daemon would publish it for the laptop of ``answers``, at a path of the test's own."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import nan
from typing import Any

from gamesad.crystal import layout
from gamesad.crystal.directory import Column
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from tests.gamesactl.answers import BOARD, CPU, DISK, STATUS

_UNITS = {"temperature": "°C", "power": "W", "frequency": "Hz", "fan": "rpm"}
COLUMNS = [
    Column(CPU, label="CPU package", unit="°C", quantity="temperature", driver="coretemp", heat="cpu", critical=True),
    Column(DISK, label="Composite", unit="°C", quantity="temperature", driver="nvme", heat="other"),
    Column(BOARD, label="AUXTIN4", unit="°C", quantity="temperature", driver="nct6798", heat="other"),
    *(
        Column(name, label=name, unit=_UNITS.get(quantity, ""), quantity=quantity)
        for name, quantity in (
            ("powercap.intel-rapl:0.power", "power"),
            ("cpufreq.policy0.frequency", "frequency"),
            ("cpufreq.policy1.frequency", "frequency"),
            ("hwmon.thinkpad-isa-0000.fan1", "fan"),
            ("cpu.utilization", "utilization"),
            ("memory.utilization", "utilization"),
            ("power_supply.BAT0.charge", "utilization"),
        )
    ),
]
VALUES = [93.4, 41.85, nan, 28.3, 3.9e9, 2.1e9, 2304.0, 0.534, 0.41, 0.81]
LIMITS = [95.0] + [nan] * 9
TEXT: dict[str, Any] = {
    **{key: STATUS[key] for key in ("Version", "Machine", "Simulated", "ActiveProfile", "SelectedProfile")},
    **{key: STATUS[key] for key in ("ProfileCause", "LastDecision")},
    "States": {"power_supply.BAT0.status": "Discharging"},
}


@contextmanager
def published(
    path: str,
    *,
    stale_after_s: float = 3600.0,
    columns: Sequence[Column] = COLUMNS,
    values: Sequence[float] = VALUES,
    limits: Sequence[float] = LIMITS,
    **text: Any,
) -> Iterator[Segment]:
    """One tick of it; ``text`` replaces parts of its words. It stays at the path, as after a SIGKILL."""
    segment = Segment.create(
        path, columns=len(columns), tunables=0, version="0.1.0", simulated=False, pool_max=1 << 20,
        stale_after_s=stale_after_s,
    )  # fmt: skip
    telemetry = Telemetry(segment)
    telemetry.directory(columns, [])
    states = bytearray(layout.OK if value == value else layout.REJECTED for value in values)
    telemetry.latest(
        tick=7, monotonic_ns=time.monotonic_ns(), wall_ns=time.time_ns(), duration_s=0.000312, uptime_s=7500.4,
        thermal_state="hot", mode="active", action="throttle", source="rule", values=array("d", values),
        limits=array("d", limits), ages_s=array("f", [0.0] * len(columns)), states=states,
        text=layout.to_text({**TEXT, **text}).encode(),
    )  # fmt: skip
    try:
        yield segment
    finally:
        if os.path.exists(path):
            segment.close(unlink=True)
