"""Days of ticks in which everything goes wrong that can: no number that is none, and no growth of memory.

A quick day is ten minutes and four of them are run; with --full there are thirty of real length. Of each day a third is
busy, ticked every second, and the rest quiet, ticked every two.
"""

from __future__ import annotations

import gc
import math
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gamesad.messages import Message
from tests.neural.feeding import CARD, CPU, SENSORS, WITH_CARD, Fed, fed, finite, readings
from tests.neural.poison import poison

ABSURD = (math.nan, math.inf, -math.inf, 1e300, -1e300, 216.0, -44.0, 0.0)
PAGE_B = os.sysconf("SC_PAGE_SIZE")


def resident_b() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_B


def ticks(day_s: int, begins_s: int) -> Iterator[tuple[float, bool]]:
    """When, and whether it is busy: half-second ticks for a while, seconds, and then two apart."""
    for half in range(day_s // 10):
        yield begins_s + half / 2, True
    for second in range(day_s // 20, day_s // 3):
        yield float(begins_s + second), True
    for second in range(day_s // 3, day_s, 2):
        yield float(begins_s + second), False


class Days:
    """What goes wrong, by chance with a seed, a few times in every part of a day; and a restart at its end."""

    def __init__(self, folder: Path, day_s: int) -> None:
        self.chance = random.Random(7)
        self.folder, self.day_s, self.begins_s = folder, day_s, 0
        self.poisoned = self.forecasts = 0
        self.one = self.start()

    def start(self) -> Fed:
        return fed(folder=str(self.folder))

    def day(self) -> None:
        wall_ahead_s, rate = 1e9, 20 / self.day_s
        for at_s, busy in ticks(self.day_s, self.begins_s):
            values = readings(at_s)
            if self.chance.random() < rate:
                values[self.chance.choice([*values])] = self.chance.choice(ABSURD)
            if self.chance.random() < rate:
                del values[self.chance.choice([*values])]
            if self.chance.random() < rate / 2:
                self.one.sensors = self.chance.choice((SENSORS, WITH_CARD, {CARD: WITH_CARD[CARD]}, {}))
            if self.chance.random() < rate / 4:
                wall_ahead_s += self.chance.choice((-86400.0, 3600.0, 1e8))
            if self.chance.random() < rate / 4:
                self.one.learner.interrupt()
            if busy and self.chance.random() < rate / 2:
                self.poisoned += 1
                poison(self.chance.choice(self.one.learner.wards).model)
            forecast = self.one.tick(at_s, values, wall_s=wall_ahead_s + at_s)
            self.forecasts += forecast is not None
            assert finite(forecast)
            if busy and at_s == int(at_s) and self.one.sensors:  # all were used, but for those left alone for a while
                assert all(ward.model.sound() for ward in self.one.learner.wards if not ward._rest_s)
        self.begins_s += self.day_s
        self.one.sensors = SENSORS

    def restart(self, *, damage: bool) -> None:
        self.one.learner.close()
        path = self.folder / "models.npz"
        if damage:
            path.write_bytes(path.read_bytes()[:-100])
        self.one = self.start()
        self.one.tick(float(self.begins_s))
        assert (Message.MODELS_SET_ASIDE in {found.message for found in self.one.found}) is damage


def lived(folder: Path, days: int, day_s: int, allowed_b: int) -> Days:
    life = Days(folder, day_s)
    settled_b = 0
    for number in range(days):
        life.day()
        life.restart(damage=number % 5 == 1)
        if number == days // 4:
            settled_b = resident_b()
    assert resident_b() - settled_b < allowed_b
    assert life.poisoned > days
    assert life.forecasts > days * day_s // 5
    status = life.one.learner.status()
    assert np.isfinite([row["Samples"] for row in status["Forecast"]["Sensors"]]).all()
    assert any(row["Sensor"] == CPU for row in status["Forecast"]["Sensors"])
    return life


def test_days_with_every_fault_end_as_they_began(tmp_path: Path) -> None:
    lived(tmp_path, days=4, day_s=600, allowed_b=6 << 20)


@pytest.mark.full
def test_a_month_with_every_fault_ends_as_it_began(tmp_path: Path) -> None:
    lived(tmp_path, days=30, day_s=86400, allowed_b=12 << 20)
