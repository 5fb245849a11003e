"""The line of every key in a TOML text, which tomllib does not give.

A scanner, not a parser: it assumes text that tomllib accepts and never fails on other text; then lines may be missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KeyPath = tuple[str, ...]

_LEXEME = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[A-Za-z0-9_+:-]+"
    r"|\n"
    r"|[][{}=,.]",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(slots=True)
class Scan:
    """``lines``: the line each key or table was first given in. ``again``: keys given a second time, with the line."""

    lines: dict[KeyPath, int] = field(default_factory=dict)
    again: list[tuple[KeyPath, int]] = field(default_factory=list)


def scan(text: str) -> Scan:
    """Where each key stands. Keys inside inline tables count; items of arrays of tables share one path."""
    found = Scan()
    statement: list[str] = []
    start = line = 1
    depth = 0
    table: KeyPath = ()
    in_array_of_tables = False
    for match in _LEXEME.finditer(text):
        lexeme = match.group()
        if lexeme == "\n" and depth <= 0:
            if statement:
                table, in_array_of_tables = _note(statement, start, table, found, in_array_of_tables)
            statement, depth = [], 0
        elif lexeme != "\n" and not lexeme.startswith("#"):
            if not statement:
                start = line
            if "=" in statement:  # a header's brackets do not open a value that may go on in the next line
                depth += (lexeme in "[{") - (lexeme in "]}")
            statement.append(lexeme)
        line += lexeme.count("\n")
    if statement:
        _note(statement, start, table, found, in_array_of_tables)
    return found


def _note(
    statement: list[str], line: int, table: KeyPath, found: Scan, in_array_of_tables: bool
) -> tuple[KeyPath, bool]:
    """Files one statement; gives the table that the next one stands in."""
    if statement[0] == "[":
        array = statement[1:2] == ["["]
        path = _path([lexeme for lexeme in statement if lexeme not in "[]"])
        _put(found, path, line, repeatable=array)
        return path, array
    if "=" in statement:
        at = statement.index("=")
        path = table + _path(statement[:at])
        _put(found, path, line, repeatable=in_array_of_tables)
        _inline(statement[at + 1 :], path, line, found)
    return table, in_array_of_tables


def _inline(value: list[str], path: KeyPath, line: int, found: Scan) -> None:
    """The keys of an inline table, all in the line where the statement starts."""
    stack: list[KeyPath] = [path]
    pending: list[str] = []
    for lexeme in value:
        if lexeme == "{":
            stack.append(stack[-1] + (_path(pending) if pending else ()))
            pending = []
        elif lexeme == "}":
            if len(stack) > 1:
                stack.pop()
            pending = []
        elif lexeme == ",":
            pending = []
        elif lexeme == "=":
            if pending and len(stack) > 1:
                _put(found, stack[-1] + _path(pending), line, repeatable=True)
        elif lexeme == "[":
            pending = []
        else:
            pending.append(lexeme)


def _put(found: Scan, path: KeyPath, line: int, *, repeatable: bool) -> None:
    if path in found.lines and not repeatable:
        found.again.append((path, line))
    found.lines.setdefault(path, line)


def _path(lexemes: list[str]) -> KeyPath:
    return tuple(_unquote(lexeme) for lexeme in lexemes if lexeme != ".")


def _unquote(lexeme: str) -> str:
    if len(lexeme) >= 2 and lexeme[0] == "'" == lexeme[-1]:
        return lexeme[1:-1]
    if len(lexeme) >= 2 and lexeme[0] == '"' == lexeme[-1]:
        return _ESCAPE.sub(_unescape, lexeme[1:-1])
    return lexeme


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code is None:
        return _ESCAPES.get(match[3], match[3])
    return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else "\ufffd"
