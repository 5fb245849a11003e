"""/sys/devices/system/cpu/cpufreq: one policy per group of CPUs that share a clock.

Documentation/admin-guide/pm/{cpufreq,intel_pstate,amd-pstate}.rst. Frequencies are in kHz. A policy stands under
``cpufreq/policyN``, on kernels before 4.3 only under ``cpuN/cpufreq``. An offlined policy takes its files along. With
intel_pstate or amd_pstate in active mode the governors are ``performance`` and ``powersave`` only, and ``powersave``
behaves like schedutil; everywhere else ``powersave`` pins the lowest frequency. ``scaling_max_freq`` reads as the
lowest of everybody's requests: ours, ``bios_limit`` (firmware) and cooling devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gamesad.hardware.base import Actuator, FileActuator, FileBatch, NumberFile, Sink, Source
from gamesad.hardware.sysfs import Sysfs, natural_key
from gamesad.types import Quantity, Role, Sensor, SensorLimits, Tunable

_CPUS = "/sys/devices/system/cpu"
_POLICIES = _CPUS + "/cpufreq"
_NO_TURBO = _CPUS + "/intel_pstate/no_turbo"
_DYNAMIC_EPP = _CPUS + "/amd_pstate/dynamic_epp"

_GOVERNORS = ("powersave", "conservative", "schedutil", "ondemand", "performance")
"""From least power to most; ``userspace`` (somebody else picks the frequency) has no place among them."""

_PREFERENCES = ("power", "balance_power", "balance_performance", "performance")
"""From least power to most; ``default`` is left out: it reads back as one of these."""

_CURRENT = ("scaling_cur_freq", "cpuinfo_cur_freq", "cpuinfo_avg_freq")
"""Best first. cpuinfo_cur_freq asks the hardware and is root's only; cpuinfo_avg_freq answers EAGAIN when idle."""

_MOST_KHZ = 100_000_000
_MOST_DIGITS = 9
_KHZ = 0.001
"""A file in kHz divided by this is in Hz, exactly."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A cpufreq policy folder. ``cpus`` as in affected_cpus, without those that are offline."""

    name: str
    path: str
    cpus: tuple[int, ...]
    minimum_khz: int | None
    maximum_khz: int | None


class PolicySource:
    """The present frequency of one policy."""

    slow = False
    period_s = 0.0

    def __init__(self, sysfs: Sysfs, file: NumberFile) -> None:
        self.name = file.sensor.name
        self._sensors = (file.sensor,)
        self._batch = FileBatch(sysfs, [file])

    def sensors(self) -> Sequence[Sensor]:
        return self._sensors

    def sample(self, now_s: float, sink: Sink) -> None:
        self._batch.sample(now_s, sink)

    def close(self) -> None:
        self._batch.close()


def probe_sources(sysfs: Sysfs) -> list[Source]:
    kinds = _core_kinds(sysfs)
    sources: list[Source] = []
    for policy in policies(sysfs):
        current = next((name for name in _CURRENT if sysfs.exists(f"{policy.path}/{name}")), None)
        if current is None:
            continue
        limits = SensorLimits(minimum=_hz(policy.minimum_khz), maximum=_hz(policy.maximum_khz))
        path = f"{policy.path}/{current}"
        label = _label(policy.cpus, kinds)
        sensor = Sensor(
            f"cpufreq.{policy.name}.frequency", Quantity.FREQUENCY, label, limits, driver="cpufreq", path=path
        )
        sources.append(PolicySource(sysfs, NumberFile(sensor, path, _KHZ, low=1e6, high=20e9)))
    return sources


def probe_actuators(sysfs: Sysfs) -> list[Actuator]:
    found = policies(sysfs)
    groups = [_boost(sysfs, found)] + [_policy_tunables(sysfs, policy) for policy in found]
    return [FileActuator(sysfs, tunables) for tunables in groups if tunables]


def policies(sysfs: Sysfs) -> list[Policy]:
    """Every policy with files in it, each once, in numeric order."""
    paths = {name: f"{_POLICIES}/{name}" for name in sysfs.list(_POLICIES) if name.startswith("policy")}
    paths = {name: path for name, path in paths.items() if sysfs.list(path)}
    known = {_resolve(sysfs, path) for path in paths.values()}
    for cpu in sysfs.list(_CPUS):
        path = f"{_CPUS}/{cpu}/cpufreq"
        if not _is_cpu(cpu) or not sysfs.list(path) or _resolve(sysfs, path) in known:
            continue
        known.add(_resolve(sysfs, path))
        paths.setdefault(f"policy{cpu[3:]}", path)
    return [_policy(sysfs, name, paths[name]) for name in sorted(paths, key=natural_key)]


def _policy(sysfs: Sysfs, name: str, path: str) -> Policy:
    cpus = _text(sysfs, f"{path}/affected_cpus") or _text(sysfs, f"{path}/related_cpus")
    return Policy(
        name=name,
        path=path,
        cpus=tuple(int(cpu) for cpu in cpus.split() if _is_number(cpu)),
        minimum_khz=_khz(sysfs, f"{path}/cpuinfo_min_freq"),
        maximum_khz=_khz(sysfs, f"{path}/cpuinfo_max_freq"),
    )


def _policy_tunables(sysfs: Sysfs, policy: Policy) -> list[Tunable]:
    return [*_words(sysfs, policy), *_frequencies(sysfs, policy)]


def _words(sysfs: Sysfs, policy: Policy) -> list[Tunable]:
    """Governor and energy-performance preference.

    No governor where ``userspace`` is in force: somebody sets the frequency by hand, and coming back to it would not
    bring their frequency back. No preference while amd_pstate's dynamic_epp moves it: every write is EBUSY.
    """
    tunables = []
    governors = _ordered(_GOVERNORS, _text(sysfs, f"{policy.path}/scaling_available_governors"))
    present = _text(sysfs, f"{policy.path}/scaling_governor")
    if governors and present and present != "userspace":
        tunables.append(_choice(policy, "scaling_governor", Role.GOVERNOR, governors))
    offered = _ordered(_PREFERENCES, _text(sysfs, f"{policy.path}/energy_performance_available_preferences"))
    dynamic = _text(sysfs, _DYNAMIC_EPP) in {"enabled", "1", "Y", "on"}
    if offered and not dynamic and _text(sysfs, f"{policy.path}/energy_performance_preference"):
        tunables.append(_choice(policy, "energy_performance_preference", Role.EPP, offered))
    return tunables


def _frequencies(sysfs: Sysfs, policy: Policy) -> list[Tunable]:
    low, high = policy.minimum_khz, policy.maximum_khz
    if low is None or high is None or not 0 < low <= high:
        return []
    files = (
        ("scaling_min_freq", Role.FREQUENCY_MINIMUM, low),
        ("scaling_max_freq", Role.FREQUENCY_MAXIMUM, high),
    )
    present = {name: _khz(sysfs, f"{policy.path}/{name}") for name, _role, _default in files}
    table = _text(sysfs, f"{policy.path}/scaling_available_frequencies").split()
    steps = tuple(sorted(int(step) for step in table if _is_number(step)))
    return [
        Tunable(
            f"cpufreq.{policy.name}.{name}",
            role,
            policy.name,
            f"{policy.path}/{name}",
            unit="kHz",
            # with turbo off, cpuinfo_max_freq is less than it will be, and may be less than what is set
            minimum=min(low, present[name] or low),
            maximum=max(high, present[name] or high),
            default=default,
            steps=steps,
        )
        for name, role, default in files
        if present[name]
    ]


def _boost(sysfs: Sysfs, found: Sequence[Policy]) -> list[Tunable]:
    """The switch for frequencies above the base: one for the machine, or one per policy where they stand apart.

    intel_pstate/no_turbo is the other way round: "1" is the choice of less power, so it comes first. Writing
    cpufreq/boost sets every policy's own switch, so where these differ only they can be put back as they were.
    """
    if _text(sysfs, _NO_TURBO) in {"0", "1"}:
        return [Tunable("intel_pstate.no_turbo", Role.BOOST, "cpu", _NO_TURBO, choices=("1", "0"))]
    common = _text(sysfs, f"{_POLICIES}/boost")
    own = {policy: _text(sysfs, f"{policy.path}/boost") for policy in found}
    if common in {"0", "1"} and all(value in {"", common} for value in own.values()):
        return [Tunable("cpufreq.boost", Role.BOOST, "cpu", f"{_POLICIES}/boost", choices=("0", "1"))]
    return [_choice(policy, "boost", Role.BOOST, ("0", "1")) for policy, value in own.items() if value in {"0", "1"}]


def _choice(policy: Policy, file: str, role: Role, choices: tuple[str, ...]) -> Tunable:
    return Tunable(f"cpufreq.{policy.name}.{file}", role, policy.name, f"{policy.path}/{file}", choices=choices)


def _ordered(order: Sequence[str], available: str) -> tuple[str, ...]:
    offered = available.split()
    return tuple(word for word in order if word in offered)


def _label(cpus: tuple[int, ...], kinds: dict[int, str]) -> str:
    """``CPU 0-3``, on hybrid processors ``CPU 0-1 (P-core)``."""
    if not cpus:
        return "CPU"
    dense = len(cpus) > 1 and cpus[-1] - cpus[0] == len(cpus) - 1
    text = f"CPU {cpus[0]}-{cpus[-1]}" if dense else "CPU " + ", ".join(map(str, cpus))
    kind = kinds.get(cpus[0])
    return f"{text} ({kind})" if kind else text


def _core_kinds(sysfs: Sysfs) -> dict[int, str]:
    """What kind of core each CPU is, where there are several: Intel's perf devices list theirs, Arm tells capacities.

    AMD's do not tell: prefcore ranks cores, and a lower ``cpuinfo_max_freq`` is no proof of another kind.
    """
    kinds: dict[int, str] = {}
    for device, kind in (("cpu_core", "P-core"), ("cpu_atom", "E-core"), ("cpu_lowpower", "LP E-core")):
        for part in _text(sysfs, f"/sys/devices/{device}/cpus").split(","):
            first, _, last = part.partition("-")
            if _is_number(first) and _is_number(last or first) and int(last or first) < 65536:
                kinds.update(dict.fromkeys(range(int(first), int(last or first) + 1), kind))
    return kinds or _capacities(sysfs)


def _capacities(sysfs: Sysfs) -> dict[int, str]:
    """cpuN/cpu_capacity (ABI/testing/sysfs-devices-system-cpu): 1024 for the fastest core of the machine."""
    texts = {int(cpu[3:]): _text(sysfs, f"{_CPUS}/{cpu}/cpu_capacity") for cpu in sysfs.list(_CPUS) if _is_cpu(cpu)}
    capacities = {cpu: int(text) for cpu, text in texts.items() if _is_number(text)}
    least, most = min(capacities.values(), default=0), max(capacities.values(), default=0)
    if least == most:
        return {}
    named = {least: "little core", most: "big core"}
    return {cpu: named.get(capacity, "middle core") for cpu, capacity in capacities.items()}


def _hz(khz: int | None) -> float | None:
    return khz * 1000.0 if khz else None


def _is_number(word: str) -> bool:
    """No CPU and no frequency in kHz takes more digits; ``int`` raises ValueError past 4300."""
    return word.isascii() and word.isdigit() and len(word) <= _MOST_DIGITS


def _is_cpu(name: str) -> bool:
    return name.startswith("cpu") and _is_number(name[3:])


def _resolve(sysfs: Sysfs, path: str) -> str:
    try:
        return sysfs.resolve(path)
    except OSError:
        return path


def _text(sysfs: Sysfs, path: str) -> str:
    try:
        return sysfs.read(path)
    except OSError:
        return ""


def _khz(sysfs: Sysfs, path: str) -> int | None:
    try:
        khz = int(sysfs.read(path))
    except (OSError, ValueError):
        return None
    return khz if 0 <= khz < _MOST_KHZ else None
