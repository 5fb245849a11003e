"""What Crystal Core keeps over kills, stops, reboots, compactions and a segment that is removed."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gamesad.crystal import core
from gamesad.crystal.history.library import Library
from gamesad.crystal.store import LEARNT
from gamesad.types import Action, Decision, Origin
from tests.crystal.hosted import ALERT, SMALL, Hosted, disown, until
from tests.support import ticks
from tests.support.published import READINGS, SENSORS, heat, moment, record


def learnt_at(moment_: int) -> dict[str, bytes]:
    return {owner: f"{owner} {moment_}".encode() * (1 + moment_ % 3) for owner in LEARNT}


def test_what_is_learnt_is_there_for_the_next_one_after_a_kill(
    place: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "LEARNT_S", 0.0)
    monkeypatch.setattr(core, "_START_S", 0.0)
    asked = []
    hosted.host._learnt = lambda: asked.append(1) or learnt_at(len(asked))  # type: ignore[func-returns-value]
    hosted.tick(seconds=5)
    assert len(asked) == 5
    with hosted.read() as crystal:
        found = {block.owner: crystal.read(block.id) for block in crystal.blocks()}
    assert found == learnt_at(5), "one block for each, and no others"
    after = hosted.killed(place)
    assert after.host.kept() == ()
    after.tick()
    assert after.host.kept() == [learnt_at(5), learnt_at(5)]
    after.host.close(clean=True)
    again = Hosted(place)
    again.tick()
    assert again.host.kept() == [], "a clean stop leaves nothing: it is on disk"
    again.host.close(clean=True)


def test_wherever_the_writer_is_killed_what_is_learnt_is_of_one_moment(place: Path, hosted: Hosted) -> None:
    """Before each allocation, write and free of a rewrite."""
    hosted.tick()
    store, pool = hosted.core.store, hosted.core.store._pool
    store.keep_learnt(learnt_at(1))
    copies: list[Path] = []

    def copied(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **named: Any) -> Any:
            copies.append(place / str(len(copies)))
            copies[-1].mkdir()
            shutil.copy(hosted.path, copies[-1])
            return act(*arguments, **named)

        return acting

    with pytest.MonkeyPatch.context() as patch:
        for name in ("allocate", "write", "free"):
            patch.setattr(pool, name, copied(getattr(pool, name)))
        store.keep_learnt(learnt_at(2))
    assert len(copies) == 3 * len(LEARNT)
    for copy in copies:
        disown(copy / "segment")
        after = Hosted(copy)
        after.tick()
        candidates = after.host.kept()
        after.host.close(clean=True)
        assert any(one in (learnt_at(1), learnt_at(2)) for one in candidates), copy.name
    assert store.learnt()[0] == learnt_at(2)


def test_where_there_is_no_room_what_was_learnt_before_stays(hosted: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    hosted.tick()
    store = hosted.core.store
    store.keep_learnt(learnt_at(1))
    for _ in range(2):
        store.keep_learnt({**learnt_at(2), LEARNT[-1]: bytes(9 << 20)})
    assert store.learnt()[0] == learnt_at(1)
    assert [
        text for text in caplog.messages if "what is learnt is not in the shared memory" in text
    ] == caplog.messages[-1:]
    store.keep_learnt(learnt_at(3))
    assert store.learnt()[0] == learnt_at(3)


def test_more_sensors_than_columns_make_a_larger_segment_that_keeps_everything(hosted: Hosted) -> None:
    hosted.tick(seconds=20)
    with hosted.read() as crystal:
        generation = crystal.generation
        more = {**SENSORS, **{f"hwmon.new{number}": heat(f"hwmon.new{number}") for number in range(60)}}
        hosted.tick(seconds=3, readings={**READINGS, "hwmon.new59": 33.0}, sensors=more)
        assert crystal.latest().values["hwmon.new59"] == 33.0
        assert crystal.generation > generation
        assert len(crystal.history(ticks.CPU)) >= 20
        assert [column.name for column in crystal.directory().columns][:2] == [ticks.CPU, ticks.DISK]
    assert hosted.told == ["on"]
    hosted.tick(seconds=20, sensors=more)
    assert hosted.flights() == []  # nothing crashed


def test_history_and_decisions_survive_a_kill_and_the_crash_is_recorded(hosted: Hosted, place: Path) -> None:
    decision = Decision(Action.THROTTLE, {"a": 1}, Origin.RULE, "warm")
    for second in range(30):
        hosted.now_s += 1.0
        one = moment({**READINGS, ticks.CPU: 50.0 + second}, now_s=hosted.now_s, decision=decision)
        hosted.host.publish(replace(one, record=record(one)), record(one) if second == 20 else None, ())
        hosted.host.maintain()
    after = hosted.killed(place)
    after.tick(seconds=7)
    with after.read() as crystal:
        kept = [mean for _, _, mean, _ in crystal.history(ticks.CPU)]
        assert set(kept) >= {50.0 + second for second in range(30)}
        assert crystal.latest().decision_number == 1
        assert [entry.text["Reason"] for entry in crystal.decisions(9)] == ["warm"]
    [flight] = after.flights()
    assert flight["Reason"] == "crash"
    assert flight["Text"].startswith("gamesad (process 4194305) ended")
    assert [row[1] for row in flight["Rows"]] == [75.0, 76.0, 77.0, 78.0, 79.0, *[61.25] * 6]
    assert flight["Decisions"][0]["Reason"] == "warm"
    after.host.close(clean=True)


def test_a_sensor_that_is_not_there_after_a_kill_keeps_its_history(hosted: Hosted, place: Path) -> None:
    hosted.tick(seconds=10)
    after = hosted.killed(place)
    less = {ticks.CPU: SENSORS[ticks.CPU]}
    after.tick(readings={ticks.CPU: 40.0}, sensors=less)
    with after.read() as crystal:
        assert len(crystal.history(ticks.DISK)) == 10
        assert ticks.DISK not in crystal.latest().states
    after.host.close(clean=True)


def test_a_compaction_is_done_between_ticks_and_everything_is_there_afterwards(hosted: Hosted) -> None:
    hosted.tick(ALERT)
    hosted.tick(seconds=30)
    before, flights = hosted.host.statistics(), hosted.flights()
    outcome: list[str] = []
    with hosted.read() as crystal:
        history = crystal.history(ticks.CPU)
        hosted.host.compact(outcome.append)
        until(lambda: outcome, hosted)
        assert outcome == [""]
        hosted.tick()
        assert crystal.latest().monotonic_ns == hosted.now_s * 1e9
        assert crystal.generation == before["generation"] + 1
        assert crystal.history(ticks.CPU)[: len(history)] == history
    assert hosted.flights() == flights
    assert hosted.host.statistics()["generation"] == before["generation"] + 1
    hosted.tick(ALERT)
    hosted.tick(seconds=30)
    assert len(hosted.flights()) == len(flights) + 1


def test_a_segment_that_somebody_removes_is_written_anew_with_all_that_was_in_it(hosted: Hosted) -> None:
    hosted.tick(ALERT)
    hosted.tick(seconds=20)
    flights = hosted.flights()
    with hosted.read() as crystal:
        history = crystal.history(ticks.CPU)
        os.unlink(hosted.path)
        hosted.core._look_s = 0.0
        until(lambda: os.path.exists(hosted.path), hosted)
        hosted.tick()
        assert crystal.latest().monotonic_ns == hosted.now_s * 1e9
        assert crystal.history(ticks.CPU)[: len(history)] == history
    assert hosted.flights() == flights


def test_a_compaction_needs_no_thread(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    hosted.tick()
    monkeypatch.setattr(threading.Thread, "start", refused)
    said: list[str] = []
    hosted.host.compact(said.append)
    until(lambda: said, hosted)
    assert (said, hosted.told) == ([""], ["on"])


def test_a_stop_during_a_compaction_leaves_nothing(hosted: Hosted) -> None:
    hosted.tick(ALERT)
    hosted.tick(seconds=10)
    hosted.host.compact(lambda _: None)
    hosted.host.close(clean=True)
    assert os.listdir(os.path.dirname(hosted.path)) == []


def test_a_gamesad_that_fails_leaves_its_segment_for_the_next(hosted: Hosted) -> None:
    hosted.tick(seconds=3)
    hosted.host.close(clean=False)
    with hosted.read() as crystal:
        assert len(crystal.history(ticks.CPU)) == 3


def test_over_a_reboot_the_slow_history_and_the_decisions_come_back_from_the_disk(place: Path) -> None:
    settings = replace(SMALL, middle_every_s=5, slow_every_s=60)
    before = Hosted(place, settings, history_dir=f"{place}/history")
    before.tick(seconds=300)
    before.decide("warm")
    before.host.close(clean=True)
    assert os.listdir(place) == ["history"]
    after = Hosted(place, settings, history_dir=f"{place}/history")
    after.now_s = 400.0
    after.tick(readings={ticks.CPU: 40.0}, sensors={ticks.CPU: SENSORS[ticks.CPU]})
    with after.read() as crystal:
        until(lambda: len(crystal.history(ticks.DISK)) >= 60, after)
        assert {point[1:] for point in crystal.history(ticks.DISK)} == {(40.0, 40.0, 40.0)}
        assert [entry.text["Reason"] for entry in crystal.decisions(9)] == ["warm"]
        after.host.compact(lambda _: None)
        after.decide("warmer")
        until(lambda: crystal.latest() and crystal.generation == 2, after)
    after.decide("hot")
    after.host.close(clean=True)
    last = Hosted(place, settings, history_dir=f"{place}/history")
    last.now_s = 500.0
    last.tick()
    with last.read() as crystal:
        assert {entry.text["Reason"] for entry in crystal.decisions(9)} == {"warm", "warmer", "hot"}
    last.host.close(clean=True)


def test_what_a_stop_cannot_put_on_disk_stays_in_memory_for_the_next_start(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (place / "history").write_text("in the way")
    settings = replace(SMALL, middle_every_s=5, slow_every_s=60)
    before = Hosted(place, settings, history_dir=f"{place}/history")
    before.tick(seconds=100)
    before.host.close(clean=True)
    assert "stays for the next gamesad" in caplog.text
    os.unlink(place / "history")
    after = Hosted(place, settings, history_dir=f"{place}/history")
    after.now_s = 200.0
    after.tick(seconds=20)
    with after.read() as crystal:
        assert len(crystal.history(ticks.CPU)) >= 100
    after.host.close(clean=True)
    assert os.listdir(place) == ["history"]


def test_turned_off_while_the_disk_does_not_answer_it_costs_a_tick_half_a_second_and_nothing_is_lost(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    settings = replace(SMALL, middle_every_s=5, slow_every_s=60)
    hosted = Hosted(place, settings, history_dir=f"{place}/history")
    hosted.tick(seconds=100)
    with monkeypatch.context() as silent:
        silent.setattr(Library, "write", lambda *_: ([], OSError(5, "late")) if answers.wait(60.0) else None)
        began_s = time.monotonic()
        hosted.host.configure(replace(settings, enabled=False))
        took_s = time.monotonic() - began_s
        answers.set()
    assert 0.4 < took_s < 1.5
    hosted.host.configure(settings)
    hosted.tick()
    with hosted.read() as crystal:
        assert len(crystal.history(ticks.CPU)) >= 100
    hosted.host.close(clean=True)
    assert os.listdir(place) == ["history"]
