"""What is odd now and was lately: one episode at a time for each part of the machine, with its begin and its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gamesad.neural.model import Array, Arrays, Unusable

_AGAIN = 2
_OVER, _ENOUGH = 12, 0.7
"""So many looks in a row begin an episode; so many under this part of its threshold end it."""
_KEPT = 20


@dataclass(frozen=True, slots=True)
class Episode:
    """From ``began_s`` to ``ended_s`` (None: not over) of the wall clock. ``score`` is the highest so far, −log10 of a
    probability; ``threshold`` the one that it passed."""

    sensor: str
    label: str
    began_s: float
    ended_s: float | None
    score: float
    threshold: float
    sentence: str

    def plain(self) -> dict[str, Any]:
        """For people and the bus; what is not over has no Until."""
        named = {
            "Sensor": self.sensor,
            "Label": self.label,
            "Sentence": self.sentence,
            "Score": round(self.score, 2),
            "Threshold": round(self.threshold, 2),
            "Since": self.began_s,
        }
        return named if self.ended_s is None else {**named, "Until": self.ended_s}


@dataclass(slots=True)
class _Open:
    episode: Episode
    looks: int = 0
    calm: int = 0


@dataclass(slots=True)
class Episodes:
    """``recent``: those that are over, the last 20. Parts are numbers."""

    recent: deque[Episode] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _open: dict[int, _Open] = field(default_factory=dict)
    _above: dict[int, int] = field(default_factory=dict)

    @property
    def active(self) -> list[Episode]:
        return [one.episode for one in self._open.values()]

    def younger(self, looks: int) -> list[int]:
        """The parts whose episode is not older than that."""
        return [part for part, one in self._open.items() if one.looks < looks]

    def look(
        self, by_part: Array, threshold: Callable[[], float], wall_s: float
    ) -> tuple[dict[int, Episode], list[int]]:
        """The highest score of each part now → what is over by its part, and the parts where something begins."""
        ended = {}
        for part, one in list(self._open.items()):
            score = float(by_part[part])
            one.looks += 1
            one.calm = one.calm + 1 if score < _ENOUGH * one.episode.threshold else 0
            one.episode = replace(one.episode, score=max(score, one.episode.score))
            if one.calm >= _OVER:
                ended[part] = replace(self._open.pop(part).episode, ended_s=wall_s)
        self.recent.extend(ended.values())
        least = threshold()
        for part, score in enumerate(by_part.tolist()):
            high = score >= least and part not in self._open
            self._above[part] = self._above.get(part, 0) + 1 if high else 0
        return ended, [part for part, times in self._above.items() if times >= _AGAIN]

    def begin(self, part: int, episode: Episode) -> None:
        self._open[part] = _Open(episode)
        self._above[part] = 0

    def forget(self) -> None:
        """What was about to begin does not; what is open stays."""
        self._above.clear()

    def rename(self, places: Mapping[int, int], wall_s: float) -> list[Episode]:
        """Parts have other numbers, or are gone: then what was open is over."""
        ended = [replace(one.episode, ended_s=wall_s) for part, one in self._open.items() if part not in places]
        self._open = {places[part]: one for part, one in self._open.items() if part in places}
        self._above.clear()
        self.recent.extend(ended)
        return ended

    def state(self) -> dict[str, NDArray[np.generic]]:
        everything = [*((part, one.looks, one.calm, one.episode) for part, one in self._open.items())]
        everything += [(-1, 0, 0, episode) for episode in self.recent]
        words = [[one.sensor, one.label, one.sentence] for *_, one in everything]
        numbers = [
            [part, looks, calm, one.began_s, np.nan if one.ended_s is None else one.ended_s, one.score, one.threshold]
            for part, looks, calm, one in everything
        ]
        above = [*self._above.items()]
        return {
            "words": np.array(words, dtype=str).reshape(-1, 3),
            "numbers": np.array(numbers, dtype=float).reshape(-1, 7),
            "above": np.array(above, dtype=float).reshape(-1, 2),
        }

    def load(self, state: Arrays) -> None:
        """Takes up a saved state. Unusable: missing, or of another shape."""
        try:
            words, numbers, above = state["words"], np.array(state["numbers"], float), np.array(state["above"], float)
        except (KeyError, ValueError) as error:
            raise Unusable(f"episodes without usable {error}") from None
        if words.shape != (len(numbers), 3) or numbers.shape[1:] != (7,) or above.shape[1:] != (2,):
            raise Unusable("episodes of another shape")
        if not (np.isfinite(numbers[:, [0, 1, 2, 3, 5, 6]]).all() and np.isfinite(above).all()):
            raise Unusable("episodes with numbers that are not finite")
        self._open, self.recent = {}, deque(maxlen=_KEPT)
        for (sensor, label, sentence), row in zip(words.tolist(), numbers.tolist(), strict=True):
            part, looks, calm, began_s, ended_s, score, threshold = row
            over = None if np.isnan(ended_s) else ended_s
            episode = Episode(sensor, label, began_s, over, score, threshold, sentence)
            if part < 0:
                self.recent.append(episode)
            else:
                self._open[int(part)] = _Open(episode, int(looks), int(calm))
        self._above = {int(part): int(times) for part, times in above.tolist()}

    def sound(self) -> bool:
        return True
