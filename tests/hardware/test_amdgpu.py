"""amdgpu and radeon besides their hwmon chip."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.hardware import amdgpu, gpu
from gamesad.hardware.base import Actuator
from gamesad.hardware.parsed import Unsaid
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Heat, Role, Tunable
from tests.support.cards import DEVICE, RADEON, card
from tests.support.machines import Tree, rewrite, tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled

LEVEL = "gpu.amdgpu-pci-0300.performance_level"
CAP = "hwmon.amdgpu-pci-0300.power1_cap"
LEVEL_FILE = f"{DEVICE}/power_dpm_force_performance_level"


def settable(root: Path) -> dict[str, tuple[Actuator, Tunable]]:
    actuators = gpu.probe_actuators(Sysfs(str(root)))
    return {tunable.name: (actuator, tunable) for actuator in actuators for tunable in actuator.tunables()}


def with_file(entries: Tree, file: str, content: str | None) -> Tree:
    """The tree with another content in a file of the card, or without it."""
    changed = {**entries, f"{DEVICE}/{file}": content or ""}
    return {path: text for path, text in changed.items() if content is not None or not path.endswith(f"/{file}")}


def test_busy_memory_and_level_are_read_with_their_units(tmp_path: Path) -> None:
    with opened(tree(tmp_path, RADEON), gpu.probe_sources) as sources:
        sink, sensors = sampled(sources), declared(sources)
    prefix = "gpu.amdgpu-pci-0300."
    ours = {name.removeprefix(prefix): value for name, value in sink.readings.items() if name.startswith(prefix)}
    assert ours == {"gpu_busy": 0.8, "mem_busy": 0.3, "vram_used": 1e9, "vram_total": 8e9}
    assert sensors[f"{prefix}vram_used"].limits.maximum == 8e9
    assert sink.states == {f"{prefix}performance_level": "auto", f"{prefix}runtime_status": "active"}
    assert sensors[f"{prefix}runtime_status"].label == "amdgpu card 1002:73ff"


def test_temperatures_of_a_card_heat_it_and_have_its_limits(tmp_path: Path) -> None:
    with opened(tree(tmp_path, RADEON), gpu.probe_sources) as sources:
        junction = declared(sources)["hwmon.amdgpu-pci-0300.temp2"]
    assert (junction.label, junction.heat, junction.limits.critical) == ("amdgpu junction", Heat.GPU, 110.0)


def test_clocks_come_from_the_marked_level_where_no_chip_shows_them(tmp_path: Path) -> None:
    made = card(0, DEVICE, "amdgpu", "1002:163F", {
        "pp_dpm_sclk": "S: 19Mhz *\n0: 200Mhz\n1: 1600Mhz", "pp_dpm_mclk": "0: 400Mhz\n1: 687Mhz *\n2: 687Mhz *",
    }, temp1_input="50000")  # fmt: skip
    with opened(tree(tmp_path, made), gpu.probe_sources) as sources:
        readings = sampled(sources).readings
    assert readings["gpu.amdgpu-pci-0300.sclk"] == 19e6
    assert readings["gpu.amdgpu-pci-0300.mclk"] == 687e6


def test_a_clock_at_none_of_its_levels_is_absent_and_no_fault(tmp_path: Path) -> None:
    made = card(
        0, DEVICE, "amdgpu", "1002:150E", {"pp_dpm_mclk": "0: 400Mhz\n1: 800Mhz\n2: 1000Mhz"}, temp1_input="50000"
    )
    with opened(tree(tmp_path, made), gpu.probe_sources) as sources:
        absence = sampled(sources).absent["gpu.amdgpu-pci-0300.mclk"]
    assert (absence.cause, absence.is_fault) == ("at none of its levels", False)


def test_a_tree_copied_block_by_block_reads_as_the_kernel_gave_it(tmp_path: Path) -> None:
    root = tree(tmp_path, RADEON)
    for file in (path for path in (root / DEVICE.strip("/")).rglob("*") if path.is_file()):
        file.write_bytes(file.read_bytes().ljust(4096, b"\0"))
    with opened(root, gpu.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.absent == sink.rejected == {}
    assert sink.readings["hwmon.amdgpu-pci-0300.temp2"] == 80.0
    assert sink.states[LEVEL] == "auto"
    assert set(settable(root)) == {CAP, LEVEL}


def test_radeon_has_temperature_and_level(tmp_path: Path) -> None:
    made = card(0, DEVICE, "radeon", "1002:6798", {"power_dpm_force_performance_level": "auto"},
                temp1_input="60000", temp1_crit="120000")  # fmt: skip
    with opened(tree(tmp_path, made), gpu.probe_sources) as sources:
        assert sampled(sources).readings == {"hwmon.radeon-pci-0300.temp1": 60.0}
    assert list(settable(tmp_path)) == ["gpu.radeon-pci-0300.performance_level"]


@pytest.mark.parametrize("found", ["manual", "profile_peak", "profile_standard", "perf_determinism", "off", "", "Auto"])
def test_a_level_that_somebody_set_by_hand_is_left_alone(tmp_path: Path, found: str) -> None:
    assert LEVEL not in settable(tree(tmp_path, with_file(RADEON, "power_dpm_force_performance_level", found)))


def test_a_level_set_by_hand_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    actuator, level = settable(tree(tmp_path, RADEON))[LEVEL]
    rewrite(tmp_path, LEVEL_FILE, "manual")
    with pytest.raises(OSError) as refused:
        actuator.write(level, "low")
    assert refused.value.errno == errno.EBUSY
    assert Sysfs(str(tmp_path)).read(LEVEL_FILE) == "manual"


def test_levels_go_from_least_power_to_most(tmp_path: Path) -> None:
    level = settable(tree(tmp_path, RADEON))[LEVEL][1]
    assert (level.role, level.choices, level.least) == (Role.PERFORMANCE_LEVEL, ("low", "auto", "high"), "low")


@pytest.mark.parametrize(
    ("cap", "least", "rated", "minimum"),
    [
        ("200000000", "0", "200000000", 50_000_000),  # a quarter
        ("120000000", "94000000", "100000000", 94_000_000),  # the card's own least
        ("15000000", "0", "15000000", 4_000_000),  # in whole watts
        ("300000000", "0", None, 75_000_000),
    ],
)
def test_a_cap_goes_down_to_the_cards_least_or_a_quarter(
    tmp_path: Path, cap: str, least: str, rated: str | None, minimum: int
) -> None:
    made = with_file(RADEON, "hwmon/hwmon1/power1_cap", cap)
    made = with_file(made, "hwmon/hwmon1/power1_cap_min", least)
    made = with_file(made, "hwmon/hwmon1/power1_cap_default", rated)
    limit = settable(tree(tmp_path, made))[CAP][1]
    assert (limit.minimum, limit.maximum, limit.unit, limit.default) == (minimum, int(cap), "µW", None)
    assert limit.meter == "hwmon.amdgpu-pci-0300.power1"


@pytest.mark.parametrize(("cap", "least"), [("250000000", "250000000"), ("0", "0"), ("none", "0"), ("-1", "0")])
def test_a_cap_without_room_is_not_offered(tmp_path: Path, cap: str, least: str) -> None:
    made = with_file(RADEON, "hwmon/hwmon1/power1_cap", cap)
    assert CAP not in settable(tree(tmp_path, with_file(made, "hwmon/hwmon1/power1_cap_min", least)))


def test_the_second_cap_is_the_short_one_and_follows_the_first(tmp_path: Path) -> None:
    made = {**RADEON, f"{DEVICE}/hwmon/hwmon1/power2_cap": "200000000"}
    short = settable(tree(tmp_path, made))["hwmon.amdgpu-pci-0300.power2_cap"][1]
    assert (short.role, short.meter) == (Role.POWER_LIMIT_SHORT, "hwmon.amdgpu-pci-0300.power1")


def test_a_file_that_fails_is_absent_with_its_errno(tmp_path: Path) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, RADEON)))
    sysfs.faults = {LEVEL_FILE: errno.EPERM, f"{DEVICE}/gpu_busy_percent": errno.EBUSY}
    with opened(sysfs, gpu.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.absent[LEVEL].cause == "EPERM"
    assert sink.absent["gpu.amdgpu-pci-0300.gpu_busy"].cause == "EBUSY"
    assert sink.readings["gpu.amdgpu-pci-0300.mem_busy"] == 0.3


@pytest.mark.parametrize("garbage", [b"", b"\x00\xff" * 100, b"9" * 5000, b"N/A\n", b"-99999999999\n", b"1_0\n"])
def test_garbage_is_never_a_reading(tmp_path: Path, garbage: bytes) -> None:
    root = tree(tmp_path, RADEON)
    with opened(root, gpu.probe_sources) as sources:
        for file in (
            path for path in (root / DEVICE.strip("/")).rglob("*") if path.is_file() and path.parent.name != "power"
        ):
            file.write_bytes(garbage)
        sink = sampled(sources)
        assert sink.readings == {}
        assert sink.states.keys() == {"gpu.amdgpu-pci-0300.runtime_status"}
        assert {*sink.absent, *sink.rejected, *sink.states} == declared(sources).keys()
    assert settable(root) == {}


@given(st.binary(max_size=200))
def test_a_clock_list_gives_a_frequency_or_nothing(text: bytes) -> None:
    try:
        assert 0.0 <= amdgpu.marked_hz(text) < 1e12
    except (ValueError, Unsaid):
        return


@given(st.binary(max_size=64))
def test_a_level_is_a_word_or_nothing(text: bytes) -> None:
    try:
        assert amdgpu.level(text).isidentifier()
    except ValueError:
        return
