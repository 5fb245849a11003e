"""Profiles: one TOML file each, named after its file, with values inherited from another."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gamesad.config import check
from gamesad.config.profile_keys import PROFILE_KEYS
from gamesad.config.read import File
from gamesad.types import Profile

_NAME = re.compile(r"[a-z0-9-]{1,40}")
_DEEPEST = 20


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One profile as its file gives it, before inheritance: only the keys that stand there."""

    name: str
    values: dict[str, Any]
    file: File

    @property
    def parent(self) -> str:
        return str(self.values.get("inherits", ""))


def define(file: File) -> Definition | None:
    """Checks one file; what is wrong is reported there and left out. None when the name is unusable."""
    name = os.path.basename(file.path).removesuffix(".toml")
    if not _NAME.fullmatch(name):
        file.report((), f'file: "{name}" is no profile name; use a to z, 0 to 9 and -, at most 40, before .toml')
        return None
    values: dict[str, Any] = {}
    for key, given in file.data.items():
        row = PROFILE_KEYS.get(key)
        if row is None:
            file.report((key,), f"unknown key; {check.suggestion(key, PROFILE_KEYS)}")
            continue
        try:
            values[key] = check.value(row, given)
        except check.Wrong as wrong:
            file.report((key,), str(wrong))
    if not file.data.keys() & {"inherits", "rank"} and not file.problems:
        file.report((), "rank: is missing; give a number (balanced has 50), or inherit from another profile")
    return Definition(name, values, file)


def resolve(definitions: Sequence[Definition]) -> dict[str, Profile]:
    """Every profile with inherited values filled in, ordered by rank; the last definition of a name counts.

    A definition that inherits its own name builds on the earlier definition of it: that is how a built-in profile is
    changed in one value.
    """
    layers: dict[str, list[Definition]] = {}
    for definition in definitions:
        layers.setdefault(definition.name, []).append(definition)
    profiles = []
    for stack in layers.values():
        chain = _chain(stack[-1], layers)
        if chain is not None:
            profiles.append(_filled(chain))
    return {profile.name: profile for profile in sorted(profiles, key=lambda profile: (profile.rank, profile.name))}


def _chain(definition: Definition, layers: dict[str, list[Definition]]) -> list[Definition] | None:
    """The definition and its ancestors, nearest first; None and a report when they do not end."""
    chain = [definition]
    while parent := chain[-1].parent:
        child = chain[-1]
        stack = layers.get(parent, [])
        found = stack[-1] if stack else None
        if parent == child.name:
            below = stack.index(child) - 1
            found = stack[below] if below >= 0 else None
            if found is None:
                child.file.report(("inherits",), f"{parent} inherits from itself; name another profile or remove it")
                return None
        if found is None:
            child.file.report(("inherits",), f'no profile "{parent}"; {check.suggestion(parent, sorted(layers))}')
            return None
        if found in chain or len(chain) > _DEEPEST:
            names = " → ".join(each.name for each in (*chain, found))
            definition.file.report(("inherits",), f"{names} goes in a circle; remove one of these inherits")
            return None
        chain.append(found)
    return chain


def _filled(chain: Sequence[Definition]) -> Profile:
    values: dict[str, Any] = {name: row.default for name, row in PROFILE_KEYS.items()}
    for definition in reversed(chain):
        values.update(definition.values)
    own = chain[0]
    low, high = values["frequency_minimum"], values["frequency_maximum"]
    if isinstance(low, float) and isinstance(high, float) and low > high:
        key = "frequency_minimum" if "frequency_minimum" in own.values else "frequency_maximum"
        own.file.report((key,), f"frequency_minimum {low:g} is above frequency_maximum {high:g}; give a smaller one")
    values["inherits"] = own.parent
    return Profile(name=own.name, source=own.file.path, **values)
