"""What was forecast from, once it is known what came: the newest lessons, and the last ten minutes to draw from."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array
from gamesad.neural.thermal.kept import Kept, span, where, within
from gamesad.neural.thermal.window import INPUTS, READING, STEPS, WORTH, Window

Floats = NDArray[np.float32]
WIDTH = INPUTS + 1 + STEPS
"""A lesson: the inputs, a one, and the targets, (reading so many seconds later - reading) ÷ scale; or only zeros."""
STORED = 600
NEWEST = 6
_TARGETS = span(-50.0, 50.0)
_TURN = (5**0.5 - 1) / 2
_TURNS = np.arange(STORED) * _TURN
_STORED, _ONE = np.array(STORED), np.array(1)
_ZERO = np.array(0.0, np.float32)


class Lessons(Kept):
    """Only whole windows become lessons: usable inputs, and all five readings after them known."""

    KEPT: ClassVar = ("store", "count", "newest", "_held", "_phase")
    SHARED: ClassVar = frozenset(("store",))
    WATCHED: ClassVar = ("newest",)

    def __init__(self, phases: Array) -> None:
        """``phases`` (sensors,), 0..1: where each sensor's drawing begins."""
        sensors = len(phases)
        self.store = np.zeros((sensors, STORED, WIDTH), np.float32)
        self.count = np.zeros(sensors, np.int64)
        self.newest: Floats = np.zeros((sensors, NEWEST, WIDTH), np.float32)
        """The lessons of the last ``NEWEST`` seconds, in no order."""
        self._held = np.zeros((sensors, STEPS, INPUTS + 1), np.float32)
        """The inputs of the last seconds, and 1 where they were usable."""
        self._phase = phases.copy()
        self._first = np.arange(sensors, dtype=np.int64) * STORED
        self.fresh: NDArray[np.bool_] = np.zeros(sensors, bool)
        """Those with a lesson in this second."""

    def learn(self, tick: int, window: Window) -> None:
        """Makes the lesson of ``STEPS`` seconds ago, and keeps what the next one in its place will need."""
        held, lesson = self._held[:, tick % STEPS], self.newest[:, tick % NEWEST]
        came, then = window.history[-STEPS:, READING], window.history[-STEPS - 1]
        lesson[:, : INPUTS + 1] = held
        target = (came - then[READING]) * then[WORTH]
        lesson[:, INPUTS + 1 :] = within(target, *_TARGETS, out=target).T
        self.fresh = fresh = (held[:, INPUTS] > _ZERO) & window.whole
        if where(fresh) is not True:
            lesson[~fresh] = 0.0
        # where there is no lesson, the next one's place has zeros until then
        self.store.reshape(-1, WIDTH)[self._first + self.count % _STORED] = lesson
        self.count += fresh
        held[:, :INPUTS] = window.inputs.T
        held[:, INPUTS] = window.usable

    def draw(self, tick: int, into: Floats) -> None:
        """Fills (sensors, 1 + batch, WIDTH): the newest lesson twice (the first place is the caller's), then draws.

        Draws follow the golden ratio's sequence, which covers the store evenly and needs no state.
        """
        more = into.shape[1] - 2
        turns = self._phase[:, None] + (_TURNS[:more] + tick * more * _TURN % 1.0)
        turns -= np.floor(turns)
        turns *= np.minimum(self.count, _STORED)[:, None]
        places = np.empty((len(into), more + 2), np.int64)
        places[:, :2] = ((self.count - _ONE) % _STORED)[:, None]
        places[:, 2:] = turns
        places += self._first[:, None]
        self.store.reshape(-1, WIDTH).take(places.ravel(), axis=0, out=into.reshape(-1, WIDTH), mode="clip")
