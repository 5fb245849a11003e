"""What is left out of a recording or replaced in it, so that it says which machine it is and not whose.

The first guard is that only what gamesad reads, and the short list of ``extent``, is recorded at all: no network, no
input devices, no processes, no firmware tables. These tables are the second; docs/recording.md has them for people.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterable

from gamesad.hardware.sysfs import Sysfs

WITHHELD_NAMES = (
    (r".*serial.*", "serial numbers of machine, board, case, disk, battery, card"),
    (r".*uuid|.*uniq(?:ue)?(?:_?id)?|guid|nguid|eui|wwid|wwn|cid|csd", "ids that only one device has"),
    (r".*asset.*|owner.*", "labels that an owner gave"),
    (r"address|phys|mac|perm_addr|bd_?addr", "network and Bluetooth addresses"),
    (r"hostname|domainname|version|cmdline|boot_id|machine-id|edid|vpd.*", "names, this boot, monitors"),
    (r"model_name|manufacturer", "what a power supply calls itself: a headset may carry its owner's name"),
)
"""Files, by name in any case, whose text is withheld."""

KEPT_LINES = (
    (r"/proc/stat", r"cpu.*", "neither the boot time nor interrupts"),
    (r"/proc/cpuinfo", r"(?!Serial).*", "without a board's serial number"),
    (r".*/uevent", r"(?:DRIVER|DEVTYPE|PCI_(?:CLASS|ID|SUBSYS_ID|SLOT_NAME)|OF_(?:NAME|COMPATIBLE)\w*)=.*",
     "driver, PCI ids and device-tree names only"),
)  # fmt: skip
"""Files, by path, of which only these lines are kept."""

_START, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
SHAPES = (
    (rf"{_START}[0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}}{_END}", "UUIDs"),
    (rf"{_START}[0-9A-Fa-f]{{2}}([:_-])[0-9A-Fa-f]{{2}}(?:\1[0-9A-Fa-f]{{2}}){{4,}}{_END}", "MAC addresses"),
    (rf"{_START}(?:enx|wlx|wwx)[0-9a-f]{{12}}{_END}", "network interfaces named after their address"),
    (rf"{_START}(?:eui|naa|t10|nvme|uuid)\.[0-9A-Za-z._-]{{8,}}", "worldwide names of disks"),
    (rf"{_START}(?:0x)?(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{{16}}(?:[0-9A-Fa-f]{{16}})?{_END}", "ids of 64 and 128 bits"),
    (r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])", "IPv4 addresses"),
    (r"(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![0-9A-Za-z:])", "IPv6 addresses"),
    (r"(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}(?![0-9A-Za-z:])", "the same with ::"),
    (rf"{_START}[^\s@/]+@[^\s@/]+\.[A-Za-z]{{2,}}", "mail addresses"),
    (r"/(?:home|Users)/[^\s/]+", "home folders"),
)  # fmt: skip
"""What is replaced wherever it stands, in paths too: by ``scrubbed`` and a number, the same for the same thing."""

_ORDINARY = frozenset(
    {
        "performance", "powersave", "schedutil", "ondemand", "conservative", "userspace", "default", "balance", "power",
        "low", "cool", "quiet", "balanced", "custom", "max", "amd", "intel", "nvidia", "cpu", "gpu", "core", "system",
        "battery", "mains", "charging", "discharging", "full", "enabled", "disabled", "auto", "on", "off", "root",
        "user", "passive", "active", "critical", "hot", "nvme", "board", "machine", "linux", "host",
    }
)  # fmt: skip
"""Words of the kernel's own: who is called so is not found by it, and without them nothing replays."""
_ORDINARY_TEXT = re.compile(rb"[-+0-9 \n]*")
_LEAST_LETTERS = 3
_ANYWHERE_LETTERS = 5
"""Shorter names are found as whole words, longer ones within words too ("AnnabelsKeyboard")."""
_LEAST_SERIAL = 6
_DMI = "/sys/class/dmi/id"
_OWN = (
    *(f"{_DMI}/{name}" for name in ("product_serial", "product_uuid", "board_serial", "chassis_serial")),
    *(f"{_DMI}/{name}" for name in ("product_asset_tag", "board_asset_tag", "chassis_asset_tag")),
    "/proc/device-tree/serial-number",
    "/proc/sys/kernel/random/boot_id",
)
_HOST = ("/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname")
_PEOPLE = range(1000, 60000)  # login.defs(5), UID_MIN and UID_MAX


class Scrub:
    """``names`` are people's and the host's, ``serials`` what only this machine has; neither is ever written."""

    def __init__(self, names: Iterable[str] = (), serials: Iterable[str] = ()) -> None:
        self._aliases: dict[str, str] = {}
        shapes = [re.compile(shape) for shape, _what in SHAPES]
        long = sorted({text for text in serials if _is_serial(text)}, key=len, reverse=True)
        if long:
            shapes.insert(0, re.compile("|".join(map(re.escape, long)), re.IGNORECASE))
        self._shapes = shapes
        self._names = sorted({name for name in names if len(name) >= _LEAST_LETTERS}, key=len, reverse=True)
        self._names_pattern: re.Pattern[str] | None = None
        self.spare(())

    def spare(self, paths: Iterable[str]) -> None:
        """A name that is also a word of the kernel's, as in these paths, tells nothing and is left."""
        words = {word for path in paths for word in re.split(r"[^a-z]+", path.casefold())} | _ORDINARY
        patterns = []
        for name in self._names:
            if len(name) < _ANYWHERE_LETTERS and name.casefold() not in words:
                patterns.append(rf"{_START}{re.escape(name)}{_END}")
            elif len(name) >= _ANYWHERE_LETTERS and not any(name.casefold() in word for word in words):
                patterns.append(re.escape(name))
        self._names_pattern = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def path(self, path: str) -> str:
        """Also for what a link leads to. The same path always becomes the same."""
        for shape in self._shapes:
            path = shape.sub(self._alias, path)
        return path

    def text(self, path: str, raw: bytes) -> bytes:
        """The text as it may be told. The path is that of the file, unscrubbed."""
        for kept_of, kept in _KEPT:
            if kept_of.fullmatch(path):
                raw = b"\n".join(line for line in raw.split(b"\n") if kept.fullmatch(line))
        if _ORDINARY_TEXT.fullmatch(raw):
            return raw
        text = self.path(raw.decode(errors="surrogateescape"))
        if self._names_pattern:
            text = self._names_pattern.sub(self._alias, text)
        return text.encode(errors="surrogateescape")

    def _alias(self, match: re.Match[str]) -> str:
        return self._aliases.setdefault(match.group().casefold(), f"scrubbed{len(self._aliases) + 1}")


def is_withheld(path: str) -> bool:
    """Whether the file's text is never told, by its name."""
    return _WITHHELD.fullmatch(path.rpartition("/")[2]) is not None


def of_this_machine(sysfs: Sysfs) -> Scrub:
    """Knows the host's name, its users' names and its serial numbers, and so finds them anywhere."""
    names = [*_words(sysfs, _HOST), os.environ.get("SUDO_USER", ""), os.environ.get("USER", ""), os.uname().nodename]
    names += [name.partition(".")[0] for name in names]
    for user in pwd.getpwall():
        if user.pw_uid in _PEOPLE:
            full_name = user.pw_gecos.partition(",")[0]
            names += [user.pw_name, full_name, *full_name.split()]
    serials = _words(sysfs, _OWN)
    try:
        with open("/etc/machine-id", encoding="ascii") as file:
            serials.append(file.read().strip())
    except (OSError, UnicodeDecodeError):
        pass
    return Scrub(names, serials)


def _words(sysfs: Sysfs, paths: Iterable[str]) -> list[str]:
    found = []
    for path in paths:
        try:
            found.append(sysfs.read(path).rstrip("\0"))
        except OSError:
            continue
    return found


def _is_serial(text: str) -> bool:
    """Not what boards are sold with: "Default string", "To be filled by O.E.M.", "0"."""
    return len(text) >= _LEAST_SERIAL and any(letter.isdigit() for letter in text)


_WITHHELD = re.compile("|".join(f"(?:{pattern})" for pattern, _what in WITHHELD_NAMES), re.IGNORECASE)
_KEPT = tuple((re.compile(path), re.compile(kept.encode())) for path, kept, _what in KEPT_LINES)
