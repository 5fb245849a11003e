"""What callers may say: bounds and kinds of arguments, checked before anybody is asked for a password."""

from __future__ import annotations

import math
from typing import Any

from gamesad.bus.names import (
    MAX_DECISIONS,
    MAX_HINTS,
    MAX_PLAN_LENGTH,
    MAX_POINTS,
    MAX_TEXT_LENGTH,
    MODELS,
    POLICY_MODES,
)
from gamesad.bus.signatures import plain
from gamesad.errors import GamesadError, OutOfRange


class InvalidArgs(GamesadError):
    """The arguments are not of the kind that the method takes."""

    dbus_name = "org.freedesktop.DBus.Error.InvalidArgs"


def name(value: Any) -> str:
    """The name of a profile, sensor or tunable: printable, not empty, at most 256 characters."""
    text = _bounded(value)
    if not text or not text.isprintable():
        raise InvalidArgs("a name is not empty and has printable characters only")
    return text


def sentence(value: Any) -> str:
    """Words for people; what cannot be printed (line breaks, terminal codes) becomes a space."""
    text = _bounded(value)
    return "".join(character if character.isprintable() else " " for character in text).strip()


def finite(value: Any) -> float:
    """A number that is one."""
    number = float(value)
    if not math.isfinite(number):
        raise OutOfRange("the value is not a finite number")
    return number


def setting(value: Any) -> str | int:
    """A tunable's value: a word or a whole number."""
    match plain(value):
        case str() as text:
            return name(text)
        case bool():
            raise InvalidArgs("a tunable holds a word or a whole number, not true or false")
        case int() as number:
            return number
        case float() as number if number.is_integer():
            return int(number)
        case _:
            raise InvalidArgs("a tunable holds a word or a whole number")


def count(value: Any) -> int:
    """How many decisions to list; more than are ever kept is the same as all."""
    return min(int(value), MAX_DECISIONS)


def points(value: Any) -> int:
    """How many points of history to give; 0 and more than are ever given mean as many as may be."""
    return min(int(value) or MAX_POINTS, MAX_POINTS)


def plan(value: Any) -> str:
    """A layout plan; whether it is one, and a sensible one, is seen where it is applied."""
    if not isinstance(value, str) or len(value) > MAX_PLAN_LENGTH:
        raise InvalidArgs(f"a plan may have {MAX_PLAN_LENGTH} characters at most")
    return value


def addresses(value: Any) -> list[int]:
    """Addresses of blocks that were read."""
    if len(value) > MAX_HINTS:
        raise InvalidArgs(f"a hint may name {MAX_HINTS} addresses at most, not {len(value)}")
    return [int(address) for address in value]


def models(value: Any) -> str:
    """Which of the learnt models are meant."""
    return _one_of(MODELS, value)


def policy_mode(value: Any) -> str:
    """What the learnt policy may do."""
    return _one_of(POLICY_MODES, value)


def as_is(value: Any) -> Any:
    """An unsigned number: the bus has seen to its kind and range."""
    return value


def _one_of(words: tuple[str, ...], value: Any) -> str:
    text = name(value)
    if text not in words:
        raise OutOfRange(f"it is {', '.join(words[:-1])} or {words[-1]}, not {text}")
    return text


def _bounded(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH:
        raise InvalidArgs(f"a text may have {MAX_TEXT_LENGTH} characters at most")
    return value
