"""Which cards there are, whatever their numbers."""

from __future__ import annotations

from pathlib import Path

from gamesad.hardware import cards, gpu
from gamesad.hardware.sysfs import Sysfs
from tests.support.cards import DEVICE, GEFORCE, NVIDIA_SLOT, RADEON, SLOT
from tests.support.machines import tree
from tests.support.sampling import declared, opened


def found(root: Path) -> list[cards.Card]:
    return cards.find(Sysfs(str(root)))


def test_a_card_is_known_by_its_address_and_ids(tmp_path: Path) -> None:
    (card,) = found(tree(tmp_path, RADEON))
    assert (card.driver, card.name, card.ids, card.slot) == ("amdgpu", "amdgpu-pci-0300", "1002:73ff", SLOT)
    assert (card.device, card.folder) == (DEVICE, f"{DEVICE}/drm/card1")


def test_connectors_and_render_nodes_are_no_cards_and_card0_may_be_missing(tmp_path: Path) -> None:
    tree(tmp_path, RADEON)
    assert (tmp_path / "sys/class/drm/card1-DP-1").is_dir()
    assert (tmp_path / "sys/class/drm/renderD129").is_dir()
    assert not (tmp_path / "sys/class/drm/card0").exists()
    assert len(found(tmp_path)) == 1


def test_names_survive_another_order_of_discovery(tmp_path: Path) -> None:
    other = {path.replace("card1", "card7"): str(content).replace("card1", "card7") for path, content in RADEON.items()}
    roots = tree(tmp_path / "one", RADEON), tree(tmp_path / "two", other)
    with opened(roots[0], gpu.probe_sources) as one, opened(roots[1], gpu.probe_sources) as two:
        assert declared(one).keys() == declared(two).keys()
    names = [
        [limit.name for actuator in gpu.probe_actuators(Sysfs(str(tmp_path / root))) for limit in actuator.tunables()]
        for root in ("one", "two")
    ]
    assert names[0] == names[1] != []


def test_a_card_of_nvidias_driver_is_found_without_a_drm_node(tmp_path: Path) -> None:
    tree(tmp_path, {path: content for path, content in GEFORCE.items() if "/drm" not in path})
    (card,) = found(tmp_path)
    assert (card.driver, card.slot, card.folder) == ("nvidia", NVIDIA_SLOT, "")


def test_several_cards_come_in_the_order_of_their_addresses(tmp_path: Path) -> None:
    assert [card.slot for card in found(tree(tmp_path, {**GEFORCE, **RADEON}))] == [SLOT, NVIDIA_SLOT]


def test_a_tree_recorded_without_the_hwmon_class_still_shows_its_card(tmp_path: Path) -> None:
    device = "/sys/class/drm/card0/device"
    tree(tmp_path, {f"{device}/hwmon/hwmon2/name": "amdgpu", f"{device}/hwmon/hwmon2/temp1_input": "40000"})
    tree(tmp_path, {f"{device}/uevent": "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0"})
    with opened(tmp_path, gpu.probe_sources) as sources:
        assert list(declared(sources)) == ["hwmon.amdgpu-pci-0300.temp1"]


def test_a_card_without_ids_is_known_by_its_address(tmp_path: Path) -> None:
    tree(tmp_path, {"/sys/class/drm/card0/device/uevent": "DRIVER=amdgpu\nPCI_ID=garbage\nPCI_SLOT_NAME=0000:00:02.0"})
    (card,) = found(tmp_path)
    assert (card.name, card.ids) == ("amdgpu-pci-0010", "of unknown ids")


def test_what_is_no_pci_card_of_a_known_driver_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, {f"/sys/class/drm/card{number}/device/uevent": text for number, text in enumerate((
        "DRIVER=vc4-drm\nOF_NAME=gpu",
        "DRIVER=simple-framebuffer\nMODALIAS=platform:x",
        "DRIVER=bochs-drm\nPCI_ID=1234:1111\nPCI_SLOT_NAME=0000:00:02.0",
        "DRIVER=amdgpu\nPCI_ID=1002:73FF\nPCI_SLOT_NAME=../../../etc",
        "",
    ))})  # fmt: skip
    assert found(tmp_path) == []
