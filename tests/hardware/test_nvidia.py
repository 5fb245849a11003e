"""NVIDIA cards through NVML: a fake library with the real one's names, constants and errors. No card has been asked."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pynvml
import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.actuation.restore import restore
from gamesad.hardware import gpu, nvidia
from gamesad.hardware.base import Sink
from gamesad.hardware.nvml import Nvml
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Heat, SensorLimits
from tests.support.cards import GEFORCE, NVIDIA, NVIDIA_SLOT
from tests.support.fake_nvml import COPIED, Board, FakeNvml
from tests.support.machines import tree
from tests.support.sampling import declared, opened, sampled

P = "gpu.nvidia-pci-0900."
LIMIT = f"{P}power_limit"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tree(tmp_path / "root", GEFORCE)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch, board: Board) -> FakeNvml:
    fake = FakeNvml({NVIDIA_SLOT: board})
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.setattr(gpu, "is_here", lambda _sysfs: True)
    monkeypatch.setattr(nvidia, "CONTROL", __file__)
    return fake


def executor(root: Path) -> Executor:
    sysfs = Sysfs(str(root))
    return Executor(gpu.probe_actuators(sysfs), Baseline.load(f"{root}/run", f"{root}/var", sysfs))


# The fake is the real module's twin


def test_the_fake_has_functions_of_the_installed_nvidia_ml_py_with_their_arguments() -> None:
    functions = {name for name in vars(FakeNvml) if name.startswith("nvml")}
    assert len(functions) == 15
    for name in functions:
        theirs = inspect.signature(getattr(pynvml, name)).parameters
        ours = inspect.signature(getattr(FakeNvml, name)).parameters
        assert list(ours)[1:] == list(theirs), name


def test_every_function_and_constant_that_is_used_is_in_the_installed_nvidia_ml_py() -> None:
    sources = [Path(module.__file__ or "").read_text() for module in (nvidia, sys.modules["gamesad.hardware.nvml"])]
    used = {name for source in sources for name in re.findall(r"nvml(?:Device|Init|Shutdown)\w*", source)}
    assert len(used) >= 14
    assert [name for name in used if not callable(getattr(pynvml, name, None))] == []
    assert [name for name in COPIED if not hasattr(pynvml, name)] == []
    reasons = [f"nvmlClocksThrottleReason{name}" for name in nvidia._REASONS]
    assert [name for name in reasons if not hasattr(pynvml, name)] == []


def test_every_error_of_the_installed_nvidia_ml_py_is_an_oserror(root: Path, nvml: FakeNvml, board: Board) -> None:
    codes = {name: code for name, code in vars(pynvml).items() if name.startswith("NVML_ERROR_")}
    assert len(codes) > 25
    for name, code in codes.items():
        board.faults = {"nvmlDeviceGetPowerUsage": code}
        with pytest.raises(OSError, match="NVML") as caught:
            Nvml(NVIDIA_SLOT, lambda: True).ask("nvmlDeviceGetPowerUsage")
        assert caught.value.errno, name


# What is measured


def test_everything_is_read_in_its_unit_with_its_limits(root: Path, nvml: FakeNvml, board: Board) -> None:
    board.memory_temp_c = 74
    with opened(root, gpu.probe_sources) as sources:
        sensors, sink = declared(sources), sampled(sources)
    assert {name.removeprefix(P): value for name, value in sink.readings.items()} == {
        "temperature": 61.0,
        "mem_temperature": 74.0,
        "power": 220.0,
        "graphics_clock": 1710e6,
        "memory_clock": 9501e6,
        "gpu_busy": 0.97,
        "mem_busy": 0.41,
        "vram_used": float(1 << 30),
        "vram_total": float(10 << 30),
    }
    assert sink.states == {f"{P}runtime_status": "active", f"{P}throttle": "none"}
    assert sink.absent == sink.rejected == {}
    temperature = sensors[f"{P}temperature"]
    assert (temperature.heat, temperature.limits) == (Heat.GPU, SensorLimits(None, 93.0, 95.0, 98.0))
    assert sensors[f"{P}power"].limits.maximum == 320.0
    assert sensors[f"{P}graphics_clock"].limits.maximum == 2100e6
    assert sensors[f"{P}vram_used"].limits.maximum == float(10 << 30)
    assert nvml.opened == 0, "closed with the source"


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, "none"),
        (pynvml.nvmlClocksThrottleReasonGpuIdle, "idle"),
        (pynvml.nvmlClocksThrottleReasonSwPowerCap, "sw_power_cap"),
        (pynvml.nvmlClocksThrottleReasonHwSlowdown | pynvml.nvmlClocksThrottleReasonHwThermalSlowdown,
         "hw_slowdown hw_thermal"),
        (1 << 40, "throttled"),
    ],
)  # fmt: skip
def test_throttle_reasons_are_named(root: Path, nvml: FakeNvml, board: Board, bits: int, words: str) -> None:
    board.reasons = bits
    with opened(root, gpu.probe_sources) as sources:
        assert sampled(sources).states[f"{P}throttle"] == words


@pytest.mark.parametrize("code", ["NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_FUNCTION_NOT_FOUND"])
def test_what_the_card_does_not_have_is_not_declared(root: Path, nvml: FakeNvml, board: Board, code: str) -> None:
    """nvidia-smi's "N/A" and "[Not Supported]": fans of servers, power of laptops, memory temperature of a GeForce."""
    for function in ("PowerUsage", "UtilizationRates", "CurrentClocksThrottleReasons", "TemperatureThreshold"):
        board.faults[f"nvmlDeviceGet{function}"] = getattr(pynvml, code)
    with opened(root, gpu.probe_sources) as sources:
        sensors = declared(sources)
        sampled(sources)
    assert sensors.keys() == {
        f"{P}{name}"
        for name in ("runtime_status", "temperature", "graphics_clock", "memory_clock", "vram_used", "vram_total")
    }
    assert sensors[f"{P}temperature"].limits == SensorLimits()


def test_what_fails_later_is_absent_with_its_errno_and_comes_back(root: Path, nvml: FakeNvml, board: Board) -> None:
    with opened(root, gpu.probe_sources) as sources:
        board.faults = {"nvmlDeviceGetPowerUsage": pynvml.NVML_ERROR_UNKNOWN}
        failed = sampled(sources, 1.0)
        board.faults = {}
        back = sampled(sources, 2.0)
    assert failed.absent[f"{P}power"].cause == "EIO"
    assert failed.readings[f"{P}temperature"] == 61.0
    assert back.readings[f"{P}power"] == 220.0


def test_a_card_that_falls_off_the_bus_is_absent_and_opened_anew(root: Path, nvml: FakeNvml, board: Board) -> None:
    with opened(root, gpu.probe_sources) as sources:
        nvml.boards = {}
        lost = sampled(sources, 1.0)
        nvml.boards = {NVIDIA_SLOT: board}
        back = sampled(sources, 2.0)
    assert {absence.cause for absence in lost.absent.values()} == {"ENODEV"}
    assert back.readings[f"{P}temperature"] == 61.0


def test_values_that_cannot_be_true_are_rejected_and_unknown_ones_absent(
    root: Path, nvml: FakeNvml, board: Board
) -> None:
    with opened(root, gpu.probe_sources) as sources:
        board.temp_c, board.used_b = 255, (1 << 64) - 1
        sink = sampled(sources)
    assert sink.rejected[f"{P}temperature"].value == 255.0
    assert sink.absent[f"{P}vram_used"].cause == "not available"


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "ENODEV"),
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "ENODEV"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "ENODEV"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "EPERM"),
        (pynvml.NVML_ERROR_UNKNOWN, "EIO"),
    ],
)
def test_a_library_that_cannot_be_used_is_one_sensor_absent_with_the_reason(
    root: Path, nvml: FakeNvml, code: int, cause: str
) -> None:
    nvml.faults = {"nvmlInit": code}
    with opened(root, gpu.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.absent.keys() == {f"{P}nvml"}
    assert sink.absent[f"{P}nvml"].cause == cause
    assert gpu.probe_actuators(Sysfs(str(root))) == []


def test_in_a_sandbox_without_the_cards_the_drop_in_is_named_and_nothing_is_at_fault(
    root: Path, nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvidia, "CONTROL", f"{root}/nvidiactl")
    nvml.faults = {"nvmlInit": pynvml.NVML_ERROR_DRIVER_NOT_LOADED}
    with opened(root, gpu.probe_sources) as sources:
        absence = sampled(sources).absent[f"{P}nvml"]
    assert "nvidia.conf" in absence.cause
    assert not absence.is_fault


def test_without_nvidia_ml_py_the_reason_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "is_here", lambda _sysfs: True)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with opened(root, gpu.probe_sources) as sources:
        absence = sampled(sources).absent[f"{P}nvml"]
    assert (absence.cause, absence.is_fault) == ("nvidia-ml-py is not installed", False)


def test_the_library_is_imported_only_where_there_is_a_card(tmp_path: Path) -> None:
    script = (
        "import sys; from gamesad.hardware import SOURCES, ACTUATORS; from gamesad.hardware.sysfs import Sysfs\n"
        "[probe(Sysfs()) for probe in (*SOURCES, *ACTUATORS)]; sys.exit('pynvml' in sys.modules)"
    )
    assert not Path("/sys/bus/pci/drivers/nvidia").exists()
    assert subprocess.run([sys.executable, "-c", script], cwd=Path.cwd(), check=False).returncode == 0


def test_a_recorded_tree_never_asks_the_library_of_this_machine(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeNvml({NVIDIA_SLOT: Board()})
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    with opened(root, gpu.probe_sources) as sources:
        sampled(sources)
    assert gpu.probe_actuators(Sysfs(str(root))) == []
    assert fake.calls == []


# What is set


def test_the_power_limit_goes_down_and_back(root: Path, nvml: FakeNvml, board: Board) -> None:
    machine = executor(root)
    limit = machine.controls.tunables[LIMIT]
    assert (limit.minimum, limit.maximum, limit.unit, limit.meter) == (100_000, 320_000, "mW", f"{P}power")
    assert machine.controls.found[LIMIT] == 320_000
    assert machine.apply({LIMIT: 200_000}).settings == {LIMIT: 200_000}
    assert board.limit_mw == 200_000
    assert machine.restore().restored == (LIMIT,)
    assert (board.limit_mw, nvml.opened) == (320_000, 0)


def test_the_power_limit_is_not_set_above_what_was_found(root: Path, nvml: FakeNvml, board: Board) -> None:
    assert executor(root).apply({LIMIT: 330_000}).rejected[LIMIT].errno == "EINVAL"
    assert board.limit_mw == 320_000


def test_a_refusal_has_its_errno(root: Path, nvml: FakeNvml, board: Board) -> None:
    machine = executor(root)
    board.faults = {"nvmlDeviceSetPowerManagementLimit": pynvml.NVML_ERROR_NO_PERMISSION}
    assert machine.apply({LIMIT: 200_000}).rejected[LIMIT].errno == "EPERM"
    assert board.limit_mw == 320_000


@pytest.mark.parametrize("constraints_mw", [(320_000, 336_000), (0, 0), (400_000, 500_000)])
def test_a_limit_without_room_is_not_offered(
    root: Path, nvml: FakeNvml, board: Board, constraints_mw: tuple[int, int]
) -> None:
    board.constraints_mw = constraints_mw
    offered = executor(root).controls.tunables
    assert offered.keys() == (set() if constraints_mw[0] else {LIMIT})
    assert all(limit.minimum == 80_000 for limit in offered.values()), "a quarter, where the card states no least"


def test_after_a_sigkill_restore_puts_the_limit_back_through_nvml(
    root: Path, nvml: FakeNvml, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor(root).apply({LIMIT: 200_000})
    monkeypatch.setattr("gamesad.actuation.restore._Tree._is_here", lambda _tree: True)
    restored = restore(f"{root}/run", f"{root}/var", str(root))
    assert (restored.restored, restored.left) == ((LIMIT,), {})
    assert (board.limit_mw, nvml.opened) == (320_000, 0)
    assert not Path(f"{root}/run/baseline.json").exists()


def test_restore_leaves_a_sleeping_card_and_calls_nothing(
    root: Path, nvml: FakeNvml, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor(root).apply({LIMIT: 200_000})
    monkeypatch.setattr("gamesad.actuation.restore._Tree._is_here", lambda _tree: True)
    tree(root, {f"{NVIDIA}/power/runtime_status": "suspended"})
    nvml.calls.clear()
    assert "sleeps" in restore(f"{root}/run", f"{root}/var", str(root)).left[LIMIT]
    assert nvml.calls == []
    tree(root, {f"{NVIDIA}/power/runtime_status": "active"})
    restore(f"{root}/run", f"{root}/var", str(root))
    assert board.limit_mw == 320_000


def test_a_limit_that_somebody_else_set_is_left(
    root: Path, nvml: FakeNvml, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor(root).apply({LIMIT: 200_000})
    board.limit_mw = 250_000
    monkeypatch.setattr("gamesad.actuation.restore._Tree._is_here", lambda _tree: True)
    assert "somebody else" in restore(f"{root}/run", f"{root}/var", str(root)).left[LIMIT]
    assert board.limit_mw == 250_000


def test_sampling_takes_one_call_for_each_quantity(root: Path, nvml: FakeNvml) -> None:
    with opened(root, gpu.probe_sources) as sources:
        sampled(sources)
        nvml.calls.clear()
        sources[0].sample(2.0, Sink())
        assert len(nvml.calls) == 7
