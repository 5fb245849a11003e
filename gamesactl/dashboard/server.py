"""The program that answers: every route in one table, each request guarded, every failure a sentence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from gamesactl.dashboard import api, pages
from gamesactl.dashboard.answers import Refused, answer, refusal, refusal_of
from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.guard import HEADERS, MAX_BODY
from gamesactl.errors import ClientError
from gamesad.crystal.errors import CrystalError

ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Route:
    """``answer`` makes the answer, a document or a response."""

    method: str
    path: str
    answer: Callable[[Desk, web.Request], Awaitable[object]]

    @property
    def writes(self) -> bool:
        return self.method in ("POST", "DELETE")


ROUTES = (
    Route("GET", f"{ROOT}/hello", api.hello),
    Route("GET", f"{ROOT}/status", api.status),
    Route("GET", f"{ROOT}/live", api.live),
)


def application(desk: Desk) -> web.Application:
    program = web.Application(client_max_size=MAX_BODY, middlewares=[_guarded(desk)])
    for route in ROUTES:
        program.router.add_route(route.method, route.path, _handler(desk, route))
    program.router.add_get("/{name:.*}", pages.serve)
    program.cleanup_ctx.append(desk.running)
    program.on_response_prepare.append(_with_headers)
    return program


def _handler(desk: Desk, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        made = await route.answer(desk, request)
        return made if isinstance(made, web.StreamResponse) else answer(made)

    return handle


def _guarded(desk: Desk) -> Callable[..., Awaitable[web.StreamResponse]]:
    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            public = not request.path.startswith(("/api", "/metrics"))
            desk.guard.check(request, writes=request.method not in ("GET", "HEAD"), public=public)
            return await handler(request)
        except Refused as refused:
            return refusal(refused)
        except (ClientError, CrystalError) as error:
            return refusal(refusal_of(error))
        except web.HTTPException as error:
            return refusal(Refused(HTTPStatus(error.status), error.reason, "see docs/dashboard-api.md"))
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the page is told and the server goes on
            print(f"gamesactl dashboard: {request.method} {request.path}: {error!r}", file=sys.stderr)
            what_next = "it is told on the dashboard's standard error; report it"
            return refusal(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the dashboard made a mistake", what_next))

    return middleware


async def _with_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        if name != "Cache-Control" or name not in response.headers:
            response.headers[name] = value
