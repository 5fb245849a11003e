"""The guest's firmware, seen from outside: the page of its memory that tests/guest/acpi/laptop.asl answers from."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from pathlib import Path

ADDRESS = 0x10000000
SIZE = 0x1000
_FIELDS = (
    *("temperature", "passive", "hot", "critical", "active", "ppc", "mains"),
    *("battery_state", "battery_rate_mw", "battery_remaining_mwh", "battery_full_mwh"),
    *("fan_level", "profile", "hotkey", "events"),
)
_LIMITS_CHANGED, _SUPPLY_CHANGED, _HOTKEY, _TRIPS_CHANGED = 1, 2, 4, 8
_PROFILES = {"low-power": 3, "balanced": 15, "performance": 2}
REST_C = 86.0
_PROFILE_KEY = 0x6032
"""TP_HKEY_EV_THM_CSM_COMPLETED: thinkpad_acpi then asks for the profile, and tells whoever waits for a change."""


class Firmware:
    """What the kernel is told at its next question. It asks for the temperature every half second, and that is also
    when what is announced here (supplies, limits, a key) reaches it."""

    def __init__(self, memory: Path) -> None:
        with memory.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), SIZE, offset=ADDRESS)

    def start(self) -> None:
        """A laptop at work, near its limit and at the mains; the platform profile stays, or is balanced at first."""
        self.set_trips(passive_c=None, hot_c=95.0, critical_c=105.0, active_c=88.0)
        self.temperature_c = REST_C
        self._set(ppc=0, mains=1)
        if not self._get("profile"):
            self._set(profile=_PROFILES["balanced"])
        self._set(battery_state=0, battery_rate_mw=0, battery_full_mwh=50000, battery_remaining_mwh=50000)

    @property
    def temperature_c(self) -> float | None:
        tenths = self._get("temperature")
        return tenths / 10 - 273.2 if tenths else None

    @temperature_c.setter
    def temperature_c(self, celsius: float | None) -> None:
        """None: the sensor answers with an error."""
        self._set(temperature=0 if celsius is None else _tenths_of_kelvin(celsius))

    def set_trips(self, *, passive_c: float | None, hot_c: float, critical_c: float, active_c: float) -> None:
        """None: there is no such trip. The guest notices after ``announce_all``, or at boot."""
        # 0 would be taken for a trip at -273 °C in some kernels and for none in others; 999 °C is never reached
        self._set(
            passive=_tenths_of_kelvin(999.0 if passive_c is None else passive_c),
            hot=_tenths_of_kelvin(hot_c),
            critical=_tenths_of_kelvin(critical_c),
            active=_tenths_of_kelvin(active_c),
        )

    def announce_all(self) -> None:
        """Whatever has changed."""
        self._announce(_LIMITS_CHANGED | _SUPPLY_CHANGED | _TRIPS_CHANGED)

    @property
    def ac_online(self) -> bool:
        return self._get("mains") == 1

    @ac_online.setter
    def ac_online(self, online: bool) -> None:
        """The plug is put in or pulled, and the battery does what follows from it."""
        self._set(mains=int(online), battery_state=0 if online else 1, battery_rate_mw=0 if online else 15000)
        self._announce(_SUPPLY_CHANGED)

    def set_battery(self, *, remaining_mwh: int, rate_mw: int) -> None:
        """``rate_mw`` above 0: it gives; below: it takes."""
        self._set(battery_remaining_mwh=remaining_mwh, battery_rate_mw=abs(rate_mw))
        self._set(battery_state=0 if rate_mw == 0 else 1 if rate_mw > 0 else 2)
        self._announce(_SUPPLY_CHANGED)

    @property
    def ppc(self) -> int:
        return self._get("ppc")

    @ppc.setter
    def ppc(self, number: int) -> None:
        """``_PPC``: the fastest performance state allowed; 0 is all of them."""
        self._set(ppc=number)
        self._announce(_LIMITS_CHANGED)

    @property
    def fan_level(self) -> int:
        """0 to 3, as the guest set it."""
        return self._get("fan_level")

    @property
    def platform_profile(self) -> str:
        mode = self._get("profile")
        return next((name for name, number in _PROFILES.items() if number == mode), f"mode {mode}")

    def press_profile_key(self, name: str) -> None:
        """Fn+L, Fn+M or Fn+H: the firmware changes the profile and tells the driver."""
        self._set(profile=_PROFILES[name], hotkey=_PROFILE_KEY)
        self._announce(_HOTKEY)

    @property
    def unanswered(self) -> bool:
        """Whether something that was announced has not reached the kernel yet."""
        return bool(self._get("events"))

    def close(self) -> None:
        self._page.close()

    def _announce(self, event: int) -> None:
        self._set(events=self._get("events") | event)

    def _get(self, field: str) -> int:
        return int(struct.unpack_from("<I", self._page, 4 * _FIELDS.index(field))[0])

    def _set(self, **values: int) -> None:
        for field, value in values.items():
            struct.pack_into("<I", self._page, 4 * _FIELDS.index(field), value)


def _tenths_of_kelvin(celsius: float) -> int:
    return round(celsius * 10) + 2732


def make_memory(folder: Path, size_mib: int) -> Path:
    """The file that is the guest's memory, all zero."""
    handle, path = tempfile.mkstemp(prefix="gamesad-memory-", dir=folder)
    os.truncate(handle, size_mib << 20)
    os.close(handle)
    return Path(path)
