"""Copies of blocks in another chain, made in steps while the pool goes on; only when all are whole do they count."""

from __future__ import annotations

from collections.abc import Iterator

from gamesad.crystal.layout import BLOCK_HEAD
from gamesad.crystal.pool.block import Block
from gamesad.crystal.pool.chain import STEP, Chain


class Copies:
    def __init__(self, old: Chain, new: Chain) -> None:
        self._old, self._new = old, new
        self._made: dict[Block, tuple[int, int, int]] = {}
        """Of each block: its generation, and the first unit and number of units of its copy."""

    def has(self, block: Block) -> bool:
        """Whether there is a copy of it as it is now."""
        return block in self._made and self._made[block][0] == block.generation

    def make(self, block: Block) -> Iterator[None]:
        """Stops after each MiB; of a block that is written or freed at such a stop ``has`` says no. OutOfSpace."""
        self._drop(block)
        if not block.units:
            return
        generation, offset, units = block.generation, block.offset, block.units
        unit = self._new.take(units)
        end = BLOCK_HEAD + block.stored if generation else 0
        for at in range(BLOCK_HEAD, end, STEP):
            part = slice(at, min(at + STEP, end))
            self._new.bytes[unit * 64 + part.start : unit * 64 + part.stop] = self._old.readable[
                offset + part.start : offset + part.stop
            ]
            yield
        self._made[block] = generation, unit, units

    def complete(self) -> Chain:
        """The new chain, with a header for each copy and without what was freed since; no block lies there yet."""
        for block in [block for block in self._made if not block.units]:
            self._drop(block)
        for block, (generation, unit, _) in self._made.items():
            if generation:
                to, at = unit << 6, block.offset
                self._new.bytes[to : to + BLOCK_HEAD] = self._old.bytes[at : at + BLOCK_HEAD]
        return self._new

    def move_in(self) -> None:
        """From here on the blocks lie in the new chain; the old one is closed."""
        for block, (_, unit, _) in self._made.items():
            block.offset = unit << 6
        self._old.close()

    def _drop(self, block: Block) -> None:
        if block in self._made:
            _, unit, units = self._made.pop(block)
            self._new.give(unit, units)
