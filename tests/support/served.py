"""The bus part served by a process of its own on a private bus, with the service that keeps everything in memory."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import IO

from gamesad.bus.connection import serve
from gamesad.bus.members import Service
from tests.support.private_bus import ROOT, PrivateBus


class Served:
    """A running server. ``states`` are read as they come: "on", or why not."""

    def __init__(self, process: subprocess.Popen[str], out: IO[str]) -> None:
        self.process = process
        self._out = out

    def next_state(self) -> str:
        """Waits for the next state the server prints; empty when it has ended."""
        return self._out.readline().strip()

    def wait_until_on(self) -> None:
        while (state := self.next_state()) != "on":
            assert state, "the server has ended"


@contextmanager
def served(bus: PrivateBus, options: Sequence[str] = (), *, wait: bool = True) -> Iterator[Served]:
    """Starts a server and waits until it is on the bus; ends it, and expects that it ends well."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.support.memory_service", *options],
        env=bus.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    out = process.stdout
    assert out is not None
    try:
        server = Served(process, out)
        if wait:
            server.wait_until_on()
        yield server
        if process.poll() is None:
            process.terminate()
            assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        out.close()


@asynccontextmanager
async def serving(service: Service, bus: PrivateBus) -> AsyncIterator[None]:
    """Serves from inside the test's own loop, once the name is ours; cancelled at the end."""
    on = asyncio.Event()
    task = asyncio.create_task(serve(service, address=bus.address, on_state=lambda state: on.set()))
    await asyncio.wait_for(on.wait(), 10)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
