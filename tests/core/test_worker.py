"""The thread that ticks, while many ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gamesad.control import Control
from tests.core.test_waking_card import Daemon
from tests.support.machines import tree


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tree(tmp_path, {}))
    yield made
    made.collector.close()


def test_who_asks_without_end_holds_up_no_tick(daemon: Daemon) -> None:
    """A month of history of one sensor costs 20 ms, and anybody may ask for it again before it is answered."""
    worker, loop, ticks_s = daemon.worker, asyncio.new_event_loop(), [daemon.now_s]

    def ask(_: Control) -> None:
        daemon.now_s += 0.02
        ticked_s = worker.moment.tick.snapshot.monotonic_s
        if ticked_s != ticks_s[-1]:
            ticks_s.append(ticked_s)
        if daemon.now_s > ticks_s[0] + 20.0:
            worker.stop()
        else:
            worker.submit(ask, loop.create_future(), ticks=False)

    worker.submit(ask, loop.create_future(), ticks=False)
    worker.run()
    loop.close()
    assert len(ticks_s) >= 10
    assert max(after - before for before, after in pairwise(ticks_s)) < 2.1
