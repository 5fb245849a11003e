"""What people asked for, kept over restarts in ``state.json``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from gamesad.errors import Failed
from gamesad.types import Value

_VERSION = 1
_SIZE_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Wishes:
    """``selected`` is None until somebody chose a profile. Overrides are those that were confirmed."""

    selected: str | None = None
    temperature_limits_c: Mapping[str, float] = field(default_factory=dict)
    power_limits_w: Mapping[str, float] = field(default_factory=dict)
    overrides: Mapping[str, Value] = field(default_factory=dict)


def load(path: str) -> Wishes:
    """The saved wishes, or none when there is no file.

    A file that cannot be read stays; one that cannot be trusted is renamed to ``state.json.damaged``. Either way
    Failed says what was wrong with it: the caller reports it and starts with no wishes.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_SIZE_MAX + 1)
    except FileNotFoundError:
        return Wishes()
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise _set_aside(path, getattr(error, "strerror", None) or "it is not text") from error
    except OSError as error:
        raise Failed(f"{path} cannot be read ({error.strerror}); starting without saved wishes") from error
    try:
        return _parse(text)
    except (ValueError, RecursionError) as error:
        raise _set_aside(path, str(error)) from error


def dump(wishes: Wishes) -> bytes:
    return json.dumps({"version": _VERSION, **asdict(wishes)}, indent=1, sort_keys=True).encode()


def _parse(text: str) -> Wishes:
    if len(text) > _SIZE_MAX:
        raise ValueError("it is larger than 1 MiB")
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        raise ValueError(f"it is not a version {_VERSION} state file")
    selected = data.get("selected")
    if selected is not None and not isinstance(selected, str):
        raise ValueError("selected is not a profile name")
    overrides = data.get("overrides", {})
    if not isinstance(overrides, dict) or not all(isinstance(value, str | int) for value in overrides.values()):
        raise ValueError("overrides are not tunable values")
    return Wishes(selected, _numbers(data, "temperature_limits_c"), _numbers(data, "power_limits_w"), overrides)


def _numbers(data: dict[str, object], key: str) -> dict[str, float]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise ValueError(f"{key} is not a table")  # noqa: TRY004 - text that does not parse, not a caller's mistake
    numbers = {}
    for name, number in table.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1e6:
            raise ValueError(f"{key}: {name} is not a sensible number")
        numbers[str(name)] = float(number)
    return numbers


def _set_aside(path: str, problem: str) -> Failed:
    try:
        os.replace(path, path + ".damaged")
        kept = f"kept as {os.path.basename(path)}.damaged"
    except OSError as error:
        kept = f"could not be renamed ({error.strerror})"
    return Failed(f"{os.path.basename(path)} is damaged ({problem}); {kept}, starting without saved wishes")
