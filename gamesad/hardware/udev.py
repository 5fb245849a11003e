"""Devices that come and go, as udev tells it over netlink: a descriptor for the event loop, and what changed."""

from __future__ import annotations

import importlib
from typing import Any

SUBSYSTEMS = ("hwmon", "thermal", "cpu", "power_supply", "drm", "platform-profile", "powercap", "module")
"""``module``: a driver loaded late may bring files without an event of their own (cpufreq, energy_perf_bias)."""


class Monitor:
    """Watches SUBSYSTEMS. Events are only counted by subsystem: whoever asks then looks at the machine again.

    Not those that something changed: a battery tells of every percent, a zone of its trips, a card of each monitor, and
    a look at the machine keeps an idle card awake. Only the mains' count, which choose the profile.
    """

    def __init__(self, monitor: Any) -> None:  # pyudev has no types
        self._monitor = monitor

    def fileno(self) -> int:
        """Readable when something changed."""
        return int(self._monitor.fileno())

    def drain(self) -> set[str]:
        """The subsystems of what came or went since the last call; never waits.

        After more events than the socket holds the kernel drops some (ENOBUFS): then every subsystem counts as
        changed.
        """
        changed: set[str] = set()
        while True:
            try:
                device = self._monitor.poll(timeout=0)
            except OSError:
                return set(SUBSYSTEMS)
            if device is None:
                return changed
            if device.action != "change" or "POWER_SUPPLY_ONLINE" in device.properties:
                changed.add(str(device.subsystem))

    def close(self) -> None:
        """pyudev closes the socket with its last reference."""
        self._monitor = None


def open_monitor() -> tuple[Monitor | None, str]:
    """The monitor, or None and why not in one line. Without it the machine is looked at again from time to time."""
    try:
        pyudev = importlib.import_module("pyudev")
        monitor = pyudev.Monitor.from_netlink(pyudev.Context())
        for subsystem in SUBSYSTEMS:
            monitor.filter_by(subsystem)
        monitor.start()
    except ImportError as error:
        return None, f"pyudev cannot be used ({error}); devices that come and go are noticed late"
    except OSError as error:  # PrivateNetwork=yes and most containers block netlink
        return None, f"udev's netlink socket cannot be opened ({error}); devices that come and go are noticed late"
    return Monitor(monitor), ""
