"""Why a verb could not be done: every class is one exit code, its text one line that says what to do next."""

from __future__ import annotations

OK = 0
INTERRUPTED = 130


class ClientError(Exception):
    """``name`` is the D-Bus error name where the daemon gave one, else the class's own."""

    exit_code = 1

    def __init__(self, sentence: str, name: str = "") -> None:
        super().__init__(sentence)
        self.name = name or type(self).__name__


class Failed(ClientError):
    """It was asked for and did not happen."""


class Usage(ClientError):
    """The command line, or a name on it, is not one we know."""

    exit_code = 2


class Unreachable(ClientError):
    """No bus, or no gamesad on it, or it went away before it answered."""

    exit_code = 3


class NoLibrary(Unreachable):
    """What speaks to the bus is not installed."""


class NotAuthorised(ClientError):
    exit_code = 4
