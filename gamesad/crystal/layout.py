"""The ABI of the segment: where every byte lies. The same numbers stand in docs/crystal-core.md and in the C reader.

Little-endian throughout, every field at its natural alignment. One file::

    header (4096 B) | latest | directory | decisions | ring 1 s | ring 10 s | ring 5 min | pool (grows)

A *record* is ``u64 sequence, u64 slot size``, padded to 64 bytes, then two slots. Slot ``sequence & 1`` is whole; the
writer fills the other one and then stores ``sequence + 1`` with one aligned 8-byte store. A reader copies the whole
slot and has it if the sequence is still the same. A slot begins with ``u32 crc, u32 length``, padded to 16 bytes; the
CRC-32 of the ``length`` bytes after it is kept where ``FLAG_CRC`` says so (processors that may show stores in another
order).

A *ring* is ``u64 written``, padded to 64 bytes, then rows. Row n lies in place n % rows. The writer fills row
``written`` and then stores ``written + 1``; a reader that copied row n has it if afterwards ``written - n < rows``.

Nothing but struct is imported here: a client that only wants a status pays for what it reads.
"""

from __future__ import annotations

from struct import Struct

ABI = 1
MAGIC = b"CRYSTAL\x00"
BYTE_ORDER = 0x01020304
PAGE = 4096
PATH = "/dev/shm/gamesad"  # noqa: S108 - the segment's documented place; how it is opened is what makes it safe

# ---- header: the first page
HEADER_SIZE = PAGE
IDENTITY = Struct("<8sII")
"""At 0: magic, ABI, byte order."""
LENGTH_AT = 16
"""u64: the published length. What lies below it is allocated; beyond it nothing may be touched."""
GENERATION_AT = 24
"""u64: larger in each file that replaces another."""
STATE_AT = 32
"""u32, one of the three below."""
LIVE, REPLACED, CLOSED = 1, 2, 3
FLAGS_AT = 36
"""u32."""
FLAG_CRC, FLAG_SIMULATED = 1, 2
HEARTBEAT_AT = 40
"""u64: CLOCK_MONOTONIC in ns when the writer last said that it lives."""
STALE_AFTER_AT = 48
"""u64: ns without a heartbeat after which the writer counts as dead."""
STARTED_AT = 56
"""u64: CLOCK_REALTIME in ns when the writer started."""
PID_AT = 64
"""u32: the writer's process id in its own namespace."""
CHANGING = Struct("<QQIIQQQI")
"""At LENGTH_AT: the fields above in one, for a reader that copies them at once."""

SECTIONS_AT = 128
SECTION = Struct("<QQ")
"""For each of SECTIONS: offset and length in bytes. A section may lie beyond the published length: not there yet."""
LATEST, DIRECTORY, DECISIONS, RING_1S, RING_10S, RING_5MIN, POOL = range(7)
SECTIONS = 7
GEOMETRY_AT = 256
GEOMETRY = Struct("<8I6I")
"""columns, tunables, horizons, forecasts, text bytes, decision slots, decision size, 0; then rows and period in s of
each of the three rings."""
VERSION_AT = 320
VERSION = Struct("<32s")
STATIC_CRC_AT = 508
"""u32: CRC-32 of bytes 0..16 and 128..508."""

# ---- records and rings
RECORD_HEAD = 64
SLOT_HEAD = 16
SLOT = Struct("<II")
"""crc, length."""
RING_HEAD = 64

# ---- latest: the last tick
LATEST_HEAD = Struct("<4Q2d2I4BI2I")
"""tick, monotonic ns, wall ns, number of the decision in force (0: none); duration s, uptime s; directory generation,
columns in use; thermal state, mode, action, source (places in the tuples below); bytes of text; horizons, forecasts."""
THERMAL_STATES = ("cool", "warm", "hot", "critical")
MODES = ("active", "observe", "failsafe")
ACTIONS = ("noop", "throttle", "boost", "reduce_power", "conservative")
SOURCES = ("safety", "forecast", "rule", "policy", "user")
UNUSED, OK, REJECTED, ABSENT, FAULT = range(5)
"""A column's state. ABSENT is as it should be (asleep, a first sample), FAULT is not."""
HORIZONS = 8
FORECASTS = 32
TEXT_SIZE = 16384
# After the head, each padded to 8: value f64[columns], limit f64[columns] (NaN: none), age f32[columns] in s, state
# u8[columns]; confidence f64, horizon f32[HORIZONS]; FORECASTS of FORECAST; text.
CONFIDENCE = Struct(f"<d{HORIZONS}f")
FORECAST = Struct(f"<If{HORIZONS}f{HORIZONS}f")
"""column, probability that its limit is reached within the last horizon (NaN: no limit, or not known), expected values,
upper bounds."""

# ---- directory: what the columns are
DIRECTORY_HEAD = Struct("<4I")
"""directory generation, columns, tunables, 0. Then ``columns`` of COLUMN, then ``tunables`` of TUNABLE."""
COLUMN = Struct("<128s64s8s16s24s4B4x6d")
"""name, label, unit, quantity, driver; heat (place in HEATS), critical, in use, 0; minimum, maximum, critical,
emergency, passive, hot (NaN: not stated)."""
HEATS = ("", "cpu", "gpu", "other")
TUNABLE = Struct("<128s32s8s168sqq")
"""name, role, unit, choices (comma between them), minimum, maximum."""

# ---- decisions: a ring of entries, newest last. Entry n (from 1) lies in row (n - 1) % slots.
DECISION_SIZE = 1024
DECISION_HEAD = Struct("<Q d 2B H I I 4x")
"""number, since (s since the epoch); action, source; 0; bytes of text; CRC-32 of the text (where FLAG_CRC). The text's
paths: Reason, Profile, Sensor, Numbers/NAME, Settings/NAME; what does not fit is left out from the end."""

# ---- history: a row is a head, then minimum, mean and maximum (f32, NaN: none) of every column.
ROW_HEAD = Struct("<QII")
"""wall clock in µs at the row's end (0: there is no row here; older ones come below the first from disk); samples in
it; crc of the columns (0 where FLAG_CRC is not set)."""
ROW_COLUMN = Struct("<3f")
RINGS = ((600, 1), (8640, 10), (8640, 300))
"""Rows and period in s: 10 minutes, 24 hours, 30 days."""

# ---- pool
BASE = 0x7FFF0000
"""Where the pool begins in its own logical address space: an address is BASE + offset in the pool, in every process."""
POOL_MAX = 4 << 30
POOL_HEAD = PAGE
POOL_MAGIC = b"POOL\x00\x00\x00\x01"
POOL_SEQUENCE_AT = 8
"""u64 in the pool's head, even: larger whenever blocks were split, merged or moved. A walk that finds it unchanged
afterwards has met every block once."""
POOL_END_AT = 16
"""u64: offset after the last block, from the pool's start. Blocks lie from POOL_HEAD to here without a gap."""
POOL_NEXT_ID_AT = 24
POOL_STATISTICS_AT = 64
"""u64 each, in the order of STATISTICS, as they were when the writer last published them."""
STATISTICS = (
    "size", "limit", "used", "free", "largest_free", "fragmentation_ppm",
    *(f"{tier}_{what}" for tier in ("hot", "warm", "cold", "frozen") for what in ("blocks", "bytes")),
    "allocations", "frees", "promotions", "demotions", "freezes", "thaws", "prefetch_hits", "prefetch_misses",
    "recovered", "discarded",
)  # fmt: skip
"""Sizes in bytes, heads of blocks included; fragmentation: 1 - largest free run / free, in millionths."""
BLOCK_HEAD = 64
BLOCK = Struct("<QQQQBBHIfI12sI")
"""word (BLOCK_MAGIC << 48 | units of 64 bytes, head included, << 8 | state), id, bytes that lie here, sequence (even);
tier, flags, 0, CRC-32 of the data, decayed access count, modified (s since the epoch), owner, generation (counts the
writes, as half the sequence does; of two blocks with one id the higher sequence counts).

The word is stored last, when all else stands, and first when the block goes; meanwhile id, bytes, sequence and data do
not change. A reader that copied the data has them if word, id and sequence are still the same."""
BLOCK_MAGIC = 0xB10C
FREE, USED = 1, 2
HOT, WARM, COLD, FROZEN = range(4)
TIERS = ("hot", "warm", "cold", "frozen")
BLOCK_SEALED = 1
"""The CRC is that of the data as it stands; without it the data changed since and is whole by its sequence alone."""
FROZEN_HEAD = Struct("<QI4x")
"""Before a frozen block's zlib data: inflated bytes, their CRC-32."""
ALIGN = 64


def aligned(size: int, to: int = 8) -> int:
    return -(-size // to) * to


def latest_size(columns: int) -> int:
    """Bytes of ``latest`` before its text."""
    numbers = aligned(LATEST_HEAD.size) + 16 * columns + aligned(4 * columns) + aligned(columns)
    return numbers + CONFIDENCE.size + FORECASTS * FORECAST.size


def row_size(columns: int) -> int:
    return aligned(ROW_HEAD.size + columns * ROW_COLUMN.size)


# ---- text: one line per value, fields between tabs: type, path..., value
TEXT_DEPTH = 8
Plain = str | int | float | bool
Texts = dict[str, "Plain | Texts"]


def to_text(fields: Texts, path: str = "") -> str:
    """Lines ``s\\tPATH...\\tVALUE``; the types are s, i, d, b. Tabs and line ends in a value become spaces."""
    lines = []
    for key, value in fields.items():
        place = f"{path}{_flat(key)}\t"
        if isinstance(value, dict):
            lines.append(to_text(value, place))
        elif isinstance(value, bool):
            lines.append(f"b\t{place}{int(value)}\n")
        elif isinstance(value, int):
            lines.append(f"i\t{place}{value}\n")
        elif isinstance(value, float):
            lines.append(f"d\t{place}{value!r}\n")
        else:
            lines.append(f"s\t{place}{_flat(value)}\n")
    return "".join(lines)


def from_text(text: str) -> Texts:
    """The fields; ValueError for a text that ``to_text`` did not write."""
    fields: Texts = {}
    for line in text.split("\n"):
        if not line:
            continue
        kind, *path, value = line.split("\t")
        if kind not in ("s", "i", "d", "b") or not 0 < len(path) <= TEXT_DEPTH:
            raise ValueError(f"a line of kind {kind[:9]!r} with {len(path)} keys")
        into = fields
        for key in path[:-1]:
            deeper = into.setdefault(key, {})
            if not isinstance(deeper, dict):
                raise ValueError(f"{key} is a value and a table")  # noqa: TRY004 - damaged text, not a caller's mistake
            into = deeper
        into[path[-1]] = _value(kind, value)
    return fields


def _value(kind: str, text: str) -> Plain:
    if kind == "i":
        return int(text)
    if kind == "d":
        return float(text)
    return text == "1" if kind == "b" else text


def _flat(text: str) -> str:
    return text.replace("\t", " ").replace("\n", " ") if "\t" in text or "\n" in text else text
