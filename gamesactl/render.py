"""Text a person reads: aligned tables that fit, wrapped sentences, and the JSON a program reads."""

from __future__ import annotations

import math

from gamesactl.terminal import Style, harmless
from gamesactl.values import UNKNOWN, amount, percent

TYPE_CHECKING = False  # as in typing, without importing it
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Fields = Mapping[str, object]
    """A dictionary from the daemon: its keys are those of docs/gamesactl.md."""
else:
    Fields = dict

Cell = str | tuple[str, str]
"""Text, or text with the name of a style."""


class Column:
    """``shrink``: the least width it may be cut to (0: never cut). ``drop``: higher goes first when there is no room.

    ``wraps``: continues on lines below instead of being cut; the last column only.
    """

    __slots__ = ("drop", "right", "shrink", "title", "wraps")

    def __init__(self, title: str, *, right: bool = False, shrink: int = 0, drop: int = 0, wraps: bool = False) -> None:
        self.title = title
        self.right = right
        self.shrink = shrink
        self.drop = drop
        self.wraps = wraps


_GAP = 2
_LEAST_WRAPPED = 20


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int, style: Style) -> list[str]:
    """Aligned lines with a heading, none wider than ``width`` as far as columns may be cut or dropped.

    A column that says nothing in any row is left out. A last column for which there is no room beside the others goes
    below them.
    """
    kept = [i for i in range(len(columns)) if any(_plain(row[i]) not in ("", UNKNOWN) for row in rows)]
    natural = {i: max([cells(columns[i].title), *(cells(_plain(row[i])) for row in rows)]) for i in kept}
    sizes = _fit({i: columns[i] for i in kept}, natural, width)
    below = [i for i in kept if columns[i].wraps and i not in sizes]
    shown = [columns[i] for i in sizes]
    lines = [style("dim", line) for line in _row(shown, [column.title for column in shown], sizes, Style(color=False))]
    for row in rows:
        lines += _row(shown, [row[i] for i in sizes], sizes, style)
        for i in below:
            said, name = _parts(row[i])
            lines += [style(name, line) for line in wrap(said, width, indent=_GAP)] if said else []
    return lines


def _fit(columns: Mapping[int, Column], natural: Mapping[int, int], width: int) -> dict[int, int]:
    """The width of each column that has room."""

    def least(i: int) -> int:
        floor = _LEAST_WRAPPED if columns[i].wraps else columns[i].shrink
        return min(natural[i], floor) if floor else natural[i]

    present = list(columns)
    while sum(least(i) for i in present) + _GAP * (len(present) - 1) > width:
        droppable = [i for i in present if columns[i].drop or columns[i].wraps]
        if not droppable:
            break
        present.remove(max(droppable, key=lambda i: columns[i].drop))
    sizes = {i: natural[i] for i in present}
    over = sum(sizes.values()) + _GAP * (len(present) - 1) - width
    for i in sorted(present, key=lambda i: (not columns[i].wraps, -sizes[i])):  # the last one first, then the widest
        cut = max(0, min(over, sizes[i] - least(i)))
        sizes[i] -= cut
        over -= cut
    return sizes


def _row(columns: Sequence[Column], row: Sequence[Cell], sizes_by: Mapping[int, int], style: Style) -> list[str]:
    sizes = list(sizes_by.values())
    parts: list[str] = []
    below: list[str] = []
    for column, cell, size in zip(columns, row, sizes, strict=True):
        text, name = _parts(cell)
        if column.wraps and cells(text) > size:
            first, *below = wrap(text, size)
            parts.append(style(name, first))
            continue
        text = elide(text, size)
        space = " " * (size - cells(text))
        parts.append(space + style(name, text) if column.right else style(name, text) + space)
    indent = " " * (sum(sizes[:-1]) + _GAP * (len(sizes) - 1))
    return [(" " * _GAP).join(parts).rstrip(), *(indent + line for line in below)]


def _parts(cell: Cell) -> tuple[str, str]:
    return (cell, "") if isinstance(cell, str) else cell


def _plain(cell: Cell) -> str:
    return _parts(cell)[0]


def cells(text: str) -> int:
    """Terminal columns: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_cell(letter) for letter in text)


def _cell(letter: str) -> int:
    if letter < "\u0300" or "\u2190" <= letter < "\u2300":  # arrows and operators
        return 1
    import unicodedata  # noqa: PLC0415 - a megabyte, for the few who need it

    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def elide(text: str, size: int) -> str:
    """Cut in the middle: both ends of a sensor's name tell it from its neighbours."""
    if cells(text) <= size:
        return text
    if size <= 1:
        return "…"[:size]
    tail = (size - 1) // 2
    return _head(text, size - 1 - tail) + "…" + _head(text[::-1], tail)[::-1]


def _head(text: str, size: int) -> str:
    taken = 0
    for place, letter in enumerate(text):
        taken += _cell(letter)
        if taken > size:
            return text[:place]
    return text


def wrap(text: str, width: int, *, indent: int = 0, hang: int = 0, first: str = "") -> list[str]:
    """Lines of at most ``width``, ``indent`` deep, later ones ``hang`` deeper; ``first`` stands before the first."""
    room = max(10, width - indent - hang)
    lines: list[str] = []
    line, size = "", 0
    for word in text.split(" "):
        added = cells(word)
        if not line:
            line, size = word, added
        elif size + 1 + added <= room:
            line, size = f"{line} {word}", size + 1 + added
        else:
            lines.append(line)
            line, size = word, added
        while size > room:
            head = _head(line, room)
            lines.append(head)
            line = line[len(head) :]
            size = cells(line)
    lines.append(line)
    start = first.ljust(indent) if first else " " * indent
    return [(start if i == 0 else " " * (indent + hang)) + line for i, line in enumerate(lines)]


def number(fields: Fields, key: str) -> float | None:
    """The finite number under this key; None when absent, or no number."""
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def text(fields: Fields, key: str) -> str:
    """The text under this key, harmless to a terminal; empty when absent."""
    value = fields.get(key)
    return harmless(value) if isinstance(value, str) else ""


def items(fields: Fields, key: str) -> list[Fields]:
    """The dictionaries listed under this key."""
    value = fields.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def names(fields: Fields, key: str) -> list[str]:
    """The words listed under this key, harmless to a terminal."""
    value = fields.get(key)
    return [harmless(one) for one in value] if isinstance(value, list) else []


def mapping(fields: Fields, key: str) -> Fields:
    value = fields.get(key)
    return value if isinstance(value, dict) else {}


def reading(sensor: Fields, key: str = "Value") -> str:
    """A sensor's value with its unit; a dash when it is not known."""
    value = sensor.get(key)
    if isinstance(value, str):
        return harmless(value)
    known = number(sensor, key)
    if known is None:
        return UNKNOWN
    if sensor.get("Quantity") in ("utilization", "pressure"):
        return percent(known)
    return amount(known, text(sensor, "Unit"))


def setting(value: object, unit: str) -> str:
    """A tunable's value with its unit: ``3.6 GHz``, ``powersave``; a dash when it is not known."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNKNOWN
    return amount(value, unit) if unit else str(value)


def to_json(document: object) -> str:
    """One line. Only ASCII, so that no text in it can steer a terminal; numbers that are none become null.

    The json module would be half of the time of a status.
    """
    if document is None or document is True or document is False:
        return "null" if document is None else "true" if document else "false"
    if isinstance(document, (int, float)):
        return repr(document) if math.isfinite(document) else "null"
    if isinstance(document, dict):
        return "{" + ", ".join(f"{_quoted(str(key))}: {to_json(value)}" for key, value in document.items()) + "}"
    if isinstance(document, (list, tuple)):
        return "[" + ", ".join(map(to_json, document)) + "]"
    return _quoted(str(document))


def _quoted(text: str) -> str:
    plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text if plain else "".join(map(_escaped, text))}"'


def _escaped(letter: str) -> str:
    if " " <= letter <= "~" and letter not in '"\\':
        return letter
    code = ord(letter)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
