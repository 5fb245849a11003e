"""What a kernel does with each write, as one table for every layer: in memory, over FUSE, and a real guest.

A row that a real machine cannot run (it has no such file) is left out by that layer, not changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CPU = "/sys/devices/system/cpu"
POLICY = f"{CPU}/cpufreq/policy0"
RAPL = "/sys/class/powercap/intel-rapl:0"
PROFILE = "/sys/firmware/acpi/platform_profile"


@dataclass(frozen=True, slots=True)
class Row:
    """After ``before`` was written, ``text`` written to ``path`` gives an errno name, or the text then read back."""

    machine: str
    path: str
    text: str
    outcome: str
    before: tuple[tuple[str, str], ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.machine}: {self.path.rsplit('/', 1)[1]} {self.text[:20]!r} gives {self.outcome}"


GOVERNOR, EPP = f"{POLICY}/scaling_governor", f"{POLICY}/energy_performance_preference"
LOWEST, HIGHEST = f"{POLICY}/scaling_min_freq", f"{POLICY}/scaling_max_freq"
LONG, SHORT = f"{RAPL}/constraint_0_power_limit_uw", f"{RAPL}/constraint_1_power_limit_uw"
EPB = f"{CPU}/cpu0/power/energy_perf_bias"
STATE = "/sys/class/thermal/cooling_device0/cur_state"

ROWS = (
    # cpufreq.c: the first word, whatever its case; a governor that is not there is EINVAL
    Row("laptop", GOVERNOR, "performance", "performance"),
    Row("laptop", GOVERNOR, "PERFORMANCE\n", "performance"),
    Row("laptop", GOVERNOR, "bogus", "EINVAL"),
    Row("laptop", GOVERNOR, "schedutil", "EINVAL"),
    Row("laptop", GOVERNOR, "\n", "EINVAL"),
    Row("fanless", GOVERNOR, "schedutil", "schedutil"),
    Row("fanless", GOVERNOR, "powersave", "powersave"),
    # intel_pstate.c and amd-pstate.c: under governor performance only preference performance
    Row("laptop", EPP, "power", "power"),
    Row("laptop", EPP, "default", "balance_performance"),
    Row("laptop", EPP, "bogus", "EINVAL"),
    Row("laptop", EPP, "64", "64"),
    Row("laptop", EPP, "256", "EINVAL"),
    Row("laptop", EPP, "power", "EBUSY", ((GOVERNOR, "performance"),)),
    Row("laptop", EPP, "performance", "performance", ((GOVERNOR, "performance"),)),
    Row("laptop", GOVERNOR, "powersave", "powersave", ((GOVERNOR, "performance"),)),
    Row("desktop", EPP, "balance_power", "balance_power"),
    Row("desktop", EPP, "power", "EBUSY", ((GOVERNOR, "performance"),)),
    # cpufreq.c and power/qos.c: a request is kept and clamped; what is no unsigned number is EINVAL
    Row("laptop", HIGHEST, "2000000", "2000000"),
    Row("laptop", HIGHEST, "2000000\n", "2000000"),
    Row("laptop", HIGHEST, "99000000", "4800000"),
    Row("laptop", HIGHEST, "0", "400000"),
    Row("laptop", HIGHEST, "0x1e8480", "2000000"),
    Row("laptop", HIGHEST, "-1", "EINVAL"),
    Row("laptop", HIGHEST, "4.8 GHz", "EINVAL"),
    Row("laptop", HIGHEST, "99999999999999999999", "ERANGE"),
    Row("laptop", HIGHEST, "x" * 5000, "E2BIG"),
    Row("laptop", LOWEST, "3000000", "2000000", ((HIGHEST, "2000000"),)),
    Row("laptop", HIGHEST, "4800000", "4800000", ((HIGHEST, "2000000"), (LOWEST, "3000000"))),
    Row("fanless", HIGHEST, "2000000", "1900000"),
    Row("fanless", LOWEST, "1500000", "1900000"),
    Row("laptop", f"{POLICY}/scaling_setspeed", "2000000", "EINVAL"),
    Row("laptop", f"{POLICY}/scaling_driver", "none", "EACCES"),
    Row("laptop", f"{POLICY}/cpuinfo_max_freq", "9000000", "EACCES"),
    Row("laptop", f"{POLICY}/nothing", "1", "ENOENT"),
    # an offline CPU's policy stays and answers EBUSY
    Row("laptop", f"{CPU}/cpufreq/policy3/scaling_max_freq", "2000000", "EBUSY", ((f"{CPU}/cpu3/online", "0"),)),
    Row("laptop", f"{CPU}/cpu3/power/energy_perf_bias", "6", "ENOENT", ((f"{CPU}/cpu3/online", "0"),)),
    Row("laptop", f"{CPU}/cpu0/online", "0", "ENOENT"),
    # boost: intel_pstate takes any number, cpufreq a boolean
    Row("laptop", f"{CPU}/intel_pstate/no_turbo", "1", "1"),
    Row("laptop", f"{CPU}/intel_pstate/no_turbo", "7", "1"),
    Row("laptop", f"{CPU}/intel_pstate/no_turbo", "yes", "EINVAL"),
    Row("desktop", f"{CPU}/cpufreq/boost", "0", "0"),
    Row("desktop", f"{CPU}/cpufreq/boost", "perhaps", "EINVAL"),
    Row("desktop", f"{POLICY}/boost", "0", "0"),
    Row("desktop", HIGHEST, "5400000", "4500000", ((f"{CPU}/cpufreq/boost", "0"),)),
    Row("fanless", f"{CPU}/cpufreq/boost", "off", "0"),
    # intel_epb.c: a name or 0..15, everything else EINVAL
    Row("laptop", EPB, "15", "15"),
    Row("laptop", EPB, "balance-power", "8"),
    Row("laptop", EPB, "16", "EINVAL"),
    Row("laptop", EPB, "much", "EINVAL"),
    # powercap_sys.c: every refusal is EINVAL; intel_rapl_common.c: eighths of a watt, 0 is taken
    Row("laptop", LONG, "45000000", "45000000"),
    Row("laptop", LONG, "45060000", "45000000"),
    Row("laptop", LONG, "0", "0"),
    Row("laptop", LONG, "-5", "EINVAL"),
    Row("laptop", LONG, "45 W", "EINVAL"),
    Row("laptop", LONG, "99999999999999999999", "EINVAL"),
    Row("laptop", SHORT, "60000000", "60000000"),
    Row("laptop", f"{RAPL}/constraint_0_time_window_us", "0", "EINVAL"),
    Row("laptop", f"{RAPL}/constraint_0_max_power_uw", "1", "EACCES"),
    Row("laptop", f"{RAPL}/energy_uj", "0", "EACCES"),
    Row("laptop", f"{RAPL}/enabled", "maybe", "EINVAL"),
    Row("desktop", LONG, "45000000", "ENOENT"),
    # platform_profile.c: unknown to the kernel, unknown to the machine
    Row("laptop", PROFILE, "low-power", "low-power"),
    Row("laptop", PROFILE, "performance\n", "performance"),
    Row("laptop", PROFILE, "turbo", "EINVAL"),
    Row("laptop", PROFILE, "custom", "EINVAL"),
    Row("laptop", PROFILE, "quiet", "EOPNOTSUPP"),
    Row("desktop", PROFILE, "balanced", "ENOENT"),
    # thermal_sysfs.c, hwmon
    Row("laptop", STATE, "3", "3"),
    Row("laptop", STATE, "11", "EINVAL"),
    Row("laptop", STATE, "-1", "EINVAL"),
    Row("laptop", "/sys/class/thermal/thermal_zone0/mode", "disabled", "disabled"),
    Row("laptop", "/sys/class/thermal/thermal_zone0/mode", "sometimes", "EINVAL"),
    Row("laptop", "/sys/class/thermal/thermal_zone0/temp", "20000", "EACCES"),
    Row("laptop", "/sys/class/hwmon/hwmon2/temp1_input", "20000", "EACCES"),
    Row("desktop", "/sys/class/hwmon/hwmon3/power1_cap", "200000000", "200000000"),
    Row("desktop", "/sys/class/hwmon/hwmon3/power1_cap", "900000000", "EINVAL"),
)
