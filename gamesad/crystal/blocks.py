"""The pool as a client sees it: which blocks there are and what they hold. Light."""

from __future__ import annotations

from binascii import crc32
from math import isfinite

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged, NotThere, Torn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gamesad.crystal.attachment import Attachment
    from gamesad.crystal.source import Source

_TRIES = 50
_HEAD = layout.BLOCK_HEAD + layout.FROZEN_HEAD.size


class BlockInfo:
    """A block of the pool. ``size`` is what was asked for, ``stored`` what lies there: less where it is frozen.

    ``tier`` is a place in ``layout.TIERS``, ``heat`` the decayed access count, ``modified_s`` s since the epoch;
    ``sealed``: its CRC is that of its contents.
    """

    __slots__ = (
        "address", "crc", "generation", "heat", "id", "modified_s", "offset", "owner", "sealed", "sequence", "size",
        "stored", "tier", "word",
    )  # fmt: skip

    def __init__(self, head: bytes, at: int) -> None:
        """From a header and what follows it. Damaged."""
        (
            self.word, self.id, self.stored, self.sequence, self.tier, flags, _, self.crc, self.heat, self.modified_s,
            owner, self.generation,
        ) = layout.BLOCK.unpack_from(head)  # fmt: skip
        units = self.word >> 8 & (1 << 40) - 1
        if (
            self.tier > layout.FROZEN
            or layout.BLOCK_HEAD + self.stored > units * layout.ALIGN
            or not isfinite(self.heat)
        ):
            raise Damaged(f"block {self.id} of the pool is damaged: its header cannot be; restart gamesad")
        self.offset = at
        self.address = layout.BASE + at
        self.owner = owner.rstrip(b"\0").decode("utf-8", "replace")
        self.sealed = bool(flags & layout.BLOCK_SEALED)
        self.size = self.stored
        if self.tier == layout.FROZEN:
            if self.stored < layout.FROZEN_HEAD.size:
                raise Damaged(
                    f"block {self.id} of the pool is damaged: nothing can be frozen so small; restart gamesad"
                )
            self.size = layout.FROZEN_HEAD.unpack_from(head, layout.BLOCK_HEAD)[0]


class Blocks:
    """The pool of whatever segment is attached. It may grow and move between two looks."""

    def __init__(self, attachment: Attachment) -> None:
        self._at = attachment
        self._source: Source
        self._offset = self._length = 0

    def _begun(self) -> bool:
        """Takes the pool as it is now; whether the writer has made one. Damaged: it is something else."""
        found = self._at.section(layout.POOL, self._at.fresh().length)
        if not found or found[1] <= layout.POOL_HEAD:
            return False
        self._source = self._at.source
        self._offset, self._length = found
        magic = self._source.copy(self._offset, len(layout.POOL_MAGIC))
        if magic == layout.POOL_MAGIC:
            return True
        if any(magic):
            raise Damaged("the pool does not begin as one; restart gamesad")
        return False

    def all(self) -> list[BlockInfo]:
        """In the order of their addresses; of a block that is being moved the newer copy. Torn, Damaged."""
        for _ in range(_TRIES):
            if not self._begun():
                return []
            sequence = self._source.word(self._offset + layout.POOL_SEQUENCE_AT)
            problem = None
            try:
                found = self._walk()
            except Damaged as error:  # or a header that was being written
                problem = error
            if self._source.word(self._offset + layout.POOL_SEQUENCE_AT) != sequence:
                continue
            if problem and self._at.section(layout.POOL, self._at.fresh().length) != (self._offset, self._length):
                continue  # it has grown, and what is beyond was not seen
            if problem:
                raise problem
            return found
        raise Torn(f"the pool's blocks were moved in each of {_TRIES} tries; try again")

    def read(self, identity: int) -> bytes:
        """What a block holds, inflated and checked. NotThere: no such block. Torn, Damaged."""
        for _ in range(_TRIES):
            blocks = self.all()
            if not blocks:
                raise NotThere(f"there is no block {identity}, the pool is empty; try again in a minute")
            block = next((one for one in blocks if one.id == identity), None)
            if block is None:
                raise NotThere(f"there is no block {identity} in the pool; gamesactl crystal blocks lists them")
            if self._at.crc and not block.sealed:
                continue  # what was stored last may be seen first; it is sealed within a tick
            at = self._offset + block.offset
            data = self._source.copy(at + layout.BLOCK_HEAD, block.stored)
            word, found, _, sequence = layout.BLOCK.unpack_from(self._source.copy(at, layout.BLOCK_HEAD))[:4]
            if (word, found, sequence) == (block.word, block.id, block.sequence):
                return self._contents(block, data)
        raise Torn(f"block {identity} was written in each of {_TRIES} tries; try again")

    def statistics(self) -> dict[str, int]:
        """As the daemon last published them; see ``layout.STATISTICS``. {} before the pool is used."""
        if not self._begun():
            return {}
        data = self._source.copy(self._offset + layout.POOL_STATISTICS_AT, 8 * len(layout.STATISTICS))
        return {
            name: int.from_bytes(data[8 * place : 8 * place + 8], "little")
            for place, name in enumerate(layout.STATISTICS)
        }

    def _walk(self) -> list[BlockInfo]:
        """Ends however hostile the pool is: every step goes on by at least one unit, to the end of what is there."""
        end = self._source.word(self._offset + layout.POOL_END_AT)
        if end > self._length:
            raise Damaged("the pool says that it is longer than its place; restart gamesad")
        newest: dict[int, BlockInfo] = {}
        at = layout.POOL_HEAD
        while at < end:
            head = self._source.copy(self._offset + at, min(_HEAD, end - at))
            word = int.from_bytes(head[:8], "little")
            units, state = word >> 8 & (1 << 40) - 1, word & 0xFF
            if word >> 48 != layout.BLOCK_MAGIC or state not in (layout.FREE, layout.USED) or not units:
                raise Damaged(f"the pool is damaged: no block begins at {layout.BASE + at:#x}; restart gamesad")
            if units * layout.ALIGN > end - at:
                raise Damaged(f"the pool is damaged: the block at {layout.BASE + at:#x} has no end; restart gamesad")
            if state == layout.USED:
                block = BlockInfo(head, at)
                if block.id not in newest or newest[block.id].sequence < block.sequence:
                    newest[block.id] = block
            at += units * layout.ALIGN
        return sorted(newest.values(), key=_address)

    def _contents(self, block: BlockInfo, data: bytes) -> bytes:
        if block.sealed and crc32(data) != block.crc:
            raise Damaged(f"block {block.id} of the pool is damaged: its checksum is another; restart gamesad")
        if block.tier != layout.FROZEN:
            return data
        from gamesad.crystal.pool.frozen import inflated  # noqa: PLC0415 - with zlib, which few need

        try:
            return inflated(data, layout.POOL_MAX)
        except Damaged as error:
            raise Damaged(f"block {block.id} of the pool is damaged: {error}; restart gamesad") from None


def _address(block: BlockInfo) -> int:
    return block.address
