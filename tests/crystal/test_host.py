"""Crystal Core inside the daemon: whatever goes wrong with it, ticks go on and it comes back."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gamesad.config import CrystalConfig
from gamesad.crystal import core, layout, reader
from gamesad.crystal.core import Core, Place
from gamesad.crystal.errors import CrystalFull, NotThere
from gamesad.crystal.history.history import History
from gamesad.crystal.history.library import Library
from gamesad.crystal.host import RETRY_S, Host
from gamesad.crystal.store import LEARNT
from gamesad.errors import Failed, UnknownSensor
from gamesad.events import Event
from gamesad.messages import Message
from gamesad.report import Moment
from gamesad.types import Action, Decision, Origin
from tests.support import in_memory, ticks
from tests.support.published import READINGS, SENSORS, heat, moment, record

SMALL = CrystalConfig(size_mib=8, middle_for_hours=1, slow_for_days=1, flight_before_s=5, flight_after_s=5, flights=3)
ALERT = Event(Message.ALERT, "CPU package 100.2 °C has reached its limit")


class Hosted:
    """A host whose clock is the ticks' own."""

    def __init__(self, folder: Path, settings: CrystalConfig = SMALL, *, history_dir: str = "") -> None:
        self.path = f"{folder}/segment"
        self.told: list[str] = []
        self.now_s = 0.0
        place = Place(self.path, "1.2", "a machine", simulated=True, stale_after_s=10.0, history_dir=history_dir)
        self.host = Host(place, settings, self.told.append, clock=lambda: self.now_s)

    def decide(self, reason: str) -> None:
        """One tick with a decision in it."""
        self.now_s += 1.0
        one = moment(now_s=self.now_s, decision=Decision(Action.THROTTLE, {"a": 1}, Origin.RULE, reason))
        one = replace(one, record=record(one))
        self.host.publish(one, one.record, ())
        self.host.maintain()

    def tick(self, *events: Event, seconds: int = 1, **of: Any) -> Moment:
        for _ in range(seconds):
            self.now_s += 1.0
            one = moment(now_s=self.now_s, **of)
            self.host.publish(one, None, events)
            self.host.maintain()
        return one

    def read(self) -> reader.Crystal:
        return reader.attach(self.path)

    def flights(self) -> list[dict[str, Any]]:
        with self.read() as crystal:
            return [json.loads(crystal.read(block.id)) for block in crystal.blocks() if block.owner == "flight"]

    @property
    def core(self) -> Core:
        return self.host._written

    def killed(self, folder: Path) -> Hosted:
        """The next process, after this one was killed: the file says that another process wrote it."""
        self.core.history.flush()
        disown(self.path)
        after = Hosted(folder)
        after.now_s = self.now_s
        return after


def disown(path: str | Path) -> None:
    """As if another process had written the segment."""
    with open(path, "r+b") as file:
        file.seek(layout.PID_AT)
        file.write((2**22 + 1).to_bytes(4, "little"))  # no process has that number: pid_max is at most 2^22


@pytest.fixture
def folder() -> Iterator[Path]:
    with in_memory.folder() as made:
        yield made


@pytest.fixture
def hosted(folder: Path) -> Iterator[Hosted]:
    made = Hosted(folder)
    yield made
    made.host.close(clean=True)


def test_it_is_on_from_the_first_tick_and_gone_after_a_clean_stop(hosted: Hosted) -> None:
    hosted.tick()
    assert hosted.told == ["on"]
    with hosted.read() as crystal:
        assert crystal.latest().values[ticks.CPU] == 61.25
        assert crystal.stale_since_s is None
        hosted.host.close(clean=True)
        with pytest.raises(NotThere):
            crystal.latest()
    assert not os.path.exists(hosted.path)


def learnt_at(moment_: int) -> dict[str, bytes]:
    return {owner: f"{owner} {moment_}".encode() * (1 + moment_ % 3) for owner in LEARNT}


def test_what_is_learnt_is_there_for_the_next_one_after_a_kill(
    folder: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
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
    after = hosted.killed(folder)
    assert after.host.kept() == ()
    after.tick()
    assert after.host.kept() == [learnt_at(5), learnt_at(5)]
    after.host.close(clean=True)
    again = Hosted(folder)
    again.tick()
    assert again.host.kept() == [], "a clean stop leaves nothing: it is on disk"
    again.host.close(clean=True)


def test_wherever_the_writer_is_killed_what_is_learnt_is_of_one_moment(folder: Path, hosted: Hosted) -> None:
    """Before each allocation, write and free of a rewrite."""
    hosted.tick()
    store, pool = hosted.core.store, hosted.core.store._pool
    store.keep_learnt(learnt_at(1))
    copies: list[Path] = []

    def copied(act: Callable[..., Any]) -> Callable[..., Any]:
        def acting(*arguments: Any, **named: Any) -> Any:
            copies.append(folder / str(len(copies)))
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


def test_the_same_tick_told_twice_is_published_once(hosted: Hosted) -> None:
    one = hosted.tick()
    before = Path(hosted.path).read_bytes()
    hosted.host.publish(one, None, [Event(Message.CONFIG_RELOADED, "read again")])
    assert Path(hosted.path).read_bytes() == before
    hosted.tick()
    assert Path(hosted.path).read_bytes() != before


def test_without_a_folder_it_says_so_once_and_comes_when_there_is_one(tmp_path: Path) -> None:
    hosted = Hosted(tmp_path / "missing")
    hosted.tick(seconds=30)
    assert len(hosted.told) == 1
    assert hosted.told[0].startswith(f"{hosted.path}.new cannot be made")
    (tmp_path / "missing").mkdir()
    hosted.tick()
    assert len(hosted.told) == 1
    hosted.tick(seconds=int(RETRY_S))
    assert hosted.told[1:] == ["on"]
    hosted.host.close(clean=True)


def test_history_that_has_no_room_is_told_once_and_again_when_it_has(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: History) -> None:
        raise CrystalFull("no room")

    caplog.set_level("INFO", "gamesad")
    with monkeypatch.context() as refusing:
        refusing.setattr(History, "grow", full)
        hosted.tick()
        for _ in range(3):
            hosted.core._grow_s = min(hosted.core._grow_s, 1e-9)  # a minute later
            hosted.tick()
    assert [one.message for one in caplog.records] == ["history goes back 10 minutes only: no room"]
    hosted.core._grow_s = 1e-9
    hosted.tick(seconds=2)
    assert [one.message for one in caplog.records[1:]] == ["there is room again for all of the history"]


def test_a_bug_in_it_ends_nothing_and_is_told(hosted: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    hosted.tick()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    hosted.core.publisher.publish = broken  # type: ignore[method-assign]
    hosted.tick(seconds=5)
    assert hosted.told == ["on", "it failed, the journal says how; gamesad works without it"]
    assert "ZeroDivisionError" in caplog.text
    with pytest.raises(Failed, match="no shared memory to ask: it failed"):
        hosted.host.statistics()
    hosted.tick(seconds=int(RETRY_S))
    assert hosted.told[2:] == ["on"]


def test_a_start_that_fails_leaves_no_segment_behind(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("gamesad.crystal.core.Publisher", broken)
        hosted.tick()
    assert hosted.told == ["[Errno 5] Input/output error"]
    assert os.listdir(os.path.dirname(hosted.path)) == []
    hosted.tick(seconds=int(RETRY_S))
    assert hosted.told[1:] == ["on"]
    hosted.tick(seconds=20)
    assert hosted.flights() == []


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


def test_history_and_decisions_survive_a_kill_and_the_crash_is_recorded(hosted: Hosted, folder: Path) -> None:
    decision = Decision(Action.THROTTLE, {"a": 1}, Origin.RULE, "warm")
    for second in range(30):
        hosted.now_s += 1.0
        one = moment({**READINGS, ticks.CPU: 50.0 + second}, now_s=hosted.now_s, decision=decision)
        hosted.host.publish(replace(one, record=record(one)), record(one) if second == 20 else None, ())
        hosted.host.maintain()
    after = hosted.killed(folder)
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


def test_a_sensor_that_is_not_there_after_a_kill_keeps_its_history(hosted: Hosted, folder: Path) -> None:
    hosted.tick(seconds=10)
    after = hosted.killed(folder)
    less = {ticks.CPU: SENSORS[ticks.CPU]}
    after.tick(readings={ticks.CPU: 40.0}, sensors=less)
    with after.read() as crystal:
        assert len(crystal.history(ticks.DISK)) == 10
        assert ticks.DISK not in crystal.latest().states
    after.host.close(clean=True)


def test_flight_recordings_are_blocks_of_which_the_oldest_go(hosted: Hosted, folder: Path) -> None:
    for _ in range(5):
        hosted.tick(ALERT)
        hosted.tick(seconds=40)
    assert [flight["Began"] for flight in hosted.flights()] == [1083.0, 1124.0, 1165.0]
    after = hosted.killed(folder)
    after.tick()
    assert [flight["Began"] for flight in after.flights()] == [1083.0, 1124.0, 1165.0]
    after.host.close(clean=True)


def test_with_no_room_for_another_recording_the_oldest_goes(folder: Path) -> None:
    hosted = Hosted(folder, replace(SMALL, size_mib=1, flights=200, flight_before_s=60, flight_after_s=60))
    many = {f"hwmon.{number}": heat(f"hwmon.{number}") for number in range(200)}
    readings = {name: 40.125 + number for number, name in enumerate(many)}
    for _ in range(8):
        hosted.tick(ALERT, readings=readings, sensors=many)
        hosted.tick(seconds=60 * 5, readings=readings, sensors=many)
    flights = hosted.flights()
    assert 2 <= len(flights) < 8
    assert hosted.told == ["on"]
    hosted.host.close(clean=True)


def test_turned_off_it_is_gone_and_turned_on_it_is_back(hosted: Hosted) -> None:
    hosted.tick()
    assert hosted.host.configure(replace(SMALL, enabled=False)) == ""
    hosted.tick()
    assert not os.path.exists(hosted.path)
    hosted.host.configure(SMALL)
    hosted.tick()
    assert os.path.exists(hosted.path)
    assert hosted.told == ["on", "off", "on"]


def test_what_a_new_configuration_cannot_change_now_is_named(hosted: Hosted) -> None:
    hosted.tick()
    said = hosted.host.configure(replace(SMALL, size_mib=16, slow_for_days=2, flights=1, promote_above=50.0))
    assert said == "crystal.size_mib, crystal.slow_for_days from the next start"
    for _ in range(2):
        hosted.tick(ALERT)
        hosted.tick(seconds=40)
    assert len(hosted.flights()) == 1


def test_history_is_answered_by_sensor(hosted: Hosted) -> None:
    hosted.tick(seconds=5)
    points = hosted.host.history(ticks.CPU, 0, 0, 100)
    assert [point[1:] for point in points] == [(61.25, 61.25, 61.25)] * 4
    assert hosted.host.history(ticks.CPU, points[2][0], 0, 100) == points[2:]
    assert len(hosted.host.history(ticks.CPU, 0, 0, 2)) == 2
    with pytest.raises(UnknownSensor, match=r"no history of 'hwmon\.nothing'"):
        hosted.host.history("hwmon.nothing", 0, 0, 100)


def test_a_compaction_is_done_between_ticks_and_everything_is_there_afterwards(hosted: Hosted) -> None:
    hosted.tick(ALERT)
    hosted.tick(seconds=30)
    before, flights = hosted.host.statistics(), hosted.flights()
    outcome: list[str] = []
    with hosted.read() as crystal:
        history = crystal.history(ticks.CPU)
        hosted.host.compact(outcome.append)
        _until(lambda: outcome, hosted)
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


def test_readers_find_the_numbers_of_a_pool_with_nothing_in_it(hosted: Hosted) -> None:
    hosted.tick()
    hosted.core._maintain_s = 0.0
    hosted.tick()
    with hosted.read() as crystal:
        found = crystal.statistics()
    assert (found["size"], found["used"], found["limit"]) == (1 << 20, 0, 8 << 20)


def test_a_plan_that_is_none_is_refused_in_one_line(hosted: Hosted) -> None:
    hosted.tick()
    with pytest.raises(Failed, match="plan: not JSON"):
        hosted.host.apply_layout("tidy up, please")


def test_a_segment_that_somebody_removes_is_written_anew_with_all_that_was_in_it(hosted: Hosted) -> None:
    hosted.tick(ALERT)
    hosted.tick(seconds=20)
    flights = hosted.flights()
    with hosted.read() as crystal:
        history = crystal.history(ticks.CPU)
        os.unlink(hosted.path)
        hosted.core._look_s = 0.0
        _until(lambda: os.path.exists(hosted.path), hosted)
        hosted.tick()
        assert crystal.latest().monotonic_ns == hosted.now_s * 1e9
        assert crystal.history(ticks.CPU)[: len(history)] == history
    assert hosted.flights() == flights


def test_what_somebody_has_put_in_its_place_is_left_there_for_a_minute(hosted: Hosted) -> None:
    hosted.tick()
    with open(f"{hosted.path}.theirs", "w") as theirs:
        theirs.write("theirs")
    os.rename(f"{hosted.path}.theirs", hosted.path)
    hosted.core._look_s = hosted.core._maintain_s = 0.0
    hosted.tick()
    hosted.tick(seconds=int(RETRY_S) - 1)
    assert hosted.told == ["on", f"{hosted.path} was replaced by somebody; gamesad looks again in a minute"]
    assert Path(hosted.path).read_text() == "theirs"
    hosted.tick(seconds=2)
    assert hosted.told[2:] == ["on"]
    assert Path(f"{hosted.path}.damaged").read_text() == "theirs"


def test_a_compaction_needs_no_thread(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    hosted.tick()
    monkeypatch.setattr(threading.Thread, "start", refused)
    said: list[str] = []
    hosted.host.compact(said.append)
    _until(lambda: said, hosted)
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


def test_over_a_reboot_the_slow_history_and_the_decisions_come_back_from_the_disk(folder: Path) -> None:
    settings = replace(SMALL, middle_every_s=5, slow_every_s=60)
    before = Hosted(folder, settings, history_dir=f"{folder}/history")
    before.tick(seconds=300)
    before.decide("warm")
    before.host.close(clean=True)
    assert os.listdir(folder) == ["history"]
    after = Hosted(folder, settings, history_dir=f"{folder}/history")
    after.now_s = 400.0
    after.tick(readings={ticks.CPU: 40.0}, sensors={ticks.CPU: SENSORS[ticks.CPU]})
    with after.read() as crystal:
        _until(lambda: len(crystal.history(ticks.DISK)) >= 60, after)
        assert {point[1:] for point in crystal.history(ticks.DISK)} == {(40.0, 40.0, 40.0)}
        assert [entry.text["Reason"] for entry in crystal.decisions(9)] == ["warm"]
        after.host.compact(lambda _: None)
        after.decide("warmer")
        _until(lambda: crystal.latest() and crystal.generation == 2, after)
    after.decide("hot")
    after.host.close(clean=True)
    last = Hosted(folder, settings, history_dir=f"{folder}/history")
    last.now_s = 500.0
    last.tick()
    with last.read() as crystal:
        assert {entry.text["Reason"] for entry in crystal.decisions(9)} == {"warm", "warmer", "hot"}
    last.host.close(clean=True)


def test_what_a_stop_cannot_put_on_disk_stays_in_memory_for_the_next_start(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "history").write_text("in the way")
    settings = replace(SMALL, middle_every_s=5, slow_every_s=60)
    before = Hosted(folder, settings, history_dir=f"{folder}/history")
    before.tick(seconds=100)
    before.host.close(clean=True)
    assert "stays for the next gamesad" in caplog.text
    os.unlink(folder / "history")
    after = Hosted(folder, settings, history_dir=f"{folder}/history")
    after.now_s = 200.0
    after.tick(seconds=20)
    with after.read() as crystal:
        assert len(crystal.history(ticks.CPU)) >= 100
    after.host.close(clean=True)
    assert os.listdir(folder) == ["history"]


def test_turned_off_while_the_disk_does_not_answer_it_costs_a_tick_half_a_second_and_nothing_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    settings = replace(SMALL, middle_every_s=5, slow_every_s=60)
    hosted = Hosted(folder, settings, history_dir=f"{folder}/history")
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
    assert os.listdir(folder) == ["history"]


def _until(true: Callable[[], object], hosted: Hosted) -> None:
    hosted.core._maintain_s = 0.0
    for _ in range(10000):
        if true():
            return
        hosted.host.maintain()
    raise AssertionError("never")
