"""One look at the machine, for all checks: what is read, what can be set, which limits hold."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from gamesad import config
from gamesad.config import Config
from gamesad.errors import ConfigError
from gamesad.hardware import ACTUATORS, chips
from gamesad.hardware.chips import Chip
from gamesad.hardware.processors import Processor, processor
from gamesad.hardware.sysfs import Sysfs
from gamesad.machine import describe, open_sysfs
from gamesad.policy.limits import derive
from gamesad.telemetry.collector import Collector
from gamesad.types import Intent, Limit, Profile, Quantity, Sensor, Snapshot, Tunable, Value

_AS_FOUND = Intent(Profile("", "", 0, ""), chosen=False)
_HYPERVISORS = re.compile(r"QEMU|VMware|VirtualBox|innotek|Xen|Bochs|KVM|Parallels|Amazon EC2|Google Compute|OpenStack")
_LAPTOPS = frozenset(("8", "9", "10", "11", "14", "30", "31", "32"))
_DESKTOPS = frozenset(("3", "4", "5", "6", "7", "13", "15", "16", "24", "35"))
_SERVERS = frozenset(("17", "23", "25", "28", "29"))
"""Chassis types of the SMBIOS specification, 7.4.1."""
_DMI = "/sys/class/dmi/id"


@dataclass(frozen=True, slots=True)
class Seen:
    """``live``: this machine as it is now, not a tree, a recording or a simulated one. ``root``: we may read all."""

    sysfs: Sysfs
    live: bool
    root: bool
    machine: str
    processor: Processor
    sensors: Mapping[str, Sensor]
    snapshot: Snapshot
    limits: Mapping[str, Limit]
    tunables: Mapping[str, Tunable]
    values: Mapping[str, Value]
    chips: tuple[Chip, ...]
    config: Config
    problems: tuple[str, ...]
    """The faults of the configuration; with any, its defaults are used here, and gamesad refuses to start."""

    def text(self, path: str) -> str:
        """What stands in a file; empty where it cannot be read."""
        try:
            return self.sysfs.read(path)
        except OSError:
            return ""

    def dmi(self, name: str) -> str:
        return self.text(f"{_DMI}/{name}")

    @property
    def virtual(self) -> bool:
        told = f"{self.dmi('sys_vendor')} {self.dmi('product_name')}"
        return "hypervisor" in self.processor.flags or bool(_HYPERVISORS.search(told))

    @property
    def is_laptop(self) -> bool:
        return self.dmi("chassis_type") in _LAPTOPS

    @property
    def is_desktop(self) -> bool:
        return self.dmi("chassis_type") in _DESKTOPS

    @property
    def is_server(self) -> bool:
        return self.dmi("chassis_type") in _SERVERS

    @property
    def intel(self) -> bool:
        return self.processor.vendor == "GenuineIntel"

    @property
    def amd(self) -> bool:
        return self.processor.vendor in {"AuthenticAMD", "HygonGenuine"}

    @property
    def arm(self) -> bool:
        """A machine that a device tree describes."""
        return self.sysfs.exists("/sys/firmware/devicetree/base") or self.sysfs.exists("/proc/device-tree")

    def of(self, quantity: Quantity) -> list[Sensor]:
        return [sensor for sensor in self.sensors.values() if sensor.quantity is quantity]


def look(options: argparse.Namespace, stack: ExitStack) -> Seen:
    """UsageError when the options name no machine."""
    sysfs = open_sysfs(options, stack)
    problems: tuple[str, ...] = ()
    try:
        loaded = config.load(options.config)
    except ConfigError as error:
        loaded, problems = Config(), tuple(error.problems)
    collector = Collector(sysfs, ignore=loaded.sensors.ignore, critical=loaded.sensors.critical)
    stack.callback(collector.close)
    snapshot = collector.sample(time.monotonic())
    tunables, values = _settable(sysfs)
    return Seen(
        sysfs=sysfs,
        live=options.root == "/" and not sysfs.simulated,
        root=os.geteuid() == 0,
        machine=describe(sysfs),
        processor=processor(sysfs),
        sensors=dict(collector.sensors),
        snapshot=snapshot,
        limits=derive(collector.sensors, _AS_FOUND, loaded.limits),
        tunables=tunables,
        values=values,
        chips=tuple(chips.find(sysfs)),
        config=loaded,
        problems=problems,
    )


def _settable(sysfs: Sysfs) -> tuple[dict[str, Tunable], dict[str, Value]]:
    tunables: dict[str, Tunable] = {}
    values: dict[str, Value] = {}
    for actuator in [actuator for probe in ACTUATORS for actuator in probe(sysfs)]:
        for tunable in actuator.tunables():
            tunables[tunable.name] = tunable
            try:
                values[tunable.name] = actuator.read(tunable)
            except (OSError, ValueError):
                continue  # asleep, gone, or not for us to read
    return tunables, values
