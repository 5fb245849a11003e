"""Finding hwmon chips and giving each a name that survives reboots: where the device sits, never hwmonN.

The names are those of lm-sensors (``k10temp-pci-00c3``, ``coretemp-isa-0000``), taken from the device's resolved path.
Where lm-sensors counts in order of discovery (HID, SCSI host), the port is used instead. Serial numbers are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gamesad.hardware import cards
from gamesad.hardware.cards import PCI, pci_address
from gamesad.hardware.sysfs import Sysfs, natural_key

INPUT = re.compile(r"(temp|fan|power|in|curr|freq|energy)([0-9]+)_(input|average)")

_I2C = re.compile(r"([0-9]+)-([0-9a-f]{4})")
_SPI = re.compile(r"spi([0-9]+)\.([0-9]+)")
_SCSI = re.compile(r"[0-9]+:([0-9]+):([0-9]+):([0-9]+)")
_HID = re.compile(r"[0-9A-F]{4}:([0-9A-F]{4}):([0-9A-F]{4})\.[0-9A-F]{4}")
_USB_PORT = re.compile(r"[0-9]+-[0-9.]+")
_PLATFORM = re.compile(r"([A-Za-z0-9_-]+)\.([0-9]+)")
_ACPI = re.compile(r"[A-Z]{3,4}[0-9A-F]{4}:[0-9a-f]{2}")
_HWMON_TAIL = re.compile(r"(/hwmon)?/hwmon[0-9]+$")


@dataclass(frozen=True, slots=True)
class Chip:
    """One hwmon device. ``folder`` holds its inputs; ``device`` is the PCI, SCSI or other device that feeds them."""

    driver: str
    name: str
    bus: str
    folder: str
    device: str


def find(sysfs: Sysfs) -> list[Chip]:
    """Every chip, in the order of the places where the devices sit; chips alike in name are told apart by number.

    Not those of graphics cards: even a chip's name is an attribute of a card that may sleep (``below`` has them).
    """
    apart = tuple(f"{card.device}/" for card in cards.find(sysfs))
    found: dict[str, tuple[list[str | int], Chip]] = {}
    for folder in _folders(sysfs):
        try:
            resolved = sysfs.resolve(folder)
            if resolved in found or f"{_device(sysfs, folder, resolved)}/".startswith(apart):
                continue
            if chip := _chip(sysfs, folder, resolved):
                found[resolved] = (natural_key(chip.device + " " + resolved), chip)
        except OSError:
            continue  # unplugged between listing and looking
    chips: list[Chip] = []
    taken: dict[str, int] = {}
    for _place, chip in sorted(found.values(), key=lambda entry: entry[0]):
        count = taken[chip.name] = taken.get(chip.name, 0) + 1
        name = chip.name if count == 1 else f"{chip.name}-{count}"
        chips.append(Chip(chip.driver, name, chip.bus, chip.folder, chip.device))
    return chips


def below(sysfs: Sysfs, device: str) -> list[Chip]:
    """The chips of one device; it must be awake."""
    folders = [f"{device}/hwmon/{entry}" for entry in sysfs.list(f"{device}/hwmon")]
    return [chip for folder in folders if (chip := _chip(sysfs, folder, folder))]


def word(text: str) -> str:
    """The text as part of a sensor name: printable, no blanks, nothing that a shell pattern would take for itself."""
    return re.sub(r"[^A-Za-z0-9_.:+-]+", "_", text)[:64].strip("_") or "unnamed"


def _folders(sysfs: Sysfs) -> list[str]:
    """A running kernel lists all chips in one class; a recorded tree may hold only the devices."""
    folders = [f"/sys/class/hwmon/{entry}" for entry in sysfs.list("/sys/class/hwmon")]
    devices: list[str] = []
    if sysfs.root and not folders:
        for bus in sysfs.list("/sys/bus"):
            devices += [f"/sys/bus/{bus}/devices/{entry}" for entry in sysfs.list(f"/sys/bus/{bus}/devices")]
    for device in devices:
        folders += [f"{device}/hwmon/{entry}" for entry in sysfs.list(f"{device}/hwmon")]
        for drive in sysfs.list(f"{device}/nvme"):
            entries = sysfs.list(f"{device}/nvme/{drive}")
            folders += [f"{device}/nvme/{drive}/{entry}" for entry in entries if entry.startswith("hwmon")]
    return folders


def _chip(sysfs: Sysfs, folder: str, resolved: str) -> Chip | None:
    inputs = folder
    if not _has_inputs(sysfs, folder):  # drivers older than 3.13 keep everything with the device
        inputs = f"{folder}/device"
        if not _has_inputs(sysfs, inputs):
            return None
    device = _device(sysfs, folder, resolved)
    bus, address, device = _place(sysfs, device)
    driver = _driver(sysfs, folder, device)
    return Chip(driver, f"{driver}-{bus}-{address}", bus, inputs, device)


def _has_inputs(sysfs: Sysfs, folder: str) -> bool:
    return any(INPUT.fullmatch(entry) for entry in sysfs.list(folder))


def _device(sysfs: Sysfs, folder: str, resolved: str) -> str:
    """The path of the device, without hwmonN; "" when the class folder is all there is."""
    if not resolved.startswith("/sys/class/hwmon/"):
        return _HWMON_TAIL.sub("", resolved)
    return sysfs.resolve(f"{folder}/device") if sysfs.exists(f"{folder}/device") else ""


def _driver(sysfs: Sysfs, folder: str, device: str) -> str:
    for place in (folder, f"{folder}/device"):
        try:
            if name := sysfs.read(f"{place}/name"):
                return word(name)
        except OSError:
            continue
    last = device.rsplit("/", 1)[-1]
    named = _PLATFORM.fullmatch(last)
    return word(named[1] if named else last)


def _place(sysfs: Sysfs, device: str) -> tuple[str, str, str]:
    """Bus, address and the path of the device on that bus: the innermost one that the path names."""
    parts = device.split("/")
    for end in range(len(parts), 0, -1):
        if address := _address(sysfs, parts[:end]):
            return (*address, "/".join(parts[:end]))
    slot = PCI.fullmatch(_slot_name(sysfs, device))
    return ("pci", pci_address(slot), device) if slot else ("virtual", "0", device)


def _address(sysfs: Sysfs, path: list[str]) -> tuple[str, str] | None:
    part, parents = path[-1], path[:-1]
    found = None
    if match := PCI.fullmatch(part):
        found = "pci", pci_address(match)
    elif match := _I2C.fullmatch(part):
        found = "i2c", f"{match[1]}-{int(match[2], 16):02x}"
    elif match := _SPI.fullmatch(part):
        found = "spi", f"{match[1]}-{match[2]}"
    elif match := _SCSI.fullmatch(part):
        found = "scsi", _disk(sysfs, parents, match)
    elif match := _HID.fullmatch(part):
        found = "hid", _port(parents) or f"{match[1]}-{match[2]}".lower()
    elif _ACPI.fullmatch(part) or part.startswith("LNX"):
        found = "acpi", "0"
    elif match := _PLATFORM.fullmatch(part):
        found = "isa", f"{int(match[2]):04x}"
    elif parents and parents[-1] == "platform":
        found = "isa", "0000"
    return found


def _disk(sysfs: Sysfs, parents: list[str], scsi: re.Match[str]) -> str:
    """Controller and port of a disk. Host and ata numbers count in order of discovery; a port number is fixed."""
    if port := _port(parents):
        return f"usb-{port}"
    controller = next((pci_address(m) for part in reversed(parents) if (m := PCI.fullmatch(part))), "0")
    for end, part in enumerate(parents, start=1):
        if re.fullmatch(r"ata[0-9]+", part):
            path = "/".join(parents[:end])
            try:
                return f"{controller}-port{int(sysfs.read(f'{path}/ata_port/{part}/port_no')[:4])}"
            except (OSError, ValueError):
                return f"{controller}-{part}"
    return f"{controller}-{scsi[1]}-{scsi[2]}-{scsi[3]}"


def _port(parents: list[str]) -> str:
    """The USB port path, ``1-4.2``; "" for a device that is not on USB."""
    return next((part for part in reversed(parents) if _USB_PORT.fullmatch(part)), "")


def _slot_name(sysfs: Sysfs, device: str) -> str:
    """The PCI address as the device itself says it, for a tree that was recorded without its links."""
    try:
        text = sysfs.read(f"{device}/uevent") if device else ""
    except OSError:
        return ""
    return next((line[14:].strip() for line in text.splitlines() if line.startswith("PCI_SLOT_NAME=")), "")
