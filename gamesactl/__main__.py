"""The entry: parse, do the verb, turn what went wrong into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from gamesactl import terminal
from gamesactl.arguments import Arguments, parse
from gamesactl.errors import INTERRUPTED, OK, ClientError
from gamesactl.output import Output
from gamesactl.render import to_json

_BROKEN_PIPE = 141  # what a shell shows for a program ended by SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code. Nothing but SystemExit leaves this function."""
    words = sys.argv[1:] if argv is None else argv
    json = "--json" in (words[: words.index("--")] if "--" in words else words)
    _survive_encoding()
    try:
        code = _run(words)
        sys.stdout.flush()
    except ClientError as error:
        _tell(error, json=json)
        return error.exit_code
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
    sys.exit(main())
