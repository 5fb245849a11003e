"""/sys/devices/system/cpu: cpufreq policies, boost, intel_pstate, energy_perf_bias, hotplug and topology.

What a write does or refuses follows drivers/cpufreq/{cpufreq,intel_pstate,amd-pstate,acpi-cpufreq}.c and
arch/x86/kernel/cpu/intel_epb.c. There is one policy per CPU, as on every machine of the last ten years.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from gamesad.simulation.kernel_text import kstrtobool, kstrtoul, match_string, refuse, sscanf_unsigned, sscanf_word
from gamesad.simulation.kinds import MachineKind, Scaling
from gamesad.simulation.processor import Core, Wish
from gamesad.simulation.tree import Node, Read, Tree, Write

_CPU = "/sys/devices/system/cpu"
_EPP = {"performance": 0, "balance_performance": 128, "balance_power": 192, "power": 255}
_EPP_CHOICES = "default performance balance_performance balance_power power"
_EPB = {"performance": 0, "balance-performance": 4, "normal": 6, "balance-power": 8, "power": 15}
_GOVERNORS = ("conservative", "ondemand", "userspace", "powersave", "performance", "schedutil")
_S32 = 2**31


def _epp_response(epp: int) -> tuple[float, float]:
    """How eagerly the hardware raises the frequency, and the part of the range it goes to, by preference 0..255."""
    if epp <= 128:
        return 1.6 - 0.25 * epp / 128.0, 1.0
    part = (epp - 128) / 127.0
    return 1.35 - 0.3 * part, 1.0 - 0.38 * part


class Policy:
    """One cpufreq policy: what was asked for, and from that the limits in force and the core's wish."""

    def __init__(self, cpufreq: Cpufreq, cpu: int, core: Core) -> None:
        kind = cpufreq.kind
        self.cpufreq = cpufreq
        self.cpu = cpu
        self.core = core
        self.active = kind.scaling in (Scaling.INTEL_PSTATE, Scaling.AMD_PSTATE_EPP)
        self.governor = kind.governor
        self.epp = _EPP[kind.epp]
        self.epp_saved = self.epp
        self.epb = 6
        self.boost = True
        self.wanted_min_khz = 0
        self.wanted_max_khz = _S32 - 1
        self.set_khz = 0

    @property
    def lowest_khz(self) -> int:
        return self.core.kind.minimum_khz

    @property
    def highest_khz(self) -> int:
        """cpuinfo_max_freq. amd-pstate lowers it to the nominal frequency when boost is off, the others keep it."""
        kind = self.core.kind
        if self.cpufreq.kind.frequencies_khz:
            return self.cpufreq.kind.frequencies_khz[0]
        if self.cpufreq.kind.scaling is Scaling.AMD_PSTATE_EPP and not self.boosting:
            return kind.base_khz
        return kind.maximum_khz

    @property
    def boosting(self) -> bool:
        return self.boost and not self.cpufreq.no_turbo

    def limits_khz(self) -> tuple[int, int]:
        """scaling_min_freq and scaling_max_freq in force: a minimum asked above the maximum stands at the maximum."""
        low, high = self.lowest_khz, self.highest_khz
        top = min(max(self.wanted_max_khz, low), high)
        bottom = min(max(self.wanted_min_khz, low), top)
        if table := self.cpufreq.kind.frequencies_khz:
            top = max((khz for khz in table if khz <= top), default=table[-1])
            bottom = min(min((khz for khz in table if khz >= bottom), default=table[0]), top)
        return bottom, top

    def set_governor(self, text: str) -> None:
        name = sscanf_word(text, 15).lower()
        if name not in self.cpufreq.governors:
            refuse(errno.EINVAL)
        if self.active and name != self.governor:
            if name == "performance":
                self.epp_saved, self.epp = self.epp, 0
            elif self.epp == 0 and self.cpufreq.kind.scaling is Scaling.INTEL_PSTATE:
                self.epp = self.epp_saved  # intel_pstate puts it back, amd-pstate leaves it at 0
        if name == "userspace" and name != self.governor:
            self.set_khz = round(self.core.khz)
        self.governor = name
        self.cpufreq.update()

    def set_epp(self, text: str) -> None:
        word = sscanf_word(text, 21)
        if word == "default":
            epp = _EPP[self.cpufreq.kind.epp]
        elif word in _EPP:
            epp = _EPP[word]
        elif self.cpufreq.kind.scaling is Scaling.INTEL_PSTATE:
            epp = kstrtoul(word, 10, 2**32 - 1)
            if epp > 255:
                refuse(errno.EINVAL)
        else:
            refuse(errno.EINVAL)
        if epp > 0 and self.governor == "performance":
            refuse(errno.EBUSY)
        self.epp = epp
        self.cpufreq.update()

    def epp_text(self) -> str:
        return next((name for name, epp in _EPP.items() if epp == self.epp), str(self.epp))

    def set_min(self, text: str) -> None:
        self.wanted_min_khz = _frequency_request(text)
        self.cpufreq.update()

    def set_max(self, text: str) -> None:
        self.wanted_max_khz = _frequency_request(text)
        self.cpufreq.update()

    def set_speed(self, text: str) -> None:
        if self.governor != "userspace":
            refuse(errno.EINVAL)
        self.set_khz = sscanf_unsigned(text)
        self.cpufreq.update()

    def setspeed_text(self) -> str:
        return str(self.set_khz) if self.governor == "userspace" else "<unsupported>"

    def set_boost(self, text: str) -> None:
        self.boost = kstrtobool(text)
        self.cpufreq.update()

    def set_epb(self, text: str) -> None:
        word = text.removesuffix("\n")
        if word in _EPB:
            self.epb = _EPB[word]
        else:
            try:
                self.epb = kstrtoul(text, 0, 15)
            except OSError:
                refuse(errno.EINVAL)  # what is too large is EINVAL here, not ERANGE
        self.cpufreq.update()

    def wish(self) -> Wish:
        bottom, top = map(float, self.limits_khz())
        kind, core = self.cpufreq.kind, self.core.kind
        if kind.frequencies_khz:
            if top >= kind.frequencies_khz[0] and self.boosting:
                top += kind.boost_khz
        elif not self.boosting:
            top = min(top, core.base_khz)
        top = max(min(top, core.maximum_khz * self.cpufreq.max_perf_pct / 100.0), bottom)
        eager, governor = 1.25, self.governor
        if self.active:
            governor = "performance" if self.governor == "performance" else "hardware"
            eager, part = _epp_response(self.epp)
            if governor == "hardware":
                top = max(bottom, min(top, core.minimum_khz + part * (core.maximum_khz - core.minimum_khz)))
        elif kind.has_epb and self.epb > 6:
            top = max(bottom, top * (1.0 - 0.15 * (self.epb - 6) / 9.0))
        return Wish(governor, bottom, top, eager, float(self.set_khz))


def _frequency_request(text: str) -> int:
    """freq_qos: an unsigned long cut to s32; negative is EINVAL, 0 and far too much are taken and clamped."""
    number = kstrtoul(text) & 0xFFFFFFFF
    if number >= _S32:
        refuse(errno.EINVAL)
    return number


class Cpufreq:
    """All policies of the machine and the switches they share."""

    def __init__(self, tree: Tree, kind: MachineKind, cores: list[Core]) -> None:
        self.kind = kind
        self.tree = tree
        self.cores = cores
        self.no_turbo = False
        self.max_perf_pct = 100
        self._gone: dict[int, list[tuple[str, Node]]] = {}
        self.online: dict[int, bool] = {cpu: True for core in cores for cpu in core.cpus}
        active = kind.scaling in (Scaling.INTEL_PSTATE, Scaling.AMD_PSTATE_EPP)
        self.governors = ("performance", "powersave") if active else _GOVERNORS
        self.policies = [Policy(self, cpu, core) for core in cores for cpu in core.cpus]
        for policy in self.policies:
            self._policy_files(policy)
            self._cpu_files(policy)
        self._shared_files()
        self.update()

    def update(self) -> None:
        """Threads of one core share its clock: the most demanding of their policies wins."""
        wishes: dict[int, Wish] = {}
        for policy in self.policies:
            if not self.online[policy.cpu]:
                continue
            wish, core = policy.wish(), id(policy.core)
            if core in wishes:
                other = wishes[core]
                keep = wish if wish.high_khz > other.high_khz else other
                low_khz, eager = max(wish.low_khz, other.low_khz), max(wish.eager, other.eager)
                wish = Wish(keep.governor, low_khz, keep.high_khz, eager, keep.set_khz)
            wishes[core] = wish
        for core_object in self.cores:
            core_object.online = id(core_object) in wishes
            if core_object.online:
                core_object.wish = wishes[id(core_object)]
                core_object.khz = max(core_object.khz, 100_000.0)

    def set_online(self, cpu: int, online: bool) -> None:
        """Hotplug: an offline CPU keeps its policy's folder and loses its topology, its counters and its bias."""
        if online == self.online[cpu]:
            return
        self.online[cpu] = online
        if online:
            for path, kept in self._gone.pop(cpu, []):
                self.tree.put_back(path, kept)
        else:
            paths = [f"{_CPU}/cpu{cpu}/{name}" for name in ("topology", "thermal_throttle", "power/energy_perf_bias")]
            self._gone[cpu] = [(path, node) for path in paths if (node := self.tree.remove(path)) is not None]
        self.update()

    def online_list(self) -> str:
        return cpu_list([cpu for cpu, online in self.online.items() if online])

    def _policy_files(self, policy: Policy) -> None:
        kind = self.kind
        folder = f"{_CPU}/cpufreq/policy{policy.cpu}"
        files: dict[str, tuple[Callable[[], object], Write | None]] = {
            "affected_cpus": (lambda: policy.cpu, None),
            "related_cpus": (lambda: policy.cpu, None),
            "scaling_driver": (lambda: kind.scaling.value, None),
            "scaling_available_governors": (lambda: " ".join(self.governors) + " ", None),
            "scaling_governor": (lambda: policy.governor, policy.set_governor),
            "scaling_min_freq": (lambda: policy.limits_khz()[0], policy.set_min),
            "scaling_max_freq": (lambda: policy.limits_khz()[1], policy.set_max),
            "scaling_cur_freq": (lambda: round(policy.core.khz), None),
            "scaling_setspeed": (policy.setspeed_text, policy.set_speed),
            "cpuinfo_min_freq": (lambda: policy.lowest_khz, None),
            "cpuinfo_max_freq": (lambda: policy.highest_khz, None),
            "cpuinfo_transition_latency": (lambda: 0 if policy.active else 20000, None),
        }
        if policy.active:
            files["energy_performance_available_preferences"] = (lambda: _EPP_CHOICES + " ", None)
            files["energy_performance_preference"] = (policy.epp_text, policy.set_epp)
        if kind.scaling is Scaling.INTEL_PSTATE:
            files["base_frequency"] = (lambda: policy.core.kind.base_khz, None)
        if kind.scaling is Scaling.AMD_PSTATE_EPP:
            files["amd_pstate_highest_perf"] = (lambda: 196, None)
            files["amd_pstate_max_freq"] = (lambda: policy.core.kind.maximum_khz, None)
            files["amd_pstate_lowest_nonlinear_freq"] = (lambda: 1_700_000, None)
            files["boost"] = (lambda: int(policy.boosting), policy.set_boost)
        if kind.scaling is Scaling.ACPI_CPUFREQ:
            files["scaling_available_frequencies"] = (lambda: " ".join(map(str, kind.frequencies_khz)) + " ", None)
            files["bios_limit"] = (lambda: kind.frequencies_khz[0], None)
            files["cpuinfo_cur_freq"] = (lambda: round(policy.core.khz), None)
        for name, (read, write) in files.items():
            show, store = self._while_online(policy.cpu, read, write)
            self.tree.file(f"{folder}/{name}", show, store if write else None)
        self.tree.link(f"{_CPU}/cpu{policy.cpu}/cpufreq", folder)

    def _while_online(self, cpu: int, read: Callable[[], object], write: Write | None) -> tuple[Read, Write]:
        """An offline CPU's policy keeps its files; they answer EBUSY (cpufreq.c: policy_is_inactive)."""

        def show() -> str:
            if not self.online[cpu]:
                refuse(errno.EBUSY)
            return str(read())

        def store(text: str) -> None:
            if not self.online[cpu]:
                refuse(errno.EBUSY)
            if write is not None:
                write(text)

        return show, store

    def _cpu_files(self, policy: Policy) -> None:
        folder = f"{_CPU}/cpu{policy.cpu}"
        core_index = self.cores.index(policy.core)
        per_socket = len(self.cores) // self.kind.sockets
        if self.kind.has_epb:
            self.tree.file(f"{folder}/power/energy_perf_bias", lambda: str(policy.epb), policy.set_epb)
        self.tree.constant(f"{folder}/topology/core_id", core_index % per_socket)
        self.tree.constant(f"{folder}/topology/physical_package_id", core_index // per_socket)
        self.tree.constant(f"{folder}/topology/core_cpus_list", cpu_list(list(policy.core.cpus)))
        self.tree.constant(f"{folder}/topology/thread_siblings_list", cpu_list(list(policy.core.cpus)))
        if policy.cpu:  # the boot CPU stays, as on x86 since Linux 6.5
            self.tree.file(
                f"{folder}/online",
                lambda: str(int(self.online[policy.cpu])),
                lambda text: self.set_online(policy.cpu, kstrtobool(text)),
            )

    def _shared_files(self) -> None:
        tree, kind = self.tree, self.kind
        everyone = cpu_list(list(self.online))
        tree.constant(f"{_CPU}/possible", everyone)
        tree.constant(f"{_CPU}/present", everyone)
        tree.file(f"{_CPU}/online", self.online_list)
        for word, name in (("P", "core"), ("E", "atom")):
            cpus = [cpu for core in self.cores if core.kind.name == word for cpu in core.cpus]
            if cpus:
                tree.constant(f"/sys/devices/cpu_{name}/cpus", cpu_list(cpus))
        if kind.scaling in (Scaling.INTEL_PSTATE, Scaling.INTEL_CPUFREQ):
            status = "active" if kind.scaling is Scaling.INTEL_PSTATE else "passive"
            tree.file(f"{_CPU}/intel_pstate/status", lambda: status, lambda text: _same_mode(text, status))
            tree.file(f"{_CPU}/intel_pstate/no_turbo", lambda: str(int(self.no_turbo)), self._set_no_turbo)
            tree.file(f"{_CPU}/intel_pstate/max_perf_pct", lambda: str(self.max_perf_pct), self._set_max_perf)
            fastest = self.cores[0].kind
            tree.constant(f"{_CPU}/intel_pstate/min_perf_pct", 100 * fastest.minimum_khz // fastest.maximum_khz)
        elif kind.has_boost:
            tree.file(f"{_CPU}/cpufreq/boost", self._boost_text, self._set_boost)
        if kind.scaling is Scaling.AMD_PSTATE_EPP:
            tree.file(f"{_CPU}/amd_pstate/status", lambda: "active", lambda text: _same_mode(text, "active"))

    def _set_no_turbo(self, text: str) -> None:
        self.no_turbo = sscanf_unsigned(text) != 0
        self.update()

    def _set_max_perf(self, text: str) -> None:
        self.max_perf_pct = min(max(sscanf_unsigned(text), 10), 100)
        self.update()

    def _boost_text(self) -> str:
        return str(int(all(policy.boost for policy in self.policies)))

    def _set_boost(self, text: str) -> None:
        on = kstrtobool(text)
        for policy in self.policies:
            policy.boost = on
        self.update()


def _same_mode(text: str, status: str) -> None:
    """Switching the driver's mode is not simulated: another mode answers EBUSY."""
    if match_string(text, ("active", "passive", "guided", "off", "disable")) != status:
        refuse(errno.EBUSY)


def cpu_list(cpus: list[int]) -> str:
    """``0-3,5``."""
    parts: list[list[int]] = []
    for cpu in sorted(cpus):
        if parts and cpu == parts[-1][1] + 1:
            parts[-1][1] = cpu
        else:
            parts.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
