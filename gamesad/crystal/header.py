"""The segment's first page: what lies where, and whether that can be true. Light: clients import it."""

from __future__ import annotations

from binascii import crc32

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged, WrongAbi
from gamesad.crystal.layout import aligned

MAX_COLUMNS = 4096
MAX_TUNABLES = 4096
MAX_DECISIONS = 65536
MAX_ROWS = 1 << 20
MAX_PERIOD_S = 1 << 20

Sections = tuple[tuple[int, int], ...]
Rings = tuple[tuple[int, int], ...]


class Geometry:
    """How many of everything the segment holds; ``sections`` follows from it."""

    __slots__ = ("columns", "decisions", "pool_max", "rings", "tunables")

    def __init__(self, columns: int, tunables: int, decisions: int, rings: Rings, pool_max: int) -> None:
        self.columns = columns
        self.tunables = tunables
        self.decisions = decisions
        self.rings = rings
        self.pool_max = pool_max

    @property
    def possible(self) -> bool:
        return (
            0 < self.columns <= MAX_COLUMNS
            and 0 <= self.tunables <= MAX_TUNABLES
            and 0 < self.decisions <= MAX_DECISIONS
            and len(self.rings) == 3
            and all(0 < rows <= MAX_ROWS and 0 < period_s <= MAX_PERIOD_S for rows, period_s in self.rings)
            and layout.POOL_HEAD < self.pool_max <= layout.POOL_MAX
        )

    @property
    def sections(self) -> Sections:
        """Offset and length of each section, one behind the other; the pool begins on a page."""
        lengths = [
            layout.RECORD_HEAD + 2 * latest_slot(self.columns),
            layout.RECORD_HEAD + 2 * directory_slot(self.columns, self.tunables),
            layout.RING_HEAD + self.decisions * layout.DECISION_SIZE,
            *(layout.RING_HEAD + rows * layout.row_size(self.columns) for rows, _ in self.rings),
        ]
        sections, offset = [], layout.HEADER_SIZE
        for length in lengths:
            sections.append((offset, length))
            offset = aligned(offset + length, layout.ALIGN)
        return (*sections, (aligned(offset, layout.PAGE), self.pool_max))


def latest_slot(columns: int) -> int:
    return aligned(layout.SLOT_HEAD + layout.latest_size(columns) + layout.TEXT_SIZE, layout.ALIGN)


def directory_slot(columns: int, tunables: int) -> int:
    size = layout.DIRECTORY_HEAD.size + columns * layout.COLUMN.size + tunables * layout.TUNABLE.size
    return aligned(layout.SLOT_HEAD + size, layout.ALIGN)


def static_crc(page: bytes | bytearray) -> int:
    return crc32(page[128:508], crc32(page[:16]))


def build(geometry: Geometry, version: str) -> bytearray:
    """The first page, without what changes."""
    page = bytearray(layout.HEADER_SIZE)
    layout.IDENTITY.pack_into(page, 0, layout.MAGIC, layout.ABI, layout.BYTE_ORDER)
    for place, section in enumerate(geometry.sections):
        layout.SECTION.pack_into(page, layout.SECTIONS_AT + place * layout.SECTION.size, *section)
    counts = (geometry.columns, geometry.tunables, layout.HORIZONS, layout.FORECASTS, layout.TEXT_SIZE)
    rings = (number for ring in geometry.rings for number in ring)
    layout.GEOMETRY.pack_into(page, layout.GEOMETRY_AT, *counts, geometry.decisions, layout.DECISION_SIZE, 0, *rings)
    layout.VERSION.pack_into(page, layout.VERSION_AT, version.encode()[:31])
    page[layout.STATIC_CRC_AT : layout.STATIC_CRC_AT + 4] = static_crc(page).to_bytes(4, "little")
    return page


class Header:
    """A first page that was checked: every section is where its geometry says, so no sum of them overflows."""

    __slots__ = ("geometry", "sections", "version")

    def __init__(self, page: bytes, where: str) -> None:
        """WrongAbi, or Damaged: nothing of the file may then be believed."""
        if len(page) < layout.HEADER_SIZE or page[:8] != layout.MAGIC:
            raise Damaged(f"{where} is not a segment of gamesad; restart gamesad to have it replaced")
        _, abi, order = layout.IDENTITY.unpack_from(page, 0)
        if abi != layout.ABI or order != layout.BYTE_ORDER:
            raise WrongAbi(
                f"{where} has ABI {abi}, this program reads ABI {layout.ABI}; use the gamesactl that came with gamesad"
            )
        if int.from_bytes(page[layout.STATIC_CRC_AT : layout.STATIC_CRC_AT + 4], "little") != static_crc(page):
            raise Damaged(f"{where} is damaged: its header does not match its checksum; restart gamesad")
        numbers = layout.GEOMETRY.unpack_from(page, layout.GEOMETRY_AT)
        stored = tuple(
            layout.SECTION.unpack_from(page, layout.SECTIONS_AT + place * layout.SECTION.size)
            for place in range(layout.SECTIONS)
        )
        self.geometry = Geometry(
            numbers[0], numbers[1], numbers[5], tuple(zip(numbers[8::2], numbers[9::2], strict=True)), stored[-1][1]
        )
        sizes = (layout.HORIZONS, layout.FORECASTS, layout.TEXT_SIZE)
        if numbers[2:5] != sizes or numbers[6] != layout.DECISION_SIZE or not self.geometry.possible:
            raise Damaged(f"{where} is damaged: its header speaks of impossible sizes; restart gamesad")
        self.sections: Sections = self.geometry.sections
        if stored != self.sections:
            raise Damaged(f"{where} is damaged: its sections are not where its sizes put them; restart gamesad")
        self.version = page[layout.VERSION_AT : layout.VERSION_AT + 32].rstrip(b"\0").decode("ascii", "replace")


class State:
    """What changes in the first page, as of one look."""

    __slots__ = ("flags", "generation", "heartbeat_ns", "length", "pid", "stale_after_ns", "started_ns", "state")

    def __init__(self, page: bytes, at: int = layout.LENGTH_AT) -> None:
        fields: tuple[int, ...] = layout.CHANGING.unpack_from(page, at)
        self.length, self.generation, self.state, self.flags = fields[:4]
        self.heartbeat_ns, self.stale_after_ns, self.started_ns, self.pid = fields[4:]

    def alive(self, now_ns: int) -> bool:
        """Whether the writer said so lately; a heartbeat from the future is of another boot."""
        return self.state == layout.LIVE and 0 <= now_ns - self.heartbeat_ns <= self.stale_after_ns
