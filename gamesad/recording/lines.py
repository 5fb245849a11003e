"""The lines of a recording, version 1; docs/recording.md has the format for people.

A recording is UTF-8 text, gzipped. What stands in it was so at the ``at`` line below it::

    gamesad recording 1
    gamesad 0.2.0
    machine LENOVO 21AH
    /sys/class/hwmon/hwmon3 -> ../../devices/platform/coretemp.0/hwmon/hwmon3
    0444 /sys/devices/platform/coretemp.0/hwmon/hwmon3/temp1_input = 61000
    0400 /sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj ! EACCES
    0444 /proc/meminfo = MemTotal:       16000000 kB
    | MemFree:         1000000 kB
    /sys/devices/system/cpu/cpu0/power/
    at 0.000
    /sys/devices/platform/coretemp.0/hwmon/hwmon3/temp1_input = 61500
    at 1.000
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VERSION = 1
FIRST = f"gamesad recording {VERSION}"
LAST = "end"
UNREAD = "unread"
"""Stands for the text of a file that is there and that nobody read."""
WITHHELD = "withheld"
"""Stands for the text of a file that could tell whose machine it is."""

_LONGEST_NAME = 255
"""No kernel has longer names in a path (NAME_MAX); ``int`` raises ValueError past 4300 digits."""

_FIRST = re.compile(r"gamesad recording ([0-9]{1,9})")
_AT = re.compile(r"at (\d{1,7}\.\d{3})")
_FILE = re.compile(r"(?:(?P<mode>0[0-7]{3}) )?(?P<path>/[^ ]*[^ /]) (?P<sign>[=!]) (?P<text>.*)")
_LINK = re.compile(r"(?P<path>/[^ ]*[^ /]) -> (?P<target>[^ ]+)")
_FOLDER = re.compile(r"(?P<path>/[^ ]*[^ /])/")
_WHY = re.compile(rf"E[A-Z0-9]{{2,20}}|{UNREAD}|{WITHHELD}")
_ESCAPED = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")


class Wrong(Exception):
    """A line that says nothing; the text is ``what is wrong; what to do``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the tree. A link has a ``target``, a file a ``content``, a folder neither.

    ``content`` is the text without its last newline (of what is no text, with a NUL in it, every byte), or in a str why
    there is none: an errno name, UNREAD or WITHHELD.
    ``mode`` holds the permission bits of a file that is named for the first time.
    """

    path: str
    target: str = ""
    content: bytes | str | None = None
    mode: int | None = None

    def lines(self) -> list[str]:
        path = escape(self.path.encode(errors="surrogateescape"), blanks=True)
        if self.target:
            return [f"{path} -> {escape(self.target.encode(errors='surrogateescape'), blanks=True)}"]
        if self.content is None:
            return [f"{path}/"]
        mode = "" if self.mode is None else f"{self.mode:04o} "
        if isinstance(self.content, str):
            return [f"{mode}{path} ! {self.content}"]
        first, *more = self.content.split(b"\n")
        return [f"{mode}{path} = {escape(first)}", *(f"| {escape(line)}" for line in more)]


def at(time_s: float) -> str:
    return f"at {time_s:.3f}"


def time_s(line: str) -> float | None:
    """The time of an ``at`` line, None for another line."""
    if not line.startswith("at "):
        return None
    match = _AT.fullmatch(line)
    if match is None:
        raise Wrong(f"{_shown(line)} is no time; it is written as: at 12.000")
    return float(match[1])


def check_first(line: str) -> None:
    match = _FIRST.fullmatch(line)
    if match is None:
        raise Wrong(
            f'is {_shown(line)}, not "{FIRST}": this is no recording of gamesad; make one with gamesactl record'
        )
    if int(match[1]) != VERSION:
        raise Wrong(
            f"is of version {int(match[1])}, and this gamesad reads version {VERSION}; use the gamesad it names"
        )


def entry(line: str) -> Entry:
    """Raises Wrong. A text that goes on in the next lines (``| ``) is given its ``more`` by the caller."""
    if match := _FILE.fullmatch(line):
        mode = None if match["mode"] is None else int(match["mode"], 8)
        if match["sign"] == "=":
            return Entry(_path(match["path"]), content=unescape(match["text"]), mode=mode)
        if not _WHY.fullmatch(match["text"]):
            raise Wrong(
                f"{_shown(match['text'])} is no reason; an errno name, {UNREAD} or {WITHHELD} stands after the !"
            )
        return Entry(_path(match["path"]), content=match["text"], mode=mode)
    if match := _LINK.fullmatch(line):
        path = _path(match["path"])
        target = _decode(match["target"])
        _check_names(target)
        if not inside(path, target):
            raise Wrong(f"the link {_shown(path)} leads out of the tree, to {_shown(target)}; do not trust this file")
        return Entry(path, target=target)
    if match := _FOLDER.fullmatch(line):
        return Entry(_path(match["path"]))
    raise Wrong(f"{_shown(line)} is no line of a recording; was the file edited? Ask for it once more")


def escape(raw: bytes, *, blanks: bool = False) -> str:
    """On one line, and as it looks: what is not printable UTF-8 becomes ``\\xNN`` byte by byte."""
    text = raw.decode(errors="surrogateescape")
    if text.isprintable() and "\\" not in text and not (blanks and " " in text):
        return text
    return "".join(letter if _plain(letter, blanks=blanks) else _bytes(letter) for letter in text)


def unescape(text: str) -> bytes:
    """Raises Wrong for a backslash that escapes nothing."""
    if "\\" not in text:
        return text.encode()
    if "\\" in _ESCAPED.sub("", text):
        raise Wrong(rf"{_shown(text)} has a backslash that is neither \\ nor \xNN; was the file edited?")
    parts = re.split(r"(\\\\|\\x[0-9a-f]{2})", text)
    return b"".join(
        part.encode() if not part.startswith("\\") else b"\\" if part == "\\\\" else bytes.fromhex(part[2:])
        for part in parts
    )


def _decode(text: str) -> str:
    return unescape(text).decode(errors="surrogateescape")


def _path(text: str) -> str:
    path = _decode(text)
    _check_names(path)
    parts = path.split("/")[1:]
    if parts[0] not in ("sys", "proc") or any(part in ("", ".", "..") for part in parts) or "\0" in path:
        raise Wrong(f"the path {_shown(path)} leaves /sys and /proc; do not trust this file")
    return path


def _check_names(path: str) -> None:
    if any(len(part) > _LONGEST_NAME for part in path.split("/")):
        raise Wrong(f"{_shown(path)} has a name longer than {_LONGEST_NAME} letters; was the file edited?")


def inside(path: str, target: str) -> bool:
    """Whether a link at this path that leads there stays within /sys and /proc."""
    parts = [] if target.startswith("/") else path.split("/")[1:-1]
    for part in target.split("/"):
        if part == ".." and not parts:
            return False
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return bool(parts) and parts[0] in ("sys", "proc") and "\0" not in target


def _plain(letter: str, *, blanks: bool) -> bool:
    if letter in " \t":
        return not blanks
    return letter.isprintable() and letter != "\\"


def _bytes(letter: str) -> str:
    if letter == "\\":
        return "\\\\"
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="surrogateescape"))


def _shown(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return f'"{shown if len(shown) <= 60 else shown[:59] + "…"}"'
