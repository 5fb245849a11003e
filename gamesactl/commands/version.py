"""The versions of both sides; the client's own whatever keeps it from the daemon."""

from __future__ import annotations

from gamesactl.arguments import Arguments
from gamesactl.errors import NoLibrary, Unreachable
from gamesactl.output import Output
from gamesactl.render import text
from gamesad import __version__


def version(_arguments: Arguments, output: Output) -> None:
    daemon, why = "", "is not running"
    try:
        from gamesactl import bus  # noqa: PLC0415 - it cannot be imported without dbus_next

        daemon = text(bus.run(lambda gamesad: gamesad.properties()), "Version")
    except NoLibrary as error:
        why = f"cannot be asked: {error}"
    except Unreachable:
        pass
    output.done({"Client": __version__, "Daemon": daemon or None}, f"gamesactl {__version__}\ngamesad {daemon or why}")
