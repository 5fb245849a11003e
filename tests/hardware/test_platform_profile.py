"""platform_profile: a word to read, ordered words to choose from."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from gamesad.hardware import platform_profile
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Tunable
from tests.support.machines import rewrite, tree
from tests.support.sampling import FaultySysfs, declared, opened, sampled

ACPI = "/sys/firmware/acpi/platform_profile"
CLASS = "/sys/class/platform-profile/platform-profile-{}/{}"


def tunables(root: Path) -> list[Tunable]:
    return [
        tunable for actuator in platform_profile.probe_actuators(Sysfs(str(root))) for tunable in actuator.tunables()
    ]


def test_choices_go_from_least_power_to_most_without_custom(tmp_path: Path) -> None:
    choices = "performance custom max-power balanced quiet low-power cool balanced-performance"
    [tunable] = tunables(tree(tmp_path, {ACPI: "balanced", ACPI + "_choices": choices}))
    assert tunable.name == "platform_profile"
    assert tunable.path == ACPI
    assert tunable.persistent
    assert tunable.choices == (
        "low-power", "cool", "quiet", "balanced", "balanced-performance", "performance", "max-power",
    )  # fmt: skip


def test_choices_that_appear_later_are_found_by_the_next_probe(tmp_path: Path) -> None:
    root = tree(tmp_path, {ACPI: "balanced", ACPI + "_choices": ""})
    assert tunables(root) == []
    rewrite(root, ACPI + "_choices", "low-power balanced")
    assert [tunable.choices for tunable in tunables(root)] == [("low-power", "balanced")]


def test_custom_is_read_and_left_alone(tmp_path: Path) -> None:
    root = tree(tmp_path, {ACPI: "custom", ACPI + "_choices": "low-power balanced custom"})
    with opened(root, platform_profile.probe_sources) as sources:
        assert sampled(sources).states == {"platform_profile": "custom"}
    assert tunables(root) == []


def test_without_the_acpi_node_the_class_device_is_used(tmp_path: Path) -> None:
    root = tree(tmp_path, {CLASS.format(0, "profile"): "quiet", CLASS.format(0, "choices"): "quiet balanced",
                           CLASS.format(0, "name"): "asus-wmi"})  # fmt: skip
    assert [(tunable.name, tunable.path) for tunable in tunables(root)] == [
        ("platform_profile", CLASS.format(0, "profile"))
    ]


def test_several_class_devices_are_named_after_their_drivers(tmp_path: Path) -> None:
    entries: dict[str, str] = {}
    for number, name in enumerate(("asus-wmi", "amd-pmf")):
        entries |= {CLASS.format(number, "profile"): "quiet", CLASS.format(number, "choices"): "quiet balanced",
                    CLASS.format(number, "name"): name}  # fmt: skip
    with opened(tree(tmp_path, entries), platform_profile.probe_sources) as sources:
        assert set(declared(sources)) == {"platform_profile.asus-wmi", "platform_profile.amd-pmf"}


def test_a_class_device_s_name_is_made_a_word_as_others_are_and_two_alike_are_told_apart(tmp_path: Path) -> None:
    entries: dict[str, str] = {}
    for number, name in enumerate(("my *driver\x1b[2J", "my *driver\x1b[2J", "", "../x y")):
        entries |= {CLASS.format(number, "profile"): "quiet", CLASS.format(number, "choices"): "quiet balanced",
                    CLASS.format(number, "name"): name}  # fmt: skip
    root = tree(tmp_path, entries)
    with opened(root, platform_profile.probe_sources) as sources:
        names = list(declared(sources))
    assert names == [f"platform_profile.{word}" for word in (
        "my_driver_2J", "my_driver_2J-2", "platform-profile-2", ".._x_y",
    )]  # fmt: skip
    assert [tunable.name for tunable in tunables(root)] == names


@pytest.mark.parametrize(("fault", "cause"), [(errno.EIO, "EIO"), (errno.ENODEV, "ENODEV"), (errno.ENOENT, "ENOENT")])
def test_a_profile_that_cannot_be_read_is_absent_since_then(tmp_path: Path, fault: int, cause: str) -> None:
    sysfs = FaultySysfs(str(tree(tmp_path, {ACPI: "balanced", ACPI + "_choices": "balanced"})))
    with opened(sysfs, platform_profile.probe_sources) as sources:
        assert sampled(sources, 1.0).states == {"platform_profile": "balanced"}
        sysfs.faults[ACPI] = fault
        sampled(sources, 2.0)
        absence = sampled(sources, 5.0).absent["platform_profile"]
        assert (absence.cause, absence.since_s) == (cause, 2.0)
        sysfs.faults.clear()
        assert sampled(sources, 6.0).states == {"platform_profile": "balanced"}


def test_a_machine_without_it_has_neither(tmp_path: Path) -> None:
    assert platform_profile.probe_sources(Sysfs(str(tmp_path))) == []
    assert platform_profile.probe_actuators(Sysfs(str(tmp_path))) == []
