"""How the dashboard's own tasks end: always when they are told to, and never in silence."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace

import pytest

from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.live import Client

PATIENCE_S = 10.0


def desk() -> Desk:
    return Desk(SimpleNamespace(read_only=""), SimpleNamespace())  # type: ignore[arg-type]


async def ran(one: Desk) -> None:
    """Begins and ends as the server does."""
    running = one.running(None)  # type: ignore[arg-type]
    await anext(running)
    await asyncio.sleep(0)
    ending = asyncio.ensure_future(anext(running, None))
    assert await asyncio.wait({ending}, timeout=PATIENCE_S) == ({ending}, set())


def test_it_ends_though_a_library_lost_the_first_cancellation() -> None:
    """As ``asyncio.wait_for`` of Python 3.11 does when its work is done in the same moment."""

    async def deaf_once() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    one = desk()
    one.link.run = deaf_once  # type: ignore[method-assign]
    asyncio.run(ran(one))


def test_the_hub_ends_though_something_changed_in_the_same_moment() -> None:
    async def told_and_ended() -> bool:
        hub = desk().hub
        hub._look = lambda: None  # type: ignore[method-assign]
        hub._clients.add(Client(None))  # type: ignore[arg-type]
        task = asyncio.create_task(hub.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        hub._changed.set()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_S)
        hub._clients.clear()
        return task.cancelled()

    assert asyncio.run(told_and_ended())


def test_a_task_that_fails_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    async def fails() -> None:
        raise LookupError("of the link")

    one = desk()
    one.link.run = fails  # type: ignore[method-assign]
    asyncio.run(ran(one))
    assert "LookupError('of the link'); start the dashboard again" in capsys.readouterr().err
