"""A hold that lasts as long as its holder wants, over restarts of the daemon and of the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from gamesactl.bus import Gamesad, connect
from gamesactl.commands.profiles import known_better
from gamesactl.errors import ClientError, Unreachable

_RETRY_S = 1.0


async def keep(
    profile: str,
    reason: str,
    application_id: str,
    *,
    stop: asyncio.Event,
    held: Callable[[int], None],
    note: Callable[[str], None],
) -> bool:
    """Holds until ``stop``; True when somebody else released the hold.

    ``held`` is called with the cookie each time the daemon took the hold. A first failure is raised; later ones are
    waited out.
    """
    took = False

    def taken(cookie: int) -> None:
        nonlocal took
        took = True
        held(cookie)

    while not stop.is_set():
        try:
            async with connect() as gamesad:
                if await _once(
                    gamesad, profile=profile, reason=reason, application_id=application_id, stop=stop, taken=taken
                ):
                    return True
        except Unreachable:
            if not took:
                raise
        if not stop.is_set():
            note(f"gamesad is away; {profile} will be held again when it is back")
            while not stop.is_set() and not await _back():
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(stop.wait(), _RETRY_S)
    return False


async def _once(
    gamesad: Gamesad,
    *,
    profile: str,
    reason: str,
    application_id: str,
    stop: asyncio.Event,
    taken: Callable[[int], None],
) -> bool:
    """Until stopped or the daemon or the bus is gone (False), or until somebody released the hold (True)."""
    await gamesad.follow()
    try:
        cookie = await gamesad.hold_profile(profile, reason, application_id)
    except ClientError as error:
        raise await known_better(gamesad, profile, error) from None
    taken(cookie)
    stopped = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            changed = asyncio.create_task(gamesad.changed.wait())
            await asyncio.wait({stopped, changed}, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            gamesad.changed.clear()
            if stop.is_set() or not gamesad.present:
                break
            if not await gamesad.holds(cookie):
                return True
    finally:
        stopped.cancel()
    if gamesad.present:
        with suppress(ClientError):  # it ends with the connection in any case
            await gamesad.release_profile(cookie)
    return False


async def _back() -> bool:
    try:
        async with connect() as gamesad:
            await gamesad.properties()
    except ClientError:
        return False
    return True
