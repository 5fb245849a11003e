"""Times and values for a history."""

from __future__ import annotations

import math
import random

from tests.crystal.histories import COLUMNS, START_US

SECOND_US = 1_000_000


class Steps:
    """Times and values as a daemon has them: 0.2 to 2 s apart, suspended, the clock set back and forth.

    A sensor is there or not for ``absent_s`` at a time.
    """

    def __init__(self, seed: int, absent_s: int = 300) -> None:
        self.random = random.Random(seed)
        self.absent_us = absent_s * SECOND_US
        self.wall_us = START_US + self.random.randrange(600 * SECOND_US)

    def next(self) -> tuple[int, list[float]]:
        kind = self.random.random()
        if kind < 0.9:
            self.wall_us += self.random.choice((200_000, 250_000, 500_000, 1_000_000, 1_000_000, 2_000_000))
        elif kind < 0.96:
            self.wall_us += self.random.randrange(3 * 3600 * SECOND_US)
        else:
            self.wall_us -= self.random.randrange(self.random.choice((3, 20, 400, 7200)) * SECOND_US)
        return self.wall_us, [self._value(column) for column in range(COLUMNS)]

    def _value(self, column: int) -> float:
        if hash((self.wall_us // self.absent_us, column)) % 5 == 0:
            return math.nan
        return self.random.choice((self.random.uniform(20, 90), self.random.uniform(-1e9, 5e9), 45.0))
