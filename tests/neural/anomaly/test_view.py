"""Which part of the machine a sensor belongs to does not hang on the order in which sensors are found."""

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
