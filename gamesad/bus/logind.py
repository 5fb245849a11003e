"""org.freedesktop.login1 says when the machine is about to sleep and when it is awake again.

No delay inhibitor is taken: it is a file descriptor, and dbus-next gives those back by garbage collection only. What
has to be so after a sleep is done on waking.
"""

from __future__ import annotations

import asyncio

from dbus_next.message import Message

from gamesad.bus.link import CallFailed, Link
from gamesad.bus.members import Service

LOGIND = "org.freedesktop.login1"
MANAGER = "org.freedesktop.login1.Manager"
_PREPARE = "PrepareForSleep"


class Logind:
    """Follows logind on one link."""

    def __init__(self, link: Link, service: Service) -> None:
        self._link = link
        self._service = service
        self._in_order = asyncio.Lock()

    def listen(self) -> None:
        rule = f"type='signal',sender='{LOGIND}',interface='{MANAGER}',member='{_PREPARE}'"
        self._link.tell_bus("AddMatch", rule)

    def is_meant(self, message: Message) -> bool:
        return bool(message.interface == MANAGER and message.member == _PREPARE and message.signature == "b")

    async def follow(self, message: Message) -> None:
        """Tells the service. Anybody may send us a signal of that name, so only the owner of logind's is believed."""
        async with self._in_order:
            try:
                [owner] = await self._link.call_bus("GetNameOwner", "s", LOGIND)
            except CallFailed:
                return
            if message.sender != owner:
                return
            if message.body[0]:
                await self._service.sleep()
            else:
                await self._service.wake()
