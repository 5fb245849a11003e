"""One socket: what frequency each core runs at, what power that takes, and the hardware's own two limiters.

Frequency: the governor's or the hardware's wish from load (drivers/cpufreq, HWP), inside the policy's limits, then
under what RAPL's running average allows and what the thermal control circuit allows. Sources: docs/simulation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from gamesad.simulation.kinds import CoreKind, MachineKind

_SLOWEST_KHZ = 100_000.0  # with clock modulation: below the lowest P-state the hardware skips cycles
_RAPL_RESPONSE_S = 1.0
_TCC_STEP = 0.95
_TCC_STEP_PER_C = 0.05
_TCC_RELEASE = 1.006
_TCC_HYSTERESIS_C = 1.0
_LEAKAGE_E_FOLD_C = 35.0
_GATED = 0.15  # of a core's leakage remains when it idles power-gated


@dataclass(slots=True)
class Wish:
    """What software asks of one core, made from its policies whenever one is written."""

    governor: str
    low_khz: float
    high_khz: float
    eager: float = 1.25
    """Frequency asked per utilization; schedutil's is 1.25 (kernel/sched/cpufreq_schedutil.c)."""
    set_khz: float = 0.0


@dataclass(slots=True)
class Core:
    kind: CoreKind
    cpus: tuple[int, ...]
    wish: Wish
    khz: float
    utilization: float = 0.0
    power_w: float = 0.0
    online: bool = True
    noise: float = 1.0


@dataclass(slots=True)
class PowerLimit:
    """One RAPL constraint; ``average_w`` is the running average that it holds under ``limit_w``."""

    limit_w: float
    window_s: float
    enabled: bool = True
    average_w: float = 0.0

    def allowed_w(self) -> float:
        """What may be drawn now so that the average meets the limit and does not pass it."""
        if not self.enabled:
            return float("inf")
        room_w = (self.limit_w - self.average_w) * max(self.window_s / _RAPL_RESPONSE_S - 1.0, 0.0)
        return max(self.limit_w + room_w, 0.0)

    def account(self, power_w: float, dt_s: float) -> None:
        part = min(dt_s / max(self.window_s, dt_s), 1.0)
        self.average_w += (power_w - self.average_w) * part


class Socket:
    """``step`` sets each core's frequency and power; the temperatures come from the thermal network afterwards."""

    def __init__(self, kind: MachineKind, cores: list[Core]) -> None:
        self.kind = kind
        self.cores = cores
        long_w = kind.long_limit_w or kind.fixed_limit_w
        self.long = PowerLimit(long_w, 27.983872)
        self.short = PowerLimit(kind.short_limit_w or kind.fixed_limit_w * 1.1, 0.00244)
        self.firmware_w = float("inf")
        self.thermal_cap = 1.0
        self.power_cap = 1.0
        self.power_w = 0.0
        self.cores_w = 0.0
        self.uncore_w = 0.0
        self.throttled = False
        self.throttle_count = 0
        self.throttle_ms = 0.0

    def step(
        self, dt_s: float, temperature_c: Sequence[float], package_c: float, *, activity: float, uncore: float
    ) -> None:
        kind = self.kind
        self.uncore_w = kind.uncore_idle_w + kind.uncore_load_w * uncore
        self.uncore_w *= 1.0 + 0.003 * (package_c - 60.0)
        allowed_w = min(self.long.allowed_w(), self.short.allowed_w(), self.firmware_w)
        leakage = [exp((t - 60.0) / _LEAKAGE_E_FOLD_C) for t in temperature_c]
        wished = [self._wished(core) for core in self.cores]
        # From the last step's frequency on: power goes with about f^2.5 between the knee and the top.
        cap = self.power_cap * min((allowed_w / max(self.power_w, 0.1)) ** 0.4, 2.0)
        cap = max(min(cap, self.thermal_cap), 0.01)
        total = self._run(wished, cap, leakage, activity)
        for _ in range(8):
            if total <= allowed_w or cap <= 0.01:
                break
            cap *= max(min((allowed_w / total) ** 0.4, 0.995), 0.25)
            total = self._run(wished, cap, leakage, activity)
        self.power_cap = cap
        self.power_w = total
        self.long.account(total, dt_s)
        self.short.account(total, dt_s)

    def regulate(self, hottest_c: float, dt_s: float) -> None:
        """The thermal control circuit: less while at TjMax, back slowly when a degree below."""
        limit_c = self.kind.tj_max_c
        if hottest_c >= limit_c:
            step = max(_TCC_STEP - _TCC_STEP_PER_C * (hottest_c - limit_c), 0.7)
            self.thermal_cap = max(self.thermal_cap * step, 0.02)
            if not self.throttled:
                self.throttle_count += 1
            self.throttled = True
        elif hottest_c < limit_c - _TCC_HYSTERESIS_C:
            self.throttled = False
            self.thermal_cap = min(self.thermal_cap * _TCC_RELEASE, 1.0)
        if self.throttled:
            self.throttle_ms += dt_s * 1000.0

    def _run(self, wished: list[float], cap: float, leakage: list[float], activity: float) -> float:
        """Every core at what it wished, under ``cap`` (a part of its kind's highest frequency); the power of all."""
        cores_w = 0.0
        for core, want_khz, leak in zip(self.cores, wished, leakage, strict=True):
            if not core.online:
                core.khz = core.power_w = 0.0
                continue
            kind = core.kind
            khz = kind.maximum_khz * cap
            khz = min(khz, want_khz)
            khz = max(khz, _SLOWEST_KHZ)
            volts = kind.volts(khz)
            busy = core.utilization
            dynamic = kind.switched_nf * volts * volts * khz * 1e-6 * busy * activity * core.noise
            core.khz = khz
            core.power_w = power_w = dynamic + kind.leakage_w * volts * leak * (_GATED + (1.0 - _GATED) * busy)
            cores_w += power_w
        self.cores_w = cores_w
        return cores_w + self.uncore_w

    def _wished(self, core: Core) -> float:
        wish = core.wish
        low, high = wish.low_khz, wish.high_khz
        busy = core.utilization
        match wish.governor:
            case "schedutil" | "hardware":  # the hardware's own choice under HWP or CPPC is of the same form
                khz = max(low, core.khz)
                khz *= 2.0 if busy > 0.98 else max(wish.eager * busy, 0.7)  # down over a few tenths of a second
            case "performance":
                khz = high
            case "powersave":
                khz = low
            case "userspace":
                khz = wish.set_khz
            case "conservative":
                khz = _conservative(core, high)
            case _:  # ondemand
                khz = high if busy > 0.95 else low + busy * (high - low)
        if khz < low:
            return low
        return min(high, khz)


def _conservative(core: Core, high_khz: float) -> float:
    """Up above 80 % and down below 20 %, 5 % at a time (Documentation/admin-guide/pm/cpufreq.rst)."""
    if core.utilization > 0.8:
        return core.khz + 0.05 * high_khz
    if core.utilization < 0.2:
        return core.khz - 0.05 * high_khz
    return core.khz
