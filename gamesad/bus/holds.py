"""Holds as the bus sees them: how many each user may have, and that they end when their holder leaves the bus."""

from __future__ import annotations

from gamesad.bus.caller import Caller, Callers
from gamesad.bus.members import Service
from gamesad.bus.names import MAX_HOLDS, MAX_HOLDS_PER_USER
from gamesad.errors import Busy, Failed


class Holds:
    """The holds taken over one link."""

    def __init__(self, service: Service, callers: Callers) -> None:
        self._service = service
        self._callers = callers
        self._held: dict[int, Caller] = {}
        self._asked: list[Caller] = []

    async def hold(self, caller: Caller, profile: str, reason: str, application_id: str) -> int:
        """The cookie. Busy when the user or all users together have as many as they may."""
        self._check_room(caller.uid)
        self._asked.append(caller)
        self._callers.pinned.add(caller.name)
        try:
            cookie = await self._service.hold_profile(
                profile, reason, application_id, owner=caller.name, uid=caller.uid
            )
            self._held[cookie] = caller
        finally:
            self._asked.remove(caller)
            self._unpin(caller.name)
        if not self._callers.is_here(caller.name):  # left while the tick was at it
            await self.left(caller.name)
            raise Failed("the caller has left the bus")
        return cookie

    async def release(self, caller: Caller, cookie: int) -> None:
        await self._service.release_profile(cookie, uid=caller.uid)
        holder = self._held.pop(cookie, None)
        if holder is not None:
            self._unpin(holder.name)

    async def left(self, name: str) -> None:
        """The caller has left the bus, and its holds end."""
        cookies = [cookie for cookie, caller in self._held.items() if caller.name == name]
        for cookie in cookies:
            del self._held[cookie]
        self._unpin(name)
        if cookies:
            await self._service.release_owner(name)

    async def all_left(self) -> None:
        """The link is lost, and with it everybody's name."""
        for name in {caller.name for caller in self._held.values()}:
            await self.left(name)

    def _check_room(self, uid: int) -> None:
        if len(self._held) >= MAX_HOLDS_PER_USER:
            self._forget_ended()
        taken = [*self._held.values(), *self._asked]
        if sum(caller.uid == uid for caller in taken) >= MAX_HOLDS_PER_USER:
            raise Busy(f"user {uid} has {MAX_HOLDS_PER_USER} holds already; release one first")
        if len(taken) >= MAX_HOLDS:
            raise Busy(f"there are {MAX_HOLDS} holds already; try again later")

    def _forget_ended(self) -> None:
        """Drops what the service itself has released meanwhile."""
        holds = self._service.properties()["Holds"]
        there = {hold["Cookie"] for hold in holds} if isinstance(holds, list) else set()
        for cookie in [cookie for cookie in self._held if cookie not in there]:
            self._unpin(self._held.pop(cookie).name)

    def _unpin(self, name: str) -> None:
        if not any(caller.name == name for caller in [*self._held.values(), *self._asked]):
            self._callers.pinned.discard(name)
