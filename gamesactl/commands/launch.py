"""A profile held while a command runs.

This process becomes the command: process id, terminal, process group, signals and exit status are the command's own,
with nothing in between. A helper, no longer our child, keeps the connection that the hold lives on, and watches this
process through a pidfd, which goes on meaning the same process after exec.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from gamesactl import bus
from gamesactl.arguments import Arguments
from gamesactl.errors import OK, ClientError, Failed, NotAuthorised, Unreachable, Usage
from gamesactl.holding import keep
from gamesactl.output import Output

_PROFILE = "gaming"
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_HELD = b"held"
_ERRORS = {error.exit_code: error for error in (Failed, Usage, Unreachable, NotAuthorised)}


def launch(arguments: Arguments, output: Output) -> int:
    """Does not return when the command could be started."""
    command = arguments.rest
    application = os.path.basename(command[0])
    profile = arguments.option("profile") or _PROFILE
    reason = arguments.option("reason") or f"while {application} runs"
    try:
        _start_holder(profile, reason, application)
    except ClientError as error:
        if not arguments.given("anyway"):
            raise
        output.note(f"{error}; running {application} without the profile")
    return _become(command, output)


def _become(command: list[str], output: Output) -> int:
    sys.stdout.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so over exec
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - running what the caller names is the verb
    except FileNotFoundError:
        output.note(f"{command[0]}: command not found")
        return _NOT_FOUND
    except OSError as error:
        output.note(f"{command[0]}: {error.strerror}")
        return _NOT_EXECUTABLE


def _start_holder(profile: str, reason: str, application: str) -> None:
    """Returns when the profile is held; raises what kept it from being held."""
    reader, writer = os.pipe()
    watched = os.pidfd_open(os.getpid())
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.fork() == 0:  # adopted by init, so that the command has no child it did not start
                os.close(reader)
                _hold(profile, reason, application, watched, writer)
            code = OK
        finally:
            os._exit(code)
    os.close(writer)
    os.close(watched)
    os.waitpid(child, 0)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    if said != _HELD:
        number, _, rest = said.decode(errors="replace").partition("\n")
        name, _, sentence = rest.partition("\n")
        error = _ERRORS.get(int(number) if number.isdigit() else Failed.exit_code, Failed)
        raise error(sentence or "the profile could not be held", name)


def _hold(profile: str, reason: str, application: str, watched: int, writer: int) -> None:
    """The helper: holds until the watched process has ended."""
    try:
        bus.start(_until_ended(profile, reason, application, watched, writer))
    except ClientError as error:
        _answer(writer, f"{error.exit_code}\n{error.name}\n{error}".encode())


async def _until_ended(profile: str, reason: str, application: str, watched: int, writer: int) -> None:
    stop = asyncio.Event()
    answered = False
    asyncio.get_running_loop().add_reader(watched, stop.set)

    def held(_cookie: int) -> None:
        nonlocal answered
        if not answered:
            _detach()
            _answer(writer, _HELD)
        answered = True

    await keep(profile, reason, application, stop=stop, held=held, note=lambda _text: None)


def _answer(writer: int, what: bytes) -> None:
    try:
        os.write(writer, what)
        os.close(writer)
    except OSError:
        return  # answered before, or nobody waits any more


def _detach() -> None:
    """Out of the terminal's reach, and out of the way of a pipe that waits for the command's output to end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    os.setsid()
    os.chdir("/")
