"""Every actuator is held to its declaration on every recorded machine."""

from __future__ import annotations

import re
from pathlib import Path

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.entry import permitted
from gamesad.actuation.executor import Executor
from gamesad.hardware import ACTUATORS
from gamesad.hardware.base import Actuator
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Heat, Role, Tunable

FILES = {
    Role.GOVERNOR: ("", r".*/cpufreq(/policy\d+)?/scaling_governor"),
    Role.EPP: ("", r".*/cpufreq(/policy\d+)?/energy_performance_preference"),
    Role.EPB: ("", r".*/cpu\d+/power/energy_perf_bias"),
    Role.FREQUENCY_MINIMUM: ("kHz", r".*/cpufreq(/policy\d+)?/scaling_min_freq"),
    Role.FREQUENCY_MAXIMUM: ("kHz", r".*/cpufreq(/policy\d+)?/scaling_max_freq"),
    Role.BOOST: ("", r".*/(cpufreq(/policy\d+)?/boost|intel_pstate/no_turbo)"),
    Role.POWER_LIMIT: ("µW", r"/sys/class/powercap/.*/constraint_\d_power_limit_uw"),
    Role.POWER_LIMIT_SHORT: ("µW", r"/sys/class/powercap/.*/constraint_\d_power_limit_uw"),
    Role.PLATFORM_PROFILE: ("", r"/sys/(firmware/acpi/platform_profile|class/platform-profile/.*/profile)"),
}
"""Role → the unit and the file that the kernel documents."""
_FREQUENCY = r"tile\d+/gt\d+/freq0/{0}_freq|gt/gt\d+/rps_{0}_freq_mhz|gt_{0}_freq_mhz"
CARD_FILES = {
    Role.FREQUENCY_MINIMUM: ("MHz", rf".*/({_FREQUENCY.format('min')})"),
    Role.FREQUENCY_MAXIMUM: ("MHz", rf".*/({_FREQUENCY.format('max')})"),
    Role.FREQUENCY_BURST: ("MHz", r".*/(gt/gt\d+/rps|gt)_boost_freq_mhz"),
    Role.POWER_LIMIT: ("µW", r".*/hwmon/hwmon\d+/power1_cap"),
    Role.POWER_LIMIT_SHORT: ("µW", r".*/hwmon/hwmon\d+/power2_cap"),
    Role.PERFORMANCE_LEVEL: ("", r".*/power_dpm_force_performance_level"),
}
"""The same of graphics cards."""


def actuators(root: Path) -> list[Actuator]:
    return [actuator for probe in ACTUATORS for actuator in probe(Sysfs(str(root)))]


def test_every_tunable_is_a_documented_file_whose_present_value_it_allows(machines: dict[str, Path]) -> None:
    seen: set[Role] = set()
    for machine, root in machines.items():
        names: list[str] = []
        for actuator in actuators(root):
            for tunable in actuator.tunables():
                unit, pattern = (CARD_FILES if tunable.heat is Heat.GPU else FILES)[tunable.role]
                assert re.fullmatch(pattern, tunable.path), (machine, tunable)
                assert tunable.unit == unit, (machine, tunable)
                assert permitted(tunable.path)
                assert tunable.allows(actuator.read(tunable)), (machine, tunable, actuator.read(tunable))
                assert not tunable.choices or tunable.power(tunable.choices[0]) == 0.0
                names.append(tunable.name)
                seen.add(tunable.role)
        assert len(names) == len(set(names)), machine
    assert seen >= {
        Role.GOVERNOR,
        Role.EPP,
        Role.EPB,
        Role.FREQUENCY_MAXIMUM,
        Role.POWER_LIMIT,
        Role.BOOST,
        Role.PERFORMANCE_LEVEL,
    }


def test_machines_offer_what_their_kernels_document(machines: dict[str, Path]) -> None:
    alder_lake = {tunable.name for actuator in actuators(machines["pepc-adl0"]) for tunable in actuator.tunables()}
    assert len(alder_lake) == 16 * 5 + 1
    fixtures: dict[str, Tunable] = {
        tunable.name: tunable for actuator in actuators(machines["procfs"]) for tunable in actuator.tunables()
    }
    long = fixtures["powercap.intel-rapl:0.constraint_0_power_limit_uw"]
    assert (long.minimum, long.default) == (23_750_000, 95_000_000)
    assert "powercap.intel-rapl:a.constraint_1_power_limit_uw" in fixtures
    assert not [name for name in fixtures if name.startswith("powercap.intel-rapl:0:0")], "disabled"


def test_the_executor_finds_a_value_for_everything_it_declares(machines: dict[str, Path], tmp_path: Path) -> None:
    for root in machines.values():
        baseline = Baseline.load(str(tmp_path), str(tmp_path), Sysfs(str(root)))
        controls = Executor(actuators(root), baseline, observe=True).controls
        assert set(controls.tunables) == set(controls.found)
