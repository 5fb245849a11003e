"""A block of the pool as its writer holds it, and the header that readers see. Offsets are from the pool's start."""

from __future__ import annotations

from struct import Struct

from gamesad.crystal import layout
from gamesad.crystal.layout import BASE, BLOCK_MAGIC, FREE, USED

FREE_WORD = BLOCK_MAGIC << 48 | FREE
USED_WORD = BLOCK_MAGIC << 48 | USED
"""A header's first word without its units, which are added << 8."""
FIELDS = Struct("<" + layout.BLOCK.format.removeprefix("<Q"))
"""The header after its first word."""
OWNER_BYTES = 12


class Block:
    """What ``Pool.allocate`` gives. Its attributes are the pool's to change; a block that was freed has ``units`` 0.

    ``size`` is what was asked for, also while the block is frozen; ``stored`` the bytes that lie in the pool.
    ``generation`` counts the writes: 0 is a block that no reader sees yet and that a crash takes along.
    """

    generation: int = 0
    modified_s: int = 0
    heat: float = 0.0
    """The decayed access count as the header has it."""
    sealed: bool = False
    view: memoryview | None = None
    """The data, read-only, once somebody read them; None while frozen."""

    def __init__(self, identity: int, size: int, tier: int, owner_bytes: bytes, unit: int) -> None:
        self.id = identity
        self.size = self.stored = size
        self.tier = tier
        self.owner_bytes = owner_bytes
        self.offset, self.units = unit << 6, size + 127 >> 6

    @property
    def address(self) -> int:
        return BASE + self.offset

    @property
    def owner(self) -> str:
        return self.owner_bytes.decode()

    def __repr__(self) -> str:
        return f"<block {self.id}: {self.size} bytes, {layout.TIERS[self.tier]}, at {self.address:#x}>"


def owner_bytes(owner: str) -> bytes:
    """ValueError for an owner that does not fit the header."""
    data = owner.encode()
    if len(data) > OWNER_BYTES or b"\0" in data:
        raise ValueError(f"owner {owner!r}: at most {OWNER_BYTES} bytes of UTF-8, without a zero byte")
    return data
