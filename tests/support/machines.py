"""Machine trees for ``--root``: small ones made by hand, and the recorded ones arranged as a kernel shows them."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, str | bytes]
"""path → content. ``-> target`` makes a symlink (an absolute target is seen from the root), ``PATH/`` a folder."""


def tree(root: Path, entries: Tree) -> Path:
    """Make (or add to) the tree under ``root`` and return ``root``. Text ends with a newline, as from the kernel."""
    for path, content in entries.items():
        place = root / path.strip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            place.mkdir(exist_ok=True)
        elif isinstance(content, bytes):
            place.write_bytes(content)
        elif content.startswith("-> "):
            _link(root, place, content.removeprefix("-> "))
        else:
            place.write_text(content + "\n")
    return root


def _link(root: Path, place: Path, target: str) -> None:
    if target.startswith("/"):
        target = os.path.relpath(root / target.strip("/"), place.parent)
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def rewrite(root: Path, path: str, content: str) -> None:
    """Change a file in place, as the kernel does: descriptors kept open see the new value."""
    (root / path.strip("/")).write_text(content + "\n")


def machine_roots(recordings: Path, tmp: Path) -> dict[str, Path]:
    """Unpack every recorded machine below ``tmp`` and arrange each as a tree for ``--root``: name → root."""
    for archive in sorted(recordings.glob("machine-*.tar.xz")):
        with tarfile.open(archive) as packed:
            packed.extraction_filter = tarfile.fully_trusted_filter
            packed.extractall(tmp / "unpacked", [member for member in packed if not member.linkname.startswith("/")])
    unpacked = tmp / "unpacked"
    roots = {f"pepc-{root.name}": root for root in _having(unpacked / "pepc", "sys")}
    fixtures = unpacked / "procfs" / "fixtures"
    if fixtures.is_dir():
        roots["procfs"] = _hwmon_class(fixtures)
    for card in sorted((unpacked / "LACT").glob("*/*/card[0-9]*")):
        name = f"lact-{card.parent.name}"
        roots[name] = _card(card, tmp / "arranged" / name)
    return roots


def _having(folder: Path, name: str) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{name}"))


def _hwmon_class(root: Path) -> Path:
    """Add the class links that this tree was recorded without."""
    for chip in root.glob("sys/devices/**/hwmon[0-9]*"):
        _link(root, _parent(root / "sys/class/hwmon" / chip.name), f"/{chip.relative_to(root)}")
    return root


def _card(recorded: Path, root: Path) -> Path:
    """One recorded graphics card as the kernel shows it: the device at its PCI address, classes as links to it."""
    lines = (recorded / "device" / "uevent").read_text().splitlines()
    address = next(line.removeprefix("PCI_SLOT_NAME=") for line in lines if line.startswith("PCI_SLOT_NAME="))
    device = f"/sys/devices/pci{address[:7]}/{address}"
    place = _parent(root / device.strip("/"))
    (recorded / "device").rename(place)
    (place / "drm" / recorded.name).mkdir(parents=True, exist_ok=True)
    _link(root, place / "drm" / recorded.name / "device", device)
    _link(root, _parent(root / "sys/class/drm" / recorded.name), f"{device}/drm/{recorded.name}")
    _link(root, _parent(root / "sys/bus/pci/devices" / address), device)
    for chip in sorted((place / "hwmon").glob("hwmon[0-9]*")):
        _link(root, _parent(root / "sys/class/hwmon" / chip.name), f"{device}/hwmon/{chip.name}")
        _link(root, chip / "device", device)
    return root


def _parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
