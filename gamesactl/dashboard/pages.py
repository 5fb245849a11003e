"""The page's own files, read once: what is not among them is not there, whatever a path says."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from http import HTTPStatus

from aiohttp import web

from gamesactl.dashboard.answers import Refused

FOLDER = os.path.join(os.path.dirname(__file__), "static")
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
    ".md": "text/plain",
}


@cache
def files() -> dict[str, tuple[bytes, str, str]]:
    """By path below the folder: contents, type and entity tag."""
    found = {}
    for folder, _, names in os.walk(FOLDER):
        for name in names:
            kind = _TYPES.get(os.path.splitext(name)[1])
            if kind is not None:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    data = file.read()
                found[os.path.relpath(path, FOLDER)] = (data, kind, hashlib.sha256(data).hexdigest()[:16])
    return found


async def serve(request: web.Request) -> web.Response:
    name = request.match_info["name"] or "index.html"
    if name not in files():
        raise Refused(HTTPStatus.NOT_FOUND, f"there is no {request.path[:100]}", "open /")
    data, kind, tag = files()[name]
    response = web.Response(body=data, content_type=kind, charset="utf-8" if kind != "image/png" else None)
    response.etag = tag
    response.headers["Cache-Control"] = "no-cache"
    if any(known.value == tag for known in request.if_none_match or ()):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": f'"{tag}"', "Cache-Control": "no-cache"})
    return response
