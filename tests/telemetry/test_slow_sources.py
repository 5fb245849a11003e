"""Sources that are slow or hang: off the tick, and back when they were slow by accident only."""

from __future__ import annotations

import threading
import time

import pytest

from gamesad.hardware.sysfs import Sysfs
from gamesad.telemetry import collector as collector_module
from gamesad.telemetry.collector import Collector
from tests.support.collecting import FakeSource, collecting, until

TOO_SLOW_S, FAR_TOO_SLOW_S = 0.2, 0.6


def test_a_source_that_hangs_in_its_first_read_delays_neither_start_nor_tick_nor_end() -> None:
    hung, quick = FakeSource("hung"), FakeSource("quick")
    hung.block.clear()
    started_s = time.monotonic()
    collector = Collector(Sysfs("/nonexistent"), [lambda _sysfs: [hung, quick]])
    start_s = time.monotonic() - started_s
    snapshot = collector.sample(time.monotonic())
    tick_s = time.monotonic() - started_s - start_s
    collector.close()
    end_s = time.monotonic() - started_s - start_s - tick_s
    hung.block.set()
    assert snapshot.readings == {"quick": 1.0}
    assert snapshot.absent["hung"].cause == "unread"
    assert start_s < 1.0
    assert tick_s < 0.1
    assert end_s < 1.0
    until(lambda: hung.closed)  # by its own thread, once the kernel lets go


def test_what_a_hung_source_answers_at_last_is_delivered() -> None:
    hung = FakeSource("hung")
    hung.block.clear()
    with collecting(hung) as collector:
        assert "hung" in collector.sample(time.monotonic()).absent
        hung.block.set()
        until(lambda: "hung" in collector.sample(time.monotonic()).readings)
        assert collector.sample(time.monotonic()).ages_s["hung"] < 1.0


def test_a_source_known_to_block_is_never_read_on_the_tick_and_has_a_value_at_once() -> None:
    slow = FakeSource("slow", slow=True)
    with collecting(slow) as collector:
        snapshot = collector.sample(time.monotonic())
        until(lambda: slow.reads > 30)
        collector.sample(time.monotonic())
    assert snapshot.readings["slow"] >= 1.0
    assert slow.threads == {"gamesad slow"}


def test_a_source_over_its_budget_twice_leaves_the_tick() -> None:
    source = FakeSource("dull")
    with collecting(source) as collector:
        collector.sample(1.0)
        source.delay_s = TOO_SLOW_S
        source.threads.clear()
        collector.sample(2.0)
        collector.sample(3.0)
        until(lambda: "gamesad dull" in source.threads)
        source.threads.clear()
        assert "dull" in collector.sample(4.0).ages_s
        assert threading.current_thread().name not in source.threads


def test_one_slow_read_is_forgiven_and_one_far_too_slow_is_not() -> None:
    once, far = FakeSource("once"), FakeSource("far")
    with collecting(once, far) as collector:
        collector.sample(1.0)
        once.delay_s, far.delay_s = TOO_SLOW_S, FAR_TOO_SLOW_S
        collector.sample(2.0)
        once.delay_s = 0.0
        later = collector.sample(3.0)
    assert later.readings.keys() == {"once", "far"}
    assert set(later.ages_s) == {"far"}


def _stays_off_the_tick(source: FakeSource, collector: Collector, reads: int) -> bool:
    enough = source.reads + reads
    until(lambda: source.reads > enough)
    ages_s = []
    for _ in range(5):
        ages_s.append(collector.sample(9.0).ages_s)
        time.sleep(0.03)
    return all(source.name in ages for ages in ages_s)


def test_a_source_that_was_slow_by_accident_comes_back_and_later_the_next_time() -> None:
    source = FakeSource("tired")
    with collecting(source) as collector:
        collector.sample(1.0)
        source.delay_s = FAR_TOO_SLOW_S
        collector.sample(2.0)
        source.delay_s = 0.0
        until(lambda: collector.sample(3.0, everything=False).ages_s == {})
        assert "tired" in collector.sample(3.0, everything=False).readings
        source.delay_s = FAR_TOO_SLOW_S
        collector.sample(4.0)
        source.delay_s = 0.0
        assert _stays_off_the_tick(source, collector, reads=30)


def test_a_source_that_hung_never_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector_module, "HANG_S", FAR_TOO_SLOW_S - 0.1)
    source = FakeSource("hung once")
    with collecting(source) as collector:
        collector.sample(1.0)
        source.delay_s = FAR_TOO_SLOW_S
        collector.sample(2.0)
        source.delay_s = 0.0
        assert _stays_off_the_tick(source, collector, reads=30)
