"""The table of drivers: what heats their sensors, where limits come from, which are depended on, their odd habits.

One row for all chips that a driver (or a family of drivers with the same habits) shows. ``docs/hardware.md`` is made
from it (docs/generate-hardware). Chips and zones that no row names work by the generic rules, ``UNKNOWN``.
"""

from __future__ import annotations

from dataclasses import dataclass

from gamesad.types import Heat

LOWEST_C = -40.0
"""Below this no electronics is specified; probes that are not plugged in read -44, -55 or -128 °C."""
HIGHEST_C = 126.0
"""All silicon has switched itself off by 125 °C. 127, 127.9, 128, 216 and 255 °C are what open diodes read."""
_NEVER_FITTED_C = 0.5
"""Embedded controllers and Super-I/O chips answer 0 °C for a probe that was never fitted."""


@dataclass(frozen=True, slots=True)
class Driver:
    """``period_s`` above 0: reading blocks (a bus, a disk, an embedded controller), so off the tick and this often.

    ``lowest_c``, below which a reading cannot be true. ``states_maximum``: ``temp*_max`` is a limit, not a point where
    fans should run faster.
    """

    heat: Heat | None = Heat.OTHER
    period_s: float = 0.0
    lowest_c: float = LOWEST_C
    states_maximum: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """``pattern`` is of hwmon names and thermal zone types, ``shown`` names them for people, the first one for tests.

    ``critical``: "yes" for the best source of the processor's temperature, "fallback" where nothing better is there.
    ``source``: a path is one in the kernel's tree.
    """

    pattern: str
    shown: str
    what: str
    critical: str
    limits: str
    quirks: str
    source: str
    driver: Driver


CPU_ZONE = (
    r"bcm2835_thermal|(?i:([bm]?cpu(ss)?|(big|little|mid)([-_]?core|[-_]?cluster)?|cluster|atlas|apollo|cls)"
    r"([-_0-9].*)?)"
)
PACKAGE_ZONE = r"(?i:(soc|package|ap)([-_0-9].*)?|(tj|main[0-9]*)[-_]thermal)"
ACPI_ZONE = r"TCPU.*|B0D4|CPUZ"
FIRMWARE_SENSORS = r"sc[mp]i_sensors"

_CPU = Driver(Heat.CPU)
_CPU_FANS_AT_MAXIMUM = Driver(Heat.CPU, states_maximum=False)
_GPU = Driver(Heat.GPU)
_EC = Driver(period_s=2.0, lowest_c=_NEVER_FITTED_C)
_SUPER_IO = Driver(lowest_c=_NEVER_FITTED_C)
_BUS = Driver(period_s=2.0)

UNKNOWN = Driver()
UNWIRED = Driver(heat=None, lowest_c=_NEVER_FITTED_C)

_STATED = "as stated (max, crit, emergency)"
_NONE = "none stated"

ROWS: tuple[Row, ...] = (
    Row(
        r"coretemp",
        "coretemp",
        "Intel processors, core by core and package",
        "yes",
        "crit, which is TjMax; max is where all cooling should be on, and no limit",
        "refreshed at most once a second; crit_alarm never clears; one chip per package; before Sandy Bridge there is"
        " no package sensor, and every core is critical",
        "Documentation/hwmon/coretemp.rst, drivers/hwmon/coretemp.c",
        _CPU_FANS_AT_MAXIMUM,
    ),
    Row(
        r"k10temp",
        "k10temp",
        "AMD processors, one chip per node",
        "yes",
        "crit where the firmware has hardware control on (families 10h to 16h); else AMD's Tjmax of the part; max is"
        " the constant 70 °C, and no limit",
        "Tctl of some first Ryzens is 10, 20 or 27 °C above the die: Tdie is used where it is shown; Tccd are watched",
        "Documentation/hwmon/k10temp.rst, drivers/hwmon/k10temp.c, AMD's product pages",
        _CPU_FANS_AT_MAXIMUM,
    ),
    Row(
        r"zenpower",
        "zenpower",
        "AMD processors from Zen on, in place of k10temp",
        "yes",
        "AMD's Tjmax of the part where it states no crit",
        "not in the kernel's tree; Tdie and Tctl as k10temp, with power and voltages beside them",
        "the driver's source as known",
        _CPU,
    ),
    Row(
        r"k8temp|via_cputemp|cputemp",
        "k8temp, via_cputemp",
        "older AMD and VIA processors",
        "yes",
        "none stated: 90 °C",
        "one or two channels per core",
        "Documentation/hwmon/{k8temp,via-cputemp}.rst",
        _CPU,
    ),
    Row(
        r"fam15h_power|amd_energy",
        "fam15h_power, amd_energy",
        "power and energy of AMD processors",
        "no",
        _NONE,
        "no temperatures; energy is root's only",
        "Documentation/hwmon/{fam15h_power,amd_energy}.rst",
        _CPU,
    ),
    Row(
        r"x86_pkg_temp",
        "x86_pkg_temp (zone)",
        "Intel package, as a thermal zone",
        "fallback",
        "none stated: 95 °C, for only coretemp knows TjMax",
        "trips are thresholds that thermald wrote for its own waking, and no limits; fresh at every read",
        "drivers/thermal/intel/x86_pkg_temp_thermal.c",
        _CPU,
    ),
    Row(
        ACPI_ZONE,
        "TCPU, B0D4 (zones)",
        "Intel processor as the firmware (DPTF) shows it",
        "fallback",
        "trips critical, hot, passive",
        "firmware changes the trips at run time",
        "drivers/thermal/intel/int340x_thermal",
        _CPU,
    ),
    Row(
        CPU_ZONE,
        "cpu-thermal, cpu_thermal, cpu0-thermal, cpuss-0, bigcore0-thermal, big-cluster, bcm2835_thermal",
        "processor zones of Arm and RISC-V machines, and the hwmon chips that mirror them",
        "fallback",
        "trips critical, hot, passive; Raspberry Pi: 85 °C, where its firmware throttles whatever the trip says",
        "one zone per core, cluster or package, each critical; a hwmon chip of the same name (- as _) is the zone"
        " again, and counts only where the zone is missing",
        "Documentation/devicetree/bindings/thermal, drivers/thermal/thermal_hwmon.c, Raspberry Pi's documentation"
        " (Frequency management and thermal control)",
        _CPU,
    ),
    Row(
        PACKAGE_ZONE,
        "soc-thermal, package-thermal, ap-thermal, tj-thermal, main0-thermal",
        "the whole chip of an Arm machine",
        "fallback",
        "trips critical, hot, passive",
        "counts where no zone names the processor itself",
        "Documentation/devicetree/bindings/thermal",
        _CPU,
    ),
    Row(
        FIRMWARE_SENSORS,
        "scpi_sensors, scmi_sensors",
        "what an Arm system's controller (SCP) measures",
        "fallback",
        "none stated: 90 °C for a processor",
        "each read is a message to the firmware; counts by label (cpu, soc, cluster) where no zone does",
        "drivers/hwmon/{scpi,scmi}-hwmon.c",
        Driver(Heat.OTHER, period_s=1.0),
    ),
    Row(
        r"acpitz",
        "acpitz (chip and zone)",
        "a temperature that the firmware computes",
        "fallback",
        "trips critical, hot, passive",
        "often a constant (27.8 or 29.8 °C) or far from the processor: the last choice",
        "drivers/acpi/thermal.c",
        Driver(),
    ),
    Row(
        r"xe",
        "xe",
        "Intel graphics processors since Meteor Lake",
        "no",
        "crit and emergency; max is no limit (60 °C for the package of a B580 that idles at 54 °C)",
        "no temp1; a sleeping card is not read",
        "Documentation/ABI/testing/sysfs-driver-intel-xe-hwmon, drivers/gpu/drm/xe/xe_hwmon.c",
        Driver(Heat.GPU, states_maximum=False),
    ),
    Row(
        r"amdgpu|radeon|nouveau|i915(_gt[0-9]+)?",
        "amdgpu, radeon, nouveau, i915, i915_gt0",
        "graphics processors",
        "no",
        _STATED,
        "a sleeping card is not read; an APU's amdgpu shows the graphics part of the processor's own die",
        "Documentation/gpu/amdgpu/thermal.rst, drivers/gpu/drm",
        _GPU,
    ),
    Row(
        r"(?i:(gpu|g3d).*)",
        "gpu-thermal, gpuss-0, g3d (zones)",
        "graphics processors of Arm machines",
        "no",
        "trips critical, hot, passive",
        "",
        "Documentation/devicetree/bindings/thermal",
        _GPU,
    ),
    Row(
        r"nvme",
        "nvme",
        "NVMe disks: Composite, and up to eight sensors of the maker's own",
        "no",
        "max (warning) and crit of the controller for Composite; max only for the others",
        "a read is an admin command that waits behind the queue; 65261.85 and -273.15 °C mean that a limit is not set",
        "drivers/nvme/host/hwmon.c",
        Driver(period_s=10.0),
    ),
    Row(
        r"drivetemp",
        "drivetemp",
        "SATA disks",
        "no",
        "max and crit where the disk reports them",
        "a read may block for seconds while a disk spins up, or keep it from sleeping: a"
        " spinning disk is asked only just after it has worked by itself",
        "Documentation/hwmon/drivetemp.rst, drivers/hwmon/drivetemp.c",
        Driver(period_s=60.0),
    ),
    Row(
        r"nct6.*|nct7.*",
        "nct6775 to nct6799, nct6683, nct7802",
        "Nuvoton Super-I/O and monitoring chips of boards",
        "no",
        "as stated; firmware often leaves them at 0 or 127 °C",
        "AUXTIN inputs are seldom wired and read anything: no limit, no heat; 0 °C is a probe that was never fitted;"
        " CPUTIN is the board's probe and not the processor's",
        "Documentation/hwmon/{nct6775,nct6683,nct7802}.rst",
        _SUPER_IO,
    ),
    Row(
        r"it8.*|it87",
        "it87, it8620, it8688, …",
        "ITE Super-I/O chips of boards",
        "no",
        "as stated; 127 °C is the register's default",
        "no labels; newer chips need a driver from outside the kernel's tree; -128 or -55 °C is an open input",
        "Documentation/hwmon/it87.rst",
        _SUPER_IO,
    ),
    Row(
        r"w83.*|f71.*|sch5.*|smsc.*|lm78|lm85|pc87.*|vt1211|dme1737",
        "w83627ehf, f71882fg, sch5627, lm85, pc87360, vt1211, dme1737",
        "other Super-I/O and monitoring chips",
        "no",
        _STATED,
        "0 °C is a probe that was never fitted",
        "Documentation/hwmon, a page for each",
        _SUPER_IO,
    ),
    Row(
        r"asus.*|atk0110",
        "asusec, asus, asus_wmi_sensors, atk0110",
        "ASUS boards and laptops, by firmware or WMI",
        "no",
        _NONE,
        "the controller is slow; T_Sensor and water probes read nonsense when not fitted",
        "Documentation/hwmon/{asus_ec_sensors,asus_wmi_sensors}.rst, drivers/platform/x86/asus-wmi.c",
        _EC,
    ),
    Row(
        r"thinkpad",
        "thinkpad",
        "ThinkPad laptops, up to 16 probes",
        "no",
        _NONE,
        "ENXIO or 0 °C where no probe is fitted; the controller is slow",
        "Documentation/admin-guide/laptops/thinkpad-acpi.rst",
        _EC,
    ),
    Row(
        r"dell_(smm|ddv)",
        "dell_smm, dell_ddv",
        "Dell machines, by the firmware's system management mode or WMI",
        "no",
        _NONE,
        "a call may take 0.5 s and hold up the whole machine; above 127 °C is an error",
        "Documentation/hwmon/dell-smm-hwmon.rst",
        _EC,
    ),
    Row(
        r"applesmc|macsmc.*",
        "applesmc, macsmc_hwmon",
        "Apple machines, Intel and Apple silicon",
        "no",
        _NONE,
        "labels are four-letter keys (TC0P) on Intel; negative or 129 °C is a probe that was never fitted",
        "drivers/hwmon/{applesmc,macsmc-hwmon}.c",
        _EC,
    ),
    Row(
        r"steamdeck.*|jupiter",
        "steamdeck_hwmon, jupiter",
        "Steam Deck: battery, fan, charger",
        "no",
        _NONE,
        "the processor is k10temp's, its graphics amdgpu's edge; not in the kernel's tree",
        "the driver's source as known",
        _EC,
    ),
    Row(
        r"hp|hp_wmi.*|surface_.*|ideapad.*|lenovo.*|yogafan|acer|gigabyte_wmi|msi_.*|oxp.*|gpd.*|cros_ec",
        "hp, hp_wmi_sensors, surface_thermal, surface_fan, lenovo_*, acer, gigabyte_wmi, msi_*, oxp*, gpd*, cros_ec",
        "laptops, handhelds and boards by firmware, WMI or embedded controller",
        "no",
        "as stated, which few do",
        "ideapad-laptop and surface_platform_profile have no sensors, but a platform profile to set",
        "drivers/platform/{x86,surface}, Documentation/hwmon/{hp-wmi-sensors,cros_ec_hwmon,oxp-sensors,gpd-fan}.rst",
        _EC,
    ),
    Row(
        r"ucsi_.*|BAT[0-9]*|ADP[0-9]*|AC[0-9]*",
        "ucsi_source_psy_*, BAT0, AC",
        "batteries and chargers",
        "no",
        _STATED,
        "asked of a controller",
        "drivers/power/supply/power_supply_hwmon.c",
        _EC,
    ),
    Row(
        r"jc42|spd5118|lm75|lm90|adt7.*|amc6821|lm63|max.*|tmp.*|ina2.*",
        "jc42, spd5118, lm75, lm90, adt7475, tmp102, ina2xx, …",
        "chips on an i2c bus: memory modules, boards",
        "no",
        _STATED,
        "the bus is slow and shared",
        "Documentation/hwmon, a page for each",
        _BUS,
    ),
    Row(
        r"corsair.*|nzxt.*|kraken.*|aquacomputer.*|d5next|octo|quadro|farbwerk.*|gigabyte_waterforce",
        "corsairpsu, corsaircpro, nzxtsmart2, kraken2023, d5next, octo, gigabyte_waterforce",
        "power supplies, pumps and fan controllers on USB",
        "no",
        _STATED,
        "named by their USB port",
        "Documentation/hwmon, a page for each",
        _BUS,
    ),
    Row(
        r"rpi_volt",
        "rpi_volt",
        "Raspberry Pi: whether the supply voltage has been too low",
        "no",
        _NONE,
        "an alarm and mostly no input: told by gamesad --probe, not read on the tick",
        "drivers/hwmon/raspberrypi-hwmon.c",
        UNKNOWN,
    ),
)
