"""Finding graphics cards: by PCI address and ids, never by cardN.

/sys/class/drm numbers cards in order of discovery; card0 may be missing, and cardN-DP-1 are connectors. What is read
here (links and ``uevent``, whose text the PCI core keeps) wakes no card.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gamesad.hardware.sysfs import Sysfs

PCI = re.compile(r"([0-9a-f]{4,}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])")
"""A PCI address: domain, bus, device, function."""
_CARD = re.compile(r"card[0-9]+")
_IDS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_DRIVERS = frozenset(("amdgpu", "radeon", "i915", "xe", "nouveau", "nvidia"))


@dataclass(frozen=True, slots=True)
class Card:
    """``name`` is as lm-sensors has it (``amdgpu-pci-0300``), ``ids`` vendor and device (``1002:73ff``).

    ``slot`` is the PCI address, ``device`` its folder, ``folder`` that of the DRM node ("" where there is none:
    NVIDIA's driver without modesetting).
    """

    driver: str
    name: str
    ids: str
    slot: str
    device: str
    folder: str


def find(sysfs: Sysfs) -> list[Card]:
    """Every card of a known driver, in the order of their PCI addresses. Raises nothing."""
    folders: dict[str, str] = {}
    for entry in sysfs.list("/sys/class/drm"):
        if _CARD.fullmatch(entry):
            _add(sysfs, f"/sys/class/drm/{entry}/device", f"/sys/class/drm/{entry}", folders)
    for entry in sysfs.list("/sys/bus/pci/drivers/nvidia"):
        if PCI.fullmatch(entry):
            _add(sysfs, f"/sys/bus/pci/drivers/nvidia/{entry}", "", folders)
    found = [card for device, folder in folders.items() if (card := _card(sysfs, device, folder))]
    return sorted(found, key=lambda card: card.slot)


def pci_address(match: re.Match[str]) -> str:
    """As lm-sensors has it: ``0000:03:00.0`` is 0300."""
    domain, bus, slot, function = (int(part, 16) for part in match.groups())
    return f"{domain << 16 | bus << 8 | slot << 3 | function:04x}"


def _add(sysfs: Sysfs, link: str, folder: str, folders: dict[str, str]) -> None:
    try:
        folders.setdefault(sysfs.resolve(link), sysfs.resolve(folder) if folder else "")
    except OSError:
        return  # gone meanwhile, or leads out of the tree


def _card(sysfs: Sysfs, device: str, folder: str) -> Card | None:
    try:
        lines = sysfs.read(f"{device}/uevent").splitlines()
    except OSError:
        return None
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    driver, slot, ids = (fields.get(key, "") for key in ("DRIVER", "PCI_SLOT_NAME", "PCI_ID"))
    ids = ids.lower() if _IDS.fullmatch(ids.lower()) else "of unknown ids"
    place = PCI.fullmatch(slot)
    if driver not in _DRIVERS or place is None:
        return None
    return Card(driver, f"{driver}-pci-{pci_address(place)}", ids, slot, device, folder)
