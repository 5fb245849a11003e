"""nouveau is an ordinary hwmon chip (drivers/gpu/drm/nouveau/nouveau_hwmon.c)."""

from __future__ import annotations

from pathlib import Path

from gamesad.hardware import gpu
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Heat, SensorLimits
from tests.support.cards import DEVICE, card
from tests.support.machines import tree
from tests.support.sampling import declared, opened, sampled


def test_temperature_with_its_limits_fan_power_and_voltage(tmp_path: Path) -> None:
    made = card(1, DEVICE, "nouveau", "10DE:1C82", {}, temp1_input="45000", temp1_max="95000", temp1_max_hyst="3000",
                temp1_crit="105000", temp1_crit_hyst="5000", temp1_emergency="135000", temp1_emergency_hyst="5000",
                fan1_input="1200", in0_input="875", in0_min="600", in0_max="1200", in0_label="GPU core",
                power1_input="23000000", power1_max="75000000", power1_crit="80000000")  # fmt: skip
    with opened(tree(tmp_path, made), gpu.probe_sources) as sources:
        sensors, sink = declared(sources), sampled(sources)
    prefix = "hwmon.nouveau-pci-0300."
    assert sink.readings == {
        f"{prefix}temp1": 45.0,
        f"{prefix}fan1": 1200.0,
        f"{prefix}power1": 23.0,
        f"{prefix}in0": 0.875,
    }
    temperature = sensors[f"{prefix}temp1"]
    assert (temperature.heat, temperature.limits) == (Heat.GPU, SensorLimits(None, 95.0, 105.0, 135.0))
    assert sensors[f"{prefix}power1"].limits == SensorLimits(maximum=75.0, critical=80.0)
    assert gpu.probe_actuators(Sysfs(str(tmp_path))) == []
