"""The web page of this machine. aiohttp is loaded here, and for nothing else."""

from __future__ import annotations

from gamesactl.arguments import Arguments
from gamesactl.errors import ClientError, Usage
from gamesactl.output import Output


def dashboard(arguments: Arguments, output: Output) -> int:
    try:
        import aiohttp  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise ClientError("the dashboard needs aiohttp; install it with: apt install python3-aiohttp") from None
    from gamesactl import bus  # noqa: PLC0415 - it cannot be imported without dbus_next
    from gamesactl.dashboard import launch  # noqa: PLC0415 - it imports aiohttp

    options = launch.checked(
        launch.Options(
            port=_port(arguments.option("port"), launch.PORT),
            bind=arguments.option("bind") or "",
            names=tuple(arguments.every("name")),
            tls_cert=arguments.option("tls-cert") or "",
            tls_key=arguments.option("tls-key") or "",
            read_only=arguments.given("read-only"),
            open_browser=not arguments.given("no-open"),
            mangohud_log=arguments.option("mangohud-log") or "",
        )
    )
    return int(bus.start(launch.serve(options, output)))


def _port(given: str | None, usual: int) -> int:
    if given is None:
        return usual
    if not (given.isascii() and given.isdigit() and int(given) <= 65535):
        raise Usage(f"--port: {given!r} is not a number from 0 (any that is free) to 65535")
    return int(given)
