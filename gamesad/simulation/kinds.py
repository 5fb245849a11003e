"""The five machines that can be simulated, as numbers. Where they come from: docs/simulation.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scaling(StrEnum):
    """Which cpufreq driver the kernel would use, with its name in ``scaling_driver``."""

    INTEL_PSTATE = "intel_pstate"
    INTEL_CPUFREQ = "intel_cpufreq"
    """intel_pstate in passive mode."""
    AMD_PSTATE_EPP = "amd-pstate-epp"
    ACPI_CPUFREQ = "acpi-cpufreq"


@dataclass(frozen=True, slots=True)
class CoreKind:
    """One sort of core. Dynamic power is ``switched_nf`` · V² · f[GHz] · activity; V rises from the knee to the top."""

    name: str
    count: int
    minimum_khz: int
    base_khz: int
    maximum_khz: int
    knee_khz: int
    low_v: float
    high_v: float
    switched_nf: float
    leakage_w: float
    """At 60 °C and 1 V."""
    work_per_cycle: float = 1.0
    threads: int = 1

    def volts(self, khz: float) -> float:
        knee = self.knee_khz
        if khz <= knee:
            return self.low_v
        return self.low_v + (self.high_v - self.low_v) * (khz - knee) / (self.maximum_khz - knee)


@dataclass(frozen=True, slots=True)
class Cooling:
    """Thermal conductances in W/K and capacities in J/K along the way heat takes, and the firmware's fan curve."""

    core_w_k: float
    core_j_k: float
    package_w_k: float
    package_j_k: float
    sink_still_w_k: float
    """Heatsink to case air with the fan standing, or for a machine without one."""
    sink_fan_w_k: float
    """What a fan at full speed adds."""
    sink_j_k: float
    fan_rpm: float = 0.0
    fan_start_c: float = 50.0
    fan_full_c: float = 90.0


@dataclass(frozen=True, slots=True)
class Graphics:
    name: str
    slug: str
    idle_w: float
    board_w: float
    maximum_mhz: float
    die_w_k: float
    die_j_k: float
    sink_still_w_k: float
    sink_fan_w_k: float
    sink_j_k: float
    fan_rpm: float
    edge_critical_c: float = 100.0
    junction_critical_c: float = 110.0
    memory_critical_c: float = 105.0


@dataclass(frozen=True, slots=True)
class MachineKind:
    """One machine. Power limits are RAPL's; ``fixed_limit_w`` is one the firmware keeps to itself (AMD's PPT)."""

    name: str
    product: str
    vendor: str
    cpu_model: str
    chassis_type: int
    scaling: Scaling
    temperature_driver: str
    tj_max_c: float
    warning_c: float | None
    """coretemp's temp*_max; None where the driver states no limits (k10temp)."""
    cores: tuple[CoreKind, ...]
    cooling: Cooling
    case_w_k: float
    case_j_k: float
    uncore_idle_w: float
    uncore_load_w: float
    sockets: int = 1
    long_limit_w: float = 0.0
    short_limit_w: float = 0.0
    fixed_limit_w: float = 0.0
    dram_w: float = 0.0
    graphics: Graphics | None = None
    fan_chip: str = ""
    frequencies_khz: tuple[int, ...] = ()
    """The P-states of acpi-cpufreq, highest first."""
    boost_khz: int = 0
    """What boost adds above the highest P-state."""
    governor: str = "powersave"
    epp: str = "balance_performance"
    has_boost: bool = False
    has_epb: bool = False
    platform_profiles: tuple[str, ...] = ()
    battery_wh: float = 0.0
    memory_kib: int = 16 * 1024 * 1024
    board_w: float = 5.0
    """Everything else: memory, disk, fans, display."""
    firmware_factor: Mapping[str, float] = field(default_factory=dict)
    """Platform profile → its share of the long power limit."""

    @property
    def has_rapl_limits(self) -> bool:
        return self.long_limit_w > 0.0


LAPTOP = MachineKind(
    name="laptop",
    product="gamesad simulated laptop",
    vendor="GenuineIntel",
    cpu_model="Simulated hybrid mobile processor, 6 P and 8 E cores",
    chassis_type=10,
    scaling=Scaling.INTEL_PSTATE,
    temperature_driver="coretemp",
    tj_max_c=100.0,
    warning_c=100.0,
    cores=(
        CoreKind("P", 6, 400_000, 2_400_000, 4_800_000, 1_400_000, 0.65, 1.25, 2.4, 0.55),
        CoreKind("E", 8, 400_000, 1_800_000, 3_600_000, 1_200_000, 0.65, 1.10, 0.95, 0.2, work_per_cycle=0.6),
    ),
    cooling=Cooling(1.6, 0.06, 4.0, 8.0, 0.25, 1.05, 90.0, fan_rpm=5200.0, fan_start_c=48.0, fan_full_c=88.0),
    case_w_k=4.0,
    case_j_k=250.0,
    uncore_idle_w=1.2,
    uncore_load_w=5.0,
    long_limit_w=65.0,
    short_limit_w=115.0,
    graphics=Graphics("Simulated mobile GPU", "amdgpu", 3.0, 70.0, 2400.0, 4.5, 12.0, 0.3, 2.4, 110.0, 5000.0),
    has_boost=True,
    has_epb=True,
    platform_profiles=("low-power", "balanced", "performance"),
    firmware_factor={"low-power": 0.45, "balanced": 1.0, "performance": 1.25},
    battery_wh=80.0,
    board_w=9.0,
)

DESKTOP = MachineKind(
    name="desktop",
    product="gamesad simulated desktop",
    vendor="AuthenticAMD",
    cpu_model="Simulated desktop processor, 8 cores 16 threads",
    chassis_type=3,
    scaling=Scaling.AMD_PSTATE_EPP,
    temperature_driver="k10temp",
    tj_max_c=95.0,
    warning_c=None,
    cores=(CoreKind("core", 8, 400_000, 4_500_000, 5_400_000, 2_500_000, 0.70, 1.32, 1.85, 0.7, threads=2),),
    cooling=Cooling(1.9, 0.05, 3.2, 14.0, 1.2, 5.0, 380.0, fan_rpm=1900.0, fan_start_c=45.0, fan_full_c=90.0),
    case_w_k=28.0,
    case_j_k=900.0,
    uncore_idle_w=12.0,
    uncore_load_w=10.0,
    fixed_limit_w=142.0,
    graphics=Graphics("Simulated 300 W GPU", "amdgpu", 14.0, 300.0, 2600.0, 11.0, 45.0, 1.5, 9.0, 700.0, 3000.0),
    fan_chip="nct6799",
    has_boost=True,
    memory_kib=32 * 1024 * 1024,
    board_w=25.0,
)

SMALL_FORM_FACTOR = MachineKind(
    name="small-form-factor",
    product="gamesad simulated small form factor",
    vendor="GenuineIntel",
    cpu_model="Simulated desktop processor, 8 cores",
    chassis_type=35,
    scaling=Scaling.INTEL_PSTATE,
    temperature_driver="coretemp",
    tj_max_c=100.0,
    warning_c=80.0,
    cores=(CoreKind("core", 8, 800_000, 2_500_000, 4_900_000, 1_600_000, 0.68, 1.28, 2.3, 0.6),),
    cooling=Cooling(1.8, 0.06, 4.5, 12.0, 0.5, 1.75, 160.0, fan_rpm=3600.0, fan_start_c=45.0, fan_full_c=90.0),
    case_w_k=9.0,
    case_j_k=400.0,
    uncore_idle_w=3.0,
    uncore_load_w=6.0,
    long_limit_w=95.0,
    short_limit_w=134.0,
    graphics=Graphics("Simulated 130 W GPU", "amdgpu", 8.0, 130.0, 2500.0, 6.0, 25.0, 0.8, 3.6, 300.0, 3200.0),
    fan_chip="it8689",
    has_boost=True,
    has_epb=True,
    memory_kib=32 * 1024 * 1024,
    board_w=14.0,
)

FANLESS = MachineKind(
    name="fanless",
    product="gamesad simulated fanless computer",
    vendor="AuthenticAMD",
    cpu_model="Simulated embedded processor, 4 cores",
    chassis_type=3,
    scaling=Scaling.ACPI_CPUFREQ,
    temperature_driver="k10temp",
    tj_max_c=95.0,
    warning_c=None,
    cores=(CoreKind("core", 4, 1_400_000, 2_600_000, 3_300_000, 1_400_000, 0.70, 1.15, 1.15, 0.3),),
    cooling=Cooling(1.2, 0.05, 2.5, 6.0, 0.32, 0.0, 45.0),
    case_w_k=1.25,
    case_j_k=120.0,
    uncore_idle_w=1.0,
    uncore_load_w=1.5,
    fixed_limit_w=25.0,
    frequencies_khz=(2_600_000, 1_900_000, 1_400_000),
    boost_khz=700_000,
    governor="schedutil",
    has_boost=True,
    memory_kib=8 * 1024 * 1024,
    board_w=4.0,
)

SERVER = MachineKind(
    name="server",
    product="gamesad simulated server",
    vendor="GenuineIntel",
    cpu_model="Simulated server processor, 12 cores",
    chassis_type=23,
    scaling=Scaling.INTEL_CPUFREQ,
    temperature_driver="coretemp",
    tj_max_c=95.0,
    warning_c=85.0,
    cores=(CoreKind("core", 12, 800_000, 2_400_000, 3_500_000, 1_500_000, 0.70, 1.10, 2.9, 0.8),),
    cooling=Cooling(2.2, 0.08, 7.0, 20.0, 0.6, 2.6, 300.0, fan_rpm=9000.0, fan_start_c=45.0, fan_full_c=88.0),
    case_w_k=38.0,
    case_j_k=800.0,
    uncore_idle_w=15.0,
    uncore_load_w=15.0,
    sockets=2,
    long_limit_w=165.0,
    short_limit_w=198.0,
    dram_w=12.0,
    governor="schedutil",
    has_boost=True,
    has_epb=True,
    memory_kib=128 * 1024 * 1024,
    board_w=60.0,
)

KINDS: Mapping[str, MachineKind] = {kind.name: kind for kind in (LAPTOP, DESKTOP, SMALL_FORM_FACTOR, FANLESS, SERVER)}
