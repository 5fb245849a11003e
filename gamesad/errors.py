"""Every error that may reach a person or a bus client; each class carries its D-Bus error name."""

from __future__ import annotations

_PREFIX = "org.gamesa.Gamesad1.Error."


class GamesadError(Exception):
    """The base of errors whose text is fit for a caller: a sentence, no traceback, no path of ours."""

    dbus_name = _PREFIX + "Failed"


class Failed(GamesadError):
    """The request was understood and allowed, and could not be carried out."""


class UsageError(GamesadError):
    """The command line asks for what there is not."""


class NotAuthorized(GamesadError):
    """polkit refused, or could not be asked."""

    dbus_name = _PREFIX + "NotAuthorized"


class UnknownProfile(GamesadError):
    dbus_name = _PREFIX + "UnknownProfile"


class UnknownTunable(GamesadError):
    dbus_name = _PREFIX + "UnknownTunable"


class UnknownSensor(GamesadError):
    dbus_name = _PREFIX + "UnknownSensor"


class UnknownHold(GamesadError):
    dbus_name = _PREFIX + "UnknownHold"


class OutOfRange(GamesadError):
    """The value is of the right kind and outside what is allowed; the text says what is."""

    dbus_name = _PREFIX + "OutOfRange"


class Busy(GamesadError):
    """Too many requests are waiting, or too many holds are open; try again later."""

    dbus_name = _PREFIX + "Busy"


class ConfigError(GamesadError):
    """One or more faults in configuration files.

    ``problems`` holds one sentence per fault, ``FILE:LINE: key: what is wrong; what to do``, in file order: a person
    who mends a configuration wants them all, not the first.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
