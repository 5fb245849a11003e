"""Each part that may be missing: one clear line about it, and everything else works."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import eventually, gamesactl
from tests.support.daemon import Daemon, as_uid, gamesad, without
from tests.support.fuse_machine import Mounted, mounted
from tests.support.machines import tree
from tests.support.private_bus import ROOT, PrivateBus, missing, system_bus
from tests.support.trees import INTEL_LAPTOP
from tests.support.values import tunable_files

NOBODY = 65534
MAX_FREQ = "cpufreq.policy0.scaling_max_freq"


@pytest.fixture(autouse=True)
def namespaces_can_be_had() -> None:
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Mounted]:
    with mounted("laptop/idle", tmp_path) as machine:
        yield machine


def arguments(root: Path, folder: Path, *more: str) -> list[str]:
    return ["--root", str(root), "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state", *more]


def select(folder: Path, profile: str) -> None:
    """What a user chose before this start."""
    (folder / "state").mkdir(exist_ok=True)
    (folder / "state" / "state.json").write_text(f'{{"version": 1, "selected": "{profile}"}}')


def lines(daemon: Daemon) -> list[str]:
    """What was logged, without the times."""
    return [line.partition(" ")[2] for line in daemon.log().splitlines()]


def test_without_any_optional_library_the_machine_is_regulated_and_put_back(machine: Mounted, tmp_path: Path) -> None:
    before = tunable_files(machine.root)
    select(tmp_path, "power-saver")
    missing_ones = without("dbus_next", "pyudev", "systemd", "numpy", "psutil")
    with gamesad(tmp_path, arguments(machine.root, tmp_path), before=missing_ones) as daemon:
        assert tunable_files(machine.root) != before
        daemon.wait_log("numpy")
        assert daemon.stop() == 0
    assert tunable_files(machine.root) == before
    warnings = [line for line in lines(daemon) if "warning" in line]
    assert warnings == [
        "warning: dbus_next cannot be imported (apt install python3-dbus-next): gamesactl cannot reach gamesad",
        "warning: nothing is learnt, the rules decide alone: numpy cannot be imported (apt install python3-numpy)",
    ]


def test_on_the_real_root_an_ordinary_user_observes_and_hotplug_needs_pyudev(tmp_path: Path) -> None:
    """Also without systemd-python where journald listens, and without a bus."""
    journal = "mount -t tmpfs none /run; mkdir -p /run/systemd/journal; touch /run/systemd/journal/socket"
    stream = "export JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2)"
    # Where the checkout lies, this user may see nothing.
    seen = f"mkdir -p /run/seen/gamesad; mount --bind {ROOT}/gamesad /run/seen/gamesad; cd /run/seen"
    with gamesad(
        tmp_path, ["--duration", "2", "--shm", "/run/segment"], ready=False,
        before=without("systemd", "pyudev") + as_uid(NOBODY),
        within=f"{journal}; {stream}; {seen}",
    ) as daemon:  # fmt: skip
        assert daemon.process.wait(120) == 0
    said = lines(daemon)
    assert (
        "warning: running without systemd-python (apt install python3-systemd): entries carry no fields and no"
        " MESSAGE_ID"
    ) in said
    assert "warning: observing, nothing is written: not running as root" in said
    assert any(
        line.startswith("warning: pyudev cannot be used (")
        and line.endswith("devices that come and go are noticed late")
        for line in said
    ), said
    assert sum("not on the bus: no system bus: " in line for line in said) == 1
    assert "Traceback" not in daemon.log()


def test_a_read_only_tree_is_observed(machine: Mounted, tmp_path: Path) -> None:
    select(tmp_path, "power-saver")
    root = tmp_path / "ro"
    root.mkdir()
    within = f"mount --bind {machine.root} {root}; mount -o remount,ro,bind {root}"
    with gamesad(tmp_path, arguments(root, tmp_path, "--without", "bus"), within=within) as daemon:
        assert daemon.stop() == 0
    assert "warning: observing, nothing is written: everything that could be set is read-only here" in lines(daemon)
    assert machine.writes() == []
    assert "refused" not in daemon.log()


def test_what_a_machine_lacks_is_one_line_each(tmp_path: Path) -> None:
    """No sensors and nothing to set; a container with /proc/stat alone; sensors but nothing to set."""
    no_sensor = "warning: there is no temperature sensor here: no limit can be kept"
    nothing = "warning: nothing can be set here (no cpufreq, power limit or platform profile): gamesad only tells"
    cases = {
        "empty": ({}, [no_sensor, nothing]),
        "container": ({"/proc/stat": INTEL_LAPTOP["/proc/stat"]}, [no_sensor, nothing]),
        "sensors": (INTEL_LAPTOP, [nothing]),
    }
    for name, (entries, expected) in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        root = tree(folder / "root", entries)
        root.mkdir(exist_ok=True)
        with gamesad(folder, arguments(root, folder, "--without", "bus")) as daemon:
            assert daemon.stop() == 0
        assert [line for line in lines(daemon) if "warning" in line and " rejected, " not in line] == expected, name
        assert "stopped" in lines(daemon)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with system_bus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


def test_the_bus_may_come_late_vanish_and_come_back_while_the_machine_is_regulated(
    bus: PrivateBus, machine: Mounted, tmp_path: Path
) -> None:
    before = tunable_files(machine.root)
    bus.kill_bus()
    select(tmp_path, "power-saver")
    with gamesad(tmp_path, arguments(machine.root, tmp_path), bus=bus.address) as daemon:
        assert sum("not on the bus" in line for line in lines(daemon)) == 1
        saving = tunable_files(machine.root)
        assert saving != before
        assert gamesactl("status").code == 3

        bus.start_bus()
        daemon.wait_log("on the bus as org.gamesa.Gamesad1")
        assert gamesactl("set-profile", "quiet").code == 0
        quiet = tunable_files(machine.root)
        assert quiet not in (saving, before)

        bus.kill_bus()
        daemon.wait_log("the connection to the bus is lost")
        assert tunable_files(machine.root) == quiet
        bus.start_bus()
        eventually(lambda: daemon.log().count(" on the bus as org.gamesa.Gamesad1") == 2, "the return to the bus")
        assert "Profile      quiet" in gamesactl("status").out

        daemon.process.send_signal(signal.SIGINT)
        assert daemon.process.wait(120) == 0
    assert tunable_files(machine.root) == before
    bus.kill_bus()  # its mount namespace holds the machine's mount
    # Each change is one line, however often it was tried meanwhile.
    assert len(re.findall("not on the bus", daemon.log())) <= 3
    assert "Traceback" not in daemon.log()
