"""The entry: parse, do the verb, turn what went wrong into one line and an exit code."""

from __future__ import annotations

import os
import sys

from gamesactl import terminal
from gamesactl.errors import INTERRUPTED, OK, ClientError, Failed
from gamesactl.output import Output
from gamesad.crystal.errors import CrystalError

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from gamesactl.arguments import Arguments

_BROKEN_PIPE = 141  # what a shell shows for a program ended by SIGPIPE
_AT_ONCE = (["status"], ["status", "--json"], ["--json", "status"])
"""Asked for by every prompt and panel: the table of verbs is not read for them."""


def run() -> NoReturn:
    """The program. What was loaded is not taken apart at the end: that is a sixth of a status's time."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            print(end="", flush=True, file=stream)
        except OSError:  # nobody listens, and main has said what there was to say
            code = code or _BROKEN_PIPE
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code. Nothing but SystemExit leaves this function."""
    words = sys.argv[1:] if argv is None else argv
    json = "--json" in (words[: words.index("--")] if "--" in words else words)
    _survive_encoding()
    try:
        code = _run(words)
        print(end="", flush=True)  # unlike a method of sys.stdout, also where it is closed
    except ClientError as error:
        _tell(error, json=json)
        return error.exit_code
    except CrystalError as error:
        _tell(Failed(str(error)), json=json)
        return Failed.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; what is left in the buffer has nowhere to go at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        _tell(ClientError(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"), json=json)
        return ClientError.exit_code
    return code


def _run(words: Sequence[str]) -> int:
    if list(words) in _AT_ONCE:
        from gamesactl.commands.status import show  # noqa: PLC0415 - status starts nothing else

        show(Output(json=len(words) > 1))
        return OK
    from importlib import import_module  # noqa: PLC0415 - not for what is done at once

    from gamesactl.arguments import parse  # noqa: PLC0415 - status needs none

    arguments = parse(words)
    if arguments.help:
        _help(arguments)
        return OK
    if arguments.verb is None:
        raise ClientError("no verb")
    module = import_module(f"gamesactl.commands.{arguments.verb.module}")
    function = getattr(module, arguments.verb.name.replace("-", "_"))
    output = Output(json=arguments.json, color=arguments.color)
    return function(arguments, output) or OK


def _help(arguments: Arguments) -> None:
    from gamesactl import help as help_text  # noqa: PLC0415 - only for those who ask

    width = min(100, terminal.width())
    print(help_text.of_verb(arguments.verb, width) if arguments.verb else help_text.overview(width))


def _tell(error: ClientError, *, json: bool) -> None:
    """One line on stderr, in the form that was asked for."""
    if json:
        from gamesactl.render import to_json  # noqa: PLC0415 - seldom

        line = to_json({"Error": str(error), "Name": error.name, "ExitCode": error.exit_code})
    else:
        line = f"gamesactl: {terminal.harmless(error, 1000)}"
    print(line, file=sys.stderr)


def _survive_encoding() -> None:
    """A terminal without ° or → gets ? for them, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


if __name__ == "__main__":
    run()
