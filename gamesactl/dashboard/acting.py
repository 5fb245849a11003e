"""What the page changes: over the bus as this process, which polkit judges, and only with the token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from gamesactl.dashboard import asked
from gamesactl.dashboard.answers import Refused, bad
from gamesactl.dashboard.guard import Bucket
from gamesactl.errors import ClientError
from gamesactl.holding import keep
from gamesactl.values import span

if TYPE_CHECKING:
    from gamesactl.dashboard.desk import Desk

T = TypeVar("T")

RATE_HZ, BURST = 2.0, 10.0
_AT_ONCE = 4
_PASSWORD_S = 120.0
"""How long somebody may take to type a password, in the session's own dialog or on this process's terminal."""
_HOLDS = 8
_LONGEST_HOLD_S, _LONGEST_PAUSE_S = 24 * 3600, 24 * 3600
_LONGEST_TRIAL_S = 3600
_APPLICATION = "gamesactl dashboard"
_BIGGEST = 2**53
"""JSON's numbers are exact up to here."""


class Acting:
    """Holds made here end with this process, and are held again when the daemon was away."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._rate = Bucket(RATE_HZ, BURST)
        self._going = 0
        self._holds: dict[int, tuple[asyncio.Event, asyncio.Task[bool]]] = {}

    def owns(self, cookie: object) -> bool:
        return cookie in self._holds

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Refused when too much is asked for, or nobody types the password."""
        if self._going >= _AT_ONCE or not self._rate.take():
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many changes at once", "try again in a second")
        self._going += 1
        try:
            return await asyncio.wait_for(work(), _PASSWORD_S)
        except TimeoutError:
            said = f"nobody gave leave within {_PASSWORD_S:.0f} s"
            raise Refused(HTTPStatus.FORBIDDEN, said, "type the password where it is asked for") from None
        finally:
            self._going -= 1

    async def hold(self, profile: str, reason: str, seconds: int) -> int:
        """The cookie, once it is held."""
        if len(self._holds) >= _HOLDS:
            raise Refused(HTTPStatus.CONFLICT, f"{_HOLDS} profiles are held from here", "release one")
        stop = asyncio.Event()
        taken: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def held(cookie: int) -> None:
            """Each time the daemon took it: a restarted one gives it another cookie."""
            for known in [known for known, (_, one) in self._holds.items() if one is task]:
                del self._holds[known]
            self._holds[cookie] = (stop, task)
            if not taken.done():
                taken.set_result(cookie)

        task = asyncio.create_task(keep(profile, reason, _APPLICATION, stop=stop, held=held, note=self._note))
        task.add_done_callback(self._forget)
        try:
            await asyncio.wait([task, taken], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not taken.done():
            await task  # raises why not
            raise ClientError("the hold was released at once; try again")
        asyncio.get_running_loop().call_later(seconds, stop.set)
        return int(taken.result())

    def _forget(self, task: asyncio.Task[bool]) -> None:
        self._holds = {cookie: one for cookie, one in self._holds.items() if one[1] is not task}
        if not task.cancelled():
            task.exception()  # told to who asked; later ones have no reader

    async def end(self, cookie: int) -> None:
        """One made here; returns when the daemon knows."""
        stop, task = self._holds[cookie]
        stop.set()
        await asyncio.wait({task})

    async def close(self) -> None:
        for stop, task in list(self._holds.values()):
            stop.set()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.wait({task}), 1.0)
            task.cancel()


async def _done(desk: Desk, question: Callable[[Any], Any], sentence: str) -> dict[str, str]:
    await desk.acting.do(lambda: desk.link.ask(question))
    return {"done": sentence}


async def profile(desk: Desk, request: web.Request) -> object:
    name = asked.text(await asked.fields(request, "name"), "name")
    return await _done(desk, lambda gamesad: gamesad.set_profile(name), f"the profile is {name}")


async def hold(desk: Desk, request: web.Request) -> object:
    body = await asked.fields(request, "profile", "seconds", "reason")
    name, reason = asked.text(body, "profile"), asked.text(body, "reason", "asked for on the dashboard")
    seconds = asked.between(body, "seconds", 1, _LONGEST_HOLD_S)
    cookie = await desk.acting.do(lambda: desk.acting.hold(name, reason, seconds))
    said = f"{name} is held for {span(seconds)}, or until the dashboard ends"
    return {"done": said, "cookie": cookie}


async def release(desk: Desk, request: web.Request) -> object:
    cookie = _number(request.match_info["cookie"])
    if desk.acting.owns(cookie):
        await desk.acting.do(lambda: desk.acting.end(cookie))
        return {"done": f"hold {cookie} has ended"}
    return await _done(desk, lambda gamesad: gamesad.release_profile(cookie), f"hold {cookie} has ended")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise bad(f"{text[:50]!r} is no hold", "GET /api/v1/profiles lists them")
    return int(text)


async def limit(desk: Desk, request: web.Request) -> object:
    body = await asked.fields(request, "name", "value")
    name, value = asked.text(body, "name"), asked.between(body, "value", -1e6, 1e6)
    return await _done(desk, lambda gamesad: gamesad.set_limit(name, value), f"{name} is limited to {value:g}")


async def clear_limit(desk: Desk, request: web.Request) -> object:
    name = request.match_info["name"]
    return await _done(desk, lambda gamesad: gamesad.clear_limit(name), f"{name} has no limit of yours any more")


async def tunable(desk: Desk, request: web.Request) -> object:
    body = await asked.fields(request, "name", "value", "revert_after_s")
    name, value = asked.text(body, "name"), body.get("value")
    after_s = asked.between(body, "revert_after_s", 0, _LONGEST_TRIAL_S)
    is_text = isinstance(value, str)
    value = asked.text(body, "value") if is_text else asked.between(body, "value", -_BIGGEST, _BIGGEST)
    reverts = f"; it goes back in {span(after_s)} unless confirmed" if after_s else ""
    said = f"{name} is {value}{reverts}"
    return await _done(desk, lambda gamesad: gamesad.set_tunable(name, value, after_s), said)


async def confirm(desk: Desk, request: web.Request) -> object:
    name = asked.text(await asked.fields(request, "name"), "name")
    return await _done(desk, lambda gamesad: gamesad.confirm_tunable(name), f"{name} stays as it is")


async def reset(desk: Desk, request: web.Request) -> object:
    name = asked.text(await asked.fields(request, "name"), "name")
    return await _done(desk, lambda gamesad: gamesad.reset_tunable(name), f"gamesad decides on {name} again")


async def pause(desk: Desk, request: web.Request) -> object:
    seconds = asked.between(await asked.fields(request, "seconds"), "seconds", 0, _LONGEST_PAUSE_S)
    until = f"for {span(seconds)}" if seconds else "until told to resume"
    return await _done(desk, lambda gamesad: gamesad.pause(seconds), f"everything is as found, {until}")


async def resume(desk: Desk, request: web.Request) -> object:
    await asked.fields(request)
    return await _done(desk, lambda gamesad: gamesad.resume(), "gamesad regulates again")
