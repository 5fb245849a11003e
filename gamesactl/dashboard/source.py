"""The segment as the dashboard reads it: attached again by itself, and honest about since when nobody writes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from gamesactl import segment
from gamesactl.dashboard.answers import Refused
from gamesactl.errors import Unreachable
from gamesad.crystal.errors import CrystalError
from gamesad.crystal.reader import Crystal

T = TypeVar("T")

_WAITING = 16
"""Reads of the past that may wait for their turn."""


class Source:
    """For one thread. Without a segment ``stale_since`` is when this program first missed it: it knows no better."""

    def __init__(self) -> None:
        self._crystal: Crystal | None = None
        self._missed_s: float | None = None

    def crystal(self) -> Crystal:
        """CrystalError and Unreachable as from ``segment.attach``."""
        if self._crystal is None:
            self._crystal = segment.attach()
        return self._crystal

    def stale_since(self) -> float | None:
        """In s since the epoch; None while the daemon lives."""
        try:
            since_s = self.crystal().stale_since_s
        except (CrystalError, Unreachable):
            self.close()
            since_s = self._missed_s or time.time()
        self._missed_s = None if since_s is None else min(since_s, self._missed_s or since_s)
        return self._missed_s

    def close(self) -> None:
        if self._crystal is not None:
            self._crystal.close()
        self._crystal = None


class Past:
    """Reads that take longer than a tick may wait, one after the other on a thread of their own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "past")
        self._source = Source()
        self._waiting = 0

    async def read(self, work: Callable[[Crystal], T]) -> T:
        """Refused when too many wait."""
        if self._waiting >= _WAITING:
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS, "too many graphs are being read at once", "try again in a second"
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._source.crystal()))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._source.close()
