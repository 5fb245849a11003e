"""A small machine for the deciding part: its tunables, its limits, and a heated block with a lagging sensor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gamesad.config import load
from gamesad.types import Controls, Heat, Intent, Limit, Profile, Role, Snapshot, Tunable, Value

CPU = "hwmon.coretemp-isa-0000.temp1"
DISK = "hwmon.nvme-pci-0100.temp1"
POWER = "powercap.intel-rapl:0.power"
PL1 = "powercap.intel-rapl:0.constraint_0_power_limit_uw"
MAX = "cpufreq.policy0.scaling_max_freq"
MIN = "cpufreq.policy0.scaling_min_freq"
GOVERNOR = "cpufreq.policy0.scaling_governor"
EPP = "cpufreq.policy0.energy_performance_preference"
EPB = "cpu0.energy_perf_bias"
NO_TURBO = "intel_pstate.no_turbo"
PLATFORM = "platform_profile"

_WORDS = ("power", "balance_power", "balance_performance", "performance")


def tunables(
    *, rapl: bool = True, policies: int = 1, governors: tuple[str, ...] = ("powersave", "performance")
) -> Controls:
    """An intel_pstate laptop: 0.8 to 4.8 GHz, 45 W, as its distribution set it up."""
    found: dict[str, Value] = {}
    made: list[Tunable] = []

    def add(tunable: Tunable, value: Value) -> None:
        made.append(tunable)
        found[tunable.name] = value

    choices = ("low-power", "balanced", "performance")
    add(Tunable(PLATFORM, Role.PLATFORM_PROFILE, "platform", "/p", choices=choices, persistent=True), "balanced")
    add(Tunable(NO_TURBO, Role.BOOST, "cpu", "/t", choices=("1", "0")), "0")
    for number in range(policies):
        policy = f"policy{number}"
        prefix = f"cpufreq.{policy}."
        add(Tunable(prefix + "scaling_governor", Role.GOVERNOR, policy, "/g", choices=governors), governors[0])
        add(
            Tunable(prefix + "energy_performance_preference", Role.EPP, policy, "/e", choices=_WORDS),
            "balance_performance",
        )
        low, high = 800_000, 4_800_000
        for name, role, value in (
            ("scaling_min_freq", Role.FREQUENCY_MINIMUM, low),
            ("scaling_max_freq", Role.FREQUENCY_MAXIMUM, high),
        ):
            range_khz: dict[str, Any] = {"minimum": low, "maximum": high, "default": value}
            add(Tunable(prefix + name, role, policy, "/f", unit="kHz", **range_khz), value)
        add(Tunable(f"cpu{number}.energy_perf_bias", Role.EPB, f"cpu{number}", "/b", maximum=15, inverted=True), 6)
    if rapl:
        watts: dict[str, Any] = {"minimum": 11_250_000, "maximum": 45_000_000, "default": 45_000_000}
        add(Tunable(PL1, Role.POWER_LIMIT, "package-0", "/w", unit="µW", **watts), 45_000_000)
    return Controls({tunable.name: tunable for tunable in made}, found)


def limit(name: str = CPU, target_c: float = 95.0, *, heat: Heat = Heat.CPU, critical: bool = True) -> Limit:
    return Limit(name, "CPU package", heat, critical, target_c, target_c + 1.5, target_c + 4.5, "for a test")


PROFILES: Mapping[str, Profile] = load(None, search=()).profiles


def intent(profile: str = "balanced", *, chosen: bool = False, **more: Any) -> Intent:
    return Intent(PROFILES[profile], chosen, cause="selected by uid 1000" if chosen else "", **more)


def snapshot(at_s: float, readings: Mapping[str, float], **more: Any) -> Snapshot:
    return Snapshot(int(at_s * 10), at_s, readings, **more)


class Block:
    """A first-order plant: power heats a mass that cools towards 30 °C, its sensor follows with a lag of a second.

    ``hot_c`` is where it would settle at full power; ``exponent`` how power grows with the frequency that is allowed.
    """

    def __init__(self, tau_s: float, hot_c: float, *, exponent: float = 1.0, held: bool = False) -> None:
        self.tau_s, self.hot_c, self.exponent, self.held = tau_s, hot_c, exponent, held
        self.load = 0.1
        self.now_s = 0.0
        self.true_c = self._lagging_c = self._shown_c = 40.0
        self._shown_s = -math.inf

    def advance(self, to_s: float, controls: Controls, settings: Mapping[str, Value]) -> float:
        """Runs up to a moment; gives what the sensor shows, fresh or in whole degrees once a second."""
        maximum = controls.tunables[MAX].maximum
        part = int(settings.get(MAX, controls.found[MAX])) / maximum
        power = self.load * (0.1 + 0.9 * part**self.exponent)
        while self.now_s < to_s:
            step_s = min(0.02, to_s - self.now_s)
            self.true_c += step_s * (30.0 + (self.hot_c - 30.0) * power - self.true_c) / self.tau_s
            self._lagging_c += step_s * (self.true_c - self._lagging_c)
            self.now_s += step_s
        if not self.held:
            return self._lagging_c
        if to_s - self._shown_s >= 1.0:
            self._shown_c, self._shown_s = float(math.floor(self._lagging_c)), to_s
        return self._shown_c
