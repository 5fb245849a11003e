"""What the processor can be slowed down with: cpufreq, its hints, power limits, the platform profile."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gamesad.hardware import cpufreq as policies_of
from gamesad.hardware.cpufreq import Policy
from gamesad.probe.findings import Finding, Level, count, listed
from gamesad.probe.seen import Seen
from gamesad.types import Heat, Role

_CPU = "/sys/devices/system/cpu"
_ACPI = "/sys/firmware/acpi"

DRIVERS = {
    "intel_pstate": "the processor chooses; governors powersave and performance only, powersave behaves like schedutil",
    "intel_cpufreq": "intel_pstate in passive mode: ordinary governors, and powersave pins the lowest frequency",
    "amd-pstate-epp": "amd_pstate active: the processor chooses, guided by its energy-performance preference",
    "amd-pstate": "amd_pstate passive or guided: ordinary governors, and powersave pins the lowest frequency",
    "acpi-cpufreq": "a few states that the firmware lists; ordinary governors",
    "pcc-cpufreq": "the firmware chooses, slowly; ordinary governors",
    "cpufreq-dt": "the states of the device tree; ordinary governors",
    "scpi-cpufreq": "the states of the system controller; ordinary governors",
    "scmi": "the states of the system controller; ordinary governors",
    "qcom-cpufreq-hw": "the states that the hardware lists; ordinary governors",
    "apple-cpufreq": "the states of the device tree; ordinary governors",
    "cppc_cpufreq": "performance levels that the firmware offers (CPPC); ordinary governors",
}
"""scaling_driver → what it means (Documentation/admin-guide/pm/{intel_pstate,amd-pstate,cpufreq}.rst)."""

_PROFILE_DRIVERS = {
    "LENOVO": "thinkpad_acpi (ThinkPad), ideapad_laptop (IdeaPad, Yoga) or lenovo_wmi_gamezone (Legion)",
    "Dell": "dell_pc, or alienware_wmi",
    "ASUS": "asus_wmi with asus_nb_wmi",
    "HP": "hp_wmi",
    "Acer": "acer_wmi",
    "Microsoft": "surface_platform_profile",
}


def clocks(seen: Seen) -> Iterator[Finding]:
    part = "processor speed"
    policies = policies_of.policies(seen.sysfs)
    names = {policy: seen.text(f"{policy.path}/scaling_driver") for policy in policies}
    for driver in dict.fromkeys(names.values()):
        mine = [policy for policy in policies if names[policy] == driver]
        means = DRIVERS.get(driver, "")
        text = f"cpufreq by {driver or 'a driver without a name'}: {count(len(mine), 'policy').replace('ys', 'ies')}"
        yield Finding(part, Level.GOOD, f"{text}, {_ranges(seen, mine)}" + (f"; {means}" if means else ""))
    if not policies:
        yield _no_cpufreq(part, seen)
    if seen.amd and "acpi-cpufreq" in names.values() and "cppc" in seen.processor.flags:
        text = "amd_pstate could run this processor in finer steps, and is not in use"
        remedy = "boot with amd_pstate=active; if that changes nothing, switch CPPC on in the firmware's setup"
        yield Finding(part, Level.MISSING, text, remedy)
    if seen.text(f"{_CPU}/amd_pstate/prefcore") == "enabled":
        text = "the kernel puts work on the best cores first (prefcore); their limits stay those of their policies"
        yield Finding(part, Level.NOTE, text)
    if seen.text(f"{_CPU}/amd_pstate/dynamic_epp") in {"enabled", "1", "Y", "on"}:
        text = "amd_pstate moves the energy-performance preference itself (dynamic_epp), so gamesad leaves it alone"
        yield Finding(part, Level.NOTE, text, "to let gamesad set it: boot with amd_dynamic_epp=disable")
    by_hand = [policy.name for policy in policies if seen.text(f"{policy.path}/scaling_governor") == "userspace"]
    if by_hand:
        text = f"governor userspace: something else picks the frequency of {listed(by_hand)}, and keeps that governor"
        yield Finding(part, Level.NOTE, text)
    yield from _boost(part, seen)
    yield from _hints(part, seen)


def _ranges(seen: Seen, policies: list[Policy]) -> str:
    """``0.4 to 4.7 GHz``; where cores differ, each range with its cores."""
    ranges: dict[tuple[int, int], list[Policy]] = {}
    for policy in policies:
        if policy.minimum_khz and policy.maximum_khz:
            ranges.setdefault((policy.minimum_khz, policy.maximum_khz), []).append(policy)
    texts = []
    for (low_khz, high_khz), mine in ranges.items():
        text = f"{low_khz / 1e6:g} to {high_khz / 1e6:g} GHz"
        texts.append(f"{text} ({_whose(seen, mine)})" if len(ranges) > 1 else text)
    return ", ".join(texts) or "without a stated range"


def _whose(seen: Seen, policies: list[Policy]) -> str:
    """The kind of their cores where it is one, else the cores."""
    names = [f"cpufreq.{policy.name}.frequency" for policy in policies]
    labels = [seen.sensors[name].label for name in names if name in seen.sensors]
    kinds = {kind[1] if (kind := re.search(r"\((.+)\)", label)) else "" for label in labels}
    return kinds.pop() if len(kinds) == 1 and kinds != {""} else listed(labels, 2)


def _no_cpufreq(part: str, seen: Seen) -> Finding:
    if seen.virtual:
        text = "no cpufreq: a virtual machine's clock is its host's"
        return Finding(part, Level.NOTE, text, "run gamesad on its host")
    if seen.intel or seen.amd:
        remedy = (
            "see that the firmware's setup allows it (SpeedStep, Cool'n'Quiet, CPPC) and the kernel was not told"
            " intel_pstate=disable or amd_pstate=disable; then: modprobe acpi-cpufreq"
        )
    else:
        remedy = "the kernel needs the cpufreq driver of this chip; try a newer kernel"
    return Finding(part, Level.MISSING, "no cpufreq: the clock cannot be limited", remedy)


def _boost(part: str, seen: Seen) -> Iterator[Finding]:
    for tunable in seen.tunables.values():
        if tunable.role is Role.BOOST and seen.values.get(tunable.name) == tunable.least:
            yield Finding(part, Level.NOTE, f"turbo is off ({tunable.name} = {tunable.least}); gamesad leaves it so")


def _hints(part: str, seen: Seen) -> Iterator[Finding]:
    roles = {tunable.role for tunable in seen.tunables.values()}
    if Role.EPP in roles:
        yield Finding(part, Level.GOOD, "the energy-performance preference can be set (EPP)")
    elif Role.EPB in roles:
        yield Finding(part, Level.GOOD, "the energy-performance bias can be set (EPB, which needs no msr module)")
    elif seen.intel and not seen.virtual:
        yield Finding(
            part, Level.NOTE, "neither EPP nor EPB: the processor, or the mode of intel_pstate, has no such hint"
        )


def limits(seen: Seen) -> Iterator[Finding]:
    """RAPL, by way of powercap."""
    part = "power"
    zones = [sensor for sensor in seen.sensors.values() if sensor.name.startswith("powercap.")]
    settable = [one for one in seen.tunables.values() if one.role is Role.POWER_LIMIT and one.heat is Heat.CPU]
    if settable:
        texts = [f"{one.domain} {int(seen.values.get(one.name, 0)) / 1e6:g} W" for one in settable]
        yield Finding(part, Level.GOOD, f"power limits can be lowered: {listed(texts)}")
    if zones and not settable and seen.amd:
        yield Finding(
            part, Level.NOTE, "AMD shows the processor's energy and offers no limit; the clock is limited instead"
        )
    elif zones and not settable:
        off = [s for s in zones if seen.text(f"{s.path.removesuffix('energy_uj')}enabled") == "0"]
        text = (
            "no power limit is in force" + (", RAPL is switched off" if off else "") + "; the clock is limited instead"
        )
        yield Finding(part, Level.NOTE, text)
    denied = [s for s in zones if s.name in seen.snapshot.absent and seen.snapshot.absent[s.name].cause in _DENIED]
    if denied:
        text = "RAPL's energy counters need root since kernel 5.10 (CVE-2020-8694); the daemon, which is root, has them"
        yield Finding(part, Level.NOTE, text)
    elif zones:
        yield Finding(part, Level.GOOD, f"power is measured: {listed([sensor.label for sensor in zones])}")
    if any("intel-rapl-mmio" in sensor.name for sensor in zones):
        yield Finding(
            part, Level.NOTE, "the package is limited in two ways (intel-rapl, intel-rapl-mmio); the lower one wins"
        )
    if not zones and not seen.virtual and (seen.intel or (seen.amd and seen.processor.family >= 0x17)):
        what = "neither measured nor limited" if seen.intel else "not measured"
        yield Finding(part, Level.MISSING, f"the processor's power is {what}", "load RAPL: modprobe intel_rapl_msr")


_DENIED = ("EACCES", "EPERM")


def platform(seen: Seen) -> Iterator[Finding]:
    part = "platform profile"
    settable = [one for one in seen.tunables.values() if one.role is Role.PLATFORM_PROFILE]
    for one in settable:
        text = f"{one.name} is {seen.values.get(one.name, 'unknown')}; it offers {', '.join(one.choices)}"
        yield Finding(part, Level.GOOD, text)
    if settable:
        return
    present = seen.text(f"{_ACPI}/platform_profile")
    if present == "custom":
        text = "the platform profile is custom, which can be read and not written, so gamesad leaves it alone"
        yield Finding(part, Level.NOTE, text, "choose another one in the desktop's settings")
    elif seen.sysfs.exists(f"{_ACPI}/platform_profile"):
        text = "there is a platform profile, and no driver offers a choice"
        yield Finding(part, Level.NOTE, text, "it may fill when the machine's platform driver loads")
    elif seen.is_laptop:
        vendor = seen.dmi("sys_vendor")
        known = next((drivers for maker, drivers in _PROFILE_DRIVERS.items() if vendor.startswith(maker)), "")
        remedy = f"on this maker's machines it comes from {known}" if known else "not every laptop has one"
        text = "no platform profile: the firmware cannot be asked to be quiet or fast"
        yield Finding(part, Level.MISSING, text, remedy)


def anything(seen: Seen) -> Iterator[Finding]:
    """Whether there is something to cool the processor with at all."""
    cooling = {Role.FREQUENCY_MAXIMUM, Role.POWER_LIMIT, Role.GOVERNOR, Role.BOOST, Role.EPP, Role.EPB}
    useful = [one for one in seen.tunables.values() if one.role in cooling and one.heat is Heat.CPU]
    if useful:
        yield Finding("control", Level.GOOD, f"{count(len(seen.tunables), 'tunable')} can be set: gamesactl tunables")
        return
    remedy = "see what is said above of cpufreq and power"
    yield Finding(
        "control", Level.FAULT, "nothing can be set here that cools the processor: gamesad only tells", remedy
    )
