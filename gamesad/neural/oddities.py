"""What was told of what is odd: each episode that was told to begin is told to end, once, whatever ends it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gamesad.neural.anomaly.episodes import Episode
from gamesad.neural.findings import Finding
from gamesad.neural.status import anomaly_finding


class Oddities:
    """Follows a detector that may be reset, put back or loaded at any time."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, float], Episode] = {}

    def news(self, episodes: Iterable[Episode], active: Sequence[Episode], wall_s: float) -> list[Finding]:
        """``episodes`` begin or end now, ``active`` are going on.

        What was told to begin and is neither is over: the detector has forgotten it.
        """
        told = list(episodes)
        for episode in told:
            if episode.ended_s is not None:
                self._open.pop(_key(episode), None)
        going_on = {_key(episode): episode for episode in active}
        told += [replace(one, ended_s=wall_s) for key, one in self._open.items() if key not in going_on]
        self._open = going_on
        return [anomaly_finding(episode) for episode in told]


def _key(episode: Episode) -> tuple[str, float]:
    return episode.sensor, episode.began_s
