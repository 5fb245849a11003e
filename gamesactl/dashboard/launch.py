"""Starting the server: its sockets, its token, its address, and the browser that opens it."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import signal
import socket
import ssl
from contextlib import nullcontext
from dataclasses import dataclass, field

from aiohttp import web

from gamesactl.dashboard import browser
from gamesactl.dashboard.desk import Desk
from gamesactl.dashboard.door import Door
from gamesactl.dashboard.frames import Frames
from gamesactl.dashboard.guard import MAX_HEADER, Guard
from gamesactl.dashboard.server import application
from gamesactl.errors import ClientError, Usage
from gamesactl.output import Output

PORT = 9467
_FIRST_FD = 3
_LOOPBACK = ("127.0.0.1", "::1")
_BACKLOG = 256
_UNIT = "this dashboard is a service of the system, which only shows"
_ROOT = "this dashboard runs as root, and a web page is not given root's rights"
_ASKED = "this dashboard was started with --read-only"
_NO_LOGS = (
    "frame times are read from the logs of the user who runs the dashboard, and this one runs as a service or root"
)


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
    mangohud_log: str = ""


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
        first = _listen(_LOOPBACK[0], options.port)
        return Place([first, *_also(_LOOPBACK[1], first.getsockname()[1])], given=False)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        tls.load_cert_chain(options.tls_cert, options.tls_key or None, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise ClientError(
            f"{options.tls_cert}: no certificate and key in PEM ({error}); see docs/dashboard.md"
        ) from None
    return Place([_listen(options.bind, options.port)], given=False, tls=tls, names=options.names)


def _no_password() -> str:
    raise ssl.SSLError("its key has a password, which nobody is there to type")


def _given() -> list[socket.socket]:
    """From systemd, see sd_listen_fds(3)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    return [socket.socket(fileno=number) for number in range(_FIRST_FD, _FIRST_FD + count)]


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        found = socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            said = f"port {port} of {address} is taken, perhaps by another dashboard; use --port {port + 1}"
            raise ClientError(said) from None
        raise ClientError(f"cannot listen on {address} port {port}: {error.strerror}; try --bind, --port") from error
    found.setblocking(False)  # noqa: FBT003 - the socket's own way to say it
    return found


def _also(address: str, port: int) -> list[socket.socket]:
    """Nothing on a machine without IPv6."""
    try:
        return [_listen(address, port)]
    except ClientError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return []
        raise


def why_read_only(options: Options, where: Place) -> str:
    if where.given:
        return _UNIT
    if options.read_only:
        return _ASKED
    return _ROOT if os.geteuid() == 0 else ""


async def serve(options: Options, output: Output) -> int:
    """Until SIGINT, SIGTERM or SIGHUP; 0."""
    where, token = place(options), secrets.token_urlsafe(32)
    read_only, everything = why_read_only(options, where), where.tls is not None
    guard = Guard(where.hosts, where.scheme, token, everything=everything, read_only=read_only)
    frames = Frames(options.mangohud_log or None, _NO_LOGS if where.given or os.geteuid() == 0 else "")
    desk = Desk(guard, frames)
    runner = web.AppRunner(
        application(desk), access_log=None, handle_signals=False, keepalive_timeout=30.0,
        max_line_size=MAX_HEADER, max_field_size=MAX_HEADER,
    )  # fmt: skip
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await runner.setup()
    try:
        door = Door(runner)
        for one in where.sockets:
            await door.open(one, where.tls)
        url = where.address() + ("" if read_only and not everything else f"#token={token}")
        _say(url, read_only, output)
        wanted = options.open_browser and not output.json and not where.given and os.geteuid() != 0
        with browser.opened(url, output.note) if wanted else nullcontext():
            await stop.wait()
        await desk.hub.close()
        await door.close()
    finally:
        await runner.cleanup()
    return 0


def _say(url: str, read_only: str, output: Output) -> None:
    """The token is told to the terminal of who started it, never to a journal: a service has none."""
    more = (
        f"{read_only}: nothing can be changed" if read_only else "who has this address can change what you can change"
    )
    output.done({"Url": url, "ReadOnly": read_only or None}, f"{url}\n{more}; Ctrl-C ends it")
    output.flush()


def checked(options: Options) -> Options:
    """Usage where they do not go together."""
    if options.bind and not options.tls_cert:
        raise Usage("--bind needs --tls-cert and --tls-key: what others can reach is not told in the clear")
    if not options.bind and (options.tls_cert or options.tls_key or options.names):
        raise Usage("--tls-cert, --tls-key and --name go with --bind")
    return options
