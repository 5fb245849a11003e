"""The text of ``--help``, from the table of verbs."""

from __future__ import annotations

from gamesactl.arguments import usage
from gamesactl.render import wrap
from gamesactl.verb import Option, Verb
from gamesactl.verbs import GLOBAL_OPTIONS, VERBS

_EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 not authorised."


def overview(width: int) -> str:
    """Every verb with its summary."""
    lines = [
        "usage: gamesactl VERB [--json] [--no-color]",
        "",
        "See, set and understand what gamesad does.",
        "",
        "Verbs:",
    ]
    lines += _listed([(verb.name, verb.summary) for verb in VERBS], width)
    lines += ["", "Options:", *_listed([_row(option) for option in GLOBAL_OPTIONS], width)]
    lines += ["", *wrap("gamesactl VERB --help says more of a verb, with examples. " + _EXIT_CODES, width)]
    return "\n".join(lines)


def of_verb(verb: Verb, width: int) -> str:
    lines = [*wrap(f"usage: {usage(verb)}", width, hang=7), "", *wrap(_sentence(verb.summary), width)]
    if verb.text:
        lines += ["", *wrap(verb.text, width)]
    if verb.arguments:
        lines += ["", "Arguments:", *_listed([(one.name, one.help) for one in verb.arguments], width)]
    rows = [_row(option) for option in (*verb.options, *GLOBAL_OPTIONS)]
    lines += ["", "Options:", *_listed(rows, width), "", "Examples:"]
    for command, meaning in verb.examples:
        lines += [f"  {command}", *wrap(meaning, width, indent=6)]
    return "\n".join(lines)


def _row(option: Option) -> tuple[str, str]:
    short = f"-{option.short}, " if option.short else ""
    value = f" {option.value}" if option.value else ""
    return f"{short}--{option.name}{value}", option.help


def _listed(rows: list[tuple[str, str]], width: int) -> list[str]:
    column = max(len(name) for name, _ in rows) + 4
    lines: list[str] = []
    for name, text in rows:
        lines += wrap(text, width, indent=column, first=f"  {name}".ljust(column))
    return lines


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
