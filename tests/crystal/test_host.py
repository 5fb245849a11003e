"""Crystal Core inside the daemon: whatever goes wrong with it, ticks go on and it comes back."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gamesad.crystal.errors import CrystalFull, NotThere
from gamesad.crystal.history.history import History
from gamesad.crystal.host import RETRY_S
from gamesad.errors import Failed, UnknownSensor
from gamesad.events import Event
from gamesad.messages import Message
from tests.crystal.hosted import ALERT, SMALL, Hosted
from tests.support import ticks
from tests.support.published import heat


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


def test_flight_recordings_are_blocks_of_which_the_oldest_go(hosted: Hosted, place: Path) -> None:
    for _ in range(5):
        hosted.tick(ALERT)
        hosted.tick(seconds=40)
    assert [flight["Began"] for flight in hosted.flights()] == [1083.0, 1124.0, 1165.0]
    after = hosted.killed(place)
    after.tick()
    assert [flight["Began"] for flight in after.flights()] == [1083.0, 1124.0, 1165.0]
    after.host.close(clean=True)


def test_with_no_room_for_another_recording_the_oldest_goes(place: Path) -> None:
    hosted = Hosted(place, replace(SMALL, size_mib=1, flights=200, flight_before_s=60, flight_after_s=60))
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
