"""The pool: blocks of any size in the segment's last section, allocated, written, read without a copy, never torn.

Contents never change in place. The first write goes to a place that no reader sees yet, a later one to another place,
and the old one is freed after: a writer that is killed loses the version it was writing and nothing else. One thread
writes.
"""

from __future__ import annotations

import zlib
from collections import deque
from struct import Struct
from time import perf_counter, time
from typing import TYPE_CHECKING

from gamesad.crystal import layout
from gamesad.crystal.errors import CrystalError
from gamesad.crystal.layout import BLOCK_HEAD, BLOCK_SEALED, FROZEN, POOL_HEAD, STATISTICS, TIERS, WARM
from gamesad.crystal.pool.block import FIELDS, USED_WORD, Block, owner_bytes
from gamesad.crystal.pool.chain import STEP, Backing, Chain, OutOfSpace
from gamesad.crystal.pool.copies import Copies
from gamesad.crystal.pool.frozen import inflated, packed
from gamesad.crystal.pool.recovery import whole_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Block", "NoSuchBlock", "OutOfBounds", "OutOfSpace", "Pool"]

_TOUCHED = 4096
_SLICE = 256 << 10
"""Bytes between two looks at the clock while a CRC is computed: 0.1 ms."""
_NEXT_ID = layout.POOL_NEXT_ID_AT >> 3
_STATE, _HEAT = 4, 5
"""Words of a header: tier, flags and CRC; decayed access count and time."""
_FLOAT = Struct("<f")


class NoSuchBlock(CrystalError):
    """The block was freed, or never was in this pool."""


class OutOfBounds(CrystalError):
    """A write beyond the bytes that were asked for; nothing was written."""


class Pool:
    def __init__(self, segment: Backing) -> None:
        """An empty pool in a segment without one; it takes its first MiB when it is first used."""
        self.segment = segment
        self._chain = Chain(segment)
        self._blocks: dict[int, Block] = {}
        self._next_id = 1
        self._allocated = 0
        self._unsealed: set[Block] = set()
        self._sealing: tuple[Block, int, int, int] | None = None
        """A block whose CRC is computed in parts: its generation, the bytes that are done, and their CRC."""
        self.touched: deque[int] = deque(maxlen=_TOUCHED)
        """Ids of blocks that were read or written again, oldest first; whoever counts accesses takes them away."""
        self.waited_s = 0.0
        """What reads waited for blocks to be thawed, in all."""
        self.counters = dict.fromkeys(STATISTICS[STATISTICS.index("promotions") :], 0)
        """Of the statistics those that others count too."""

    # ---- blocks

    def allocate(self, size: int, tier: int = WARM, owner: str = "") -> Block:
        """A block of exactly ``size`` bytes, all zero until they are written. OutOfSpace; ValueError."""
        if size < 1:
            raise ValueError(f"{size} bytes: a block has at least one")
        if not 0 <= tier < FROZEN:
            raise ValueError(f"tier {tier}: a block starts hot, warm or cold (0 to {FROZEN - 1})")
        name = owner_bytes(owner) if owner else b""
        unit = self._chain.take(size + 127 >> 6)
        identity = self._next_id
        self._next_id = self._chain.words[_NEXT_ID] = identity + 1
        self._allocated += 1
        block = self._blocks[identity] = Block(identity, size, tier, name, unit)
        return block

    def write(self, block: Block, data: bytes | bytearray | memoryview, offset: int = 0) -> None:
        """Replaces the bytes from ``offset``: all of them, or none. OutOfBounds, NoSuchBlock, OutOfSpace, Damaged."""
        if type(data) is not bytes:
            data = memoryview(data).cast("B")
        size = len(data)
        if block.generation or offset or size != block.size:
            self._rewrite(block, data, offset)
            return
        at, chain = block.offset, self._chain
        memory = chain.bytes
        memory[at + BLOCK_HEAD : at + BLOCK_HEAD + size] = data
        block.generation = 1
        block.modified_s = seconds = int(time())
        FIELDS.pack_into(  # as in _show; a call is a tenth of what a small block costs
            memory, at + 8, block.id, size, 2, block.tier, 0, 0, 0, block.heat, seconds, block.owner_bytes, 1
        )
        chain.words[at >> 3] = USED_WORD | block.units << 8
        self._unsealed.add(block)

    def read(self, block: Block) -> memoryview:
        """The bytes where they lie, read-only. A frozen block is thawed: OutOfSpace, Damaged. NoSuchBlock.

        The view is good until the block is written, moved or freed, which releases it: using it then is a ValueError.
        """
        self.touched.append(block.id)
        return block.view or self._view(block)

    def free(self, block: Block) -> None:
        """Gives its place back. NoSuchBlock."""
        if self._blocks.get(block.id) is not block:
            raise _gone(block)
        del self._blocks[block.id]
        self._unsealed.discard(block)
        self._chain.give(block.offset >> 6, block.units)
        block.units, block.generation = 0, -1
        if block.view:
            _let_go(block)

    def by_id(self, identity: int) -> Block:
        """NoSuchBlock."""
        try:
            return self._blocks[identity]
        except KeyError:
            raise NoSuchBlock(f"there is no block {identity} in the pool") from None

    def blocks(self) -> list[Block]:
        """Every block, oldest first."""
        return list(self._blocks.values())

    # ---- tiers

    def set_tier(self, block: Block, tier: int) -> None:
        """Says where a block belongs; nothing moves. To FROZEN and back: ``freeze``, ``thaw``. NoSuchBlock."""
        self._check(block)
        if FROZEN in (tier, block.tier) or not 0 <= tier < FROZEN:
            raise ValueError(f"tier {tier}: block {block.id} is {TIERS[block.tier]}; hot, warm and cold are 0 to 2")
        block.tier = tier
        if block.generation:
            at = (block.offset >> 3) + _STATE
            self._chain.words[at] = self._chain.words[at] >> 8 << 8 | tier

    def set_heat(self, block: Block, heat: float) -> None:
        """Writes the decayed access count into the header. NoSuchBlock."""
        self._check(block)
        block.heat = heat
        if block.generation:
            bits = int.from_bytes(_FLOAT.pack(heat), "little")
            self._chain.words[(block.offset >> 3) + _HEAT] = bits | block.modified_s << 32

    def freeze(self, block: Block, data: bytes | None = None) -> bool:
        """Keeps a block as ``data``, ``frozen.packed`` of its bytes; False where that takes no less room.

        OutOfSpace: it stays as it is. NoSuchBlock.
        """
        self._check(block)
        if block.tier == FROZEN or not block.generation:
            return False
        data = packed(self.stored(block)) if data is None else data
        if _units(len(data)) >= block.units:
            return False
        self._replace(block, data, FROZEN)
        self.counters["freezes"] += 1
        return True

    def thaw(self, block: Block, data: bytes | bytearray | None = None) -> None:
        """Makes a frozen block WARM, with ``data``, ``frozen.inflated`` of its bytes; others stay.

        Damaged, OutOfSpace: it stays as it is. NoSuchBlock.
        """
        self._check(block)
        if block.tier == FROZEN:
            self._replace(block, inflated(self.stored(block), block.size) if data is None else data, WARM)
            self.counters["thaws"] += 1

    def stored(self, block: Block) -> memoryview:
        """The bytes as they lie, read-only: of a frozen block what ``frozen.packed`` made. No access is counted."""
        at = block.offset + BLOCK_HEAD
        return self._chain.readable[at : at + block.stored]

    # ---- between ticks

    def seal(self, budget_s: float) -> int:
        """Computes the CRCs of what was written since, for so long; how many blocks are left without."""
        end_s = perf_counter() + budget_s
        while self._unsealed and perf_counter() < end_s:
            block, generation, at, crc = self._sealing or (None, 0, 0, 0)
            if block not in self._unsealed or generation != block.generation:
                block, at, crc = self._unsealed.pop(), 0, 0  # iter() would pass all that went before, each time
                self._unsealed.add(block)
            data = self.stored(block)
            crc = zlib.crc32(data[at : at + _SLICE], crc)
            self._sealing = block, block.generation, at + _SLICE, crc
            if at + _SLICE >= len(data):
                self._seal(block, crc)
        return len(self._unsealed)

    def statistics(self) -> dict[str, int]:
        """By the names in layout.STATISTICS."""
        found = dict.fromkeys(STATISTICS, 0)
        blocks, units = [0] * len(TIERS), [0] * len(TIERS)
        for block in self._blocks.values():
            blocks[block.tier] += 1
            units[block.tier] += block.units
        for place, tier in enumerate(TIERS):
            found[f"{tier}_blocks"], found[f"{tier}_bytes"] = blocks[place], units[place] << 6
        runs = self._chain.settle()
        free, largest = runs.units << 6, runs.largest << 6
        found["size"], found["limit"] = self._chain.end, self._chain.limit
        found["used"] = sum(units) << 6
        found["free"], found["largest_free"] = free, largest
        found["fragmentation_ppm"] = 1_000_000 - largest * 1_000_000 // free if free else 0
        found["allocations"] = self._allocated
        found["frees"] = self._allocated + self.counters["recovered"] - len(self._blocks)
        return found | self.counters

    def publish(self) -> None:
        """Puts the statistics where readers find them."""
        if self._chain.end:
            for place, value in enumerate(self.statistics().values(), layout.POOL_STATISTICS_AT >> 3):
                self._chain.words[place] = value

    # ---- from and into another segment

    def recover(self, pool: memoryview) -> tuple[int, int]:
        """Takes over the whole blocks of a pool that is not trusted; how many those were, and how many were not.

        A block that finds no room counts among those that were not. Views of ``pool`` are gone on return.
        """
        if self._blocks or self._allocated:
            raise ValueError("a pool recovers before anything is allocated in it")
        found = whole_blocks(pool)
        recovered = 0
        for kept in found.blocks:
            try:
                unit = self._chain.take(_units(len(kept.data)))
            except OutOfSpace:
                continue
            recovered += 1
            block = self._blocks[kept.id] = Block(kept.id, kept.size, kept.tier, kept.owner, unit)
            block.heat, block.modified_s, block.generation = kept.heat, kept.modified_s, kept.sequence >> 1
            self._place(block, unit, kept.data)
            if kept.crc is not None:
                self._seal(block, kept.crc)
        self._blocks = dict(sorted(self._blocks.items()))
        self._next_id = found.next_id
        if self._next_id > 1 and self._chain.start():
            self._chain.words[_NEXT_ID] = self._next_id
        lost = found.discarded + len(found.blocks) - recovered
        self.counters["recovered"], self.counters["discarded"] = recovered, lost
        return recovered, lost

    def move_to(self, segment: Backing, order: Iterable[Block]) -> None:
        """Every block into another segment without a pool, in this order. CrystalFull: nothing changed here."""
        for _ in self.moving(segment, order):
            pass

    def moving(
        self, segment: Backing, order: Iterable[Block], before: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """As ``move_to``, with a stop after each MiB; what is allocated, written or freed meanwhile is not lost.

        The pool lies where it lay until the last step, and also when that is never made. ``before`` is called when the
        copy is whole and the pool not yet moved; what it raises leaves the pool where it is.
        """
        blocks = [block for block in order if block.units]
        start, limit = segment.section(layout.POOL)
        for size in range(STEP, POOL_HEAD + sum(block.units << 6 for block in blocks), STEP):
            segment.ensure(start + min(size, limit))
            yield
        copies = Copies(self._chain, Chain(segment))
        for block in blocks:
            yield from copies.make(block)
        for block in self._blocks.values():
            if not copies.has(block):
                for _ in copies.make(block):
                    pass
        new = copies.complete()
        if self._next_id > 1 and new.start():
            new.words[_NEXT_ID] = self._next_id
        before()
        for block in self._blocks.values():
            if block.view is not None:
                _let_go(block)
        copies.move_in()
        self._chain, self.segment = new, segment
        self.publish()

    # ---- within

    def _check(self, block: Block) -> None:
        if self._blocks.get(block.id) is not block:
            raise _gone(block)

    def _view(self, block: Block) -> memoryview:
        if self._blocks.get(block.id) is not block:
            raise _gone(block)
        if block.tier == FROZEN:
            began_s = perf_counter()
            self.thaw(block)
            self.waited_s += perf_counter() - began_s
        if not block.generation:
            self.write(block, bytes(block.size))
        at = block.offset + BLOCK_HEAD
        view = block.view = self._chain.readable[at : at + block.size]
        return view

    def _rewrite(self, block: Block, data: bytes | memoryview, offset: int) -> None:
        """A write that is not the first, or not of the whole block."""
        self._check(block)
        size = len(data)
        if offset < 0 or offset + size > block.size:
            raise OutOfBounds(
                f"{size} bytes at {offset} of block {block.id}, which has {block.size}; nothing was written"
            )
        if size < block.size:
            whole = bytearray(block.size)
            if block.tier == FROZEN:
                whole[:] = inflated(self.stored(block), block.size)
            elif block.generation:
                whole[:] = self.stored(block)
            whole[offset : offset + size] = data
            data = bytes(whole)
        if block.generation:
            self.touched.append(block.id)
            self._replace(block, data, WARM if block.tier == FROZEN else block.tier)
        else:
            self.write(block, data if type(data) is bytes else bytes(data))

    def _replace(self, block: Block, data: bytes | bytearray | memoryview, tier: int) -> None:
        """Stores other bytes for a block: in another place, and only then is the old one free."""
        offset, units = block.offset, block.units
        unit = self._chain.take(_units(len(data)))
        block.tier = tier
        block.modified_s = int(time())
        block.generation += 1
        self._place(block, unit, data)
        self._chain.moved()
        self._chain.give(offset >> 6, units)

    def _place(self, block: Block, unit: int, data: bytes | bytearray | memoryview) -> None:
        """Fills a place and shows it to readers as this block, as it now is, not sealed."""
        if block.view is not None:
            _let_go(block)
        block.offset, block.stored, block.units = unit << 6, len(data), _units(len(data))
        at = block.offset + BLOCK_HEAD
        self._chain.bytes[at : at + block.stored] = data
        self._show(block)

    def _show(self, block: Block) -> None:
        """Writes the header, its word last."""
        offset, generation = block.offset, block.generation
        FIELDS.pack_into(
            self._chain.bytes, offset + 8, block.id, block.stored, generation << 1, block.tier, 0, 0, 0, block.heat,
            block.modified_s, block.owner_bytes, generation & 0xFFFFFFFF,
        )  # fmt: skip
        self._chain.words[offset >> 3] = USED_WORD | block.units << 8
        block.sealed = False
        self._unsealed.add(block)

    def _seal(self, block: Block, crc: int) -> None:
        self._chain.words[(block.offset >> 3) + _STATE] = block.tier | BLOCK_SEALED << 8 | crc << 32
        block.sealed = True
        self._unsealed.discard(block)


def _units(size: int) -> int:
    """Of 64 bytes, for a head and so many bytes."""
    return size + 127 >> 6


def _let_go(block: Block) -> None:
    """Makes a view that somebody kept raise; one that an array was made from stays as it is."""
    view, block.view = block.view, None
    try:  # suppress() takes as long as the rest of free()
        if view:
            view.release()
    except BufferError:
        pass


def _gone(block: Block) -> NoSuchBlock:
    return NoSuchBlock(f"block {block.id} is not in the pool; it was freed")
