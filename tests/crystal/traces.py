"""Access traces: which block is read next. Whole numbers that stand for blocks, from 1."""

from __future__ import annotations

import random
from pathlib import Path

from tests.support.traces import traces

BAND_C = 2.0


def repeating(blocks: int, accesses: int, seed: int = 1) -> list[int]:
    """The same blocks over and over, in an order that has nothing to do with their ids."""
    once = list(range(1, blocks + 1))
    random.Random(seed).shuffle(once)
    return [once[number % blocks] for number in range(accesses)]


def at_random(blocks: int, accesses: int, seed: int = 1) -> list[int]:
    """Every block alike, whatever was read before: nothing can be predicted."""
    chance = random.Random(seed)
    return [chance.randint(1, blocks) for _ in range(accesses)]


def mixed(blocks: int, accesses: int, noise: float, seed: int = 1) -> list[int]:
    """Repeating, and with the chance of ``noise`` another block in between."""
    chance = random.Random(seed)
    return [chance.randint(1, blocks) if chance.random() < noise else block for block in repeating(blocks, accesses)]


def recorded(recordings: Path) -> dict[str, list[int]]:
    """What a controller would read that keeps a block per state of a machine: band of temperature x band of load.

    One access for each change of state in a recorded time series, in the order in which the machine went through them.
    """
    found = {}
    for name, rows in traces(recordings).items():
        states = [(int(row.package_c / BAND_C), int(row.load * 10)) for row in rows]
        numbers = {state: number for number, state in enumerate(dict.fromkeys(states), 1)}
        found[name] = [numbers[state] for state, before in zip(states[1:], states, strict=False) if state != before]
    return found
