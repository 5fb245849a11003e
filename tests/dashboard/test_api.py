"""What is read: the same as the command line, the segment and the bus tell, unknown where they do not know."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gamesactl.dashboard import frames, series
from gamesad.crystal import reader
from tests.support.client import eventually, gamesactl
from tests.support.daemon import Daemon, gamesad
from tests.support.dashboard import Dashboard, dashboard, simulated, wait_for_tick
from tests.support.private_bus import PrivateBus

CPU = "cpu.utilization"
TEMPERATURE = "hwmon.coretemp-isa-0000.temp1"


@pytest.fixture
def crystal(page: Dashboard, place: Path) -> Iterator[reader.Crystal]:
    with reader.attach(f"{place}/shm") as found:
        yield found


@pytest.fixture
def same_machine(bus: PrivateBus, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    monkeypatch.setenv("GAMESAD_SHM", f"{place}/shm")


def test_a_status_is_that_of_the_command_line(page: Dashboard, same_machine: None) -> None:
    for _ in range(50):
        told, seen = gamesactl("status", "--json").document, page.get("status")
        assert seen.pop("stale_since") is None
        if told["Time"] == seen["Time"]:
            assert seen == told
            return
    raise AssertionError("a tick came between in every try")


def test_who_holds_a_profile_is_in_the_status(page: Dashboard) -> None:
    cookie = page.post("hold", {"profile": "performance", "seconds": 60, "reason": "a test"}).document["cookie"]
    assert page.get("status")["Holds"][0]["Reason"] == "a test"
    page.post(f"hold/{cookie}", None, method="DELETE")


def test_sensors_have_their_limits_and_why_they_have_no_value(page: Dashboard, crystal: reader.Crystal) -> None:
    seen = {one["name"]: one for one in page.get("sensors")}
    columns = {column.name: column for column in crystal.directory().columns}
    assert list(seen) == list(columns)
    one, column = seen[TEMPERATURE], columns[TEMPERATURE]
    assert one["limits"]["critical"] == column.critical_limit
    assert (one["unit"], one["heat"], one["state"]) == ("°C", "cpu", "ok")
    assert one["path"].endswith("temp1_input")
    assert 20 < one["value"] < 110
    assert one["limit"] == pytest.approx(crystal.latest().limits[TEMPERATURE])
    for one in seen.values():
        assert (one["value"] is None) == (one["state"] != "ok")


def test_tunables_are_those_of_the_bus(page: Dashboard, same_machine: None) -> None:
    told = gamesactl("tunables", "--json").document
    assert page.get("tunables") == [{key.lower(): value for key, value in one.items()} for one in told]


def test_decisions_are_filtered_and_newest_first(page: Dashboard) -> None:
    for name in ("power-saver", "balanced"):
        assert page.post("profile", {"name": name}).status == 200
        time.sleep(0.5)
    every = page.get("decisions")
    numbers = [one["number"] for one in every]
    assert numbers == sorted(numbers, reverse=True)
    assert len(every) >= 3
    assert page.get("decisions?count=1") == every[:1]
    action = every[0]["action"]
    assert page.get(f"decisions?action={action}") == [one for one in every if one["action"] == action]
    assert page.get("decisions?source=safety") == [one for one in every if one["source"] == "safety"]
    middle_s = every[1]["since"]
    assert page.get(f"decisions?since={middle_s}") == every[:2]
    assert page.get(f"decisions?until={middle_s}") == every[1:]


def test_history_has_one_time_base_and_loses_no_extreme(page: Dashboard, crystal: reader.Crystal) -> None:
    eventually(lambda: len(page.get(f"history?sensor={CPU}&until=-1")["t"]) > 3, "a past")
    until_s = time.time() - 1
    query = f"sensor={CPU}&sensor={TEMPERATURE}&since={until_s - 600}&until={until_s}"
    seen = page.get(f"history?{query}")
    assert seen["columns"] == [CPU, TEMPERATURE]
    assert seen["t"] == sorted(set(seen["t"]))
    points = crystal.history(CPU, int((until_s - 600) * 1e6), int(until_s * 1e6))
    mine = {t: one for t, one in zip(seen["t"], seen["max"][0], strict=True) if one is not None}
    assert mine == {point[0] / 1e6: pytest.approx(point[3], rel=1e-5) for point in points}
    few = page.get(f"history?{query}&points=2")
    known = [one for one in few["max"][0] if one is not None]
    assert len(few["t"]) <= 3
    assert max(known) == max(mine.values())
    assert min(one for one in few["min"][0] if one is not None) == min(one for one in seen["min"][0] if one is not None)


def test_a_gap_in_history_is_a_gap() -> None:
    rows = [(second * 1_000_000, 1.0, 2.0, 3.0) for second in (*range(1, 20), *range(100, 120))]
    made = series.together({"a": rows}, 0.0, 120.0, 1000)
    assert made["t"] == [*map(float, range(1, 20)), 59.5, *map(float, range(100, 120))]
    assert made["mean"][0][19] is None
    assert None not in made["mean"][0][:19] + made["mean"][0][20:]


def test_stretches_are_merged_by_how_long_they_are() -> None:
    """One of ten seconds counts as much as ten of one; what is unknown in one column is null there only."""
    rows = [(second * 1_000_000, 0.0, 0.0, 0.0) for second in range(11, 21)] + [(30_000_000, 10.0, 10.0, 20.0)]
    made = series.together({"a": rows, "b": rows[:1]}, 0.0, 30.0, 2)
    assert made["t"] == [20.0, 30.0]
    assert (made["mean"], made["max"]) == ([[0.0, 10.0], [0.0, None]], [[0.0, 20.0], [0.0, None]])
    made = series.together({"a": rows}, 0.0, 100.0, 2)
    assert (made["min"], made["mean"], made["max"]) == ([[0.0]], [[5.0]], [[20.0]])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("history", 400),
        ("history?sensor=no.such", 404),
        ("history?" + "&".join(f"sensor={n}" for n in range(65)), 400),
        (f"history?sensor={CPU}&points=1", 400),
        (f"history?sensor={CPU}&points=1e9", 400),
        (f"history?sensor={CPU}&since=10&until=5", 400),
        (f"history?sensor={CPU}&since=nan", 400),
        (f"history?sensor={CPU}&sinse=1", 400),
        ("decisions?count=0", 400),
        ("decisions?count=many", 400),
        ("flights/999999", 404),
        ("flights/x", 404),
        ("export", 400),
        ("export?format=xml", 400),
        ("export?format=csv&sensor=no.such", 404),
        ("nothing", 404),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(page: Dashboard, path: str, status: int) -> None:
    answer = page.ask(f"/api/v1/{path}")
    assert answer.status == status
    assert all(answer.document[key] for key in ("error", "what_next"))


def test_crystal_and_flights_are_those_of_the_command_line(page: Dashboard, same_machine: None) -> None:
    told, seen = gamesactl("crystal", "stats", "--json").document, page.get("crystal")
    assert told.items() <= seen.items() or set(told) <= set(seen)
    assert [one["id"] for one in page.get("crystal/blocks")] == [
        one["Id"] for one in gamesactl("crystal", "blocks", "--json").document
    ]
    assert page.get("flights") == gamesactl("flight", "list", "--json").document


@pytest.mark.full  # a minute goes by before a recording is whole
def test_a_flight_recording_is_the_one_that_the_command_line_exports(bus: PrivateBus, tmp_path: Path) -> None:
    """Of a daemon that was killed, which the next one records."""
    with TemporaryDirectory(prefix="gamesad-flight-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with gamesad(folder, simulated(folder)) as first:
            with dashboard(folder, shm=folder / "shm") as page:
                wait_for_tick(page)
            first.kill()
        with gamesad(folder, simulated(folder)), dashboard(folder, shm=folder / "shm") as page:
            wait_for_tick(page)
            eventually(lambda: page.get("flights"), "the recording of the crash")
            flights = page.get("flights")
            one = page.get(f"flights/{flights[0]['Number']}")
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("GAMESAD_SHM", f"{folder}/shm")
                told = gamesactl("flight", "export", str(flights[0]["Number"])).document
            assert one == told
            assert one["Rows"]


def test_without_a_daemon_everything_says_so_and_nothing_is_invented(tmp_path: Path) -> None:
    with dashboard(tmp_path, shm=tmp_path / "none") as page:
        hello = page.get("hello")
        assert hello["stale_since"] <= time.time()
        assert hello["machine"] is None
        for path in ("status", "sensors", "tunables", "profiles", "decisions", f"history?sensor={CPU}", "forecast",
                     "crystal", "crystal/blocks", "neural", "flights", "export?format=csv"):  # fmt: skip
            answer = page.ask(f"/api/v1/{path}")
            assert answer.status == 503, path
            assert answer.document["what_next"], path
        assert page.post("profile", {"name": "quiet"}).status == 503


def test_when_the_daemon_dies_the_last_values_stay_with_since_when_they_are_old(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="gamesad-dies-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with dashboard(folder, shm=folder / "shm") as page, gamesad(folder, simulated(folder)) as daemon:
            wait_for_tick(page)
            daemon.kill()
            deadline_s = time.monotonic() + 60
            while (status := page.get("status"))["stale_since"] is None:
                assert time.monotonic() < deadline_s
                time.sleep(0.1)
            assert status["Time"] - 1 <= status["stale_since"] <= time.time()
            assert "gamesa_hwmon" not in page.ask("/metrics").body.decode()


# ---- frame times


def log(folder: Path, name: str, rows: list[str], *, ago_s: float = 0.0) -> None:
    head = ["os,cpu,gpu,ram,kernel,driver,cpuscheduler", "a,b,c,d,e,f,g", "fps,frametime,cpu_load,elapsed"]
    (folder / name).write_text("\n".join([*head, *rows, ""]))
    os.utime(folder / name, (time.time() - ago_s,) * 2)


@pytest.mark.parametrize("unit", [1.0, 1000.0], ids=["ms", "µs"])
def test_frame_times_are_read_in_the_unit_that_fps_agrees_with(tmp_path: Path, unit: float) -> None:
    rows = [f"{1000 / ms},{ms * unit},50,{n * 10**9 // 100}" for n, ms in enumerate([10.0] * 98 + [20.0, 40.0])]
    log(tmp_path, "game_2026.csv", rows)
    log(tmp_path, "game_2026_summary.csv", ["1,1000,1,1"])
    log(tmp_path, "older.csv", ["5,200,1,1"], ago_s=1.0)
    seen = frames.Frames(str(tmp_path), "").look()
    assert seen["source"] == "MangoHud log game_2026.csv"
    assert (seen["p50_ms"], seen["p99_ms"], len(seen["times"])) == (10.0, 20.0, 100)
    assert seen["fps"] == pytest.approx(100 / 1.04, abs=0.01)


def test_only_the_last_seconds_count_and_a_half_written_line_does_not(tmp_path: Path) -> None:
    rows = [f"50,20,1,{n * 20_000_000}" for n in range(1000)]
    log(tmp_path, "a.csv", rows)
    with (tmp_path / "a.csv").open("a") as file:
        file.write("10,100")
    seen = frames.Frames(str(tmp_path), "").look()
    assert len(seen["times"]) == 501
    assert seen["fps"] == 50.0


@pytest.mark.parametrize(
    ("rows", "ago_s", "why"),
    [
        (["60,16.6,1,1"], 60.0, "no MangoHud log is being written"),
        ([], 0.0, "holds no frame yet"),
        (["x,y,z,1", "nan,nan,1,1", "0,0,0,0", "60,16", "-1,5,1,1"], 0.0, "holds no frame yet"),
    ],
)
def test_without_frames_it_says_why(tmp_path: Path, rows: list[str], ago_s: float, why: str) -> None:
    log(tmp_path, "a.csv", rows, ago_s=ago_s)
    seen = frames.Frames(str(tmp_path), "").look()
    assert (seen["source"], seen["fps"], seen["times"]) == (None, None, [])
    assert why in seen["reason"]


def test_no_log_is_followed_out_of_its_folder_or_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "b.csv")
    (tmp_path / "big.csv").write_bytes(os.urandom(3_000_000))
    seen = frames.Frames(str(tmp_path), "").look()
    assert seen["source"] is None
    assert (
        frames.Frames(f"{tmp_path}/none", "").look()["reason"] == f"no MangoHud log is being written in {tmp_path}/none"
    )
    assert frames.Frames(str(tmp_path), "not here").look()["reason"] == "not here"


def test_frames_come_over_http_with_their_source(daemon: Daemon, place: Path, tmp_path: Path) -> None:
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        log(Path(name), "game.csv", ["100,10,1,1"])
        with dashboard(tmp_path, "--mangohud-log", name, shm=place / "shm") as page:
            seen = page.get("frames")
    assert (seen["source"], seen["reason"], seen["fps"]) == ("MangoHud log game.csv", None, 100.0)


def test_every_number_in_every_document_is_one(page: Dashboard) -> None:
    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    for path in ("status", "sensors", "tunables", f"history?sensor={CPU}", "forecast", "crystal", "decisions"):
        json.loads(page.ask(f"/api/v1/{path}").body, parse_constant=refuse)
    assert math.isfinite(page.get("sensors")[0]["value"])
