"""Every source is held to what it declares, on every recorded machine and on machines made by hand."""

from __future__ import annotations

import math
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.hardware import SOURCES
from gamesad.hardware.base import Sink, Source
from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry.collector import Collector
from gamesad.types import Quantity, Sensor
from tests.support.machines import Tree, rewrite, tree
from tests.support.trees import HAND_MADE, INTEL_LAPTOP, chip

RANGES = {
    Quantity.TEMPERATURE: (-40, 126),
    Quantity.POWER: (-1000, 10_000),
    Quantity.ENERGY: (0, 1e13),
    Quantity.FREQUENCY: (0, 2e10),
    Quantity.UTILIZATION: (0, 1),
    Quantity.FAN: (0, 40_000),
    Quantity.VOLTAGE: (-60, 500),
    Quantity.CURRENT: (-1000, 1000),
    Quantity.PRESSURE: (0, 1),
    Quantity.RATE: (0, 1e6),
    Quantity.SIZE: (0, 2**60),
    Quantity.LEVEL: (0, 1e6),
}
DOCUMENTED = (
    (r"/temp\d+_input$|/thermal_zone\d+/temp$", Quantity.TEMPERATURE),
    (r"/fan\d+_input$", Quantity.FAN),
    (r"/power\d+_(input|average)$", Quantity.POWER),
    (r"/in\d+_input$", Quantity.VOLTAGE),
    (r"/curr\d+_input$", Quantity.CURRENT),
    (r"/freq\d+_input$", Quantity.FREQUENCY),
    (r"/energy\d+_input$", Quantity.ENERGY),
    (r"/intel-rapl(-mmio)?:[^/]*/energy_uj$", Quantity.POWER),
    (r"/cooling_device\d+/cur_state$", Quantity.LEVEL),
    (r"/(core|package)_throttle_count$", Quantity.RATE),
    (r"/power_supply/(?!hidpp_)[^/]+/voltage_now$", Quantity.VOLTAGE),
    (r"/power_supply/(?!hidpp_)[^/]+/current_now$", Quantity.CURRENT),
)
CRITICAL = {
    "intel-laptop": {"hwmon.coretemp-isa-0000.temp1"},
    "ryzen-desktop": {"hwmon.k10temp-pci-00c3.temp1"},
    "old-core2": {"hwmon.coretemp-isa-0000.temp2", "hwmon.coretemp-isa-0000.temp3"},
    "arm-board": {"thermal.cpu-thermal"},
    "virtual-machine": set(),
    "procfs": {"thermal.bcm2835_thermal"},
}


@pytest.fixture(params=["hand-made", "recorded"], scope="session")
def every_machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if request.param == "recorded":
        return dict(request.getfixturevalue("machines"))
    folder = tmp_path_factory.mktemp("hand-made")
    return {name: tree(folder / name, entries) for name, entries in HAND_MADE.items()}


def _probe(root: Path) -> list[Source]:
    sysfs = Sysfs(str(root))
    return [source for probe in SOURCES for source in probe(sysfs)]


def _sensors(root: Path) -> dict[str, Sensor]:
    return {sensor.name: sensor for source in _probe(root) for sensor in source.sensors()}


def test_names_are_unique_stable_and_fit_for_a_bus_and_a_shell(every_machine: dict[str, Path]) -> None:
    for machine, root in every_machine.items():
        names = [sensor.name for source in _probe(root) for sensor in source.sensors()]
        again = [sensor.name for source in _probe(root) for sensor in source.sensors()]
        assert len(set(names)) == len(names), machine
        assert names == again, machine
        assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9_.:+-]+", name)] == [], machine
        sources = [source.name for source in _probe(root)]
        assert len(set(sources)) == len(sources), machine


def test_a_sensor_says_what_it_is_and_names_a_file_that_exists(every_machine: dict[str, Path]) -> None:
    for machine, root in every_machine.items():
        sysfs = Sysfs(str(root))
        for sensor in _sensors(root).values():
            assert isinstance(sensor.quantity, Quantity), (machine, sensor)
            assert sensor.label.isprintable(), (machine, sensor)
            assert sensor.label.strip(), (machine, sensor)
            assert (sensor.heat is not None) <= (sensor.quantity is Quantity.TEMPERATURE), (machine, sensor)
            folder = sensor.path if sysfs.exists(sensor.path) else os.path.dirname(sensor.path)
            assert sysfs.exists(folder), (machine, sensor)  # procfs's TFN1 was recorded without cur_state


def test_limits_are_in_order_and_in_the_sensors_unit(every_machine: dict[str, Path]) -> None:
    for machine, root in every_machine.items():
        for sensor in _sensors(root).values():
            limits = sensor.limits
            stated = [value for value in (limits.maximum, limits.critical, limits.emergency) if value is not None]
            assert stated == sorted(stated), (machine, sensor)
            if sensor.quantity is Quantity.TEMPERATURE:
                assert all(20 < value <= 150 for value in stated), (machine, sensor)


def test_every_sensor_is_accounted_for_once_and_every_reading_is_possible(every_machine: dict[str, Path]) -> None:
    for machine, root in every_machine.items():
        for source in _probe(root):
            for now_s in (1.0, 2.0, 3.0):
                sink = Sink()
                source.sample(now_s, sink)
                _accounted(sink, {sensor.name: sensor for sensor in source.sensors()}, machine)
            source.close()


def _accounted(sink: Sink, sensors: dict[str, Sensor], machine: str) -> None:
    told = [*sink.readings, *sink.states, *sink.rejected, *sink.absent]
    assert sorted(told) == sorted(sensors), machine
    for name, value in sink.readings.items():
        low, high = RANGES[sensors[name].quantity]
        assert math.isfinite(value), (machine, name)
        assert low <= value <= high, (machine, name, value)
    assert all(sensors[name].quantity is Quantity.STATE for name in sink.states), machine
    assert all(absence.cause for absence in sink.absent.values()), machine


def test_every_documented_file_is_declared_with_its_quantity(every_machine: dict[str, Path]) -> None:
    for machine, root in every_machine.items():
        declared = [(os.path.realpath(f"{root}{sensor.path}"), sensor.quantity) for sensor in _sensors(root).values()]
        # Counters that several CPUs share are read once: by the first of them.
        throttles = {os.path.basename(path) for path, _quantity in declared}
        for path, quantity in _documented(root):
            if quantity is Quantity.RATE:
                assert os.path.basename(path) in throttles, (machine, path)
            else:
                assert (path, quantity) in declared, (machine, path)


def _documented(root: Path) -> Iterator[tuple[str, Quantity]]:
    for folder, _folders, files in os.walk(root / "sys"):
        for file in files:
            path = os.path.realpath(f"{folder}/{file}")
            for pattern, quantity in DOCUMENTED:
                if re.search(pattern, path):
                    yield path, quantity


def test_exactly_the_sensors_that_the_machine_depends_on_are_critical(every_machine: dict[str, Path]) -> None:
    for machine, root in every_machine.items():
        critical = {name for name, sensor in _sensors(root).items() if sensor.critical}
        assert critical == CRITICAL.get(machine, set()), machine


def test_every_critical_sensor_has_a_limit(every_machine: dict[str, Path]) -> None:
    for machine, root in every_machine.items():
        for sensor in _sensors(root).values():
            assert not sensor.critical or sensor.limits.critical or sensor.limits.hot, (machine, sensor)


def test_names_survive_other_hwmon_numbers(every_machine: dict[str, Path], tmp_path: Path) -> None:
    for machine, root in every_machine.items():
        if not list((root / "sys/class").glob("hwmon/hwmon*")):
            continue
        renumbered = _renumbered(root, tmp_path / machine)
        before = {name for name in _sensors(root) if name.startswith("hwmon.")}
        assert before, machine
        assert {name for name in _sensors(renumbered) if name.startswith("hwmon.")} == before, machine


def _renumbered(root: Path, copy: Path) -> Path:
    """The tree with hwmonN turned into hwmon(99 - N)."""
    shutil.copytree(root / "sys", copy / "sys", symlinks=True)
    for folder, folders, files in os.walk(copy / "sys", topdown=False):
        for entry in (*folders, *files):
            path = Path(folder) / entry
            if path.is_symlink() and "hwmon" in str(path.readlink()):
                target = _other_number(str(path.readlink()))
                path.unlink()
                path.symlink_to(target)
            if re.fullmatch(r"hwmon\d+", entry):
                path.rename(path.with_name(_other_number(entry)))
    return copy


def _other_number(text: str) -> str:
    return re.sub(r"hwmon(\d+)", lambda match: f"hwmon{99 - int(match[1])}", text)


GARBAGE = {
    "empty": b"",
    "blank": b" \n",
    "binary": bytes(range(256)) * 4,
    "huge": b"9" * 5000 + b"\n",
    "negative": b"-99999999999\n",
    "words": b"N/A\n",
    "long": b"garbage " * 640,
    "lines": b"\n".join([b"cpu a b c"] * 50),
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_in_every_file_is_never_a_reading(tmp_path: Path, garbage: str) -> None:
    for machine, entries in HAND_MADE.items():
        root = tree(tmp_path / machine, entries)
        for file in (path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
            file.write_bytes(GARBAGE[garbage])
        _nothing_is_invented(root, machine)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_files_that_turn_to_garbage_lose_their_readings(tmp_path: Path, garbage: str) -> None:
    for machine, entries in HAND_MADE.items():
        root = tree(tmp_path / machine, entries)
        sources = _probe(root)
        sink = Sink()
        for source in sources:
            source.sample(1.0, sink)
        for file in (path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
            file.write_bytes(GARBAGE[garbage])
        sink = Sink()
        for source in sources:
            source.sample(2.0, sink)
            source.close()
        _accounted(sink, {sensor.name: sensor for source in sources for sensor in source.sensors()}, machine)
        assert sink.readings == sink.states == {}, machine


def _nothing_is_invented(root: Path, machine: str) -> None:
    collector = Collector(Sysfs(str(root)))
    snapshots = [collector.sample(time.monotonic() + wait_s) for wait_s in (0.0, 1.0)]
    sensors = dict(collector.sensors)
    collector.close()
    for snapshot in snapshots:
        assert snapshot.readings == snapshot.states == {}, machine
        assert snapshot.rejected.keys() | snapshot.absent.keys() == sensors.keys(), machine


FUZZED: Tree = INTEL_LAPTOP | chip(
    7, "/sys/devices/platform/x.1", {"name": "x", "energy1_input": "5", "fan1_input": "5"}
)
TEXTS = st.binary(max_size=200) | st.from_regex(rb"[-+ ]?[0-9]{1,25}( [0-9]{1,25}){0,12}\n", fullmatch=True)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree(tmp_path_factory.mktemp("fuzzed"), FUZZED)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(data=st.data())
def test_whatever_stands_in_the_files_every_sensor_is_accounted_for(fuzzed: Path, data: st.DataObject) -> None:
    _fuzz(fuzzed, data)


@pytest.mark.full
@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_the_files_is_accounted_for_at_length(fuzzed: Path, data: st.DataObject) -> None:
    _fuzz(fuzzed, data)


def _fuzz(root: Path, data: st.DataObject) -> None:
    sources = _probe(root)
    sensors = {sensor.name: sensor for source in sources for sensor in source.sensors()}
    places = sorted({sensor.path for sensor in sensors.values()})
    spoiled: set[str] = set()
    try:
        for now_s in (1.0, 2.0, 70.0):
            for path in data.draw(st.lists(st.sampled_from(places), min_size=3, max_size=8, unique=True)):
                spoiled.add(path)
                (root / path.strip("/")).write_bytes(data.draw(TEXTS))
            sink = Sink()
            for source in sources:
                source.sample(now_s, sink)
            _accounted(sink, sensors, "fuzzed")
    finally:  # the next example, and hypothesis's own replay of this one, begin with the same tree
        for source in sources:
            source.close()
        for path in spoiled:
            content = FUZZED[os.path.realpath(root / path.strip("/")).removeprefix(str(root))]
            rewrite(root, path, str(content))
