"""A sleeping card is never touched: every access is counted, and all there are is ``power/runtime_status``.

``uevent`` is read as well when the machine is looked at: its text is the PCI core's own.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.actuation.restore import restore
from gamesad.hardware import ACTUATORS, gpu
from gamesad.hardware.base import Sink, Source
from gamesad.telemetry.collector import Collector
from tests.support.cards import ARC_I915, DEVICE, GEFORCE, NVIDIA, NVIDIA_SLOT, RADEON, STATUS, CountingSysfs, card
from tests.support.fake_nvml import Board, FakeNvml
from tests.support.machines import Tree, rewrite, tree

XE = card(0, DEVICE, "xe", "8086:E20B", {
    "tile0/gt0/freq0/act_freq": "0", "tile0/gt0/freq0/min_freq": "400", "tile0/gt0/freq0/max_freq": "2850",
    "tile0/gt0/freq0/rpn_freq": "400", "tile0/gt0/freq0/rp0_freq": "2850", "tile0/gt0/freq0/throttle/status": "0",
}, temp2_input="54000", energy1_input="5000000")  # fmt: skip
NOUVEAU = card(0, DEVICE, "nouveau", "10DE:1C82", {}, temp1_input="40000", temp1_max="95000", temp1_crit="105000")
CAP = "hwmon.amdgpu-pci-0300.power1_cap"
CAP_FILE = f"{DEVICE}/hwmon/hwmon1/power1_cap"
STATE = "gpu.amdgpu-pci-0300.runtime_status"


class Machine:
    """Collector and executor over one tree, as the daemon has them."""

    def __init__(self, root: Path, run: Path) -> None:
        self.sysfs = CountingSysfs(str(root))
        self.folders = (str(run / "run"), str(run / "state"))
        self.now_s = 100.0
        self.collector = Collector(self.sysfs)
        self.executor = self.start()

    def start(self) -> Executor:
        actuators = [actuator for probe in ACTUATORS for actuator in probe(self.sysfs)]
        return Executor(actuators, Baseline.load(*self.folders, self.sysfs), clock=lambda: self.now_s)

    def rescan(self) -> None:
        self.collector.rescan()
        self.executor.rescan([actuator for probe in ACTUATORS for actuator in probe(self.sysfs)])

    def everything(self, settings: dict[str, int | str]) -> None:
        """Ten seconds of all that the daemon does."""
        for _second in range(10):
            self.now_s += 1.0
            self.collector.sample(self.now_s)
            self.executor.apply(settings)
            self.executor.apply(settings, force=True)
            self.executor.inspect()
            for name in self.executor.controls.tunables:
                self.executor.value(name)
        self.rescan()
        self.executor.restore()
        self.executor.apply(settings)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tree(tmp_path / "root", RADEON), tmp_path / "run")


@pytest.mark.parametrize("made", [RADEON, ARC_I915, XE, NOUVEAU], ids=["amdgpu", "i915", "xe", "nouveau"])
@pytest.mark.parametrize("status", ["suspended", "suspending", "resuming"])
def test_a_card_asleep_from_the_start_is_not_touched(tmp_path: Path, made: Tree, status: str) -> None:
    machine = Machine(tree(tmp_path / "root", {**made, f"{DEVICE}/{STATUS}": status}), tmp_path / "run")
    machine.everything({CAP: 100_000_000})
    snapshot = machine.collector.sample(machine.now_s)
    machine.collector.close()
    assert machine.sysfs.below(DEVICE) == {STATUS, "uevent"}
    assert set(snapshot.states.values()) == {status}


def test_a_card_that_falls_asleep_is_not_touched_and_shown_as_asleep(machine: Machine, tmp_path: Path) -> None:
    machine.executor.apply({CAP: 100_000_000})
    assert machine.collector.sample(machine.now_s).readings["hwmon.amdgpu-pci-0300.temp2"] == 80.0
    rewrite(tmp_path / "root", f"{DEVICE}/{STATUS}", "suspended")
    with machine.sysfs.counting():
        machine.everything({CAP: 60_000_000})
        snapshot = machine.collector.sample(machine.now_s)
    touched = machine.sysfs.below(DEVICE)
    names = [name for name in machine.collector.sensors if "amdgpu" in name]
    machine.collector.close()
    assert touched == {STATUS, "uevent"}
    assert len(names) == 11
    assert snapshot.states[STATE] == "suspended"
    assert {snapshot.absent[name].cause for name in names if name != STATE} == {"asleep"}
    assert (tmp_path / "root" / CAP_FILE.strip("/")).read_text() == "100000000"


def test_the_awake_card_is_read_which_proves_the_counting(machine: Machine) -> None:
    machine.collector.sample(machine.now_s)
    machine.executor.apply({CAP: 100_000_000})
    machine.collector.close()
    assert {"hwmon/hwmon1/temp1_input", "gpu_busy_percent", "hwmon/hwmon1/power1_cap"} <= machine.sysfs.below(DEVICE)


def test_a_wish_for_a_sleeping_card_is_set_when_it_wakes(machine: Machine, tmp_path: Path) -> None:
    root, file = tmp_path / "root", tmp_path / "root" / CAP_FILE.strip("/")
    rewrite(root, f"{DEVICE}/{STATUS}", "suspended")
    asleep = machine.executor.apply({CAP: 100_000_000})
    assert (asleep.settings, asleep.rejected, file.read_text()) == ({}, {}, "200000000\n")
    assert "sleeps" in machine.executor.refused[CAP].reason
    rewrite(root, f"{DEVICE}/{STATUS}", "active")
    assert machine.executor.apply({CAP: 100_000_000}).settings == {CAP: 100_000_000}
    machine.collector.close()
    assert file.read_text() == "100000000"
    assert not machine.executor.refused


def test_what_was_set_before_it_slept_goes_back_when_it_wakes(machine: Machine, tmp_path: Path) -> None:
    root, file = tmp_path / "root", tmp_path / "root" / CAP_FILE.strip("/")
    machine.executor.apply({CAP: 100_000_000})
    rewrite(root, f"{DEVICE}/{STATUS}", "suspended")
    left = machine.executor.restore().left
    assert "sleeps" in left[CAP]
    assert machine.executor.unrestored
    assert "sleeps" in restore(*machine.folders, str(root)).left[CAP], "nor by gamesad --restore"
    assert file.read_text() == "100000000"
    again = machine.start()  # the next gamesad, while it still sleeps
    assert again.restore().left.keys() == {CAP}
    rewrite(root, f"{DEVICE}/{STATUS}", "active")
    again.rescan(gpu.probe_actuators(machine.sysfs))
    again.apply({})
    machine.collector.close()
    assert file.read_text() == "200000000"
    assert not again.unrestored


def test_a_card_that_wakes_is_put_back_by_restore_itself(machine: Machine, tmp_path: Path) -> None:
    machine.executor.apply({CAP: 100_000_000, "gpu.amdgpu-pci-0300.performance_level": "low"})
    machine.collector.close()
    assert restore(*machine.folders, str(tmp_path / "root")).left == {}
    assert (tmp_path / "root" / CAP_FILE.strip("/")).read_text() == "200000000"


def test_a_card_asleep_at_the_start_shows_all_it_has_once_it_wakes(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", {**RADEON, f"{DEVICE}/{STATUS}": "suspended"})
    machine = Machine(root, tmp_path / "run")
    assert machine.collector.sample(101.0).states == {STATE: "suspended"}
    assert not machine.executor.controls.tunables
    rewrite(root, f"{DEVICE}/{STATUS}", "active")
    assert machine.collector.sample(102.0).absent[STATE].cause == "waking"
    machine.rescan()
    snapshot = machine.collector.sample(103.0)
    machine.collector.close()
    assert snapshot.states[STATE] == "active"
    assert snapshot.readings["hwmon.amdgpu-pci-0300.temp2"] == 80.0
    assert CAP in machine.executor.controls.tunables


def test_a_look_at_the_machine_while_it_sleeps_forgets_nothing(machine: Machine, tmp_path: Path) -> None:
    before = dict(machine.collector.sensors)
    rewrite(tmp_path / "root", f"{DEVICE}/{STATUS}", "suspended")
    change = machine.collector.rescan()
    after = dict(machine.collector.sensors)
    machine.collector.close()
    assert (after, change.added, change.removed) == (before, (), ())


def _source(sysfs: CountingSysfs) -> Source:
    (source,) = gpu.probe_sources(sysfs)
    return source


def test_an_idle_card_that_may_sleep_is_left_alone_for_its_autosuspend_delay(tmp_path: Path) -> None:
    root = tree(tmp_path, RADEON)
    rewrite(root, f"{DEVICE}/gpu_busy_percent", "0")
    for number in (1, 2):
        rewrite(root, f"{DEVICE}/hwmon/hwmon1/temp{number}_input", "40000")
    sysfs = CountingSysfs(str(root))
    source = _source(sysfs)
    read_s = []
    for now_s in range(1, 22):
        sysfs.accesses.clear()
        sink = Sink()
        source.sample(float(now_s), sink)
        if sysfs.below(DEVICE) - {STATUS}:
            read_s.append(now_s)
        assert sink.readings["hwmon.amdgpu-pci-0300.temp1"] == 40.0, "known, though not read"
    source.close()
    assert read_s == [1, 8, 15], "every delay of 5 s and a margin of 2"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("gpu_busy_percent", "50"),
        ("power/control", "on"),
        ("power/autosuspend_delay_ms", "-1"),
        ("hwmon/hwmon1/temp2_input", "90000"),
    ],
)
def test_a_card_that_works_or_is_hot_or_never_sleeps_is_read_every_time(
    tmp_path: Path, file: str, content: str
) -> None:
    root = tree(tmp_path, RADEON)
    rewrite(root, f"{DEVICE}/gpu_busy_percent", "0")
    for number in (1, 2):
        rewrite(root, f"{DEVICE}/hwmon/hwmon1/temp{number}_input", "40000")
    rewrite(root, f"{DEVICE}/{file}", content)
    sysfs = CountingSysfs(str(root))
    source = _source(sysfs)
    for now_s in range(1, 8):
        sysfs.accesses.clear()
        source.sample(float(now_s), Sink())
        assert "hwmon/hwmon1/temp1_input" in sysfs.below(DEVICE)
    source.close()


def test_what_is_in_force_is_looked_at_once_a_minute_where_the_card_may_sleep(machine: Machine) -> None:
    (actuator,) = gpu.probe_actuators(machine.sysfs)
    assert isinstance(actuator, gpu.CardActuator)
    machine.collector.close()
    clock = [0.0]
    actuator._clock = lambda: clock[0]
    cap = next(tunable for tunable in actuator.tunables() if tunable.name == CAP)
    looked = []
    for clock[0] in (0.0, 5.0, 30.0, 59.0, 61.0):
        machine.sysfs.accesses.clear()
        assert actuator.glance(cap) == 200_000_000
        looked.append("hwmon/hwmon1/power1_cap" in machine.sysfs.below(DEVICE))
    assert looked == [True, False, False, False, True]


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    fake = FakeNvml({NVIDIA_SLOT: Board()})
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.setattr(gpu, "is_here", lambda _sysfs: True)
    return fake


def test_no_nvml_function_is_called_while_the_card_sleeps(tmp_path: Path, nvml: FakeNvml) -> None:
    root = tree(tmp_path / "root", {**GEFORCE, f"{NVIDIA}/{STATUS}": "suspended"})
    machine = Machine(root, tmp_path / "run")
    machine.everything({"gpu.nvidia-pci-0900.power_limit": 150_000})
    machine.collector.close()
    _settle()
    assert nvml.calls == []
    assert machine.sysfs.below(NVIDIA) == {STATUS, "uevent"}


def test_nvml_is_closed_and_not_called_again_when_the_card_falls_asleep(tmp_path: Path, nvml: FakeNvml) -> None:
    root = tree(tmp_path / "root", GEFORCE)
    sysfs = CountingSysfs(str(root))
    source = _source(sysfs)
    sink = Sink()
    source.sample(1.0, sink)
    assert sink.readings["gpu.nvidia-pci-0900.temperature"] == 61.0
    rewrite(root, f"{NVIDIA}/{STATUS}", "suspended")
    nvml.calls.clear()
    asleep = Sink()
    for now_s in (2.0, 3.0, 4.0):
        source.sample(now_s, asleep)
    source.close()
    assert nvml.calls == [("nvmlShutdown", "")]
    assert asleep.absent["gpu.nvidia-pci-0900.temperature"].cause == "asleep"


def test_nvml_is_not_opened_for_one_card_while_another_sleeps(tmp_path: Path, nvml: FakeNvml) -> None:
    other = NVIDIA.replace("0000:09:00.0", "0000:0a:00.0")
    root = tree(tmp_path, {**GEFORCE, **card(5, other, "nvidia", "10DE:2684", {STATUS: "suspended"})})
    sink = Sink()
    for source in gpu.probe_sources(CountingSysfs(str(root))):
        source.sample(1.0, sink)
        source.close()
    assert nvml.calls == [], "looking one up may initialize the others"
    absence = sink.absent["gpu.nvidia-pci-0900.nvml"]
    assert (absence.cause, absence.is_fault) == ("another card sleeps", False)


def test_a_card_left_alone_is_not_at_fault_when_another_fell_asleep_meanwhile(tmp_path: Path, nvml: FakeNvml) -> None:
    other = NVIDIA.replace("0000:09:00.0", "0000:0a:00.0")
    root = tree(tmp_path, {**GEFORCE, **card(5, other, "nvidia", "10DE:2684", {})})
    source, _other = gpu.probe_sources(CountingSysfs(str(root)))
    source.close()
    rewrite(root, f"{other}/{STATUS}", "suspended")
    sink = Sink()
    source.sample(1.0, sink)
    absence = sink.absent["gpu.nvidia-pci-0900.temperature"]
    assert (absence.cause, absence.is_fault) == ("another card sleeps", False)


def test_an_idle_geforce_that_may_sleep_is_let_go(tmp_path: Path, nvml: FakeNvml) -> None:
    nvml.boards[NVIDIA_SLOT] = Board(gpu_percent=0, temp_c=40)
    source = _source(CountingSysfs(str(tree(tmp_path, {**GEFORCE, f"{NVIDIA}/power/control": "auto"}))))
    source.sample(1.0, Sink())
    assert nvml.opened == 0
    nvml.calls.clear()
    source.sample(5.0, Sink())
    assert nvml.calls == []
    source.sample(9.0, Sink())
    source.close()
    assert ("nvmlDeviceGetTemperature", NVIDIA_SLOT) in nvml.calls


def _settle() -> None:
    """The collector's threads close their sources when they are told to."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(2.0)
