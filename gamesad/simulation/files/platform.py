"""platform_profile, power supplies and the machine's identity.

platform_profile (drivers/acpi/platform_profile.c): a word the kernel does not know is EINVAL, one that this machine
does not offer is EOPNOTSUPP. The firmware moves its own power limit with it.
"""

from __future__ import annotations

import errno

from gamesad.simulation.kernel_text import match_string, refuse
from gamesad.simulation.plant import Plant
from gamesad.simulation.tree import Tree

_KNOWN_PROFILES = ("low-power", "cool", "quiet", "balanced", "balanced-performance", "performance", "max-power")
_DMI = "/sys/devices/virtual/dmi/id"
_SUPPLY = "/sys/devices/LNXSYSTM:00/LNXSYBUS:00"


class Platform:
    def __init__(self, tree: Tree, plant: Plant) -> None:
        self.tree = tree
        self.plant = plant
        self.profile = "balanced"
        kind = plant.kind
        for name, text in (
            ("product_name", kind.product),
            ("sys_vendor", "gamesad (simulated)"),
            ("board_name", kind.product),
            ("board_vendor", "gamesad (simulated)"),
            ("chassis_type", str(kind.chassis_type)),
            ("bios_version", "simulated"),
        ):
            tree.constant(f"{_DMI}/{name}", text)
        tree.link("/sys/class/dmi/id", _DMI)
        if kind.platform_profiles:
            self.firmware_profile("balanced")
            tree.constant("/sys/firmware/acpi/platform_profile_choices", " ".join(kind.platform_profiles))
            tree.file("/sys/firmware/acpi/platform_profile", lambda: self.profile, self._set_profile)
        if kind.battery_wh:
            self._supplies()

    def firmware_profile(self, name: str) -> None:
        """What a write does, or the Fn key behind the kernel's back."""
        self.profile = name
        factor = self.plant.kind.firmware_factor.get(name, 1.0)
        for socket in self.plant.sockets:
            socket.firmware_w = factor * self.plant.kind.short_limit_w

    def _set_profile(self, text: str) -> None:
        name = match_string(text, _KNOWN_PROFILES)
        if name not in self.plant.kind.platform_profiles:
            refuse(errno.EOPNOTSUPP)
        self.firmware_profile(name)

    def _supplies(self) -> None:
        tree, plant, kind = self.tree, self.plant, self.plant.kind
        mains = f"{_SUPPLY}/ACPI0003:00/power_supply/AC"
        battery = f"{_SUPPLY}/PNP0C0A:00/power_supply/BAT0"
        tree.constant(f"{mains}/type", "Mains")
        tree.file(f"{mains}/online", lambda: str(int(plant.mains)))
        full_uwh = round(kind.battery_wh * 1e6)

        def status() -> str:
            if not plant.mains:
                return "Discharging"
            return "Full" if plant.charge() > 0.995 else "Charging"

        def power_uw() -> str:
            return str(round(abs(plant.battery_w()) * 1e6))

        for name, text in (
            ("type", "Battery"),
            ("present", "1"),
            ("technology", "Li-ion"),
            ("scope", "System"),
            ("manufacturer", "simulated"),
            ("model_name", "simulated"),
            ("energy_full", str(full_uwh)),
            ("energy_full_design", str(full_uwh)),
            ("voltage_min_design", "15400000"),
        ):
            tree.constant(f"{battery}/{name}", text)
        tree.file(f"{battery}/status", status)
        tree.file(f"{battery}/capacity", lambda: str(round(plant.charge() * 100)))
        tree.file(f"{battery}/energy_now", lambda: str(round(plant.battery_wh * 1e6)))
        tree.file(f"{battery}/power_now", power_uw)
        tree.file(f"{battery}/voltage_now", lambda: str(round(14_000_000 + 2_400_000 * plant.charge())))
        tree.link("/sys/class/power_supply/AC", mains)
        tree.link("/sys/class/power_supply/BAT0", battery)
