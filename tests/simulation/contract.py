"""What a kernel does with each write, as one table for every layer: in memory, over FUSE, and a booted kernel.

Rows of the machine ``guest`` hold on all three: the guest of tests/guest has those files, and the simulated machine
``guest`` is made after it. The rows of the other machines are simulated only; why is said above them.

``@name`` in a path is the folder whose ``name`` or ``type`` says so: hwmon3 here is hwmon5 there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

CPU = "/sys/devices/system/cpu"
POLICY = f"{CPU}/cpufreq/policy0"
RAPL = "/sys/class/powercap/intel-rapl:0"
PROFILE = "/sys/firmware/acpi/platform_profile"


@dataclass(frozen=True, slots=True)
class Row:
    """After ``before`` was written, ``text`` written to ``path`` gives an errno name, or the text then read back.

    ``text`` None: the file is only read. ``on_6_1``: what Debian 12's kernel gives where it differs from later ones.
    """

    machine: str
    path: str
    text: str | None
    outcome: str
    before: tuple[tuple[str, str], ...] = ()
    on_6_1: str = ""

    def __str__(self) -> str:
        text = "read" if self.text is None else repr(self.text[:20])
        before = "".join(f" after {text!r}" for _path, text in self.before)
        return f"{self.machine}: {self.path.rsplit('/', 1)[1]} {text}{before} gives {self.outcome}"


def located(path: str, names: Callable[[str], list[str]], read: Callable[[str], str]) -> str:
    """The path with ``@name`` resolved on this machine; unchanged where nothing has that name."""
    folder, at, rest = path.partition("/@")
    wanted, _, file = rest.partition("/")
    for one in names(folder) if at else []:
        if wanted in (read(f"{folder}/{one}/name"), read(f"{folder}/{one}/type")):
            return f"{folder}/{one}/{file}"
    return path


GOVERNOR, EPP = f"{POLICY}/scaling_governor", f"{POLICY}/energy_performance_preference"
LOWEST, HIGHEST = f"{POLICY}/scaling_min_freq", f"{POLICY}/scaling_max_freq"
SPEED = f"{POLICY}/scaling_setspeed"
LONG, SHORT = f"{RAPL}/constraint_0_power_limit_uw", f"{RAPL}/constraint_1_power_limit_uw"
WINDOW = f"{RAPL}/constraint_0_time_window_us"
EPB = f"{CPU}/cpu0/power/energy_perf_bias"
FAN, ZONE = "/sys/class/thermal/@Fan/cur_state", "/sys/class/thermal/@acpitz"
CHIP, CARD = "/sys/class/hwmon/@nct6798", "/sys/class/hwmon/@amdgpu"
OFFLINE = ((f"{CPU}/cpu1/online", "0"),)
LONGER_THAN_A_PAGE = "x" * 5000
TOO_LARGE = "99999999999999999999"

GUEST = (
    # cpufreq.c: the first word, whatever its case; a governor that is not there is EINVAL
    Row("guest", GOVERNOR, "performance", "performance"),
    Row("guest", GOVERNOR, "PowerSave\n", "powersave"),
    Row("guest", GOVERNOR, "  powersave", "powersave"),
    Row("guest", GOVERNOR, "powersave performance", "powersave"),
    Row("guest", GOVERNOR, "bogus", "EINVAL"),
    Row("guest", GOVERNOR, "performances", "EINVAL"),
    Row("guest", GOVERNOR, "performanceperformance", "EINVAL"),
    Row("guest", GOVERNOR, "powersave\0performance", "powersave"),
    Row("guest", GOVERNOR, "\0", "EINVAL"),
    Row("guest", GOVERNOR, "\n", "EINVAL"),
    Row("guest", GOVERNOR, "", "powersave", ((GOVERNOR, "powersave"),)),
    Row("guest", GOVERNOR, LONGER_THAN_A_PAGE, "EINVAL"),
    Row("guest", GOVERNOR, "powersave " + LONGER_THAN_A_PAGE, "powersave"),
    # cpufreq.c and power/qos.c: a request is kept, clamped and put on a step; what is no unsigned number is EINVAL.
    # Older kernels take what sscanf("%lu") makes of it: "1.8 GHz" is 1 kHz, and no number is too large.
    Row("guest", HIGHEST, "1800000", "1800000"),
    Row("guest", HIGHEST, "1800000\n", "1800000"),
    Row("guest", HIGHEST, "2000000", "1800000"),
    Row("guest", LOWEST, "2000000", "2400000"),
    Row("guest", HIGHEST, "99000000", "3000000"),
    Row("guest", HIGHEST, "0", "1200000"),
    Row("guest", HIGHEST, "0x1b7740", "1800000", on_6_1="1200000"),
    Row("guest", HIGHEST, "+1800000", "1800000", on_6_1="EINVAL"),
    Row("guest", HIGHEST, "01800000", "EINVAL", on_6_1="1800000"),
    Row("guest", HIGHEST, "-1", "EINVAL"),
    Row("guest", HIGHEST, "1.8 GHz", "EINVAL", on_6_1="1200000"),
    Row("guest", HIGHEST, " 1800000", "EINVAL", on_6_1="1800000"),
    Row("guest", HIGHEST, "1800000 ", "EINVAL", on_6_1="1800000"),
    Row("guest", HIGHEST, "1800000\n\n", "EINVAL", on_6_1="1800000"),
    Row("guest", HIGHEST, "1800000\0", "1800000"),
    Row("guest", HIGHEST, "2147483648", "EINVAL"),
    Row("guest", HIGHEST, TOO_LARGE, "ERANGE", on_6_1="3000000"),
    Row("guest", HIGHEST, "", "3000000"),
    Row("guest", HIGHEST, "\n", "EINVAL"),
    Row("guest", HIGHEST, LONGER_THAN_A_PAGE, "EINVAL"),
    Row("guest", LOWEST, "2400000", "1800000", ((HIGHEST, "1800000"),)),
    Row("guest", HIGHEST, "3000000", "3000000", ((HIGHEST, "1800000"), (LOWEST, "2400000"))),
    Row("guest", SPEED, None, "<unsupported>"),
    Row("guest", SPEED, "1800000", "EINVAL"),
    Row("guest", SPEED, "1800000", "1800000", ((GOVERNOR, "userspace"),)),
    Row("guest", SPEED, "fast", "EINVAL", ((GOVERNOR, "userspace"),)),
    Row("guest", f"{POLICY}/scaling_driver", "none", "EACCES"),
    Row("guest", f"{POLICY}/cpuinfo_max_freq", "9000000", "EACCES"),
    Row("guest", f"{POLICY}/bios_limit", "3000000", "EACCES"),
    Row("guest", f"{POLICY}/nothing", "1", "ENOENT"),
    Row("guest", POLICY, "1", "EISDIR"),
    # an offline CPU's policy stays and answers EBUSY
    Row("guest", f"{CPU}/cpufreq/policy1/scaling_max_freq", "1800000", "EBUSY", OFFLINE),
    Row("guest", f"{CPU}/cpufreq/policy1/scaling_governor", "powersave", "EBUSY", OFFLINE),
    Row("guest", f"{CPU}/cpufreq/policy1/scaling_governor", None, "EBUSY", OFFLINE),
    Row("guest", f"{CPU}/cpufreq/policy1/scaling_cur_freq", None, "EBUSY", OFFLINE),
    Row("guest", f"{CPU}/cpu1/topology/core_id", None, "ENOENT", OFFLINE),
    Row("guest", f"{CPU}/cpu1/online", None, "1"),
    Row("guest", f"{CPU}/cpu1/online", "0", "0"),
    Row("guest", f"{CPU}/cpu1/online", "2", "EINVAL"),
    Row("guest", f"{CPU}/cpu1/online", "perhaps", "EINVAL"),
    Row("guest", f"{CPU}/cpu0/online", "0", "ENOENT"),
    # powercap_sys.c: what is no number is EINVAL; intel_rapl_common.c: eighths of a watt, 15 bits, 0 is taken
    Row("guest", LONG, "45000000", "45000000"),
    Row("guest", LONG, "45060000", "45000000"),
    Row("guest", LONG, "45000000\n", "45000000"),
    Row("guest", LONG, "0", "0"),
    Row("guest", LONG, "4095875000", "4095875000"),
    Row("guest", LONG, "4096000000", "0"),
    Row("guest", LONG, "-5", "EINVAL"),
    Row("guest", LONG, "0x2aea540", "EINVAL"),
    Row("guest", LONG, " 45000000", "EINVAL"),
    Row("guest", LONG, "45 W", "EINVAL"),
    Row("guest", LONG, TOO_LARGE, "EINVAL"),
    Row("guest", LONG, "", "65000000"),
    Row("guest", LONG, LONGER_THAN_A_PAGE, "EINVAL"),
    Row("guest", SHORT, "60000000", "60000000"),
    Row("guest", WINDOW, "1000000", "999424"),
    Row("guest", WINDOW, "0", "976"),
    Row("guest", WINDOW, "a while", "EINVAL"),
    Row("guest", f"{RAPL}/constraint_0_max_power_uw", "1", "EACCES"),
    Row("guest", f"{RAPL}/constraint_0_name", "short_term", "EACCES"),
    Row("guest", f"{RAPL}/energy_uj", "0", "EACCES"),
    Row("guest", f"{RAPL}/enabled", "0", "0"),
    Row("guest", f"{RAPL}/enabled", "on", "1"),
    Row("guest", f"{RAPL}/enabled", "maybe", "EINVAL"),
    # platform_profile.c: unknown to the kernel, unknown to the machine
    Row("guest", PROFILE, "low-power", "low-power"),
    Row("guest", PROFILE, "performance\n", "performance"),
    Row("guest", PROFILE, "turbo", "EINVAL"),
    Row("guest", PROFILE, "Performance", "EINVAL"),
    Row("guest", PROFILE, " performance", "EINVAL"),
    Row("guest", PROFILE, "performance ", "EINVAL"),
    Row("guest", PROFILE, "custom", "EINVAL"),
    Row("guest", PROFILE, "quiet", "EOPNOTSUPP"),
    Row("guest", PROFILE, "", "balanced"),
    Row("guest", PROFILE, "\n", "EINVAL"),
    Row("guest", f"{PROFILE}_choices", "quiet", "EACCES"),
    # thermal_sysfs.c
    Row("guest", FAN, "1", "1"),
    Row("guest", FAN, "1\n", "1"),
    Row("guest", FAN, "999", "EINVAL"),
    Row("guest", FAN, "-1", "EINVAL"),
    Row("guest", FAN, "1 or 2", "1"),
    Row("guest", FAN, "much", "EINVAL"),
    Row("guest", FAN, "", "0"),
    Row("guest", f"{ZONE}/mode", "disabled", "disabled"),
    Row("guest", f"{ZONE}/mode", "disabled\n", "disabled"),
    Row("guest", f"{ZONE}/mode", "sometimes", "EINVAL"),
    Row("guest", f"{ZONE}/mode", "Disabled", "EINVAL"),
    Row("guest", f"{ZONE}/policy", "user_space", "user_space"),
    Row("guest", f"{ZONE}/policy", "bogus", "EINVAL"),
    Row("guest", f"{ZONE}/temp", "20000", "EACCES"),
    Row("guest", f"{ZONE}/trip_point_0_temp", "90000", "EACCES"),
    Row("guest", f"{ZONE}/trip_point_0_type", "passive", "EACCES"),
    # hwmon.c: a signed decimal number, then what the driver makes of it
    Row("guest", f"{CHIP}/temp1_max", "70000", "70000"),
    Row("guest", f"{CHIP}/temp1_max", "70999\n", "70000"),
    Row("guest", f"{CHIP}/temp1_max", "-5000", "-5000"),
    Row("guest", f"{CHIP}/temp1_max", "999000", "127000"),
    Row("guest", f"{CHIP}/temp1_max", "0x11170", "EINVAL"),
    Row("guest", f"{CHIP}/temp1_max", " 70000", "EINVAL"),
    Row("guest", f"{CHIP}/temp1_max", "70 C", "EINVAL"),
    Row("guest", f"{CHIP}/temp1_max", TOO_LARGE, "ERANGE"),
    Row("guest", f"{CHIP}/temp1_max", "", "80000"),
    Row("guest", f"{CHIP}/temp1_input", "20000", "EACCES"),
    Row("guest", f"{CHIP}/temp1_label", "CPU", "EACCES"),
    Row("guest", f"{CHIP}/fan1_input", "0", "EACCES"),
    # nct6775: a fan whose speed the chip sets itself takes no other
    Row("guest", f"{CHIP}/pwm1", "200", "EBUSY"),
    Row("guest", f"{CHIP}/pwm1", "200", "200", ((f"{CHIP}/pwm1_enable", "1"),)),
    Row("guest", f"{CHIP}/pwm1", "300", "255", ((f"{CHIP}/pwm1_enable", "1"),)),
    Row("guest", f"{CHIP}/pwm1_enable", "9", "EINVAL"),
    # amdgpu
    Row("guest", f"{CARD}/power1_cap", "150000000", "150000000"),
    Row("guest", f"{CARD}/power1_cap", "150999999", "150000000"),
    Row("guest", f"{CARD}/power1_cap", "900000000", "EINVAL"),
    Row("guest", f"{CARD}/power1_cap", "-1", "EINVAL"),
    Row("guest", f"{CARD}/temp1_crit", "90000", "EACCES"),
    Row("guest", f"{CARD}/device/power_dpm_force_performance_level", "manual", "manual"),
    Row("guest", f"{CARD}/device/power_dpm_force_performance_level", "bogus", "EINVAL"),
    Row("guest", f"{CARD}/device/gpu_busy_percent", "0", "EACCES"),
    Row("guest", f"{CARD}/device/power/runtime_status", "suspended", "EACCES"),
)

SIMULATED = (
    # intel_pstate takes no processor that QEMU emulates: it wants APERF and MPERF. From intel_pstate.c.
    Row("laptop", GOVERNOR, "performance", "performance"),
    Row("laptop", GOVERNOR, "bogus", "EINVAL"),
    Row("laptop", GOVERNOR, "schedutil", "EINVAL"),
    Row("laptop", GOVERNOR, "powersave", "powersave", ((GOVERNOR, "performance"),)),
    Row("laptop", HIGHEST, "2000000", "2000000"),
    Row("laptop", HIGHEST, "0", "400000"),
    Row("laptop", SPEED, "2000000", "EINVAL"),
    Row("laptop", f"{CPU}/cpu3/power/energy_perf_bias", "6", "ENOENT", ((f"{CPU}/cpu3/online", "0"),)),
    Row("laptop", f"{CPU}/intel_pstate/no_turbo", "1", "1"),
    Row("laptop", f"{CPU}/intel_pstate/no_turbo", "7", "1"),
    Row("laptop", f"{CPU}/intel_pstate/no_turbo", "yes", "EINVAL"),
    # EPP comes with intel_pstate (HWP) or amd-pstate (CPPC in registers), which QEMU has neither of. Under governor
    # performance only preference performance is taken.
    Row("laptop", EPP, "power", "power"),
    Row("laptop", EPP, "default", "balance_performance"),
    Row("laptop", EPP, "bogus", "EINVAL"),
    Row("laptop", EPP, "64", "64"),
    Row("laptop", EPP, "256", "EINVAL"),
    Row("laptop", EPP, "power", "EBUSY", ((GOVERNOR, "performance"),)),
    Row("laptop", EPP, "performance", "performance", ((GOVERNOR, "performance"),)),
    Row("desktop", EPP, "balance_power", "balance_power"),
    Row("desktop", EPP, "power", "EBUSY", ((GOVERNOR, "performance"),)),
    # EPB is a feature bit that QEMU does not emulate. From intel_epb.c: a name or 0..15, everything else EINVAL.
    Row("laptop", EPB, "15", "15"),
    Row("laptop", EPB, "balance-power", "8"),
    Row("laptop", EPB, "16", "EINVAL"),
    Row("laptop", EPB, "much", "EINVAL"),
    # Boost wants a feature bit too (CPB, IDA). From cpufreq.c, amd-pstate.c and acpi-cpufreq.c.
    Row("desktop", f"{CPU}/cpufreq/boost", "0", "0"),
    Row("desktop", f"{CPU}/cpufreq/boost", "perhaps", "EINVAL"),
    Row("desktop", f"{POLICY}/boost", "0", "0"),
    Row("desktop", HIGHEST, "5400000", "4500000", ((f"{CPU}/cpufreq/boost", "0"),)),
    Row("fanless", f"{CPU}/cpufreq/boost", "off", "0"),
    # What is not there: AMD has no power limits, and not every machine has a platform profile.
    Row("desktop", LONG, "45000000", "ENOENT"),
    Row("desktop", PROFILE, "balanced", "ENOENT"),
)

ROWS = GUEST + SIMULATED
