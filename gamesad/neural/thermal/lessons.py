"""What was forecast from, once it is known what came: the newest lessons, and the last ten minutes to draw from."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, within
from gamesad.neural.thermal.window import INPUTS, LONGEST, STEPS, Window

WIDTH = INPUTS + 1 + STEPS
"""A lesson: the inputs, a one, and the targets, (reading so many seconds later - reading) ÷ scale."""
STORED = 600
NEWEST = 2 * STEPS
_TARGET_MOST = 50.0
_TURN = (5**0.5 - 1) / 2


class Lessons(Kept):
    """Only whole windows become lessons: usable inputs, and all five readings after them known."""

    KEPT: ClassVar = ("store", "count", "newest", "valid", "_inputs", "_scale", "_usable", "_phase")
    SHARED: ClassVar = frozenset(("store",))
    WATCHED: ClassVar = ("newest",)

    def __init__(self, phases: Array) -> None:
        """``phases`` (sensors,), 0..1: where each sensor's drawing begins."""
        sensors = len(phases)
        self.store = np.zeros((sensors, STORED, WIDTH), np.float32)
        self.count = np.zeros(sensors, np.int64)
        self.newest: Array = np.zeros((sensors, NEWEST, WIDTH))
        """The lessons of the last ``NEWEST`` seconds, in no order; ``valid`` (sensors, NEWEST) says which there are."""
        self.valid = np.zeros((sensors, NEWEST), bool)
        self._inputs = np.zeros((sensors, STEPS, INPUTS))
        self._scale = np.ones((sensors, STEPS))
        self._usable = np.zeros((sensors, STEPS), bool)
        self._phase = phases.copy()
        self._first = np.arange(sensors, dtype=np.int64) * STORED
        self.fresh: NDArray[np.bool_] = np.zeros(sensors, bool)
        """Those with a lesson in this second."""

    def learn(self, tick: int, window: Window) -> None:
        """Makes the lesson of ``STEPS`` seconds ago, and keeps what the next one in its place will need."""
        slot = tick % STEPS
        came = window.readings[:, LONGEST - STEPS - 1 :]
        self.fresh = fresh = self._usable[:, slot] & window.whole
        lesson = self.newest[:, tick % NEWEST]
        lesson[:, :INPUTS] = self._inputs[:, slot]
        lesson[:, INPUTS] = 1.0
        target = (came[:, 1:] - came[:, :1]) / self._scale[:, slot, None]
        within(target, -_TARGET_MOST, _TARGET_MOST, out=lesson[:, INPUTS + 1 :])
        np.copyto(lesson, 0.0, where=~fresh[:, None])
        self.valid[:, tick % NEWEST] = fresh
        rows = fresh.nonzero()[0]
        self.store[rows, self.count[rows] % STORED] = lesson[rows]
        self.count += fresh
        self._inputs[:, slot] = window.inputs
        self._scale[:, slot] = window.scale
        self._usable[:, slot] = window.usable

    def draw(self, tick: int, into: NDArray[np.float32]) -> None:
        """Fills (sensors, 1 + batch, WIDTH): the newest lesson twice (the first place is the caller's), then draws.

        Draws follow the golden ratio's sequence, which covers the store evenly and needs no state.
        """
        more = into.shape[1] - 2
        places = np.empty((len(into), more + 2), np.int64)
        places[:, :2] = ((self.count - 1) % STORED)[:, None]
        turns = (self._phase[:, None] + (tick * more + np.arange(more)) * _TURN) % 1.0
        np.multiply(turns, np.minimum(self.count, STORED)[:, None], out=turns)
        places[:, 2:] = turns
        places += self._first[:, None]
        self.store.reshape(-1, WIDTH).take(places.ravel(), axis=0, out=into.reshape(-1, WIDTH), mode="clip")
