"""Connections: so many and no more."""

from __future__ import annotations

import asyncio
import socket
import ssl

from aiohttp import web

MAX_CONNECTIONS = 256
_BACKLOG = 256
_GOODBYE_S = 1.0


class Door:
    """Opens sockets for a runner that is set up."""

    def __init__(self, runner: web.AppRunner) -> None:
        if runner.server is None:
            raise ValueError("the runner is not set up")
        self._server = runner.server
        self._open: list[asyncio.Server] = []
        self._entering = 0
        """Those that the server will know of in the loop's next round: many are let in at once."""

    async def open(self, where: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        self._open.append(await loop.create_server(self._enter, sock=where, ssl=tls, backlog=_BACKLOG))

    async def close(self) -> None:
        """To new ones at once, and to the others soon, whatever they are at."""
        for one in self._open:
            one.close()
        await self._server.shutdown(_GOODBYE_S)

    def _enter(self) -> asyncio.BaseProtocol:
        if len(self._server.connections) + self._entering >= MAX_CONNECTIONS:
            return _Closed()
        self._entering += 1
        asyncio.get_running_loop().call_soon(self._entered)
        return self._server()

    def _entered(self) -> None:
        self._entering -= 1


class _Closed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
