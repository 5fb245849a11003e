"""What is answered: JSON documents, and refusals that say what to do next."""

from __future__ import annotations

import json
from http import HTTPStatus

from aiohttp import web

from gamesactl.errors import ClientError, NotAuthorised, Unreachable, Usage
from gamesactl.render import to_json
from gamesad.bus import names
from gamesad.crystal.errors import CrystalError

JSON = "application/json"
_BY_NAME = {
    names.ERROR_UNKNOWN_PROFILE: HTTPStatus.NOT_FOUND,
    names.ERROR_UNKNOWN_TUNABLE: HTTPStatus.NOT_FOUND,
    names.ERROR_UNKNOWN_SENSOR: HTTPStatus.NOT_FOUND,
    names.ERROR_UNKNOWN_HOLD: HTTPStatus.NOT_FOUND,
    names.ERROR_OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    names.INVALID_ARGS: HTTPStatus.BAD_REQUEST,
    names.ERROR_BUSY: HTTPStatus.CONFLICT,
}
_BY_CLASS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (NotAuthorised, HTTPStatus.FORBIDDEN),
    (Unreachable, HTTPStatus.SERVICE_UNAVAILABLE),
    (CrystalError, HTTPStatus.SERVICE_UNAVAILABLE),
    (Usage, HTTPStatus.BAD_REQUEST),
    (ClientError, HTTPStatus.CONFLICT),
)
_JUDGED = "run the dashboard in your own session on this machine's screen, or do it with gamesactl in a terminal"


class Refused(Exception):
    """``status`` is HTTP's, ``sentence`` what is wrong and ``what_next`` what to do about it."""

    def __init__(self, status: HTTPStatus, sentence: str, what_next: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.what_next = what_next


def bad(sentence: str, what_next: str = "see docs/dashboard-api.md") -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, sentence, what_next)


def refusal_of(error: Exception) -> Refused:
    """What a ClientError or CrystalError means over HTTP. Its sentence says what to do next after the semicolon."""
    sentence, _, what_next = str(error).rpartition("; ")
    status = _BY_NAME.get(error.name) if isinstance(error, ClientError) else None
    if status is None:
        status = next(found for kind, found in _BY_CLASS if isinstance(error, kind))
    if status is HTTPStatus.FORBIDDEN:
        return Refused(status, sentence or what_next, _JUDGED)
    return Refused(status, sentence or what_next, what_next if sentence else "see: gamesactl doctor")


def text_of(document: object) -> str:
    """Compact JSON; numbers that are none become null."""
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return to_json(document)


def answer(document: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(text=text_of(document), status=status, content_type=JSON)


def refusal(refused: Refused) -> web.Response:
    return answer({"error": refused.sentence, "what_next": refused.what_next}, refused.status)
