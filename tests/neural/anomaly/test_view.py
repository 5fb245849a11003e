"""What belongs to which part of the machine, whatever the order it is found in, and what is known of a part."""

from __future__ import annotations

import numpy as np
import pytest

from gamesad.neural.anomaly.habit import STATE, machine_state
from gamesad.neural.anomaly.view import Kind, View
from gamesad.types import Heat, Quantity, Sensor

MADE = (
    Sensor("hwmon.amdgpu-pci-0100.temp1", Quantity.TEMPERATURE, "amdgpu edge", heat=Heat.GPU, driver="amdgpu"),
    Sensor("hwmon.amdgpu-pci-0100.fan1", Quantity.FAN, "amdgpu fan1", driver="amdgpu"),
    Sensor("hwmon.acpitz-virtual-0.temp1", Quantity.TEMPERATURE, "acpitz", heat=Heat.OTHER, driver="acpitz"),
    Sensor("hwmon.coretemp-isa-0000.temp1", Quantity.TEMPERATURE, "CPU package", heat=Heat.CPU, driver="coretemp"),
    Sensor("hwmon.dell_smm-isa-0000.fan1", Quantity.FAN, "Processor fan", driver="dell_smm"),
    Sensor("powercap.intel-rapl:0.power", Quantity.POWER, "package-0"),
    Sensor("cpu.utilization", Quantity.UTILIZATION, "CPU"),
    Sensor("gpu.amdgpu-pci-0100.utilization", Quantity.UTILIZATION, "GPU", heat=Heat.GPU),
)
CORES = [
    Sensor(f"hwmon.coretemp-isa-0000.temp{i}", Quantity.TEMPERATURE, f"Core {i}", heat=Heat.CPU, driver="coretemp")
    for i in range(4)
]


@pytest.mark.parametrize("order", [MADE, MADE[::-1]])
def test_a_fan_of_the_board_cools_the_processor_though_a_card_was_found_first(order: tuple[Sensor, ...]) -> None:
    view = View({sensor.name: sensor for sensor in order})
    of = {target.label: view.parts[target.part] for target in view.targets if target.kind is Kind.FAN}
    assert of == {"Processor fan": "cpu coretemp-isa-0000", "amdgpu fan1": "gpu amdgpu-pci-0100"}
    read = dict(zip((sensor.name for sensor in MADE), (60.0, 900.0, 31.0, 88.0, 4000.0, 45.0, 0.7, 0.1), strict=True))
    moment = view.moment(np.array([read[name] for name in view.names]))
    assert (moment.hottest[0], moment.fan[0], moment.power[0]) == (88.0, 4000.0, 45.0)
    assert moment.hottest[-1] == 31.0, "the air"
    state = dict(zip((name for name, _quantity in STATE), machine_state(moment).tolist(), strict=True))
    assert state["CPU load"] == 0.7


@pytest.mark.parametrize(
    ("read", "span"),
    [
        ([50.0, 61.0, 60.0, 55.0], (55.0, 60.0)),
        ([50.0, 61.0, 85.0, 55.0], (55.0, 61.0)),
        ([50.0, 36.0, 60.0, 40.0], (40.0, 50.0)),
        ([50.0, 61.0, 60.0, np.nan], (60.0, 60.0)),
        ([np.nan, 61.0, np.nan, 60.0], (np.nan, 60.0)),
        ([np.nan, 61.0, np.nan, np.nan], (np.nan, 61.0)),
        ([np.nan] * 4, (np.nan, np.nan)),
    ],
)
def test_one_sensor_that_lies_does_not_make_a_part_hot(read: list[float], span: tuple[float, float]) -> None:
    view = View({sensor.name: sensor for sensor in CORES})
    moment = view.moment(np.array(read))
    np.testing.assert_equal((moment.coolest[0], moment.hottest[0]), span)


def test_two_sensors_alone_are_not_held_against_each_other() -> None:
    """Which of them is wrong nobody could say; three or more can."""
    for count, held in ((1, 0), (2, 0), (3, 3)):
        view = View({sensor.name: sensor for sensor in [*CORES[:count], *MADE[:3]]})
        assert [target.part for target in view.targets if target.kind is Kind.APART] == [0] * held


@pytest.mark.parametrize(("busy", "told"), [(0.3, [45.0, 2.4e9]), (np.nan, [np.nan, np.nan])])
def test_power_and_frequency_are_held_against_nothing_while_the_load_is_unknown(busy: float, told: list[float]) -> None:
    clock = Sensor("cpufreq.policy0.frequency", Quantity.FREQUENCY, "CPU 0")
    view = View({sensor.name: sensor for sensor in [MADE[3], MADE[5], MADE[6], clock]})
    read = {MADE[3].name: 60.0, MADE[5].name: 45.0, MADE[6].name: busy, clock.name: 2.4e9}
    moment = view.moment(np.array([read[name] for name in view.names]))
    at = np.concatenate([view.columns[Kind.POWER], view.columns[Kind.FREQUENCY]])
    np.testing.assert_equal(moment.targets[at], told)
    assert moment.power[0] == 45.0, "it still explains a temperature"
