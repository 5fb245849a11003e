"""Who called: the bus daemon's word for a unique name, never an argument. Forgotten when the name leaves the bus."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gamesad.bus.link import BUS, CallFailed, Link
from gamesad.errors import Busy, NotAuthorized

MAX_KNOWN = 400
"""Callers remembered. Each is one match rule on our connection, of which the system bus allows 512."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One connection to the bus. ``interactive``: a password may be asked for this call."""

    name: str
    uid: int
    interactive: bool = False


class Callers:
    """The callers of one link, with their user ids."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._uids: dict[str, asyncio.Task[int]] = {}
        self.pinned: set[str] = set()
        """Callers whose leaving must not be missed."""

    async def identify(self, name: str, *, interactive: bool) -> Caller:
        """NotAuthorized when the bus does not know who that is (it has left already), Busy when all are pinned."""
        asked = self._uids.get(name)
        if asked is None:
            self._forget_oldest()
            # Watched first, asked second: whoever leaves after the answer is heard of.
            self._link.tell_bus("AddMatch", _leaving(name))
            asked = self._uids[name] = asyncio.create_task(self._ask(name))
        try:
            uid = await asyncio.shield(asked)
        except CallFailed as error:
            self.forget(name)
            raise NotAuthorized("the bus does not say who is asking") from error
        return Caller(name, uid, interactive)

    def is_here(self, name: str) -> bool:
        """Whether an identified caller has not left since."""
        return name in self._uids

    def forget(self, name: str) -> None:
        """The name has left the bus; unique names are never used again."""
        asked = self._uids.pop(name, None)
        if asked is not None:
            asked.add_done_callback(_seen)
            self._link.tell_bus("RemoveMatch", _leaving(name))

    def close(self) -> None:
        for asked in self._uids.values():
            asked.cancel()
            asked.add_done_callback(_seen)
        self._uids.clear()

    async def _ask(self, name: str) -> int:
        [uid] = await self._link.call_bus("GetConnectionUnixUser", "s", name)
        return int(uid)

    def _forget_oldest(self) -> None:
        if len(self._uids) >= MAX_KNOWN:
            oldest = next((name for name in self._uids if name not in self.pinned), None)
            if oldest is None:
                raise Busy("too many programs hold a profile; try again later")
            self.forget(oldest)


def _leaving(name: str) -> str:
    return f"type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{name}'"


def _seen(task: asyncio.Task[int]) -> None:
    """Takes the outcome, so that asyncio does not report one nobody waited for."""
    if not task.cancelled():
        task.exception()
