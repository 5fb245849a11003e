"""The daemon on the bus: connected while it is there, again when it is back, and what it tells meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gamesactl import bus
from gamesactl.errors import ClientError, Unreachable

_RETRY_S = 1.0


class Link:
    """``told`` gets the name of each signal and its arguments."""

    def __init__(self, told: Callable[[str, list[Any]], None]) -> None:
        self._told = told
        self._gamesad: bus.Gamesad | None = None
        self._why = "gamesad has not answered yet; try again in a second"

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                async with bus.connect() as gamesad:
                    await gamesad.follow()
                    gamesad.heard = self._told
                    self._gamesad = gamesad
                    while gamesad.present:
                        await gamesad.changed.wait()
                        gamesad.changed.clear()
                    self._why = "gamesad went away; it is looked for every second"
            except ClientError as error:
                self._why = str(error)
            finally:
                self._gamesad = None
            await asyncio.sleep(_RETRY_S)

    async def ask(self, question: Callable[[bus.Gamesad], Coroutine[Any, Any, Any]]) -> Any:
        """Unreachable while the daemon is away; any ClientError."""
        if self._gamesad is None:
            raise Unreachable(self._why)
        return await question(self._gamesad)
