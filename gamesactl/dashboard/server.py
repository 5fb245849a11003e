"""The program that answers: every route in one table, each request guarded, every failure a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from gamesactl.dashboard import acting, api, pages
from gamesactl.dashboard.answers import Refused, answer, refusal, refusal_of
from gamesactl.dashboard.desk import Desk, note
from gamesactl.dashboard.export import export
from gamesactl.dashboard.guard import HEADERS, MAX_BODY, SAFE
from gamesactl.dashboard.metrics import metrics
from gamesactl.errors import ClientError
from gamesad.crystal.errors import CrystalError

ROOT = "/api/v1"
_NOT_PUBLIC = ("/api/", "/metrics")
"""All else is the page's own files."""


@dataclass(frozen=True, slots=True)
class Route:
    """``answer`` makes a document or a response. What is not GET changes something."""

    method: str
    path: str
    answer: Callable[[Desk, web.Request], Awaitable[object]]


ROUTES = (
    Route("GET", f"{ROOT}/hello", api.hello),
    Route("GET", f"{ROOT}/status", api.status),
    Route("GET", f"{ROOT}/sensors", api.sensors),
    Route("GET", f"{ROOT}/tunables", api.tunables),
    Route("GET", f"{ROOT}/profiles", api.profiles),
    Route("GET", f"{ROOT}/decisions", api.decisions),
    Route("GET", f"{ROOT}/history", api.history),
    Route("GET", f"{ROOT}/forecast", api.forecasts),
    Route("GET", f"{ROOT}/crystal", api.crystal),
    Route("GET", f"{ROOT}/crystal/blocks", api.blocks),
    Route("GET", f"{ROOT}/neural", api.neural),
    Route("GET", f"{ROOT}/flights", api.flights),
    Route("GET", f"{ROOT}/flights/{{id}}", api.one_flight),
    Route("GET", f"{ROOT}/export", export),
    Route("GET", f"{ROOT}/frames", api.frames),
    Route("GET", f"{ROOT}/live", api.live),
    Route("POST", f"{ROOT}/profile", acting.profile),
    Route("POST", f"{ROOT}/hold", acting.hold),
    Route("DELETE", f"{ROOT}/hold/{{cookie}}", acting.release),
    Route("POST", f"{ROOT}/limit", acting.limit),
    Route("DELETE", f"{ROOT}/limit/{{name}}", acting.clear_limit),
    Route("POST", f"{ROOT}/tunable", acting.tunable),
    Route("POST", f"{ROOT}/tunable/confirm", acting.confirm),
    Route("POST", f"{ROOT}/tunable/reset", acting.reset),
    Route("POST", f"{ROOT}/pause", acting.pause),
    Route("POST", f"{ROOT}/resume", acting.resume),
    Route("GET", "/metrics", metrics),
)
"""All there is beside the page's own files."""


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
            public = not request.path.startswith(_NOT_PUBLIC)
            desk.guard.check(request, writes=request.method not in SAFE, public=public)
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
            note(f"{request.method} {request.path}: {error!r}")
            what_next = "it is told on the dashboard's standard error; report it"
            return refusal(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "the dashboard made a mistake", what_next))

    return middleware


async def _with_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        if name != "Cache-Control" or name not in response.headers:
            response.headers[name] = value
