"""Every recorded graphics card: each documented file is found, with the right name, unit, value and limits.

DOCUMENTED is written from the kernel's documents, apart from the code: hwmon/sysfs-interface.rst,
gpu/amdgpu/thermal.rst and driver-misc.rst, ABI/testing/sysfs-driver-intel-xe-hwmon, xe_gt_freq.c, xe_gt_throttle.c,
ABI/testing/sysfs-devices-power.
LACT holds what that program says of the same files (lact-daemon/src/tests/snapshots).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gamesad.hardware import gpu
from gamesad.hardware.base import Sink
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Quantity, Sensor, Value

DOC = Path(__file__).parent.parent.parent / "docs" / "gpus.md"

Q = Quantity
DOCUMENTED: tuple[tuple[str, str, Quantity, float, dict[str, tuple[str, float]]], ...] = (
    # file below the device, sensor without its prefix, quantity, value of a count of 1, limits: file and its unit
    (r"hwmon/hwmon\d+/temp(\d+)_input", "hwmon temp{1}", Q.TEMPERATURE, 1e-3,
     {"critical": ("temp{1}_crit", 1e-3), "emergency": ("temp{1}_emergency", 1e-3)}),
    (r"hwmon/hwmon\d+/power(\d+)_average", "hwmon power{1}", Q.POWER, 1e-6, {"maximum": ("power{1}_cap", 1e-6)}),
    (r"hwmon/hwmon\d+/power(\d+)_input", "hwmon power{1}_input", Q.POWER, 1e-6, {"maximum": ("power{1}_cap", 1e-6)}),
    (r"hwmon/hwmon\d+/fan(\d+)_input", "hwmon fan{1}", Q.FAN, 1.0, {"maximum": ("fan{1}_max", 1.0)}),
    (r"hwmon/hwmon\d+/in(\d+)_input", "hwmon in{1}", Q.VOLTAGE, 1e-3, {}),
    (r"hwmon/hwmon\d+/freq(\d+)_input", "hwmon freq{1}", Q.FREQUENCY, 1.0, {}),
    (r"hwmon/hwmon\d+/energy(\d+)_input", "hwmon energy{1}", Q.ENERGY, 1e-6, {}),
    (r"gpu_busy_percent", "gpu gpu_busy", Q.UTILIZATION, 1e-2, {}),
    (r"mem_busy_percent", "gpu mem_busy", Q.UTILIZATION, 1e-2, {}),
    (r"mem_info_vram_used", "gpu vram_used", Q.SIZE, 1.0, {"maximum": ("mem_info_vram_total", 1.0)}),
    (r"mem_info_vram_total", "gpu vram_total", Q.SIZE, 1.0, {}),
    (r"power_dpm_force_performance_level", "gpu performance_level", Q.STATE, 0.0, {}),
    (r"power/runtime_status", "gpu runtime_status", Q.STATE, 0.0, {}),
    (r"tile(\d+)/gt(\d+)/freq0/(act|cur|min|max)_freq", "gpu tile{1}.gt{2}.{3}_freq", Q.FREQUENCY, 1e6,
     {"minimum": ("rpn_freq", 1e6), "maximum": ("rp0_freq", 1e6)}),
)  # fmt: skip

TABLES: tuple[tuple[str, str, Quantity, Callable[[bytes], float | str]], ...] = (
    # the number at the star; the throttle status that the table of these three cards holds
    (r"pp_dpm_sclk", "gpu sclk", Q.FREQUENCY, lambda text: float(re.findall(rb"(\d+)Mhz \*", text)[0]) * 1e6),
    (r"pp_dpm_mclk", "gpu mclk", Q.FREQUENCY, lambda text: float(re.findall(rb"(\d+)Mhz \*", text)[0]) * 1e6),
    (r"gpu_metrics", "gpu throttle", Q.STATE, lambda _table: "none"),
    (r"tile(\d+)/gt(\d+)/freq0/throttle/status", "gpu tile{1}.gt{2}.throttle", Q.STATE, lambda _status: "none"),
)

SETTABLE: tuple[tuple[str, str], ...] = (
    (r"hwmon/hwmon\d+/power(\d+)_cap", "hwmon power{1}_cap"),
    (r"power_dpm_force_performance_level", "gpu performance_level"),
    (r"tile(\d+)/gt(\d+)/freq0/(min|max)_freq", "gpu tile{1}.gt{2}.{3}_freq"),
)

CARDS: Mapping[str, tuple[str, str]] = {
    "lact-rx580": ("amdgpu-pci-0900", "1002:67df"),
    "lact-vega56": ("amdgpu-pci-0b00", "1002:687f"),
    "lact-rx6600": ("amdgpu-pci-1200", "1002:73ff"),
    "lact-rx7800xt": ("amdgpu-pci-0300", "1002:747e"),
    "lact-rx9070": ("amdgpu-pci-0300", "1002:7550"),
    "lact-phoenix": ("amdgpu-pci-6400", "1002:15bf"),
    "lact-vangogh": ("amdgpu-pci-0400", "1002:163f"),
    "lact-a380-xe": ("xe-pci-0800", "8086:56a5"),
    "lact-tigerlake": ("xe-pci-0010", "8086:9a49"),
    "lact-rtx4080": ("nvidia-pci-0900", "10de:2704"),
    "procfs": ("amdgpu-pci-0900", "1002:687f"),
    "procfs/card1": ("i915-pci-0010", "8086:5917"),
}

LACT: Mapping[str, dict[str, float | str]] = {
    "lact-rx580": {"temp1": 44.0, "temp1 critical": 94.0, "power1": 41.045, "power1 maximum": 155.0, "gpu_busy": 0.11,
                   "freq1": 798.08e6, "freq2": 1750e6, "fan1": 595.0, "fan1 maximum": 3200.0, "in0": 0.975,
                   "vram_used": 536870912.0, "vram_total": 4294967296.0, "performance_level": "auto"},
    "lact-rx6600": {"temp1": 28.0, "temp1 critical": 100.0, "temp2": 28.0, "temp2 critical": 110.0, "temp3": 26.0,
                    "temp3 critical": 100.0, "power1": 3.0, "power1 maximum": 120.0, "gpu_busy": 0.0, "freq1": 20e6,
                    "freq2": 96e6, "fan1": 1395.0, "in0": 1.0},
    "lact-phoenix": {"temp1": 25.0, "power1": 3.103, "power1_input": 3.142, "gpu_busy": 0.0, "freq1": 800e6,
                     "in0": 0.814, "in1": 0.615, "vram_used": 1272893440.0, "vram_total": 4294967296.0,
                     "performance_level": "auto", "throttle": "none"},
    "lact-vangogh": {"temp1": 56.0, "power1": 3.218, "power1_input": 4.057, "power1 maximum": 15.0, "freq1": 200e6,
                     "in0": 0.015, "in1": 0.669, "gpu_busy": 0.0},
    "lact-a380-xe": {"temp2": 56.0, "temp3": 54.0, "fan1": 945.0, "in1": 0.605, "power2 maximum": 55.0,
                     "tile0.gt0.cur_freq": 300e6, "tile0.gt0.throttle": "none"},
    "lact-tigerlake": {"tile0.gt0.cur_freq": 1100e6, "tile0.gt0.throttle": "none"},
}  # fmt: skip


class Recorded:
    """One card: what is found, and the files that there are, as seen from its device."""

    def __init__(self, machine: str, root: Path) -> None:
        self.name, self.ids = CARDS[machine]
        self.sysfs = Sysfs(str(root))
        self.sink = Sink()
        self.sensors: dict[str, Sensor] = {}
        for source in gpu.probe_sources(self.sysfs):
            if source.name == f"gpu.{self.name}":
                source.sample(1.0, self.sink)
                self.sensors = {sensor.name: sensor for sensor in source.sensors()}
            source.close()
        self.found: dict[str, Value] = {
            tunable.name: actuator.read(tunable)
            for actuator in gpu.probe_actuators(self.sysfs)
            for tunable in actuator.tunables()
            if f".{self.name}." in tunable.name
        }
        self.device = (root / "sys/class/drm").glob("card?/device").__next__().resolve()
        if machine.startswith("procfs"):
            self.device = root / f"sys/class/drm/{machine.partition('/')[2] or 'card0'}/device"
        self.files = {str(path.relative_to(self.device)): path for path in self.device.rglob("*") if path.is_file()}

    def full(self, short: str, groups: tuple[str, ...] = ()) -> str:
        family, rest = short.split(" ")
        return f"{family}.{self.name}.{rest.format('', *groups)}"

    def number(self, path: Path) -> float:
        return float(path.read_text())

    def value(self, name: str) -> float | str | None:
        return self.sink.readings.get(name, self.sink.states.get(name))


@pytest.fixture(scope="module")
def cards(machines: dict[str, Path]) -> dict[str, Recorded]:
    return {machine: Recorded(machine, machines[machine.partition("/")[0]]) for machine in CARDS}


def _expected(card: Recorded) -> dict[str, tuple[Quantity, float | str, dict[str, float]]]:
    """What the documents say is there: sensor → quantity, value and limits."""
    expected: dict[str, tuple[Quantity, float | str, dict[str, float]]] = {}
    for file, path in card.files.items():
        for pattern, short, quantity, scale, limits in DOCUMENTED:
            if match := re.fullmatch(pattern, file):
                if short.endswith("_input") and f"{file.removesuffix('_input')}_average" not in card.files:
                    short = short.removesuffix("_input")  # noqa: PLW2901 - the only power is the channel's own
                text = path.read_text().strip()
                stated = {
                    kind: (path.parent / name.format("", *match.groups()), unit)
                    for kind, (name, unit) in limits.items()
                }
                expected[card.full(short, match.groups())] = (
                    quantity,
                    text if quantity is Quantity.STATE else float(text) * scale,
                    {kind: card.number(place) * unit for kind, (place, unit) in stated.items() if place.exists()},
                )
        for pattern, short, quantity, parse in TABLES:
            shown = {"gpu sclk": "freq1_input", "gpu mclk": "freq2_input"}.get(short)
            in_hwmon = any(name.endswith(f"/{shown}") for name in card.files)
            if (match := re.fullmatch(pattern, file)) and not in_hwmon:
                expected[card.full(short, match.groups())] = (quantity, parse(path.read_bytes()), {})
    return expected


def test_every_documented_file_of_every_card_is_found_and_nothing_else(cards: dict[str, Recorded]) -> None:
    for machine, card in cards.items():
        expected = _expected(card)
        derived = {name for name in card.sensors if name.endswith("hwmon.xe-pci-0800.power2")}  # watts from energy2
        assert card.sensors.keys() - derived == expected.keys(), machine


def test_values_units_and_limits_are_those_of_the_documents(cards: dict[str, Recorded]) -> None:
    for machine, card in cards.items():
        for name, (quantity, value, limits) in _expected(card).items():
            sensor = card.sensors[name]
            assert sensor.quantity is quantity, (machine, name)
            rounded = float(round(float(value))) if quantity is Quantity.ENERGY else value
            assert card.value(name) == (rounded if isinstance(value, str) else pytest.approx(rounded)), (machine, name)
            for kind, limit in limits.items():
                assert getattr(sensor.limits, kind) == pytest.approx(limit), (machine, name, kind)


def test_every_card_says_what_lact_says(cards: dict[str, Recorded]) -> None:
    for machine, told in LACT.items():
        card = cards[machine]
        by_short = {name.split(".", 2)[2]: (sensor, card.value(name)) for name, sensor in card.sensors.items()}
        for what, value in told.items():
            short, _space, limit = what.partition(" ")
            sensor, read = by_short[short]
            ours = getattr(sensor.limits, limit) if limit else read
            assert ours == (value if isinstance(value, str) else pytest.approx(value)), (machine, what)


def test_every_documented_tunable_that_can_go_lower_is_found(cards: dict[str, Recorded]) -> None:
    for machine, card in cards.items():
        expected = {}
        for file, path in card.files.items():
            for pattern, short in SETTABLE:
                if match := re.fullmatch(pattern, file):
                    expected[card.full(short, match.groups())] = path.read_text().strip()
        left_alone = {name for name, text in expected.items() if text == "manual"}
        found = {name: str(value) for name, value in card.found.items()}
        assert found == {name: text for name, text in expected.items() if name not in left_alone}, machine


def test_the_ids_of_every_card_are_known(cards: dict[str, Recorded], machines: dict[str, Path]) -> None:
    for machine, (name, ids) in CARDS.items():
        found = gpu.cards.find(Sysfs(str(machines[machine.partition("/")[0]])))
        assert (name, ids) in [(card.name, card.ids) for card in found], machine
        assert len(found) == (2 if machine.startswith("procfs") else 1)


def test_the_counts_in_the_documentation_are_these(
    cards: dict[str, Recorded], golden: Callable[[Path, str], None]
) -> None:
    rows = ["| recording | card | " + " | ".join(COLUMNS) + " | all | tunables |", "|---" * (len(COLUMNS) + 4) + "|"]
    for machine, card in cards.items():
        counts = [sum(1 for sensor in card.sensors.values() if chosen(sensor)) for chosen in COLUMNS.values()]
        tunables = len(card.found)
        cells = [machine, f"{card.name} {card.ids}", *map(str, counts), str(len(card.sensors)), str(tunables)]
        rows.append("| " + " | ".join(cells) + " |")
    before, begin, rest = DOC.read_text().partition("<!-- counts -->\n")
    _old, end, after = rest.partition("<!-- end -->")
    assert begin and end
    golden(DOC, before + begin + "\n".join(rows) + "\n" + end + after)


COLUMNS: Mapping[str, Callable[[Sensor], bool]] = {
    "temperatures": lambda sensor: sensor.quantity is Quantity.TEMPERATURE,
    "power": lambda sensor: sensor.quantity is Quantity.POWER,
    "energy": lambda sensor: sensor.quantity is Quantity.ENERGY,
    "clocks": lambda sensor: sensor.quantity is Quantity.FREQUENCY,
    "busy": lambda sensor: sensor.quantity is Quantity.UTILIZATION,
    "memory": lambda sensor: sensor.quantity is Quantity.SIZE,
    "fans": lambda sensor: sensor.quantity is Quantity.FAN,
    "voltages": lambda sensor: sensor.quantity is Quantity.VOLTAGE,
    "level": lambda sensor: sensor.name.endswith("performance_level"),
    "throttle": lambda sensor: sensor.name.endswith("throttle"),
    "asleep?": lambda sensor: sensor.name.endswith("runtime_status"),
}
