"""How soon to tick again: every bound is in seconds, near a limit often, cool and quiet seldom."""

from __future__ import annotations

from dataclasses import dataclass

from gamesad.telemetry.history import least_headroom
from gamesad.types import Mode, Tick

NEAR_C = 15.0
_BUSY_UTILIZATION = 0.25
_RISE_C = 3.0
_BUSY_PERIOD_S = 1.0
_QUIET_EVERYTHING_S = 10.0


@dataclass(frozen=True, slots=True)
class Cadence:
    """Seconds to the next tick, and to the next tick that reads everything and not the critical sensors alone."""

    period_s: float
    everything_s: float


def cadence(tick: Tick, previous: Tick | None, *, fastest_s: float, slowest_s: float) -> Cadence:
    """Within 15 °C of a limit, or while something is held back, every ``fastest_s``: a crossing is acted on within 1 s.

    Busy or warming, every second; cool and quiet, critical sensors every ``slowest_s`` and the rest every 10 s.
    """
    closest = least_headroom(tick)
    if (closest and closest[1] < NEAR_C) or tick.mode is Mode.FAILSAFE:
        return Cadence(fastest_s, min(_BUSY_PERIOD_S, slowest_s))
    busy = tick.snapshot.readings.get("cpu.utilization", 0.0) > _BUSY_UTILIZATION
    if busy or _rising(closest, previous):
        period_s = max(fastest_s, min(_BUSY_PERIOD_S, slowest_s))
        return Cadence(period_s, period_s)
    return Cadence(slowest_s, max(_QUIET_EVERYTHING_S, slowest_s))


def _rising(closest: tuple[str, float] | None, previous: Tick | None) -> bool:
    before = least_headroom(previous) if previous else None
    return closest is not None and before is not None and before[1] - closest[1] > _RISE_C
