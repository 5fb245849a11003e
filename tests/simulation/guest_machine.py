"""The guest of tests/guest as a simulated machine: the same files with the same values, for one table of errnos."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gamesad.simulation import Machine, open_machine
from gamesad.simulation.kinds import LAPTOP, CoreKind, Graphics, Scaling
from gamesad.simulation.scenarios import SCENARIOS

GUEST = replace(
    LAPTOP,
    name="guest",
    scaling=Scaling.ACPI_CPUFREQ,
    cores=(CoreKind("core", 2, 1_200_000, 3_000_000, 3_000_000, 1_200_000, 0.7, 1.2, 2.0, 0.5),),
    frequencies_khz=(3_000_000, 2_400_000, 1_800_000, 1_200_000),
    governor="schedutil",
    long_limit_w=65.0,
    short_limit_w=95.0,
    graphics=Graphics("Card", "amdgpu", 14.0, 200.0, 2400.0, 11.0, 45.0, 1.5, 9.0, 700.0, 3300.0),
    fan_chip="nct6798",
    has_boost=False,
    has_epb=False,
)


def opened(name: str, *, seed: int = 0, clock: Callable[[], float] = time.monotonic) -> Machine:
    """The machine ``guest/SCENARIO``, or any that gamesad knows itself."""
    kind, _, scenario = name.partition("/")
    return (
        Machine(GUEST, SCENARIOS[scenario], seed, clock)
        if kind == "guest"
        else open_machine(name, seed=seed, clock=clock)
    )
