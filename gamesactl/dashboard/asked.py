"""What a request says in its query or its body, as typed values. Refused (400) with what was expected."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any, TypeVar

from aiohttp import web

from gamesactl.dashboard.answers import JSON, bad

T = TypeVar("T", int, float)

_LONGEST = 256
_FOREVER_S = 1e11


def known_only(query: Mapping[str, str], *keys: str) -> None:
    for key in query:
        if key not in keys:
            raise bad(f"there is no {key[:50]!r} here", f"it may be {', '.join(keys) or 'nothing'}")


def number(query: Mapping[str, str], key: str, usual: float, least: float, most: float) -> float:
    given = query.get(key)
    if given is None or given == "":
        return usual
    try:
        found = float(given)
    except ValueError:
        found = math.nan
    if not least <= found <= most:
        raise bad(f"{key} is {given[:50]!r}", f"it is a number from {least:g} to {most:g}")
    return found


def period(query: Mapping[str, str], length_s: float) -> tuple[float, float]:
    """``since`` and ``until`` in s since the epoch; negative ones are counted from now. The last ``length_s`` unless
    asked for otherwise."""
    now_s = time.time()
    until_s = _moment(query, "until", now_s, now_s)
    since_s = _moment(query, "since", until_s - length_s, now_s)
    if since_s >= until_s:
        raise bad("since is not before until", "both are seconds since the epoch, or negative: so long ago")
    return since_s, until_s


def _moment(query: Mapping[str, str], key: str, usual_s: float, now_s: float) -> float:
    found_s = number(query, key, usual_s, -_FOREVER_S, _FOREVER_S)
    return found_s if found_s >= 0 else max(0.0, now_s + found_s)


async def fields(request: web.Request, *keys: str) -> dict[str, Any]:
    """The body: one JSON object with no other keys."""
    if request.content_type != JSON:
        raise bad(f"the body is {request.content_type[:50]!r}", f"send {JSON}")
    try:
        found = json.loads(await request.text() or "null")
    except (ValueError, RecursionError, LookupError, web.RequestPayloadError):
        raise bad("the body is no JSON") from None
    if not isinstance(found, dict):
        raise bad("the body is no JSON object", f"send {{{', '.join(keys)}}}")
    known_only(found, *keys)
    return found


def text(body: Mapping[str, Any], key: str, usual: str | None = None) -> str:
    found = body.get(key, usual)
    if not isinstance(found, str) or len(found) > _LONGEST:
        raise bad(f"{key} is missing or no text", f"{key} is a text of at most {_LONGEST} characters")
    return found


def between(body: Mapping[str, Any], key: str, least: T, most: T) -> T:
    """A number of the type of ``least``; a whole one will do for a float."""
    found, kind = body.get(key), type(least)
    if (
        isinstance(found, int | float)
        and not isinstance(found, bool)
        and least <= found <= most
        and kind(found) == found
    ):
        return kind(found)
    raise bad(f"{key} is missing or out of range", f"{key} is a number from {least} to {most}")
