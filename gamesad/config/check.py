"""Checks one value against its row of the key table; what is wrong becomes a sentence that says what to do."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

from gamesad.config.keys import Key, Kind
from gamesad.config.read import printable

AS_FOUND = "as-found"
_UNFIT = object()


class Wrong(Exception):
    """A value that cannot be used; the text is ``problem; what to do``."""


def value(key: Key, given: object) -> Any:
    """The value as the program wants it (lists become tuples, whole numbers floats where a number is asked).

    Raises Wrong.
    """
    if key.optional and given == AS_FOUND:
        return None
    checked: Any = _UNFIT
    match key.kind:
        case Kind.BOOLEAN if isinstance(given, bool):
            checked = given
        case Kind.INTEGER if isinstance(given, int) and not isinstance(given, bool):
            checked = _within(key, given)
        case Kind.NUMBER if isinstance(given, int | float) and not isinstance(given, bool):
            checked = _number(key, given)
        case Kind.TEXT if isinstance(given, str):
            checked = _among(key, given)
        case Kind.LIST if isinstance(given, list) and all(isinstance(item, str) for item in given):
            checked = tuple(_among(key, item) for item in given)
        case Kind.NUMBERS if isinstance(given, dict):
            checked = given  # its rows are checked one by one, each in its own line
    if checked is _UNFIT:
        raise Wrong(f"{_shown(given)} is of the wrong type; give {key.kind.value}{_bounds(key)}")
    return checked


def suggestion(word: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: the nearest known one, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(word[:80], names, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return "known are " + ", ".join(names) if names else "remove it"


def _within(key: Key, given: float) -> float:
    low, high = key.low, key.high
    if (low is not None and given < low) or (high is not None and given > high):
        raise Wrong(f"{_shown(given)} is out of range; give {key.kind.value}{_bounds(key)}")
    return given


def _number(key: Key, given: float) -> float:
    # compared before conversion: an int of 400 digits has no float
    checked = _within(key, given)
    if not math.isfinite(checked):
        raise Wrong(f"{checked} is not a finite number; give {key.kind.value}{_bounds(key)}")
    return float(checked)


def _among(key: Key, given: str) -> str:
    if key.choices and given not in key.choices:
        raise Wrong(f'"{printable(given)}" is not a choice; {suggestion(given, key.choices)}')
    if "\0" in given or len(given) > 1000:
        raise Wrong("is not usable text; give at most 1000 characters without NUL")
    return given


def rows(given: dict[str, object], prefix: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    """A table of names and numbers, by the parts of each name.

    A sensor's name has dots in it; without quotes TOML makes tables of them, which are taken apart again here.
    """
    found: list[tuple[tuple[str, ...], object]] = []
    todo = [((*prefix, name), item) for name, item in reversed(given.items())]
    while todo:
        path, item = todo.pop()
        if isinstance(item, dict):
            todo += [((*path, inner), deeper) for inner, deeper in reversed(item.items())]
        else:
            found.append((path, item))
    return found


def _bounds(key: Key) -> str:
    if key.choices:
        return " (" + ", ".join(key.choices) + ")"
    if key.low is not None and key.high is not None:
        return f" from {key.low:g} to {key.high:g}"
    return ""


def _shown(given: object) -> str:
    if isinstance(given, dict):
        return "a table"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, int) and abs(given) > 10**30:
        return "a huge number"
    return printable(repr(given) if not isinstance(given, str) else f'"{given}"', 40)
