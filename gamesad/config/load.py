"""Puts the configuration together from all its files, later ones over earlier ones, with every fault in any of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from gamesad.config import check
from gamesad.config.keys import (
    SECTIONS,
    Bus,
    Config,
    Control,
    Crystal,
    Daemon,
    Key,
    Kind,
    Limits,
    Neural,
    Profiles,
    Sensors,
    keys_of,
)
from gamesad.config.profiles import Definition, define, resolve
from gamesad.config.read import File, printable, read
from gamesad.config.scan import KeyPath
from gamesad.errors import ConfigError
from gamesad.types import Profile

DEFAULT_DIRS = ("/usr/lib/gamesad", "/run/gamesad", "/etc/gamesad")
"""The vendor's, until the next boot, the administrator's: systemd's order (systemd.unit(5), os-release(5))."""
_BUILT_IN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "profiles.d")


def load(main: str | None, *, search: Sequence[str] = DEFAULT_DIRS) -> Config:
    """Reads ``main`` alone, or when it is None the files under every directory of ``search``.

    A directory holds ``gamesad.toml``, ``conf.d/*.toml`` and ``profiles.d/*.toml``; ``main`` may have a ``profiles.d``
    beside it. First every ``gamesad.toml`` is read, then the files of every ``conf.d`` in the order of their names: of
    those with the same name only the last directory's counts. A profile builds on one of its name before it; the
    built-in ones come first. A link to /dev/null takes away all before it of its name. Raises ConfigError with every
    fault.
    """
    settings: list[File] = []
    definitions: list[Definition] = []
    faulty: list[File] = []
    profile_dirs = [_BUILT_IN]
    if main is not None:
        settings += _read([main], required=True)
        profile_dirs.append(os.path.join(os.path.dirname(main), "profiles.d"))
    else:
        settings += _read(_standing([os.path.join(folder, "gamesad.toml") for folder in search]))
        found = [path for folder in search for path in _toml_files(os.path.join(folder, "conf.d"), faulty)]
        drop_ins = {os.path.basename(path): path for path in found}
        settings += _read(_standing([drop_ins[name] for name in sorted(drop_ins)]))
        profile_dirs += [os.path.join(folder, "profiles.d") for folder in search]
    values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    origins: dict[str, str] = {}
    for file in settings:
        _take(file, values, origins)
    profile_files = _read(_standing([path for folder in profile_dirs for path in _toml_files(folder, faulty)]))
    for file in profile_files:
        definition = define(file)
        if definition is not None:
            definitions.append(definition)
    profiles = {name: _named(profile) for name, profile in resolve(definitions).items()}
    problems = [sentence for file in (*faulty, *settings, *profile_files) for sentence in file.sentences()]
    config = Config(
        daemon=Daemon(**values["daemon"]),
        sensors=Sensors(**values["sensors"]),
        limits=Limits(**values["limits"]),
        control=Control(**values["control"]),
        profile=Profiles(**values["profiles"]),
        bus=Bus(**values["bus"]),
        crystal=Crystal(**values["crystal"]),
        neural=Neural(**values["neural"]),
        profiles=profiles,
        origins=origins,
    )
    known = {definition.name for definition in definitions}
    problems += _across(config, known)
    if problems:
        raise ConfigError(problems)
    return config


def _named(profile: Profile) -> Profile:
    """Where it comes from, for people: the place of our own files says nothing to them."""
    return replace(profile, source="built in") if profile.source.startswith(_BUILT_IN) else profile


def _read(paths: Iterable[str], *, required: bool = False) -> list[File]:
    found = (read(path, required=required) for path in paths)
    return [file for file in found if file is not None]


def _toml_files(folder: str, faulty: list[File]) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".toml") and not name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        reason = error.strerror or str(error)
        faulty.append(File(folder, problems=[(1, f"folder: cannot be listed ({reason}); let this user read it")]))
        return []
    return [os.path.join(folder, name) for name in names]


def _standing(paths: Sequence[str]) -> list[str]:
    """Those that a later link to /dev/null does not take away, by their name; a mask itself is not one."""
    standing: list[str] = []
    for path in paths:
        if os.path.realpath(path) == os.devnull:
            standing = [other for other in standing if os.path.basename(other) != os.path.basename(path)]
        else:
            standing.append(path)
    return standing


def _take(file: File, values: dict[str, dict[str, Any]], origins: dict[str, str]) -> None:
    """Moves what is right in one file into ``values`` and reports the rest."""
    for section, table in file.data.items():
        if section not in SECTIONS:
            file.report((section,), f"unknown section; {check.suggestion(section, SECTIONS)}")
            continue
        if not isinstance(table, dict):
            file.report((section,), f"is not a section; write [{section}] on a line of its own")
            continue
        rows = keys_of(section)
        for name, given in table.items():
            row = rows.get(name)
            if row is None:
                file.report((section, name), f"unknown key; {check.suggestion(name, rows)}")
                continue
            try:
                checked = check.value(row, given)
            except check.Wrong as wrong:
                file.report((section, name), str(wrong))
                continue
            if row.kind is Kind.NUMBERS:
                numbers = values[section].setdefault(name, {})
                _take_rows(file, row, (section, name), checked, into=numbers, origins=origins)
            else:
                values[section][name] = checked
                origins[row.name] = f"{file.path}:{file.line((section, name))}"


def _take_rows(
    file: File,
    key: Key,
    place: KeyPath,
    given: dict[str, object],
    *,
    into: dict[str, float],
    origins: dict[str, str],
) -> None:
    """Row by row: a fault has its own line, and a later file adds to an earlier one."""
    number = replace(key, kind=Kind.NUMBER)
    for parts, item in check.rows(given):
        try:
            checked = check.value(number, item)
        except check.Wrong as wrong:
            file.report((*place, *parts), str(wrong))
            continue
        pattern = ".".join(parts)
        into[pattern] = checked
        origins[f"{key.name}.{pattern}"] = f"{file.path}:{file.line((*place, *parts))}"


def _across(config: Config, known: set[str]) -> list[str]:
    """What is wrong between keys that are right by themselves."""
    problems = []
    for key, name in (("profiles.default", config.profile.default), ("profiles.on_battery", config.profile.on_battery)):
        if name and name not in known:
            place = config.origins.get(key, "built-in:1")
            problems.append(f'{place}: {key}: no profile "{printable(name)}"; {check.suggestion(name, sorted(known))}')
    daemon, crystal = config.daemon, config.crystal
    if daemon.tick_fastest_s > daemon.tick_slowest_s:
        problems.append(
            f"{_place(config, 'daemon.tick_fastest_s', 'daemon.tick_slowest_s')}: daemon.tick_fastest_s: "
            f"{daemon.tick_fastest_s:g} is more than tick_slowest_s, {daemon.tick_slowest_s:g}; give a smaller one"
        )
    if crystal.demote_below >= crystal.promote_above:
        problems.append(
            f"{_place(config, 'crystal.demote_below', 'crystal.promote_above')}: crystal.demote_below: "
            f"{crystal.demote_below:g} is not less than promote_above, {crystal.promote_above:g}; give a smaller one"
        )
    for slower, faster in (("middle_every_s", "fast_every_s"), ("slow_every_s", "middle_every_s")):
        seconds, part = getattr(crystal, slower), getattr(crystal, faster)
        if seconds % part or seconds == part:
            problems.append(
                f"{_place(config, f'crystal.{slower}', f'crystal.{faster}')}: crystal.{slower}: {seconds} is not a "
                f"multiple of {faster}, {part}; give {(seconds // part + 1) * part}"
            )
    return problems


def _place(config: Config, *keys: str) -> str:
    """``FILE:LINE`` of the first of these keys that a file gives."""
    return next((config.origins[key] for key in keys if key in config.origins), "built-in:1")
