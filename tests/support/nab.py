"""The Numenta Anomaly Benchmark's series and labelled windows (Lavin and Ahmad 2015), and what is found there."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gamesad.neural.anomaly.charts import Charts
from gamesad.neural.model import Array

APART_S = 6 * 3600.0
"""Alarms nearer to each other than this are one."""
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    times_s: Array
    values: Array
    windows: tuple[tuple[float, float], ...]

    @property
    def days(self) -> float:
        return float(self.times_s[-1] - self.times_s[0]) / DAY_S

    def alarms(self, scores: Array, threshold: float) -> tuple[int, int]:
        """Windows in which an alarm begins, and alarms that begin in none."""
        above_s = self.times_s[scores >= threshold]
        begins = above_s[np.diff(above_s, prepend=-np.inf) > APART_S]
        within = np.array([(begins >= first) & (begins <= last) for first, last in self.windows])
        within = within.reshape(len(self.windows), len(begins))
        return int(within.any(axis=1).sum()), int((~within.any(axis=0)).sum())


def series(recordings: Path) -> list[Series]:
    """Those of the recordings, by name."""
    with tarfile.open(recordings / "anomaly-NAB.tar.xz") as packed:
        files = {
            member.name: file.read().decode()
            for member in packed
            if member.isfile() and (file := packed.extractfile(member))
        }
    [labels] = [text for name, text in files.items() if name.endswith("combined_windows.json")]
    found = []
    for name, spans in json.loads(labels).items():
        [text] = [text for path, text in files.items() if path.endswith(name)]
        rows = list(csv.DictReader(io.StringIO(text)))
        times_s = np.array([_seconds(row["timestamp"]) for row in rows])
        values = np.array([float(row["value"]) for row in rows])
        windows = tuple((_seconds(first), _seconds(last)) for first, last in spans)
        found.append(Series(Path(name).stem, times_s, values, windows))
    return sorted(found, key=lambda one: one.name)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def scored(every: Sequence[Series]) -> list[Array]:
    """What the detector's charts say of each value, prequentially; 0 where they say nothing."""
    longest = max(len(one.values) for one in every)
    padded = np.full((longest, len(every)), np.nan)
    for column, one in enumerate(every):
        padded[: len(one.values), column] = one.values
    charts = Charts(len(every))
    scores = np.nan_to_num(np.array([charts.step(row) for row in padded]))
    return [scores[: len(one.values), column] for column, one in enumerate(every)]


def at_rate(
    every: Sequence[Series], scores: Sequence[Array], per_day: float
) -> tuple[float, Mapping[str, tuple[int, int]]]:
    """The one threshold for all that finds most at no more false alarms a day: it, and what it gives per series."""
    days = sum(one.days for one in every)
    best: tuple[tuple[int, int], float, dict[str, tuple[int, int]]] = ((-1, 0), np.inf, {})
    for threshold in np.arange(1.5, 12.0, 0.05):
        given = {one.name: one.alarms(score, threshold) for one, score in zip(every, scores, strict=True)}
        found, false = (sum(counts) for counts in zip(*given.values(), strict=True))
        if false <= per_day * days and (found, -false) > best[0]:
            best = ((found, -false), float(threshold), given)
    return best[1], best[2]
