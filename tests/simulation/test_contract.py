"""Every write of the contract does the same in memory and through a real file system (and in tests/guest)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gamesad.hardware.sysfs import Sysfs, errno_name
from tests.simulation.contract import ROWS, Row, located
from tests.simulation.guest_machine import opened
from tests.support.fuse_machine import mounted

Layer = Callable[[str], Sysfs]
MACHINES = sorted({row.machine for row in ROWS})


def in_memory(kind: str) -> Sysfs:
    return opened(f"{kind}/idle", clock=lambda: 0.0).sysfs


@pytest.fixture(scope="module")
def over_fuse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    """One mount for each machine, given back as new for each row."""
    with ExitStack() as stack:
        mounts = {
            kind: stack.enter_context(mounted(f"{kind}/idle", tmp_path_factory.mktemp(kind), speed=0.0))
            for kind in MACHINES
        }

        def fresh(kind: str) -> Sysfs:
            mounts[kind].reset()
            return Sysfs(str(mounts[kind].root))

        yield fresh


def outcome(sysfs: Sysfs, row: Row) -> str:
    def place(path: str) -> str:
        return located(path, sysfs.list, lambda one: sysfs.read(one) if sysfs.exists(one) else "")

    for path, text in row.before:
        sysfs.write(place(path), text)
    try:
        if row.text is not None:
            sysfs.write(place(row.path), row.text)
        return sysfs.read(place(row.path))
    except OSError as error:
        return "EOPNOTSUPP" if error.errno == errno.EOPNOTSUPP else errno_name(error)  # Python says ENOTSUP


def differences(layer: Layer, kind: str) -> dict[str, str]:
    """The rows of this machine that came out otherwise, each from a fresh machine."""
    rows = [row for row in ROWS if row.machine == kind]
    results = {row: outcome(layer(kind), row) for row in rows}
    return {str(row): result for row, result in results.items() if result != row.outcome}


@pytest.mark.parametrize("kind", MACHINES)
def test_in_memory_a_write_does_what_the_kernel_does(kind: str) -> None:
    assert differences(in_memory, kind) == {}


@pytest.mark.parametrize("kind", MACHINES)
def test_over_fuse_a_write_does_what_the_kernel_does(kind: str, over_fuse: Layer) -> None:
    assert differences(over_fuse, kind) == {}


def test_both_layers_show_the_same_tree(tmp_path: Path) -> None:
    memory = opened("laptop/idle", clock=lambda: 0.0).sysfs
    with mounted("laptop/idle", tmp_path, speed=0.0) as mount:
        files = Sysfs(str(mount.root))
        for folder in ("/sys/class/hwmon", "/sys/class/thermal", "/sys/class/powercap", "/sys/devices/system/cpu"):
            assert files.list(folder) == memory.list(folder) != []
            for name in memory.list(folder):
                assert files.resolve(f"{folder}/{name}") == memory.resolve(f"{folder}/{name}")
                assert files.list(f"{folder}/{name}") == memory.list(f"{folder}/{name}")
        assert files.read("/proc/stat") == memory.read("/proc/stat")
