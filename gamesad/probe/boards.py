"""Chips and disks that are most likely there and have no driver loaded. What is only a guess is said as one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gamesad.probe.findings import Finding, Level, listed
from gamesad.probe.seen import Seen

PART = "boards and disks"


@dataclass(frozen=True, slots=True)
class Board:
    """``maker`` and ``product`` (patterns of the firmware's words) have this chip, unless one of ``chips`` is there."""

    maker: str
    product: str
    chips: str
    what: str
    remedy: str


_FIRMWARE: tuple[Board, ...] = (
    Board("LENOVO", r"ThinkPad", "thinkpad", "the fans and probes of a ThinkPad", "modprobe thinkpad_acpi"),
    Board("Dell", r"", r"dell_(smm|ddv)", "the fans and probes of a Dell", "modprobe dell_smm_hwmon, or dell_wmi_ddv"),
    Board("Apple", r"", "applesmc|macsmc.*", "the fans and probes of an Apple", "modprobe applesmc, or macsmc-hwmon"),
    Board(
        "Valve", r"", "steamdeck.*|jupiter", "the Deck's fan and battery", "modprobe steamdeck_hwmon, of Valve's kernel"
    ),
    Board(
        "Microsoft", r"Surface", r"surface_.*", "the Surface's fan and probes", "modprobe -a surface_fan surface_temp"
    ),
    Board("(HP|Hewlett)", r"", r"hp|hp_wmi.*", "the fans of an HP", "modprobe hp_wmi, or hp-wmi-sensors"),
    Board("Framework", r"", r"cros_ec|framework.*", "the fans and probes of a Framework", "modprobe cros_ec_hwmon"),
)
_SUPER_IO = r"nct6.*|it8.*|w83.*|f71.*|sch5.*|asusec|asus_wmi_sensors|atk0110|gigabyte_wmi"
_GUESSES: tuple[Board, ...] = (
    Board("Gigabyte", r"", _SUPER_IO, "an ITE chip", "try: modprobe it87 (newer boards: gigabyte_wmi)"),
    Board("ASUS", r"", _SUPER_IO, "a Nuvoton chip", "try: modprobe nct6775, and asus-ec-sensors beside it"),
    Board(
        "(ASRock|Micro-Star|MSI|BIOSTAR|EVGA)",
        r"",
        _SUPER_IO,
        "a Nuvoton chip",
        "try: modprobe nct6775 (MSI: or nct6683)",
    ),
    Board("", r"", _SUPER_IO, "a Super-I/O chip", "load what it is"),
)


def boards(seen: Seen) -> Iterator[Finding]:
    if seen.is_server:
        text = "a server's fans and probes are mostly its management controller's (BMC), which gamesad does not ask"
        yield Finding(PART, Level.NOTE, text, "to see them: ipmitool sensor")
        return
    present = [chip.driver for chip in seen.chips]
    product = " ".join(seen.dmi(name) for name in ("product_name", "product_version", "product_family"))
    for board in _FIRMWARE:
        if _fits(board, seen.dmi("sys_vendor"), product):
            if not _has(present, board.chips):
                yield Finding(PART, Level.MISSING, f"{board.what} are not read", board.remedy)
            return
    maker = seen.dmi("board_vendor")
    if seen.is_desktop and maker and not seen.virtual and not _has(present, _SUPER_IO):
        guess = next(board for board in _GUESSES if _fits(board, maker, ""))
        text = f"the board's fans and voltages are not read; a guess by its maker ({maker}): it has {guess.what}"
        yield Finding(PART, Level.MISSING, text, f"{guess.remedy}; sensors-detect (of lm-sensors) tells for certain")


def disks(seen: Seen) -> Iterator[Finding]:
    present = [chip.driver for chip in seen.chips]
    controllers = [name for name in seen.sysfs.list("/sys/class/nvme") if re.fullmatch(r"nvme[0-9]+", name)]
    if controllers and "nvme" not in present and not seen.virtual:
        text = f"{listed(controllers)}: an NVMe disk without a temperature"
        remedy = "it does not tell, or the kernel was built without CONFIG_NVME_HWMON; try: nvme smart-log"
        yield Finding(PART, Level.MISSING, text, remedy)
    names = [name for name in seen.sysfs.list("/sys/block") if re.fullmatch(r"sd[a-z]+", name)]
    sata = [name for name in names if seen.text(f"/sys/block/{name}/device/vendor") == "ATA"]
    if sata and "drivetemp" not in present and not seen.virtual:
        text = f"{listed(sata)}: the temperature of SATA disks is not read"
        yield Finding(PART, Level.MISSING, text, "load drivetemp: modprobe drivetemp (sleeping disks are left alone)")


def pi(seen: Seen) -> Iterator[Finding]:
    """A Raspberry Pi's power supply, which its firmware watches (drivers/hwmon/raspberrypi-hwmon.c)."""
    for folder in (f"/sys/class/hwmon/{entry}" for entry in seen.sysfs.list("/sys/class/hwmon")):
        if seen.text(f"{folder}/name") == "rpi_volt" and seen.text(f"{folder}/in0_lcrit_alarm") == "1":
            text = "the supply voltage is or was too low; the firmware holds the clock down then, whatever gamesad does"
            yield Finding(PART, Level.MISSING, text, "use the supply made for this model, and a short cable")


def _fits(board: Board, maker: str, product: str) -> bool:
    return bool(re.match(board.maker, maker, re.IGNORECASE)) and bool(re.search(board.product, product))


def _has(present: list[str], pattern: str) -> bool:
    return any(re.fullmatch(pattern, name) for name in present)
