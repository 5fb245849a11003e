"""The must goals of the anomaly benchmark hold on the recorded series: the charts alone, one threshold for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import nab


@pytest.fixture(scope="module")
def found(recordings: Path) -> dict[float, tuple[int, int]]:
    every = nab.series(recordings)
    scores = nab.scored(every)
    total = sum(len(one.windows) for one in every)
    given = {rate: nab.at_rate(every, scores, rate)[1] for rate in (0.05, 0.1, 0.25)}
    return {rate: (sum(hits for hits, _ in counts.values()), total) for rate, counts in given.items()}


@pytest.mark.parametrize(("rate", "share"), [(0.05, 0.55), (0.1, 0.6), (0.25, 0.75)])
def test_enough_windows_are_found_at_this_rate_of_false_alarms(
    found: dict[float, tuple[int, int]], rate: float, share: float
) -> None:
    hits, total = found[rate]
    assert hits >= share * total, f"{hits} of {total}"
