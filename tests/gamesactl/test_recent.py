"""History, export, blocks and flights, as a client reads them from the segment."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from math import nan
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.history.history import History
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.segment import Segment
from tests.gamesactl.answers import BOARD, CPU, DISK
from tests.gamesactl.segments import VALUES, published
from tests.support.client import gamesactl

HOT = 99.5


@pytest.fixture
def shm(tmp_path: Path, quiet_environment: None, monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(tmp_path / "gamesad")
    monkeypatch.setenv("GAMESAD_SHM", path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    monkeypatch.setenv("COLUMNS", "100")
    return path


@pytest.fixture
def segment(shm: str) -> Iterator[Segment]:
    """With two minutes of history: the processor warms up, has one spike, and then nothing for 20 s."""
    with published(shm) as segment:
        history = History(segment)
        now_us = time.time_ns() // 1000
        for ago_s in range(120, 20, -1):
            cpu = HOT if ago_s == 60 else 60.0 + (120 - ago_s) / 5
            history.push(now_us - ago_s * 1_000_000, [cpu, *VALUES[1:]])
        history.flush()
        yield segment


def test_history_shows_the_course_of_everything(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    said = gamesactl("history", "--since", "2m")
    assert said.code == 0
    lines = {line.split()[0]: line for line in said.out.splitlines()}
    head = lines.pop("NAME").split()
    assert head == ["NAME", "LABEL", "LEAST", "MEAN", "MOST", "COURSE"]
    assert "60.0 °C" in lines[CPU]
    assert "99.5 °C" in lines[CPU]
    assert "█" in lines[CPU]
    course = lines[CPU].split()[-1]
    assert course[0] == "▁"
    assert course[-1] in "▄▅"
    assert len(course) > 16
    assert BOARD not in lines
    assert "cpufreq.policy0.frequency" in lines
    assert "cpufreq.policy1.frequency" not in lines
    assert said.out.endswith("1 like these, and not as high, are left out; gamesactl history --all shows them\n")
    assert "cpufreq.policy1.frequency" in gamesactl("history", "--since", "2m", "--all").out
    assert "41.8 °C" in lines[DISK]


def test_history_of_one_sensor_keeps_every_spike(segment: Segment) -> None:
    found = gamesactl("history", "CPU package", "--since", "2m", "--points", "4", "--json").document
    (sensor,) = found["Sensors"]
    assert (sensor["Name"], sensor["Label"], sensor["Unit"]) == (CPU, "CPU package", "°C")
    points = sensor["Points"]
    assert 1 < len(points) <= 4
    assert max(point["Maximum"] for point in points) == HOT
    assert min(point["Minimum"] for point in points) == 60.0
    assert found["Since"] <= points[0]["Time"] < points[-1]["Time"] <= found["Until"]
    table = gamesactl("history", "CPU package", "--since", "2m", "--points", "4").out.splitlines()
    assert table[0] == "CPU package, last 2 min"
    assert table[1].split()[:4] == ["TIME", "LEAST", "MEAN", "MOST"]
    assert len(table) == 2 + len(points)
    assert all("●" in line for line in table[2:])


def test_export_is_csv_with_stable_columns(segment: Segment) -> None:
    said = gamesactl("export", "--format", "csv", "--since", "2m", "--sensor", CPU, "--sensor", "Composite")
    assert said.out.startswith("Time,Sensor,Label,Quantity,Unit,Minimum,Mean,Maximum\r\n")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["Sensor"] for row in rows] == [CPU] * 100 + [DISK] * 100
    assert {row["Label"] for row in rows} == {"CPU package", "Composite"}
    assert [float(row["Maximum"]) for row in rows].count(HOT) == 1
    assert all(row["Time"].endswith("+00:00") and row["Time"][10] == "T" for row in rows)
    assert [row["Time"] for row in rows[:100]] == sorted(row["Time"] for row in rows[:100])


def test_export_as_json_has_the_same_rows(segment: Segment) -> None:
    words = ("--since", "2m", "--sensor", "cpu.utilization")
    rows = json.loads(gamesactl("export", "--format", "json", *words).out)
    assert len(rows) == 100
    assert list(rows[0]) == ["Time", "Sensor", "Label", "Quantity", "Unit", "Minimum", "Mean", "Maximum"]
    assert rows[0]["Unit"] is None
    assert rows[0]["Mean"] == pytest.approx(0.534, abs=1e-6)
    assert json.loads(gamesactl("export", "--json", "--since", "1s").out) == []


def test_texts_in_a_csv_are_quoted(shm: str) -> None:
    from gamesad.crystal.directory import Column  # noqa: PLC0415

    label = 'a "hot", spot\x1b[2J'
    columns = [Column("sensor", label=label, unit="°C", quantity="temperature")]
    with published(shm, columns=columns, values=[1.0], limits=[nan]) as segment:
        history = History(segment)
        history.push(time.time_ns() // 1000 - 2_000_000, [1.0])
        history.flush()
        out = gamesactl("export", "--format", "csv").out
    assert ',"a ""hot"", spot\\x1b[2J",' in out


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("history nosuch", 1, "no sensor is called 'nosuch'; gamesactl sensors lists them"),
        ("history --since soon", 2, "'soon' is not a duration; write 30s, 10m, 1h or 1h30m"),
        ("history --points -1", 2, "--points: '-1' is not a number from 0 (all) to 100000"),
        ("export", 2, "--format is missing: it is csv or json"),
        ("export --format csf", 2, "--format 'csf' (did you mean csv?): it is csv or json"),
        ("crystal stat", 2, "crystal 'stat' (did you mean stats?): it is stats, blocks, dump, advise or compact"),
        ("crystal dump", 2, "which block? gamesactl crystal dump BLOCK; gamesactl crystal blocks lists them"),
        ("crystal dump x", 2, "'x' is no block's number or address; gamesactl crystal blocks lists them"),
        ("crystal dump 99", 1, "there is no block 99; gamesactl crystal blocks lists them"),
        ("crystal blocks 3", 2, "crystal blocks takes no block"),
        (
            "crystal blocks --apply", 2,
            "--command and --apply go with advise: gamesactl crystal advise --apply",
        ),
        ("flight lost", 2, "flight 'lost' (did you mean list?): it is list, show or export"),
        ("flight show", 2, "which recording? gamesactl flight show NUMBER; gamesactl flight list lists them"),
        ("flight export 99", 1, "there is no recording 99; gamesactl flight list lists them"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(segment: Segment, line: str, code: int, sentence: str) -> None:
    assert gamesactl(*line.split()) == (code, "", f"gamesactl: {sentence}\n")


def test_blocks_are_listed_and_dumped(segment: Segment) -> None:
    pool = Pool(segment)
    block = pool.allocate(40, layout.HOT, "weights")
    pool.write(block, bytes(range(40)))
    pool.seal(1.0)
    frozen = pool.allocate(4000, layout.COLD, "episodes")
    pool.write(frozen, b"abcd" * 1000)
    assert pool.freeze(frozen)
    pool.publish()
    table = gamesactl("crystal", "blocks").out.splitlines()
    assert table[0].split() == ["BLOCK", "ADDRESS", "SIZE", "LIES", "IN", "TIER", "HEAT", "WRITTEN", "OWNER"]
    assert [line.split()[0] for line in table[1:]] == [str(block.id), str(frozen.id)]
    assert "frozen" in table[2]
    found = gamesactl("crystal", "dump", hex(block.address), "--json").document
    assert (found["Id"], found["Size"], found["Tier"], found["Owner"]) == (block.id, 40, "hot", "weights")
    assert bytes.fromhex(found["Data"]) == bytes(range(40))
    dumped = gamesactl("crystal", "dump", str(frozen.id)).out.splitlines()
    assert dumped[-1].startswith("00000f90  61 62 63 64 ")
    assert dumped[-1].endswith("abcdabcdabcdabcd")
    stats = gamesactl("crystal", "stats", "--json").document
    assert stats["hot_blocks"] == 1
    assert stats["frozen_blocks"] == 1


def test_a_pool_that_was_never_used_has_no_blocks_though_there_is_no_bus(segment: Segment) -> None:
    assert gamesactl("crystal", "stats") == (0, "no blocks\n", "")
    assert gamesactl("crystal", "stats", "--json").document == {}


RECORDING = {
    "Version": 1, "Reason": "alert", "Text": "CPU package 100.2 °C\x1b[2J",
    "Began": 1764270000.0, "Ended": 1764270060.0,
    "Columns": [
        {"Name": CPU, "Label": "CPU package", "Quantity": "temperature", "Unit": "°C"}, {"Name": DISK},
        {"Name": "cpu.utilization", "Label": "CPU", "Quantity": "utilization", "Unit": ""},
    ],
    "Rows": [[1764269940.0 + s, 40.0 + s, None, s / 200] for s in range(121)],
    "Events": [{"Time": 1764270000.0, "Kind": "alert", "Text": "CPU package 100.2 °C"}],
    "Decisions": [{"Action": "throttle", "Since": 1764270001.0, "Profile": "balanced", "Reason": "throttle: hot"}],
}  # fmt: skip


def test_a_flight_recording_is_listed_shown_and_exported(segment: Segment) -> None:
    pool = Pool(segment)
    other = pool.allocate(8, layout.COLD, "weights")
    pool.write(other, b"notJSON!")
    assert gamesactl("flight", "list").out == "nothing has been recorded\n"
    data = json.dumps(RECORDING).encode()
    block = pool.allocate(len(data), layout.COLD, "flight")
    pool.write(block, data)
    number = str(block.id)
    row = gamesactl("flight", "list").out.splitlines()[1]
    assert row.split()[:6] == [number, "2025-11-27", "19:00:00", "2", "min", "alert"]
    assert row.endswith("CPU package 100.2 °C\\x1b[2J")
    assert gamesactl("flight", "list", "--json").document == [
        {"Number": block.id, "Reason": "alert", "Text": RECORDING["Text"], "Began": 1764270000.0, "Ended": 1764270060.0}
    ]
    assert gamesactl("flight", "export", number).document == RECORDING
    shown = gamesactl("flight", "show", number).out
    assert shown.startswith("alert, 2025-11-27 19:00:00, 2 min recorded\n")
    for part in ("throttle  balanced  hot", "40.0 °C  100.0 °C  160.0 °C", "  0 %      30 %      60 %"):
        assert part in shown
    assert DISK not in shown
    assert gamesactl("flight", "show", str(other.id)).code == 1


def test_a_recording_that_is_none_is_said_to_be_none(segment: Segment) -> None:
    pool = Pool(segment)
    block = pool.allocate(3, layout.COLD, "flight")
    pool.write(block, b"[1]")
    sentence = f"recording {block.id} is none that this gamesactl knows; compare: gamesactl version"
    assert gamesactl("flight", "show", str(block.id)) == (1, "", f"gamesactl: {sentence}\n")
