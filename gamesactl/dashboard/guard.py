"""Who may ask: the checks that every request passes, the headers that every answer carries, the bounds on both.

A page of another site can make a browser send requests here, but it can set neither Host, Origin nor Sec-Fetch-Site
(Fetch Standard, forbidden request-header names), and a name that it rebinds to 127.0.0.1 stands in Host.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from gamesactl.dashboard.answers import Refused, bad

TOKEN_HEADER = "X-Gamesa-Token"  # noqa: S105 - its name
TOKEN_PROTOCOL = "gamesa.token."  # noqa: S105 - before it, among the WebSocket's protocols: a page cannot set headers there
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "gamesa",
}
"""On every answer, errors too."""
MAX_BODY = 4096
MAX_HEADER = 8190
"""Bytes of the request line and of one header; aiohttp answers 400 to more."""
MAX_HEADERS = 64
RATE_HZ, BURST = 50.0, 200.0
"""Requests of one address; of all together four times as many."""
FILES_HZ, FILES = 500.0, 2000.0
"""Of the page's own files, counted apart: loading it once asks for sixty at once, and somebody reloads."""
SAFE = ("GET", "HEAD")
_ADDRESSES = 256

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """``hosts`` are the names and addresses this server may be asked by. ``token`` allows writing, with
    ``everything`` (other machines can reach it) also reading. ``read_only`` is why nobody may write, or empty.
    """

    def __init__(self, hosts: frozenset[str], scheme: str, token: str, *, everything: bool, read_only: str) -> None:
        self._hosts = hosts
        self._scheme = scheme
        self._token = token
        self._everything = everything
        self.read_only = read_only
        self._each: dict[tuple[str, bool], Bucket] = {}
        self._all = Bucket(4 * RATE_HZ, 4 * BURST)
        self._files = Bucket(4 * FILES_HZ, 4 * FILES)

    def check(self, request: web.Request, *, writes: bool, public: bool) -> None:
        """Raises Refused. ``public``: the page itself, which holds nothing."""
        if len(request.headers) > MAX_HEADERS:
            raise bad(f"more than {MAX_HEADERS} headers", "send fewer")
        host = request.headers.get("Host", "")
        if host.lower() not in self._hosts:
            said = f"this is not {host[:100]!r}"
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, said, f"use {self._scheme}://{min(self._hosts)}/")
        self._count(request.remote or "", public=public)
        self._same_origin(request, host, public=public)
        if writes or (self._everything and not public):
            self._authorised(request, writes=writes)

    def _same_origin(self, request: web.Request, host: str, *, public: bool) -> None:
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        followed = public and request.method in SAFE and request.headers.get("Sec-Fetch-Mode") == "navigate"
        foreign = site not in ("same-origin", "none") and not followed
        if foreign or (origin is not None and origin.lower() != f"{self._scheme}://{host.lower()}"):
            raise Refused(HTTPStatus.FORBIDDEN, "a page of another origin asks", "open the dashboard's own page")

    def _authorised(self, request: web.Request, *, writes: bool) -> None:
        if writes and self.read_only:
            raise Refused(HTTPStatus.FORBIDDEN, self.read_only, "run: gamesactl dashboard, as yourself")
        given = request.headers.get(TOKEN_HEADER, "")
        for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
            given = protocol.strip().removeprefix(TOKEN_PROTOCOL) if TOKEN_PROTOCOL in protocol else given
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), self._token.encode()):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "the token is missing or another",
                "open the address that gamesactl dashboard printed",
            )

    def _count(self, address: str, *, public: bool) -> None:
        if len(self._each) > _ADDRESSES:
            self._each.clear()
        rate_hz, most = (FILES_HZ, FILES) if public else (RATE_HZ, BURST)
        each = self._each.setdefault((address, public), Bucket(rate_hz, most))
        if not (each.take() and (self._files if public else self._all).take()):
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many requests", "ask less often")


class Bucket:
    """Holds ``most``, fills at ``rate_hz``."""

    __slots__ = ("_level", "_most", "_rate_hz", "_then_s")

    def __init__(self, rate_hz: float, most: float) -> None:
        self._rate_hz, self._most, self._level = rate_hz, most, most
        self._then_s = time.monotonic()

    def take(self) -> bool:
        now_s = time.monotonic()
        self._level = min(self._most, self._level + self._rate_hz * (now_s - self._then_s))
        self._then_s = now_s
        if self._level < 1:
            return False
        self._level -= 1
        return True
