"""Starting the server: its sockets, its token, its address, and the browser that opens it."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import signal
import socket
import ssl
from dataclasses import dataclass, field

from aiohttp import web

from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.guard import MAX_HEADER, Guard
from gamesactl.dashboard.server import application
from gamesactl.errors import ClientError, Usage
from gamesactl.output import Output

PORT = 9467
_FIRST_FD = 3
_LOOPBACK = ("127.0.0.1", "::1")
_BACKLOG = 64
_UNIT = "this dashboard is a service of the system, which only shows"
_ROOT = "this dashboard runs as root, and a web page is not given root's rights"
_ASKED = "this dashboard was started with --read-only"


@dataclass(frozen=True, slots=True)
class Options:
    """``bind``: an address other machines can reach, empty for none."""

    port: int = PORT
    bind: str = ""
    names: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    read_only: bool = False
    open_browser: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where it listens. ``given``: the sockets came from systemd."""

    sockets: list[socket.socket]
    given: bool
    tls: ssl.SSLContext | None = None
    names: tuple[str, ...] = field(default=())

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def port(self) -> int:
        return int(self.sockets[0].getsockname()[1])

    @property
    def hosts(self) -> frozenset[str]:
        """What may stand in a request's Host."""
        addresses = {one.getsockname()[0] for one in self.sockets}
        hosts = {f"[{one}]" if ":" in one else one for one in addresses} | {name.lower() for name in self.names}
        if self.tls is None:
            hosts.add("localhost")
        default = 443 if self.tls else 80
        return frozenset(f"{host}:{self.port}" for host in hosts) | (hosts if self.port == default else frozenset())

    def address(self) -> str:
        host = self.names[0] if self.names else self.sockets[0].getsockname()[0]
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"


def place(options: Options) -> Place:
    """ClientError where it cannot listen there."""
    if given := _given():
        return Place(given, given=True)
    if not options.bind:
        found = [one for address in _LOOPBACK if (one := _listen(address, options.port)) is not None]
        return Place(found, given=False)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        tls.load_cert_chain(options.tls_cert, options.tls_key or None, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise ClientError(
            f"{options.tls_cert}: no certificate and key in PEM ({error}); see docs/dashboard.md"
        ) from None
    found = _listen(options.bind, options.port)
    assert found is not None
    return Place([found], given=False, tls=tls, names=options.names)


def _no_password() -> str:
    raise ssl.SSLError("its key has a password, which nobody is there to type")


def _given() -> list[socket.socket]:
    """From systemd, see sd_listen_fds(3)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [socket.socket(fileno=number) for number in range(_FIRST_FD, _FIRST_FD + count)]


def _listen(address: str, port: int) -> socket.socket | None:
    """None for ::1 on a machine without IPv6."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        found = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if address == "::1" and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None
        if error.errno == errno.EADDRINUSE:
            raise ClientError(
                f"port {port} of {address} is taken, perhaps by another dashboard; use --port {port + 1}"
            ) from None
        raise ClientError(f"cannot listen on {address} port {port}: {error.strerror}; try --bind, --port") from None
    found.setblocking(False)
    return found


def why_read_only(options: Options, where: Place) -> str:
    if where.given:
        return _UNIT
    if options.read_only:
        return _ASKED
    return _ROOT if os.geteuid() == 0 else ""


async def serve(options: Options, output: Output) -> int:
    """Until SIGINT, SIGTERM or SIGHUP; 0."""
    where, token = place(options), secrets.token_urlsafe(32)
    read_only = why_read_only(options, where)
    everything = where.tls is not None
    guard = Guard(where.hosts, where.scheme, token, everything=everything, read_only=read_only)
    runner = web.AppRunner(
        application(Desk(guard, read_only=read_only)), access_log=None, handle_signals=False, shutdown_timeout=1.0,
        max_line_size=MAX_HEADER, max_field_size=MAX_HEADER,
    )  # fmt: skip
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await runner.setup()
    try:
        for one in where.sockets:
            await web.SockSite(runner, one, ssl_context=where.tls).start()
        fragment = "" if read_only and not everything else f"#token={token}"
        _say(f"{where.address()}{fragment}", read_only, output)
        await stop.wait()
    finally:
        await runner.cleanup()
    return 0


def _say(url: str, read_only: str, output: Output) -> None:
    document = {"Url": url, "ReadOnly": read_only or None}
    output.done(
        document, f"{url}\n{read_only or 'this address allows to change settings: keep it to yourself'}; Ctrl-C ends it"
    )
    output.flush()


def checked(options: Options) -> Options:
    """Usage where they do not go together."""
    if not 0 <= options.port <= 65535:
        raise Usage(f"--port: {options.port} is not from 0 (any that is free) to 65535")
    if options.bind and not options.tls_cert:
        raise Usage("--bind needs --tls-cert and --tls-key: what others can reach is not told in the clear")
    if options.tls_cert and not options.bind:
        raise Usage("--tls-cert goes with --bind")
    return options
