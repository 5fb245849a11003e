"""The only opener: rooted paths, whole values, kept descriptors."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamesad.hardware.sysfs import Sysfs, errno_name
from tests.support.machines import rewrite, tree


def test_paths_are_those_of_the_machine_under_the_root(tmp_path: Path) -> None:
    sysfs = Sysfs(str(tree(tmp_path, {"/sys/a/value": " 42 "})))
    assert sysfs.read("/sys/a/value") == "42"
    assert sysfs.exists("/sys/a")
    assert not sysfs.exists("/sys/b")


def test_names_come_in_numeric_order_and_none_from_a_folder_that_is_not_there(tmp_path: Path) -> None:
    sysfs = Sysfs(str(tree(tmp_path, {f"/sys/cpu{number}/": "" for number in (10, 2, 1)})))
    assert sysfs.list("/sys") == ["cpu1", "cpu2", "cpu10"]
    assert sysfs.list("/nowhere") == []


def test_a_kept_descriptor_sees_the_new_value(tmp_path: Path) -> None:
    sysfs = Sysfs(str(tree(tmp_path, {"/sys/value": "1"})))
    handle = sysfs.open("/sys/value")
    rewrite(tmp_path, "/sys/value", "2")
    assert sysfs.pread(handle, 64, 0) == b"2\n"
    sysfs.close(handle)


def test_a_shorter_value_leaves_no_old_tail(tmp_path: Path) -> None:
    sysfs = Sysfs(str(tree(tmp_path, {"/sys/value": "performance"})))
    sysfs.write("/sys/value", "100")
    assert sysfs.read("/sys/value") == "100"


def test_a_link_resolves_within_the_root(tmp_path: Path) -> None:
    tree(tmp_path, {"/sys/devices/x/value": "1", "/sys/class/x": "-> /sys/devices/x"})
    assert Sysfs(str(tmp_path)).resolve("/sys/class/x") == "/sys/devices/x"


def test_a_link_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1")
    root = tree(tmp_path / "root", {"/sys/": ""})
    (root / "sys" / "out").symlink_to(tmp_path / "secret")
    sysfs = Sysfs(str(root))
    for attempt in (sysfs.read, sysfs.open, sysfs.resolve, lambda path: sysfs.write(path, "2")):
        with pytest.raises(OSError, match="leads out of the tree"):
            attempt("/sys/out")
    assert not sysfs.exists("/sys/out")
    assert (tmp_path / "secret").read_text() == "1"


def test_bytes_that_are_no_text_are_read_all_the_same(tmp_path: Path) -> None:
    assert Sysfs(str(tree(tmp_path, {"/sys/value": b"\xff\x00\xff\x00"}))).read("/sys/value") == "�\x00�"


def test_an_error_goes_by_the_name_people_search_for(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        Sysfs(str(tmp_path)).read("/sys/nothing")
    assert errno_name(caught.value) == "ENOENT"
    assert errno_name(OSError("no number")) == "EUNKNOWN"
