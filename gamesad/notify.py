"""The service manager's notification socket (sd_notify(3)), without a library: every start pays for its imports."""

from __future__ import annotations

import os
import socket
import time


def notify(*states: str) -> bool:
    """Send states such as ``READY=1`` or ``STATUS=…``; False when nobody asked for them or nobody listens.

    ``RELOADING=1`` gets the MONOTONIC_USEC that systemd wants beside it. A line break in a state would begin another
    one, so it becomes a blank. Never raises and never blocks: a service that hangs on its manager helps nobody.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    lines = [" ".join(state.splitlines()) for state in states]
    if "RELOADING=1" in lines:
        lines.append(f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
            channel.sendto("\n".join(lines).encode(errors="replace"), address)
    except OSError:
        return False
    return True


def watchdog_interval_s() -> float | None:
    """How often ``WATCHDOG=1`` is expected at the latest (the unit's WatchdogSec); None when nobody watches us."""
    watched = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if watched != str(os.getpid()) or not microseconds.isascii() or not microseconds.isdigit():
        return None
    return int(microseconds) / 1e6 or None
