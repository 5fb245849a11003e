"""Other daemons that set the same controls, known by the names they own on the bus.

Those without a bus name (TLP, auto-cpufreq) are noticed when they rewrite what was set (gamesad.posture).
"""

from __future__ import annotations

from collections.abc import Mapping

from gamesad.bus.link import CallFailed, Link
from gamesad.bus.members import Service

RIVALS: Mapping[str, str] = {
    "org.freedesktop.UPower.PowerProfiles": "who serves org.freedesktop.UPower.PowerProfiles (power-profiles-daemon?)",
    "net.hadess.PowerProfiles": "who serves net.hadess.PowerProfiles (power-profiles-daemon?)",
    "com.redhat.tuned": "TuneD",
    "org.freedesktop.thermald": "thermald",
    "com.system76.PowerDaemon": "system76-power",
}
"""Bus name → who that is, for people. Several daemons may own a PowerProfiles name."""


class Rivals:
    """Follows the owners of these names on one link, and tells the service."""

    def __init__(self, link: Link, service: Service) -> None:
        self._link = link
        self._service = service

    async def listen(self) -> None:
        """From here on every change is told; then who is there already."""
        for name in RIVALS:
            self._link.tell_bus("AddMatch", f"type='signal',member='NameOwnerChanged',arg0='{name}'")
        for name in RIVALS:
            try:
                [owned] = await self._link.call_bus("NameHasOwner", "s", name)
            except CallFailed:
                return  # the link is lost; the next one asks again
            await self.follow(name, present=bool(owned))

    async def follow(self, name: str, *, present: bool) -> None:
        await self._service.rival(RIVALS[name], present=present)
