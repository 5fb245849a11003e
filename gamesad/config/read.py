"""One TOML file: its values, where each stands, and what is wrong with it as TOML."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import dataclass, field
from typing import Any

from gamesad.config.scan import KeyPath, Scan, scan

_MOST_BYTES = 1 << 20
_MOST_MENDED = 50
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(slots=True)
class File:
    """``data`` holds what could be read; ``problems`` are (line, sentence) and in the order they were found."""

    path: str
    data: dict[str, Any] = field(default_factory=dict)
    where: Scan = field(default_factory=Scan)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest table around it."""
        while path and path not in self.where.lines:
            path = path[:-1]
        return self.where.lines.get(path, 1)

    def report(self, path: KeyPath, sentence: str) -> None:
        """Notes a fault; a key comes before the sentence unless the fault is the file's."""
        key = ".".join(printable(part) for part in path)
        self.problems.append((self.line(path), f"{key}: {sentence}" if key else sentence))

    def sentences(self) -> list[str]:
        """``FILE:LINE: key: problem; what to do`` in line order, each once."""
        ordered = sorted(dict.fromkeys(self.problems), key=lambda problem: problem[0])
        return [f"{self.path}:{line}: {sentence}" for line, sentence in ordered]


def printable(text: str, most: int = 60) -> str:
    """The text on one line of a terminal, whatever it holds."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def read(path: str, *, required: bool = False) -> File | None:
    """Reads one file; None when it is not there and need not be. Never raises for what the file holds."""
    file = File(path)
    try:
        raw = _bytes(path)
    except FileNotFoundError:
        if not required:
            return None
        file.problems.append((1, "file: there is no such file; give the path of an existing one"))
        return file
    except OSError as error:
        reason = error.strerror or str(error)
        file.problems.append((1, f"file: cannot be read ({reason}); make it a plain file this user may read"))
        return file
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        file.problems.append((line, "file: is not UTF-8 text; save it as UTF-8"))
        return file
    file.where = scan(text)
    for keys, line in file.where.again:
        name = ".".join(printable(part) for part in keys)
        file.problems.append((line, f"{name}: given twice, first in line {file.line(keys)}; keep one of them"))
    file.data = _parse(text, file)
    return file


def _bytes(path: str) -> bytes:
    # O_NONBLOCK: a pipe in place of the file must not hang the start
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "not a plain file")
        raw = opened.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise OSError(0, "larger than 1 MiB")
    return raw


def _parse(text: str, file: File) -> dict[str, Any]:
    """The values. A line that is wrong by itself is reported, blanked and passed over, so that all are reported."""
    lines = text.split("\n")
    for _attempt in range(_MOST_MENDED):
        try:
            return tomllib.loads("\n".join(lines))
        except tomllib.TOMLDecodeError as error:
            message = str(error)
        except (RecursionError, ValueError) as error:  # deep nesting; integers of thousands of digits
            file.problems.append((1, f"syntax: {type(error).__name__}, too deep or too long; make it simpler"))
            return {}
        place = _PLACE.search(message)
        number, column = (int(place[1]), int(place[2])) if place and place[1] else (len(lines), 0)
        if message.startswith('Expected "\'"'):  # looked for to the end of the file, but such a text ends in its line
            number, column = next((at for at, line in enumerate(lines, 1) if _fails_like(line, message)), number), 0
        at = min(number, len(lines)) - 1
        if not _explained(lines[at], number, message, file):
            position = f" at column {column}" if column else ""
            problem = printable(_PLACE.sub("", message), 120)
            file.problems.append((number, f"syntax: {problem}{position}; correct the TOML"))
        if not _wrong_alone(lines[at], message):
            return {}
        lines[at] = ""
    return {}


def _explained(line: str, number: int, message: str, file: File) -> bool:
    """Whether the fault is a repeated key, which is reported already with the line of the first."""
    repeated = "overwrite" in message or "twice" in message
    return repeated and bool(line.strip()) and any(number == again for _path, again in file.where.again)


def _wrong_alone(line: str, message: str) -> bool:
    if not line.strip():
        return False
    if "overwrite" in message and not line.lstrip().startswith("["):
        return True
    try:
        tomllib.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def _fails_like(line: str, message: str) -> bool:
    try:
        tomllib.loads(line)
    except (ValueError, RecursionError) as error:
        return _PLACE.sub("", str(error)) == _PLACE.sub("", message)
    return False
