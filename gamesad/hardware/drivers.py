"""What is known of each driver: what heats its sensors, which of them the machine depends on, and its odd habits.

Keys are the hwmon ``name`` and the thermal zone ``type``. Sources: Documentation/hwmon/*.rst, the drivers themselves,
and the processor makers' specifications of the maximum operating temperature (Tjmax).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gamesad.hardware.chips import Chip, word
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Heat, Sensor, SensorLimits

LOWEST_C = -40.0
"""Below this no electronics is specified; probes that are not plugged in read -44, -55 or -128 °C."""
HIGHEST_C = 126.0
"""All silicon has switched itself off by 125 °C. 127, 127.9, 128, 216 and 255 °C are what open diodes read."""


@dataclass(frozen=True, slots=True)
class Driver:
    """``period_s`` above 0: reading blocks (a bus, a disk, an embedded controller), so off the tick and this often.

    ``lowest_c``: embedded controllers and Super-I/O chips answer 0 °C for a probe that was never fitted.
    ``states_maximum``: ``temp*_max`` is a limit, not a point where fans should run faster.
    """

    heat: Heat | None = Heat.OTHER
    period_s: float = 0.0
    lowest_c: float = LOWEST_C
    states_maximum: bool = True


_CPU_ZONE = r"(?i:([bm]?cpu(ss)?|big-?core|little-?core|cluster)([-_0-9].*)?)|bcm2835_thermal"
_PACKAGE_ZONE = r"(?i:(soc|package|ap)([-_0-9].*)?)"
_ACPI_ZONE = r"TCPU.*|B0D4|CPUZ"

_CPU = Driver(Heat.CPU)
_GPU = Driver(Heat.GPU)
_EC = Driver(period_s=2.0, lowest_c=0.5)
_SUPER_IO = Driver(lowest_c=0.5)
_BUS = Driver(period_s=2.0)
_DISK = Driver(period_s=60.0)

_DRIVERS: tuple[tuple[str, Driver], ...] = (
    # coretemp: temp*_max is "all cooling devices should be turned on", often 20 °C under TjMax or equal to it.
    (r"coretemp", Driver(Heat.CPU, states_maximum=False)),
    # k10temp: temp1_max is the constant 70 °C, "the processor is expected to need maximum cooling".
    (r"k10temp", Driver(Heat.CPU, states_maximum=False)),
    (r"zenpower|k8temp|via_cputemp|cputemp|fam15h_power", _CPU),
    (rf"x86_pkg_temp|{_ACPI_ZONE}|{_CPU_ZONE}|{_PACKAGE_ZONE}", _CPU),
    (r"amdgpu|radeon|nouveau|i915|xe", _GPU),
    (r"(?i:gpu.*)", _GPU),
    # An nvme read is an admin command that waits behind the queue; the controller itself updates about once a second.
    (r"nvme", Driver(period_s=10.0)),
    # drivetemp blocks for seconds while a disk spins up, and each read may restart its idle timer.
    (r"drivetemp", _DISK),
    (r"dell_(smm|ddv)|thinkpad|asus.*|applesmc|hp|hp_wmi.*|gigabyte_wmi|acer|ideapad.*|surface_.*|macsmc.*", _EC),
    (r"steamdeck.*|oxp.*|gpd.*|msi_.*|lenovo.*|cros_ec|ucsi_.*|BAT[0-9]*|ADP[0-9]*|AC[0-9]*", _EC),
    (r"nct6.*|nct7.*|it8.*|it87|w83.*|f71.*|sch5.*|smsc.*|lm78|lm85|pc87.*|vt1211|dme1737", _SUPER_IO),
    (r"jc42|spd5118|lm75|lm90|adt7.*|amc6821|lm63|max.*|tmp.*|ina2.*", _BUS),
    (r"corsair.*|nzxt.*|kraken.*|aquacomputer.*|d5next|octo|quadro|farbwerk.*|gigabyte_waterforce", _BUS),
)
_UNKNOWN = Driver()
_UNWIRED = Driver(heat=None, lowest_c=0.5)

_COMPILED = tuple((re.compile(pattern), driver) for pattern, driver in _DRIVERS)


def driver(name: str, label: str = "") -> Driver:
    """What is known of a sensor. Super-I/O inputs called AUXTIN are seldom wired and read anything: no heat, no limits.

    Embedded controllers say in the label what a probe sits at; their limits are not the processor's, so they are
    watched and not regulated.
    """
    if label.startswith("AUXTIN"):
        return _UNWIRED
    return next((known for pattern, known in _COMPILED if pattern.fullmatch(name)), _UNKNOWN)


_CHIP_RANKS = (r"coretemp|k10temp|zenpower|k8temp|via_cputemp|cputemp",)
_ZONE_RANKS = (r"x86_pkg_temp", _CPU_ZONE, _PACKAGE_ZONE, _ACPI_ZONE)
_MIRROR_RANKS = (_CPU_ZONE, _PACKAGE_ZONE)
_LAST = ("acpitz",)


@dataclass(frozen=True, slots=True)
class Critical:
    """The drivers whose representative sensor the machine depends on: hwmon names and zone types."""

    chips: frozenset[str]
    zones: frozenset[str]


def critical(chips: Iterable[str], zones: Iterable[str]) -> Critical:
    """The best source of the processor's temperature that is there, and no other.

    A driver that reads the die comes before a thermal zone over it, a zone before the hwmon chip that mirrors it
    (drivers/thermal/thermal_hwmon.c), and acpitz, often a constant, comes last.
    """
    chips, zones = tuple(chips), tuple(zones)
    order = [(chips, rank, True) for rank in _CHIP_RANKS]
    order += [(zones, rank, False) for rank in _ZONE_RANKS]
    order += [(chips, rank, True) for rank in _MIRROR_RANKS]
    order += [(zones, rank, False) for rank in _LAST] + [(chips, rank, True) for rank in _LAST]
    for names, rank, is_chip in order:
        if found := frozenset(name for name in names if re.fullmatch(rank, name)):
            return Critical(found, frozenset()) if is_chip else Critical(frozenset(), found)
    return Critical(frozenset(), frozenset())


def representative(labels: Mapping[str, str]) -> frozenset[str]:
    """Which temperature channels of a critical chip stand for it. ``labels``: channel → label, in channel order.

    coretemp: the package, or every core where the processor has no package sensor (before Sandy Bridge). k10temp: Tdie
    where shown, since then Tctl carries an offset of +10, +20 or +27 °C for fan control; else Tctl.
    """
    packages = frozenset(
        channel for channel, label in labels.items() if label.startswith(("Package id", "Physical id"))
    )
    if packages:
        return packages
    for wanted in ("Tdie", "Tctl"):
        if found := frozenset(channel for channel, label in labels.items() if label == wanted):
            return found
    cores = frozenset(channel for channel, label in labels.items() if label.startswith("Core "))
    return cores or frozenset(list(labels)[:1])


@dataclass(frozen=True, slots=True)
class Processor:
    """The first processor of /proc/cpuinfo; empty where the architecture says nothing of the kind."""

    vendor: str = ""
    family: int = 0
    name: str = ""


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
    return Processor(fields.get("vendor_id", ""), int(family[0]) if family else 0, fields.get("model name", ""))


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


def sane_limit_c(value_c: float | None) -> float | None:
    """A limit that can be meant: 0, -273.1, 65261.8 °C and the like are registers that nobody wrote."""
    return value_c if value_c is not None and 20.0 < value_c <= 150.0 else None


def consistent(limits: SensorLimits) -> SensorLimits:
    """maximum ≤ critical ≤ emergency, as the kernel documents; what breaks the order is dropped, critical stays."""
    maximum, critical, emergency = limits.maximum, limits.critical, limits.emergency
    if critical is not None and maximum is not None and maximum > critical:
        maximum = None
    floor = max((value for value in (maximum, critical) if value is not None), default=None)
    if emergency is not None and floor is not None and emergency < floor:
        emergency = None
    return replace(limits, maximum=maximum, critical=critical, emergency=emergency)


def critical_of(sysfs: Sysfs, found: Iterable[Chip]) -> Critical:
    """``critical`` for the chips and zones of this machine; a chip without temperatures is no candidate."""
    temperature = re.compile(r"temp[0-9]+_input")
    named = [chip.driver for chip in found if any(map(temperature.fullmatch, sysfs.list(chip.folder)))]
    return critical(named, [kind for folder, kind in zone_types(sysfs).items() if _answers(sysfs, folder, kind)])


def _answers(sysfs: Sysfs, folder: str, kind: str) -> bool:
    """Whether a zone can be depended on: not disabled, and if it is only acpitz, with a temperature that can be true.

    Otherwise a machine whose only zone is a dummy would count as having lost its critical sensor for good.
    """
    try:
        if sysfs.exists(f"{folder}/mode") and sysfs.read(f"{folder}/mode") == "disabled":
            return False
        return kind not in _LAST or LOWEST_C <= int(sysfs.read(f"{folder}/temp")) / 1000 <= HIGHEST_C
    except (OSError, ValueError, OverflowError):
        return False


def zone_types(sysfs: Sysfs) -> dict[str, str]:
    """Folder → type of every thermal zone, in order of their number."""
    types: dict[str, str] = {}
    for entry in sysfs.list("/sys/class/thermal"):
        if re.fullmatch(r"thermal_zone[0-9]+", entry):
            folder = f"/sys/class/thermal/{entry}"
            try:
                types[folder] = word(sysfs.read(f"{folder}/type"))
            except OSError:
                continue  # gone meanwhile
    return types


def with_default_limit(sensor: Sensor, cpu: Processor) -> Sensor:
    """The sensor with the documented limit of its driver as ``critical``, for hardware that states none."""
    limits = replace(sensor.limits, critical=default_critical_c(sensor.driver, cpu))
    return replace(sensor, limits=consistent(limits))
