"""Graphics cards, by what the PCI core keeps of them: asking it wakes no card."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass

from gamesad.hardware import cards
from gamesad.hardware.runtime_power import ASLEEP
from gamesad.probe.findings import Finding, Level, count
from gamesad.probe.seen import Seen

PART = "graphics"
DROP_INS = tuple(
    f"{folder}/systemd/system/gamesad.service.d" for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib")
)
_PCI = "/sys/bus/pci/devices"
_NVIDIA = "10de"
_PASSED_ON = "vfio-pci"
"""The driver of what is kept for a virtual machine."""
_DRIVERS = {_NVIDIA: "nvidia or nouveau", "1002": "amdgpu (before 2012: radeon)", "8086": "i915 or xe"}


@dataclass(frozen=True, slots=True)
class _Shown:
    slot: str
    vendor: str
    driver: str


def graphics(seen: Seen) -> Iterator[Finding]:
    known = {card.slot: card for card in cards.find(seen.sysfs)}
    shown = {card.slot: _Shown(card.slot, card.ids[:4], card.driver) for card in known.values()} | _display(seen)
    for card in sorted(shown.values(), key=lambda one: one.slot):
        if card.slot in known:
            yield _read(seen, known[card.slot])
        elif card.vendor in _DRIVERS and card.driver != _PASSED_ON:
            text = f"the card at {card.slot} has no driver that tells its temperature ({card.driver or 'none loaded'})"
            yield Finding(PART, Level.MISSING, text, f"it needs {_DRIVERS[card.vendor]}")
    if seen.live and any(card.driver == "nvidia" for card in known.values()):
        yield from _nvidia()


def _nvidia() -> Iterator[Finding]:
    """What the daemon needs to ask NVIDIA's driver."""
    if not _has_nvml():
        text = "NVIDIA's driver tells nothing without its library for Python"
        yield Finding(PART, Level.MISSING, text, "install nvidia-ml-py: apt install python3-pynvml, or gamesad[nvidia]")
    if not any(os.path.isfile(f"{folder}/nvidia.conf") for folder in DROP_INS):
        text = "the service's sandbox hides NVIDIA's cards from it"
        remedy = f"copy gamesad.service.d/nvidia.conf of gamesad's examples to {DROP_INS[0]}; docs/packaging.md has how"
        yield Finding(PART, Level.MISSING, text, remedy)


def _read(seen: Seen, card: cards.Card) -> Finding:
    sensors = [sensor for sensor in seen.sensors.values() if _mine(sensor.name, sensor.path, card)]
    tunables = [one for one in seen.tunables.values() if _mine(one.name, one.path, card)]
    has = f"{count(len(sensors), 'sensor')}, {count(len(tunables), 'tunable')}"
    if seen.text(f"{card.device}/power/runtime_status") in ASLEEP:
        return Finding(PART, Level.NOTE, f"{card.name} ({card.ids}) is asleep and not woken: {has} known so far")
    return Finding(PART, Level.GOOD if sensors or tunables else Level.NOTE, f"{card.name} ({card.ids}): {has}")


def _mine(name: str, path: str, card: cards.Card) -> bool:
    return card.name in name or path.startswith(f"{card.device}/")


def _display(seen: Seen) -> dict[str, _Shown]:
    """Every PCI device of the display class."""
    found = {}
    for slot in seen.sysfs.list(_PCI):
        folder = f"{_PCI}/{slot}"
        if seen.text(f"{folder}/class").startswith("0x03"):
            vendor = seen.text(f"{folder}/vendor").removeprefix("0x")
            driver = seen.sysfs.resolve(f"{folder}/driver") if seen.sysfs.exists(f"{folder}/driver") else ""
            found[slot] = _Shown(slot, vendor, os.path.basename(driver))
    return found


def _has_nvml() -> bool:
    return importlib.util.find_spec("pynvml") is not None
