"""Everything that is read and everything that is set, each in a file named after its kernel subsystem.

To add a sensor or an actuator: one file, one name in a tuple here, one test file. The tuples are the order in which
people see things.
"""

from gamesad.hardware import (
    cpufreq,
    energy_perf_bias,
    gpu,
    hwmon,
    memory,
    platform_profile,
    power_supply,
    powercap,
    pressure,
    procstat,
    thermal,
    thermal_throttle,
)
from gamesad.hardware.base import ActuatorProbe, Probe

SOURCES: tuple[Probe, ...] = (
    hwmon.probe_sources,
    gpu.probe_sources,
    thermal.probe_sources,
    powercap.probe_sources,
    cpufreq.probe_sources,
    procstat.probe_sources,
    memory.probe_sources,
    pressure.probe_sources,
    thermal_throttle.probe_sources,
    power_supply.probe_sources,
    platform_profile.probe_sources,
)

ACTUATORS: tuple[ActuatorProbe, ...] = (
    platform_profile.probe_actuators,
    cpufreq.probe_actuators,
    energy_perf_bias.probe_actuators,
    powercap.probe_actuators,
    gpu.probe_actuators,
)
