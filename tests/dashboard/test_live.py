"""The live socket: what comes, how often, to whom, and what happens to those who break its rules or do not read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest

from gamesactl.dashboard import live
from gamesad.report import Moment
from gamesad.types import Quantity, Sensor
from tests.support.client import eventually
from tests.support.daemon import Daemon, gamesad
from tests.support.dashboard import Dashboard, Socket, dashboard, simulated
from tests.support.private_bus import PrivateBus
from tests.support.published import Published, moment

POLICY, TOO_BIG = 1008, 1009
COLUMNS = 900


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of a segment of the test's own; everybody may enter."""
    with TemporaryDirectory(prefix="gamesad-live-") as found:
        Path(found).chmod(0o755)
        yield Path(found)


def test_a_new_page_is_told_what_there_is_and_then_every_tick(page: Dashboard) -> None:
    with Socket(page) as mine:
        hello = mine.next()
        assert hello["type"] == "hello"
        assert {key: hello[key] for key in page.get("hello")} == page.get("hello")
        ticks = [mine.next("tick") for _ in range(3)]
    assert len(hello["directory"]) == len(ticks[0]["values"]) == len(ticks[0]["states"])
    assert [one["n"] for one in ticks] == sorted({one["n"] for one in ticks})
    assert ticks[0]["profile"] == page.get("status")["ActiveProfile"]


def test_a_tick_tells_what_the_api_tells(page: Dashboard) -> None:
    """Of the same moment: asked again until no tick came between."""
    for _ in range(20):
        with Socket(page) as mine:
            names, seen = mine.next("hello")["directory"], mine.next("tick")
        sensors, status = page.get("sensors"), page.get("status")
        if status["Time"] == pytest.approx(seen["t"], abs=1e-6):
            assert [one["name"] for one in sensors] == names
            assert [one["value"] for one in sensors] == seen["values"]
            assert seen["thermal_state"] == status["ThermalState"]
            # a tick that changes nothing is no new decision
            assert seen["action"] in ("noop", status["LastDecision"]["Action"])
            assert seen["reason"] == status["Explanation"]
            return
    raise AssertionError("a tick came between in every try")


def test_a_page_that_pauses_gets_nothing_until_it_goes_on(page: Dashboard) -> None:
    with Socket(page) as other, Socket(page) as mine:
        mine.next("tick")
        mine.say({"pause": True})
        last = [other.next("tick")["n"] for _ in range(4)][-1]
        mine.say({"pause": False})
        meanwhile = 0
        while mine.next("tick")["n"] < last:
            meanwhile += 1
    assert meanwhile <= 1  # what was on its way when it paused


def test_each_page_has_its_own_rate(folder: Path) -> None:
    with Written(folder, every_s=0.02), dashboard(folder, shm=folder / "segment") as page:  # noqa: SIM117 - too long
        with Socket(page) as slow, Socket(page) as fast:
            fast.say({"rate": 10})
            fast.next("tick")
            slow.next("tick")
            begin_s, first = time.monotonic(), slow.next("tick")
            last = [slow.next("tick") for _ in range(2)][-1]
            took_s = time.monotonic() - begin_s
            seen = 0
            while fast.next("tick")["n"] < last["n"]:
                seen += 1
    assert last["n"] > first["n"]
    assert took_s > 1.5
    assert seen > 3 * 3  # three times as many as the slow one saw, at least


def test_a_page_that_does_not_read_gets_the_newest_when_it_reads_again(folder: Path) -> None:
    """Not what it missed: no queue grows for it, and nobody else waits."""
    with Written(folder, every_s=0.02) as newest, dashboard(folder, shm=folder / "segment") as page:  # noqa: SIM117 - joined it is too long a line
        with Socket(page, receive_buffer=4096) as mine, Socket(page) as other:
            for one in (mine, other):
                one.say({"rate": 10})
            mine.next("tick")
            before_kib = page.memory_kib()
            for _ in range(60):
                seen = other.next("tick")
            assert newest[0] - seen["n"] < 50  # a second behind at most: it did not wait for the other
            assert page.memory_kib() - before_kib < 2048
            kept = 0
            while mine.next("tick")["n"] < seen["n"]:
                kept += 1
    assert kept < 30  # of the 60, what the kernel's buffers and one frame hold


def test_it_ends_soon_though_a_page_reads_nothing_and_a_request_is_half_said(place: Path, daemon: Daemon) -> None:
    with TemporaryDirectory() as folder, dashboard(Path(folder), shm=place / "shm") as page:  # noqa: SIM117
        with Socket(page) as mine, create_connection(("127.0.0.1", page.port)) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost:")
            mine.next("tick")
            page.process.terminate()
            assert page.process.wait(20) == 0  # its patience is two seconds


@pytest.mark.parametrize(
    "said",
    ["", "x", "[]", "null", "{}", '{"rate": 0}', '{"rate": 11}', '{"rate": "1"}', '{"rate": true}', '{"rate": NaN}',
     '{"pause": 1}', '{"rate": 1, "pause": true}', '{"other": 1}', "[" * 1000, '{"rate": 1e999}'],
)  # fmt: skip
def test_a_page_that_says_anything_else_is_closed(page: Dashboard, said: str) -> None:
    with again(page) as mine:
        mine.send(said.encode())
        assert mine.closed() == POLICY


@pytest.mark.parametrize("size", [live.MAX_MESSAGE + 1, 70_000])
def test_a_long_message_ends_the_connection(page: Dashboard, size: int) -> None:
    with again(page) as mine:
        mine.send(b"x" * size)
        assert mine.closed() == TOO_BIG


def test_a_frame_that_says_it_is_huge_is_not_waited_for(page: Dashboard) -> None:
    with again(page) as mine:
        mine._raw.sendall(bytes([0x81, 0xFF]) + (1 << 40).to_bytes(8) + bytes(4))
        assert mine.closed() == TOO_BIG


def test_binary_and_a_flood_of_messages_end_the_connection(page: Dashboard) -> None:
    with again(page) as mine:
        mine.send(b'{"rate": 1}', opcode=2)
        assert mine.closed() == POLICY
    with again(page) as mine:
        for _ in range(int(live.ASKED_BURST) + 10):
            mine.say({"rate": 1})
        assert mine.closed() == POLICY


def test_a_decision_and_a_profile_are_told_as_they_come(page: Dashboard) -> None:
    with again(page) as mine:
        mine.next("tick")
        assert page.post("profile", {"name": "power-saver"}).status == 200
        told = {kind: mine.next(kind) for kind in ("profile", "decision")}
        assert page.post("profile", {"name": "balanced"}).status == 200
    assert told["profile"]["profile"] == "power-saver"
    assert told["decision"]["reason"]
    newest = {one["number"]: one for one in page.get("decisions")}
    told["decision"].pop("type")
    assert newest[told["decision"]["number"]] == told["decision"]


def test_it_says_since_when_nobody_publishes_and_goes_on_with_the_next_daemon(bus: PrivateBus, folder: Path) -> None:
    before_s = time.time()  # without a daemon it is missed from when it was first looked for, not from ever
    with dashboard(folder, shm=folder / "shm") as page, Socket(page) as mine:
        assert before_s <= mine.next("hello")["stale_since"] <= time.time()
        assert before_s <= mine.next("stale")["since"] <= time.time()
        for ends in (Daemon.kill, Daemon.stop):
            with gamesad(folder, simulated(folder)) as daemon:
                assert mine.next("live")
                tick = mine.next("tick")
                began_s = tick["t"]
                ends(daemon)
                stale = mine.next("stale")
                assert began_s - 1 <= stale["since"] <= time.time()
                answer = page.ask("/api/v1/hello").document
                assert answer["stale_since"] == pytest.approx(stale["since"], abs=1.0)
                assert page.ask("/metrics").body.splitlines().count(b"gamesa_up 0.0") == 1


def test_new_sensors_are_told_before_their_first_values(folder: Path) -> None:
    with dashboard(folder, shm=folder / "segment") as page:
        published = Published(folder, columns=8)
        published.publisher.publish(numbered(moment(), 1), None)
        published.segment.beat()
        with Socket(page) as mine:
            before = mine.next("tick")
            name = "hwmon.new.temp1"
            readings, sensors = moment().tick.snapshot.readings, moment().sensors
            more = {**sensors, name: Sensor(name, Quantity.TEMPERATURE, "new")}
            published.publisher.publish(numbered(moment({**readings, name: 44.0}, sensors=more), 2), None)
            told = mine.next("directory")
            after = mine.next("tick")
        published.segment.close()
    assert name in told["directory"]
    assert [one["name"] for one in told["sensors"]] == told["directory"]
    assert after["values"][told["directory"].index(name)] == 44.0
    assert len(after["values"]) == len(before["values"]) + 1


def test_without_pages_the_segment_is_not_read(folder: Path) -> None:
    with Written(folder, every_s=0.02), dashboard(folder, shm=folder / "segment") as page:
        eventually(lambda: page.ask("/api/v1/forecast").status == 200, "a tick")
        before = sent(page)
        time.sleep(1.0)  # in which 50 ticks are published
        assert sent(page) == before


def sent(page: Dashboard) -> str:
    lines = page.ask("/metrics").body.decode().splitlines()
    return next(line for line in lines if line.startswith("gamesa_dashboard_ticks_total"))


def numbered(of: Moment, number: int) -> Moment:
    return replace(of, tick=replace(of.tick, snapshot=replace(of.tick.snapshot, number=number)))


def again(page: Dashboard) -> Socket:
    """A socket, once there may be another."""
    while True:
        mine = Socket(page)
        if mine.status == 101:
            return mine
        mine.close()
        time.sleep(1 / live.NEW_HZ)


class Written:
    """A segment of many columns with a new tick every so often; ``with`` gives a list of one, the newest's number."""

    def __init__(self, folder: Path, *, every_s: float) -> None:
        self._every_s = every_s
        self._sensors = {f"a.b{n}.temp": Sensor(f"a.b{n}.temp", Quantity.TEMPERATURE, f"{n}") for n in range(COLUMNS)}
        self._published = Published(folder, columns=COLUMNS)
        self._end = Event()
        self._newest = [0]
        self._thread = Thread(target=self._write)

    def _write(self) -> None:
        number = 0
        while not self._end.wait(self._every_s):
            number += 1
            readings = {name: 40.123 + n % 50 + number % 7 for n, name in enumerate(self._sensors)}
            self._published.segment.beat()
            self._published.publisher.publish(numbered(moment(readings, sensors=self._sensors), number), None)
            self._newest[0] = number

    def __enter__(self) -> list[int]:
        self._thread.start()
        return self._newest

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._published.segment.close()


def test_a_message_is_text_that_json_gives_back(page: Dashboard) -> None:
    with again(page) as mine:
        opcode, data = mine.frame()
    assert opcode == 1
    assert json.loads(data)["type"] == "hello"
