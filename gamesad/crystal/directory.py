"""What the columns of ``latest`` and of the rings are, and what can be set. Light: clients import it."""

from __future__ import annotations

from math import isnan, nan

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged, NotThere

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would cost a client more than all of this
    from collections.abc import Iterable, Sequence

    from gamesad.crystal.header import Geometry

NAME_SIZE = 128
"""Bytes that a name may have: a longer one cannot be published, for a part of a name is another name."""


class Column:
    """A sensor that has a number. ``in_use``: it is there now; its column stays its own while the segment lives.

    ``unit`` is that of its values and limits; a limit that nobody states is None. ``heat`` is "", cpu, gpu or other.
    """

    __slots__ = (
        "critical", "critical_limit", "driver", "emergency", "heat", "hot", "in_use", "label", "maximum", "minimum",
        "name", "passive", "quantity", "unit",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *,
        label: str = "",
        unit: str = "",
        quantity: str = "",
        driver: str = "",
        heat: str = "",
        critical: bool = False,
        in_use: bool = True,
        minimum: float | None = None,
        maximum: float | None = None,
        critical_limit: float | None = None,
        emergency: float | None = None,
        passive: float | None = None,
        hot: float | None = None,
    ) -> None:
        self.name, self.label, self.unit = name, label, unit
        self.quantity, self.driver, self.heat = quantity, driver, heat
        self.critical, self.in_use = critical, in_use
        self.minimum, self.maximum, self.critical_limit = minimum, maximum, critical_limit
        self.emergency, self.passive, self.hot = emergency, passive, hot


class TunableRow:
    """Something that can be set: ``choices`` from least power to most, or ``minimum`` to ``maximum`` in ``unit``."""

    __slots__ = ("choices", "maximum", "minimum", "name", "role", "unit")

    def __init__(
        self, name: str, role: str, *, unit: str = "", choices: Sequence[str] = (), minimum: int = 0, maximum: int = 0
    ) -> None:
        self.name, self.role, self.unit = name, role, unit
        self.choices = tuple(choices)
        self.minimum, self.maximum = minimum, maximum


class Directory:
    """``columns`` in their places, and ``tunables``, read when they are asked for."""

    __slots__ = ("_data", "_tunables", "columns", "generation")

    def __init__(self, data: bytes, geometry: Geometry) -> None:
        """From a record's contents. Damaged, NotThere."""
        if not data:
            raise NotThere("gamesad has just started and has not said yet what it reads; try again in a second")
        if len(data) < layout.DIRECTORY_HEAD.size:
            raise Damaged("the directory is shorter than its head; restart gamesad")
        self.generation, columns, tunables, _ = layout.DIRECTORY_HEAD.unpack_from(data)
        size = layout.DIRECTORY_HEAD.size + columns * layout.COLUMN.size + tunables * layout.TUNABLE.size
        if columns > geometry.columns or size != len(data):
            raise Damaged("the directory speaks of more than it holds; restart gamesad")
        self._data = data
        self._tunables = tunables
        self.columns = [
            _column(data, layout.DIRECTORY_HEAD.size + place * layout.COLUMN.size) for place in range(columns)
        ]

    @property
    def tunables(self) -> list[TunableRow]:
        begin = layout.DIRECTORY_HEAD.size + len(self.columns) * layout.COLUMN.size
        return [_tunable(self._data, begin + place * layout.TUNABLE.size) for place in range(self._tunables)]


def pack(generation: int, columns: Sequence[Column], tunables: Sequence[TunableRow]) -> bytes:
    """The record's contents. ValueError for a name that does not fit; labels and choices are cut."""
    head = layout.DIRECTORY_HEAD.pack(generation, len(columns), len(tunables), 0)
    return b"".join((head, *map(_pack_column, columns), *map(_pack_tunable, tunables)))


def _pack_column(column: Column) -> bytes:
    limits = (column.minimum, column.maximum, column.critical_limit, column.emergency, column.passive, column.hot)
    return layout.COLUMN.pack(
        _name(column.name),
        cut(column.label, 64),
        cut(column.unit, 8),
        cut(column.quantity, 16),
        cut(column.driver, 24),
        layout.HEATS.index(column.heat),
        column.critical,
        column.in_use,
        0,
        *(nan if limit is None else limit for limit in limits),
    )


def _pack_tunable(row: TunableRow) -> bytes:
    texts = (_name(row.name), cut(row.role, 32), cut(row.unit, 8), _whole_choices(row.choices))
    return layout.TUNABLE.pack(*texts, row.minimum, row.maximum)


def cut(text: str, size: int) -> bytes:
    """UTF-8 of at most ``size`` bytes, whole characters only."""
    data = text.encode(errors="replace")
    return data if len(data) <= size else data[:size].decode(errors="ignore").encode()


def _name(name: str) -> bytes:
    data = name.encode(errors="replace")
    if len(data) > NAME_SIZE:
        raise ValueError(f"{name}: longer than {NAME_SIZE} bytes")
    return data


def _whole_choices(choices: Iterable[str]) -> bytes:
    data = ",".join(choices).encode()
    return data if len(data) <= 168 else data[:168].rpartition(b",")[0]


def _column(data: bytes, at: int) -> Column:
    name, label, unit, quantity, driver, heat, critical, in_use, _, *limits = layout.COLUMN.unpack_from(data, at)
    if heat >= len(layout.HEATS):
        raise Damaged("the directory speaks of a source of heat that there is not; restart gamesad")
    column = Column(_text(name), label=_text(label), unit=_text(unit), quantity=_text(quantity), driver=_text(driver))
    column.heat, column.critical, column.in_use = layout.HEATS[heat], bool(critical), bool(in_use)
    (
        column.minimum, column.maximum, column.critical_limit, column.emergency, column.passive, column.hot,
    ) = (None if isnan(limit) else limit for limit in limits)  # fmt: skip
    return column


def _tunable(data: bytes, at: int) -> TunableRow:
    name, role, unit, joined, minimum, maximum = layout.TUNABLE.unpack_from(data, at)
    listed = _text(joined)
    choices = listed.split(",") if listed else ()
    return TunableRow(_text(name), _text(role), unit=_text(unit), choices=choices, minimum=minimum, maximum=maximum)


def _text(field: bytes) -> str:
    try:
        return field.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise Damaged("the directory holds a text that is not UTF-8; restart gamesad") from None
