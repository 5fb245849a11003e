"""Files that hold what they should not: the machine's own, and gamesad's. No traceback, status 0, nothing lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import gamesad.daemon
from gamesad.__main__ import main
from tests.support.daemon import full
from tests.support.daemon import gamesad as running
from tests.support.machines import rewrite, tree
from tests.support.private_bus import missing
from tests.support.trees import INTEL_LAPTOP, amd_cpu
from tests.support.values import tunable_files

GARBAGE = {
    "binary": bytes(range(256)) * 4,
    "empty": b"",
    "huge": b"9" * 4095 + b"\n",
    "negative": b"-99999999999\n",
    "words": b"N/A\n",
    "long": "gärbage ".encode() * 640,
}
POLICY = "/sys/devices/system/cpu/cpufreq/policy0"
RAPL = "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0"
LAPTOP = {
    **INTEL_LAPTOP,
    **amd_cpu(25, "AMD Ryzen"),
    f"{POLICY}/affected_cpus": "0 1",
    f"{POLICY}/scaling_driver": "intel_pstate",
    f"{POLICY}/scaling_governor": "powersave",
    f"{POLICY}/scaling_available_governors": "performance powersave",
    f"{POLICY}/energy_performance_preference": "balance_performance",
    f"{POLICY}/energy_performance_available_preferences": "default performance balance_performance balance_power power",
    f"{POLICY}/scaling_cur_freq": "800000",
    f"{POLICY}/scaling_min_freq": "400000",
    f"{POLICY}/scaling_max_freq": "4700000",
    f"{POLICY}/cpuinfo_min_freq": "400000",
    f"{POLICY}/cpuinfo_max_freq": "4700000",
    "/sys/devices/system/cpu/intel_pstate/no_turbo": "0",
    f"{RAPL}/name": "package-0",
    f"{RAPL}/energy_uj": "1000000",
    f"{RAPL}/max_energy_range_uj": "262143328850",
    f"{RAPL}/constraint_0_name": "long_term",
    f"{RAPL}/constraint_0_power_limit_uw": "28000000",
    f"{RAPL}/constraint_0_max_power_uw": "28000000",
    "/sys/class/powercap/intel-rapl:0": f"-> {RAPL}",
    "/sys/firmware/acpi/platform_profile": "balanced",
    "/sys/firmware/acpi/platform_profile_choices": "low-power balanced performance",
    "/sys/class/dmi/id/sys_vendor": "Vendor",
    "/sys/class/dmi/id/product_name": "Laptop",
}
FILES = sorted(path for path, content in LAPTOP.items() if not str(content).startswith("-> "))


def once(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What ``--once --observe`` says on stderr; what it prints is JSON."""
    assert main(["--root", str(root), "--once", "--observe"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["mode"] == "observe"
    return said.err


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two samples of ``--once`` follow each other immediately."""
    monkeypatch.setattr(gamesad.daemon, "_ONCE_APART_S", 0.01)


def spoil(root: Path, kind: str, paths: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for path in paths:
        (root / path.strip("/")).write_bytes(GARBAGE[kind])
        assert once(root, capsys) == "", (kind, path)
        rewrite(root, path, str(LAPTOP[path]))


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_in_a_file_or_in_all_of_them_is_one_tick_without_a_word(
    kind: str, tmp_path: Path, at_once: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file meets one kind here, and every kind in the long variant."""
    root = tree(tmp_path, LAPTOP)
    spoil(root, kind, FILES[list(GARBAGE).index(kind) :: len(GARBAGE)], capsys)
    for path in FILES:
        (root / path.strip("/")).write_bytes(GARBAGE[kind])
    assert once(root, capsys) == ""


@pytest.mark.full
@pytest.mark.parametrize("kind", GARBAGE)
def test_every_garbage_in_every_file(
    kind: str, tmp_path: Path, at_once: None, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(tree(tmp_path, LAPTOP), kind, FILES, capsys)


def places(root: Path, folder: Path, *more: str) -> list[str]:
    return ["--root", str(root), "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state", *more]


def test_a_machine_that_turns_to_garbage_under_a_running_daemon(tmp_path: Path) -> None:
    """And back: the failsafe settings are released, and what was set is put back at the stop."""
    root = tree(tmp_path / "root", LAPTOP)
    before = tunable_files(root)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.json").write_text('{"version": 1, "selected": "power-saver"}')
    config = tmp_path / "gamesad.toml"
    config.write_text("[daemon]\ntick_slowest_s = 0.5\n[limits.temperatures_c]\n'hwmon.coretemp-*' = 62\n")
    with running(tmp_path, places(root, tmp_path, "--without", "bus", "--config", str(config))) as daemon:
        saving = {path: (root / path.strip("/")).read_text() for path in before}
        assert saving != before
        for kind in ("binary", "huge", "words"):
            for path in FILES:
                (root / path.strip("/")).write_bytes(GARBAGE[kind])
            time.sleep(0.7)  # some ticks
            assert daemon.process.poll() is None, daemon.log()
        daemon.wait_log("sensor hwmon.coretemp-isa-0000.temp1 gives no reading: ", timeout_s=5)
        daemon.wait_log("conservative: critical sensor ", timeout_s=8)
        for path in FILES:
            rewrite(root, path, saving.get(path, str(LAPTOP[path])).strip())
        daemon.wait_log("the failsafe settings are released", timeout_s=12)
        assert daemon.stop() == 0
    assert tunable_files(root) == before
    assert "Traceback" not in daemon.log()
    assert len(daemon.log().splitlines()) < 200


DAMAGED: dict[str, Callable[[str], str]] = {
    "cut in half": lambda text: text[: len(text) // 2],
    "other version": lambda text: text.replace('"version": 1', '"version": 7'),
    "binary": lambda text: bytes(range(256)).decode("latin-1"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files_of_our_own_are_set_aside_and_named(damage: str, tmp_path: Path) -> None:
    root = tree(tmp_path / "root", LAPTOP)
    (tmp_path / "state").mkdir()
    state, baseline = tmp_path / "state" / "state.json", tmp_path / "run" / "baseline.json"
    state.write_text('{"version": 1, "selected": "power-saver"}')
    with running(tmp_path, places(root, tmp_path, "--without", "bus")) as daemon:
        daemon.kill()
    for file in (state, baseline):
        whole = file.read_text()
        damaged = DAMAGED[damage](whole)
        assert damaged != whole, file
        file.write_bytes(damaged.encode("latin-1"))
    with running(tmp_path, places(root, tmp_path, "--without", "bus")) as daemon:
        assert daemon.stop() == 0
    warnings = [line for line in daemon.log().splitlines() if "warning" in line and "sensor" not in line]
    assert len(warnings) == 2, warnings
    assert "baseline.json" in warnings[0]
    assert "state.json is damaged (" in warnings[1]
    assert warnings[1].endswith("; kept as state.json.damaged, starting without saved wishes")
    assert (state.parent / "state.json.damaged").exists()
    assert sorted(path.name for path in baseline.parent.iterdir() if "baseline" in path.name) != ["baseline.json"]
    assert "Traceback" not in daemon.log()


def test_folders_in_the_place_of_our_files_are_named_and_the_machine_is_regulated(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", LAPTOP)
    for path in ("state/state.json/x", "run/baseline.json/x"):
        (tmp_path / path).mkdir(parents=True)
    with running(tmp_path, places(root, tmp_path, "--without", "bus")) as daemon:
        assert daemon.stop() == 0
    assert "state.json is damaged (Is a directory); kept as state.json.damaged" in daemon.log()
    assert "baseline.json" in daemon.log()
    assert "Traceback" not in daemon.log()


def test_without_a_place_for_what_was_found_the_start_fails_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tree(tmp_path / "root", LAPTOP)
    (tmp_path / "file").touch()
    assert main(places(root, tmp_path / "file", "--without", "bus")) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith(
        "file/run/lock: ENOTDIR: without a place to keep what was found, nothing may be written; name one with"
        " --runtime-dir, or use --observe\n"
    )
    assert main([*places(root, tmp_path / "file", "--without", "bus"), "--observe", "--duration", "0.1"]) == 0


def test_on_a_full_disk_nothing_is_written_that_could_not_be_put_back(tmp_path: Path) -> None:
    if reason := missing():
        pytest.skip(reason)
    root = tree(tmp_path / "root", LAPTOP)
    before = tunable_files(root)
    for folder in ("state", "run"):
        (tmp_path / folder).mkdir()
    (tmp_path / "state" / "state.json").write_text('{"version": 1, "selected": "power-saver"}')
    with running(tmp_path, places(root, tmp_path, "--without", "bus"), within=full(tmp_path / "run")) as daemon:
        assert tunable_files(root) == before
        assert daemon.stop() == 0
    assert tunable_files(root) == before
    assert "scaling_max_freq was not set to 3150000: the baseline cannot be recorded" in daemon.log()
    assert "Traceback" not in daemon.log()
