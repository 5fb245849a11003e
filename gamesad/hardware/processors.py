"""Which processor this is, and how hot its maker lets it get, for drivers that do not say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gamesad.hardware.sysfs import Sysfs


@dataclass(frozen=True, slots=True)
class Processor:
    """The first processor of /proc/cpuinfo; empty where the architecture says nothing of the kind."""

    vendor: str = ""
    family: int = 0
    name: str = ""
    flags: frozenset[str] = frozenset()


def processor(sysfs: Sysfs) -> Processor:
    try:
        text = sysfs.read("/proc/cpuinfo")
    except OSError:
        return Processor()
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            break  # the empty line after the first processor
        fields[key.strip()] = value.strip()
    family = re.fullmatch(r"[0-9]{1,3}", fields.get("cpu family", ""))
    return Processor(
        fields.get("vendor_id", ""),
        int(family[0]) if family else 0,
        fields.get("model name", ""),
        frozenset(fields.get("flags", "").split()),
    )


_AMD_MAXIMUM_C: tuple[tuple[str, float], ...] = (
    # AMD's "Max. Operating Temperature (Tjmax)" per product page. Where k10temp shows Tdie apart from Tctl, the limit
    # of 95 °C is one of Tctl, so Tdie's is lower by the offset in k10temp.c, tctl_offset_table.
    (r"Threadripper (19|29)[0-9]{2}", 68.0),
    (r"Ryzen [57] 1[678]00X", 75.0),
    (r"Ryzen 7 2700X", 85.0),
    (r"Ryzen [579] (PRO )?9[0-9]{3}X3D", 95.0),
    (r"Ryzen [579] (PRO )?[0-9]{4}X3D", 89.0),
    (r"Ryzen [579] (PRO )?(4[0-9]{3}|5[0-9]{3})(H|HS|HX|U|C)\b", 105.0),
    (r"Ryzen [3579] (PRO )?6[0-9]{3}(H|HS|HX|U|C)\b", 95.0),
    (r"Ryzen [3579] (PRO )?[789][0-9]{3}(H|HS|HX|HX3D|U|C)\b|Ryzen AI|Ryzen Z[12]|Ryzen [3579] 2[0-9]{2}\b", 100.0),
    (r"Ryzen 5 5600X\b", 95.0),
    (r"Ryzen [579] (PRO )?5[0-9]{3}X?\b", 90.0),
)
_ZEN_C = 95.0
_BEFORE_ZEN_C = 70.0
"""Families 10h to 16h: Tctl is on a scale of its own on which 70 is where maximum cooling is needed (k10temp.rst)."""
_ZONE_C: tuple[tuple[str, float], ...] = (
    ("bcm2835_thermal", 85.0),  # the Raspberry Pi's firmware throttles at 85 °C
    ("x86_pkg_temp", 95.0),  # a zone without trips; TjMax is 90 to 105 °C, and only coretemp knows it
)
_OTHER_CPU_C = 90.0


def default_critical_c(name: str, cpu: Processor) -> float:
    """The limit of a critical sensor for which hardware states none."""
    if name in {"k10temp", "zenpower"}:
        if cpu.family and cpu.family < 0x17:
            return _BEFORE_ZEN_C
        return next((limit_c for pattern, limit_c in _AMD_MAXIMUM_C if re.search(pattern, cpu.name)), _ZEN_C)
    return next((limit_c for zone, limit_c in _ZONE_C if zone == name), _OTHER_CPU_C)
