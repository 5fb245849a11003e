"""What heats each temperature is found from the declarations of sensors, on simulated and recorded machines."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from gamesad.neural.sources import Sources
from gamesad.simulation import open_machine
from gamesad.telemetry.collector import Collector
from gamesad.types import Heat, Quantity, Sensor

T, P, U = Quantity.TEMPERATURE, Quantity.POWER, Quantity.UTILIZATION
CORE, DISK = "hwmon.coretemp-isa-0000.temp1", "hwmon.nvme-pci-0200.temp1"
AMD, NVIDIA = "hwmon.amdgpu-pci-0300.temp1", "gpu.nvidia-pci-0100.temperature"


def declared(*sensors: tuple[str, Quantity, str, Heat | None] | Sensor) -> dict[str, Sensor]:
    made = (one if isinstance(one, Sensor) else Sensor(one[0], one[1], one[2], heat=one[3]) for one in sensors)
    return {one.name: one for one in made}


TEMPERATURES = [(CORE, T, "", Heat.CPU), (AMD, T, "", Heat.GPU), (NVIDIA, T, "", Heat.GPU), (DISK, T, "", Heat.OTHER)]
PARTS = [
    ("powercap.intel-rapl:0.power", P, "package-0", None),
    ("powercap.intel-rapl:0:0.power", P, "core", None),
    ("powercap.intel-rapl:1.power", P, "psys", None),
    ("powercap.intel-rapl-mmio:0.power", P, "package-0 (mmio)", None),
    ("hwmon.amdgpu-pci-0300.power1", P, "amdgpu PPT", None),
    ("gpu.nvidia-pci-0100.power", P, "power", None),
    ("power_supply.BAT0.power", P, "BAT0 power", None),
    ("cpu.utilization", U, "CPU", None),
    ("cpu.cpu0.utilization", U, "CPU0", None),
    ("memory.utilization", U, "memory", None),
    ("gpu.amdgpu-pci-0300.gpu_busy", U, "amdgpu busy", None),
    ("gpu.nvidia-pci-0100.gpu_busy", U, "busy", None),
]
VALUES = {
    "powercap.intel-rapl:0.power": 40.0,
    "hwmon.amdgpu-pci-0300.power1": 100.0,
    "gpu.nvidia-pci-0100.power": 200.0,
    "cpu.utilization": 0.2,
    "gpu.amdgpu-pci-0300.gpu_busy": 0.4,
    "gpu.nvidia-pci-0100.gpu_busy": 0.9,
}


def fed(sources: Sources, values: dict[str, float]) -> tuple[list[float], list[float]]:
    power, load = sources.feed({name: values.get(name, math.nan) for name in sources.feeding})
    return power.tolist(), load.tolist()


def test_each_temperature_has_the_power_and_load_of_its_own_part() -> None:
    sources = Sources(declared(*TEMPERATURES, *PARTS))
    assert sources.temperatures == (CORE, AMD, NVIDIA, DISK)
    assert set(sources.feeding) == set(VALUES)
    power, load = fed(sources, VALUES)
    assert power == [40.0, 100.0, 200.0, 340.0]
    assert load == [0.2, 0.4, 0.9, 0.5]


def test_a_card_that_sleeps_leaves_its_own_unknown_and_is_not_missed_in_the_whole() -> None:
    sources = Sources(declared(*TEMPERATURES, *PARTS))
    power, load = fed(sources, {name: value for name, value in VALUES.items() if "nvidia" not in name})
    assert power[:2] + power[3:] == [40.0, 100.0, 140.0]
    assert math.isnan(power[2])
    assert math.isnan(load[2])
    assert math.isclose(load[3], 0.3)


def test_of_two_packages_each_has_its_own_power_and_other_chips_have_both_or_nothing() -> None:
    second, board = "hwmon.coretemp-isa-0001.temp1", "hwmon.nct6779-isa-0290.temp2"
    packages = [(f"powercap.intel-rapl:{n}.power", P, f"package-{n}", None) for n in (0, 1)]
    sources = Sources(declared((CORE, T, "", Heat.CPU), (second, T, "", Heat.CPU), (board, T, "", Heat.CPU), *packages))
    one, two = (name for name, *_ in packages)
    assert fed(sources, {one: 30.0, two: 50.0})[0] == [30.0, 50.0, 80.0]
    power = fed(sources, {one: 30.0})[0]
    assert power[0] == 30.0
    assert np.isnan(power[1:]).all()


def test_the_dies_of_a_package_add_up() -> None:
    dies = [(f"powercap.intel-rapl:{n}.power", P, f"package-0-die-{n}", None) for n in (0, 1)]
    sources = Sources(declared((CORE, T, "", Heat.CPU), *dies))
    assert fed(sources, {name: 30.0 for name, *_ in dies})[0] == [60.0]


def test_without_powercap_a_driver_that_measures_the_processor_does() -> None:
    def chip(driver: str, *labels: str) -> Iterable[Sensor]:
        return (
            Sensor(f"hwmon.{driver}-pci-00c3.power{n}", P, label, driver=driver) for n, label in enumerate(labels, 1)
        )

    zen = Sources(declared((CORE, T, "", Heat.CPU), *chip("zenpower", "SVI2_P_Core", "SVI2_P_SoC")))
    assert fed(zen, dict.fromkeys(zen.feeding, 20.0))[0] == [40.0]
    counted = Sources(declared((CORE, T, "", Heat.CPU), *chip("amd_energy", "Ecore000", "Esocket0")))
    assert counted.feeding == ("hwmon.amd_energy-pci-00c3.power2",)


def test_what_declares_its_heat_is_not_guessed() -> None:
    named = [("log.watts", P, "any", Heat.CPU), ("log.busy", U, "any", Heat.CPU)]
    sources = Sources(declared((CORE, T, "", Heat.CPU), *PARTS, *named))
    assert sources.feeding == ("log.watts", "log.busy")


def test_without_any_power_or_load_everything_is_unknown() -> None:
    sources = Sources(declared(*TEMPERATURES))
    power, load = fed(sources, {})
    assert np.isnan(power + load).all()
    assert Sources({}).feed({})[0].shape == (0,)


def test_every_simulated_machine_names_what_heats_its_processor_and_its_card() -> None:
    for kind in ("laptop", "desktop", "small-form-factor", "fanless", "server"):
        clock = [0.0]
        machine = open_machine(f"{kind}/steady-game", seed=0, clock=lambda clock=clock: clock[0])
        collector = Collector(machine.sysfs, clock=lambda clock=clock: clock[0])
        for clock[0] in (1.0, 2.0):
            readings = collector.sample(clock[0]).readings
        sources = Sources(collector.sensors)
        power, load = fed(sources, dict(readings))
        for name, power_w, part in zip(sources.temperatures, power, load, strict=True):
            if collector.sensors[name].heat is Heat.CPU:
                assert power_w > 0.0, (kind, name)
                assert 0.0 <= part <= 1.0, (kind, name)
        collector.close()
