"""Intel's GPUs: every GT of every tile."""

from __future__ import annotations

from pathlib import Path

from gamesad.actuation.baseline import Baseline
from gamesad.actuation.executor import Executor
from gamesad.actuation.restore import restore
from gamesad.hardware import gpu
from gamesad.hardware.sysfs import Sysfs
from gamesad.types import Heat, Role, Tunable
from tests.support.cards import ARC_I915, DEVICE, card
from tests.support.machines import Tree, rewrite, tree
from tests.support.sampling import declared, opened, sampled

PREFIX = "gpu.i915-pci-0300."


def xe(gts: tuple[tuple[int, int], ...], **files: str) -> Tree:
    values = {"act_freq": "0", "cur_freq": "1000", "min_freq": "300", "max_freq": "2000", "rpn_freq": "300",
              "rp0_freq": "2400", "throttle/status": "0", "throttle/reason_thermal": "0", "throttle/reason_pl1": "0",
              **files}  # fmt: skip
    return card(0, DEVICE, "xe", "8086:E20B", {
        f"tile{tile}/gt{gt}/freq0/{file}": value for tile, gt in gts for file, value in values.items()
    })  # fmt: skip


def settable(root: Path) -> dict[str, Tunable]:
    return {t.name: t for actuator in gpu.probe_actuators(Sysfs(str(root))) for t in actuator.tunables()}


def test_all_gts_of_all_tiles_are_found(tmp_path: Path) -> None:
    gts = ((0, 0), (0, 1), (1, 2), (1, 10))
    with opened(tree(tmp_path, xe(gts)), gpu.probe_sources) as sources:
        sensors, sink = declared(sources), sampled(sources)
    words = ("act_freq", "cur_freq", "min_freq", "max_freq", "throttle")
    assert list(sensors)[1:] == [
        f"gpu.xe-pci-0300.tile{tile}.gt{gt}.{word}" for tile, gt in gts for word in words[:4]
    ] + [f"gpu.xe-pci-0300.tile{tile}.gt{gt}.throttle" for tile, gt in gts]
    one = sensors["gpu.xe-pci-0300.tile1.gt10.act_freq"]
    assert (one.limits.minimum, one.limits.maximum) == (300e6, 2400e6)
    assert sink.readings["gpu.xe-pci-0300.tile1.gt2.cur_freq"] == 1000e6
    assert sink.readings["gpu.xe-pci-0300.tile1.gt2.act_freq"] == 0.0, "it stands still: that is no failure"
    assert set(settable(tmp_path)) == {
        f"gpu.xe-pci-0300.tile{tile}.gt{gt}.{word}" for tile, gt in gts for word in ("min_freq", "max_freq")
    }


def test_throttle_reasons_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path, xe(((0, 0),)))
    name, folder = "gpu.xe-pci-0300.tile0.gt0.throttle", f"{DEVICE}/tile0/gt0/freq0/throttle"
    with opened(root, gpu.probe_sources) as sources:
        assert sampled(sources, 1.0).states[name] == "none"
        rewrite(root, f"{folder}/status", "1")
        assert sampled(sources, 20.0).states[name] == "throttled", "a reason without a file"
        rewrite(root, f"{folder}/reason_thermal", "1")
        rewrite(root, f"{folder}/reason_pl1", "1")
        assert sampled(sources, 40.0).states[name] == "pl1 thermal"
        rewrite(root, f"{folder}/status", "garbage")
        assert sampled(sources, 60.0).absent[name].cause == "unparseable"


def test_i915_has_a_folder_for_each_gt(tmp_path: Path) -> None:
    with opened(tree(tmp_path, ARC_I915), gpu.probe_sources) as sources:
        sink = sampled(sources)
    assert sink.readings[f"{PREFIX}gt0.act_freq"] == 600e6
    assert sink.readings[f"{PREFIX}gt1.max_freq"] == 2450e6
    assert (sink.states[f"{PREFIX}gt0.throttle"], sink.states[f"{PREFIX}gt1.throttle"]) == ("none", "pl1 thermal")
    assert sink.readings["hwmon.i915-pci-0300.energy1"] == 5.0
    found = settable(tmp_path)
    assert set(found) == {f"{PREFIX}gt{gt}.{end}_freq" for gt in (0, 1) for end in ("min", "max", "boost")}
    assert found[f"{PREFIX}gt1.boost_freq"].role is Role.FREQUENCY_BURST
    assert found[f"{PREFIX}gt1.boost_freq"].path.endswith("/gt/gt1/rps_boost_freq_mhz")


def test_older_i915_has_the_first_gt_alone_beside_the_node(tmp_path: Path) -> None:
    words = {"act": "300", "cur": "350", "min": "300", "max": "1150", "RP0": "1150", "RPn": "300"}
    root = tree(tmp_path, card(0, DEVICE, "i915", "8086:3E92", {
        f"drm/card0/gt_{word}_freq_mhz": value for word, value in words.items()
    }))  # fmt: skip
    with opened(root, gpu.probe_sources) as sources:
        assert sampled(sources).readings == {
            f"{PREFIX}gt0.{word}_freq": float(words[word]) * 1e6 for word in ("act", "cur", "min", "max")
        }
    highest = settable(root)[f"{PREFIX}gt0.max_freq"]
    assert (highest.role, highest.minimum, highest.maximum, highest.heat) == (
        Role.FREQUENCY_MAXIMUM, 300, 1150, Heat.GPU,
    )  # fmt: skip
    assert highest.path == f"{DEVICE}/drm/card0/gt_max_freq_mhz"


def test_chips_of_each_gt_keep_their_names(tmp_path: Path) -> None:
    made = {**ARC_I915, f"{DEVICE}/hwmon/hwmon3/name": "i915_gt0", f"{DEVICE}/hwmon/hwmon3/energy1_input": "7000000"}
    with opened(tree(tmp_path, made), gpu.probe_sources) as sources:
        assert sampled(sources).readings["hwmon.i915_gt0-pci-0300.energy1"] == 7.0


def test_the_maximum_of_xe_is_no_limit_to_be_kept(tmp_path: Path) -> None:
    """A B580 states 60 °C for its package, which it reaches in any game; crit is where it is hot."""
    made = card(0, DEVICE, "xe", "8086:E20B", {}, temp2_label="pkg", temp2_input="54000", temp2_max="60000",
                temp2_crit="100000", temp2_emergency="125000")  # fmt: skip
    with opened(tree(tmp_path, made), gpu.probe_sources) as sources:
        limits = declared(sources)["hwmon.xe-pci-0300.temp2"].limits
    assert (limits.maximum, limits.critical, limits.emergency) == (None, 100.0, 125.0)


def test_nothing_can_be_set_without_known_hardware_limits(tmp_path: Path) -> None:
    for number, files in enumerate(({"rp0_freq": "0"}, {"rpn_freq": "N/A"}, {"rpn_freq": "2400"}, {"max_freq": "0"})):
        assert settable(tree(tmp_path / str(number), xe(((0, 0),), **files))) == {}


def test_after_a_sigkill_both_ends_go_back_and_never_cross(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", xe(((0, 0),), min_freq="1100"))
    folders = str(tmp_path / "run"), str(tmp_path / "state")
    sysfs = Sysfs(str(root))
    executor = Executor(gpu.probe_actuators(sysfs), Baseline.load(*folders, sysfs))
    prefix = "gpu.xe-pci-0300.tile0.gt0."
    executor.apply({f"{prefix}max_freq": 600})
    folder = f"{DEVICE}/tile0/gt0/freq0"
    assert [sysfs.read(f"{folder}/{end}_freq") for end in ("min", "max")] == ["600", "600"]
    assert restore(*folders, str(root)).left == {}
    assert [sysfs.read(f"{folder}/{end}_freq") for end in ("min", "max")] == ["1100", "2000"]
