"""The baseline on disk, and what becomes of a damaged one."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.entry import Damaged, parse
from gamesad.actuation.executor import Executor
from gamesad.actuation.restore import restore
from gamesad.hardware import cpufreq, platform_profile
from gamesad.types import Role, Tunable
from tests.support.kernel import CPUFREQ, PROFILE, Kernel, laptop, values

REPOSITORY = Path(__file__).parents[2]
MAXIMUM = "cpufreq.policy0.scaling_max_freq"
MAXIMUM_FILE = f"{CPUFREQ}/policy0/scaling_max_freq"
BOOT_ID = "proc/sys/kernel/random/boot_id"


class Machine:
    def __init__(self, tmp_path: Path) -> None:
        self.root = laptop(tmp_path / "root")
        self.before = values(self.root)
        self.run = tmp_path / "run"
        self.lib = tmp_path / "lib"
        self.run.mkdir()
        self.lib.mkdir()
        self.kernel = Kernel(self.root)
        self.file = self.run / "baseline.json"

    def crash(self) -> None:
        """A daemon that set a maximum and a platform profile, and is no more."""
        baseline = Baseline.load(str(self.run), str(self.lib), self.kernel)
        actuators = [*platform_profile.probe_actuators(self.kernel), *cpufreq.probe_actuators(self.kernel)]
        Executor(actuators, baseline).apply({MAXIMUM: 2_000_000, "platform_profile": "low-power"})

    def restore(self) -> dict[str, str]:
        return restore(str(self.run), str(self.lib), str(self.root)).left


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_restore_after_a_crash_puts_everything_back_and_removes_the_files(machine: Machine) -> None:
    machine.crash()
    restored = restore(str(machine.run), str(machine.lib), str(machine.root))
    assert set(restored.restored) == {MAXIMUM, "platform_profile"}
    assert values(machine.root) == machine.before
    assert not list(machine.run.iterdir())
    assert not list(machine.lib.iterdir())
    again = restore(str(machine.run), str(machine.lib), str(machine.root))
    assert (again.restored, again.left) == ((), {})


def test_the_next_start_finds_what_was_left_and_its_executor_puts_it_back(machine: Machine) -> None:
    machine.crash()
    baseline = Baseline.load(str(machine.run), str(machine.lib), machine.kernel)
    assert set(baseline.entries) > {MAXIMUM, "platform_profile"}, "and the EPPs that the profile may move"
    actuators = [*platform_profile.probe_actuators(machine.kernel), *cpufreq.probe_actuators(machine.kernel)]
    executor = Executor(actuators, baseline)
    assert executor.controls.found[MAXIMUM] == 4_700_000
    executor.restore()
    assert values(machine.root) == machine.before


def test_after_a_reboot_only_what_firmware_keeps_goes_back(machine: Machine) -> None:
    machine.crash()
    (machine.root / BOOT_ID).write_text("another-boot\n")
    machine.restore()
    assert machine.kernel.read(PROFILE) == "balanced"
    assert machine.kernel.read(MAXIMUM_FILE) == "2000000"
    assert not machine.file.exists()


def test_restore_leaves_what_somebody_changed_since_the_crash(machine: Machine) -> None:
    machine.crash()
    machine.kernel.set(MAXIMUM_FILE, "3100000")
    left = machine.restore()
    assert "3100000" in left[MAXIMUM]
    assert machine.kernel.read(MAXIMUM_FILE) == "3100000"
    assert machine.kernel.read(PROFILE) == "balanced"


def test_a_cpu_that_is_offline_at_restore_is_kept_for_the_next_time(machine: Machine) -> None:
    machine.crash()
    folder = machine.root / CPUFREQ.strip("/") / "policy0"
    away = folder.rename(folder.with_name("away"))
    assert "gone" in machine.restore()[MAXIMUM]
    assert machine.file.exists()
    away.rename(folder)
    assert machine.restore() == {}
    assert values(machine.root) == machine.before


def test_a_value_that_the_kernel_had_rounded_when_the_crash_came_is_ours(machine: Machine) -> None:
    machine.crash()
    content = json.loads(machine.file.read_text())
    content["entries"][MAXIMUM][5] = None  # written, not yet read back
    machine.file.write_text(json.dumps(content))
    machine.kernel.set(MAXIMUM_FILE, "2010000")
    assert machine.restore() == {}
    assert machine.kernel.read(MAXIMUM_FILE) == "4700000"


def damage(content: dict[str, object], row: list[object]) -> dict[str, bytes]:
    def with_row(*changes: tuple[int, object]) -> bytes:
        changed = list(row)
        for index, value in changes:
            changed[index] = value
        return json.dumps({**content, "entries": {MAXIMUM: changed}}).encode()

    return {
        "empty": b"",
        "cut in half": json.dumps(content).encode()[: len(json.dumps(content)) // 2],
        "binary": bytes(range(256)) * 16,
        "another version": json.dumps({**content, "version": 2}).encode(),
        "no version": json.dumps({"entries": {}}).encode(),
        "a list": b"[]",
        "entries a list": json.dumps({**content, "entries": []}).encode(),
        "deeply nested": b"[" * 100_000,
        "another tree": json.dumps({**content, "root": "/elsewhere"}).encode(),
        "path outside": with_row((0, "/etc/passwd")),
        "path traversal": with_row((0, "/sys/devices/../../etc/passwd")),
        "path with a newline": with_row((0, "/sys/devices/x\ny")),
        "path a number": with_row((0, 7)),
        "original missing": with_row((2, None)),
        "original a list": with_row((2, [])),
        "original true": with_row((2, True)),
        "intended of another type": with_row((3, "fast")),
        "huge text": with_row((2, "x" * 5000), (3, None), (5, None)),
        "huge number": with_row((2, 10**40)),
        "short row": json.dumps({**content, "entries": {MAXIMUM: row[:3]}}).encode(),
        "row an object": json.dumps({**content, "entries": {MAXIMUM: {"original": 1}}}).encode(),
        "too large": b" " * (5 << 20),
    }


KINDS = list(damage({}, [0] * 7))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_written_from_a_damaged_file_and_it_is_set_aside(machine: Machine, kind: str) -> None:
    machine.crash()
    content = json.loads(machine.file.read_text())
    damaged = damage(content, content["entries"][MAXIMUM])[kind]
    machine.file.write_bytes(damaged)
    baseline = Baseline.load(str(machine.run), str(machine.lib), machine.kernel)
    assert list(baseline.entries) == ["platform_profile"], "a daemon starts all the same"
    assert len(baseline.problems) == 1, "and says so"
    machine.file.write_bytes(damaged)
    left = machine.restore()
    assert "set aside" in left[str(machine.file)]
    assert machine.kernel.read(MAXIMUM_FILE) == "2000000"
    assert machine.kernel.read(PROFILE) == "balanced", "the other file is sound"
    assert (machine.run / "baseline.json.damaged").exists()
    assert not machine.file.exists()
    assert machine.restore() == {}


def test_a_link_or_a_file_that_others_may_write_is_not_believed(machine: Machine) -> None:
    machine.crash()
    machine.file.chmod(0o666)
    assert "others may write it" in machine.restore()[str(machine.file)]
    (machine.run / "elsewhere").write_text("{}")
    machine.file.symlink_to(machine.run / "elsewhere")
    assert "cannot be read: ELOOP" in machine.restore()[str(machine.file)]
    assert machine.kernel.read(MAXIMUM_FILE) == "2000000"


def test_a_link_in_the_tree_cannot_lead_a_write_elsewhere(machine: Machine) -> None:
    machine.crash()
    target = machine.root / "etc" / "shadow"
    target.parent.mkdir()
    target.write_text("2000000")
    place = machine.root / MAXIMUM_FILE.strip("/")
    place.unlink()
    place.symlink_to(target)
    assert "EXDEV" in machine.restore()[MAXIMUM]
    assert target.read_text() == "2000000"


def test_the_file_is_private_and_a_half_written_one_in_the_way_does_not_matter(machine: Machine) -> None:
    (machine.run / "baseline.json.new").write_text("half")
    machine.crash()
    assert machine.file.stat().st_mode & 0o777 == 0o600
    assert not (machine.run / "baseline.json.new").exists()


def test_a_path_that_is_no_place_for_a_tunable_is_not_recorded(machine: Machine) -> None:
    baseline = Baseline.load(str(machine.run), str(machine.lib), machine.kernel)
    with pytest.raises(ValueError, match="no place"):
        baseline.intend(Tunable("x", Role.BOOST, "cpu", "/etc/passwd", choices=("0", "1")), "0", "1")


@settings(max_examples=40, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(
        st.sampled_from(["version", "entries", "boot_id", "root", "a"]), inner, max_size=5
    ),
    max_leaves=20,
))  # fmt: skip
def test_any_json_is_a_baseline_or_damaged_and_nothing_else(content: object) -> None:
    if isinstance(content, dict):
        content.update(version=1, root="/")
    try:
        parse(json.dumps(content).encode(), boot_id=None, root="/")
    except Damaged as error:
        assert str(error)


def test_restore_as_a_process_takes_less_than_a_tenth_of_a_second(machine: Machine) -> None:
    """Of processor time: other work on the machine does not count."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from gamesad.actuation.restore import restore; "
    code += "print(restore(*sys.argv[2:]).restored, sorted(name for name in sys.modules if 'gamesad' in name))"
    command = [sys.executable, "-I", "-S", "-c", code, str(REPOSITORY), str(machine.run), str(machine.lib)]
    costs_s = []
    for _ in range(3):
        machine.crash()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        output = subprocess.run([*command, str(machine.root)], check=True, capture_output=True, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert MAXIMUM in output
        assert "gamesad.types" not in output
        assert "gamesad.hardware" not in output
        assert values(machine.root) == machine.before
    assert min(costs_s) < 0.1, f"{min(costs_s) * 1000:.0f} ms"


def test_one_save_takes_less_than_a_tenth_of_a_millisecond_on_a_tmpfs(machine: Machine, tmp_path: Path) -> None:
    place = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path
    folder = place / f"gamesad-test-{os.getpid()}"
    folder.mkdir()
    try:
        baseline = Baseline(str(folder), f"{folder}/state")
        tunables = [
            Tunable(f"cpufreq.policy{n}.scaling_max_freq", Role.FREQUENCY_MAXIMUM, f"policy{n}",
                    f"{CPUFREQ}/policy{n}/scaling_max_freq", maximum=5_000_000)
            for n in range(16)
        ]  # fmt: skip
        for tunable in tunables:
            baseline.intend(tunable, 4_700_000, 2_000_000)
        costs_s = []
        for number in range(200):
            start_s = time.perf_counter()
            baseline.settle(tunables[number % 16].name, number)
            baseline.save()
            costs_s.append(time.perf_counter() - start_s)
        median_us = sorted(costs_s)[100] * 1e6
        print(f"one save of 16 entries: {median_us:.0f} µs")
        assert median_us < 300, "100 µs on a quiet machine"
    finally:
        (folder / "baseline.json").unlink(missing_ok=True)
        folder.rmdir()
