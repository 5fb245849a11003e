"""``gamesad --evaluate`` as people and programs run it."""

from __future__ import annotations

import json
import math
import re
import struct
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gamesad.__main__ import main
from gamesad.config import NeuralConfig
from gamesad.evaluation import report
from gamesad.evaluation.formats import load
from gamesad.evaluation.score import score
from gamesad.journal import Fields
from gamesad.messages import Message
from gamesad.neural.findings import Finding
from gamesad.simulation import open_machine
from gamesad.types import Heat
from tests.evaluation import logs
from tests.support.recorded import Clock, record

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "session.csv"
    path.write_text(logs.table((*logs.PLAIN[:2], "board[°C]", *logs.PLAIN[3:]), str, 120).replace(",50.0,", ",40.0,"))
    return path


def document(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(["--evaluate", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_people_get_aligned_tables(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--evaluate", str(log)]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert f"{log}: CSV, 120 rows over 119 s, 2 temperatures" in said
    header = next(line for line in said.splitlines() if line.startswith("SENSOR  ") and "SKILL" in line)
    row = next(line for line in said.splitlines() if line.startswith("cpu ") and "moving" in line)
    assert len(row.split()) == len(header.split())
    assert row.index("moving") + len("moving") == header.index("GROUP") + len("GROUP")
    assert re.search(r"^moving +\d+ ", said, re.MULTILINE)


def test_programs_get_every_key_that_the_manual_names(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = document(capsys, str(log))
    section = (ROOT / "docs/neural.md").read_text().partition("### JSON")[2]
    named = set(re.findall(r"\b[A-Z]\w+\b", section))

    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, one in value.items():
                yield key
                yield from keys(one)
        elif isinstance(value, list):
            for one in value:
                yield from keys(one)

    found = {key for key in keys(told) if re.fullmatch(r"[A-Z]\w+", key)}
    assert found <= named
    assert {"Files", "Sensors", "Crossings", "Groups", "Failed", "TunedHolt", "Members"} <= found
    sensor = told["Files"][0]["Sensors"][0]
    assert [len(sensor[key]) for key in ("Samples", "Error", "Persistence", "Holt", "DampedHolt", "Skill")] == [5] * 6
    assert sum(sensor["Members"].values()) == pytest.approx(1.0)


def test_one_bad_file_keeps_none_of_the_others(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    told = document(capsys, str(log), str(empty), "/nowhere", code=1)
    assert [one["File"] for one in told["Files"]] == [str(log)]
    assert [one["File"] for one in told["Failed"]] == [str(empty), "/nowhere"]
    assert "is empty" in told["Failed"][0]["Error"]
    assert main(["--evaluate", "/nowhere"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_what_does_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    for words, sentence in (
        ("--json", "--json goes with --evaluate"),
        ("--plot a", "--plot goes with"),
        ("--limit 9", "--limit goes with"),
        ("--evaluate a --limit nan", "nan is no temperature"),
        ("--evaluate a --limit 1e9", "is no temperature"),
        ("--evaluate a --once", "not allowed with"),
        ("--evaluate", "expected at least one"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(words.split())
        assert ended.value.code == 2
        assert sentence in capsys.readouterr().err


def test_a_picture(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.png"
    assert main(["--evaluate", str(log), "--plot", str(path)]) == 0
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 1000 and height > 200
    assert main(["--evaluate", str(log), "--plot", str(tmp_path / "none" / "a.png")]) == 1
    assert "cannot be written: No such file or directory; name another file" in capsys.readouterr().err


def run(*words: str, code: str) -> subprocess.CompletedProcess[str]:
    """In a process in which some libraries cannot be imported."""
    program = f"import sys; {code}; from gamesad.__main__ import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_the_libraries_it_says_how_to_get_them(log: Path, tmp_path: Path) -> None:
    ran = run("--evaluate", str(log), "--plot", str(tmp_path / "a.png"), code="sys.modules['matplotlib'] = None")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(
        "gamesad: --plot needs matplotlib, which is not installed: apt install python3-matplotlib"
    )
    ran = run("--evaluate", str(log), code="sys.modules['numpy'] = None")
    assert (ran.returncode, ran.stderr) == (1, "gamesad: --evaluate needs numpy: apt install python3-numpy\n")


def test_a_reader_that_has_seen_enough(log: Path) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m gamesad --evaluate {log} | head -1; echo ${{PIPESTATUS[0]}}"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ran.stderr == ""
    assert ran.stdout.startswith(f"{log}: CSV")


def test_our_own_recording_is_read_by_the_daemons_own_sources(tmp_path: Path) -> None:
    """Of a simulated laptop that gets hot."""
    clock = Clock()
    machine = open_machine("laptop/steady-game", clock=clock)
    memory, _totals = record(machine.sysfs, times_s=[float(second) for second in range(1, 30)], clock=clock)
    path = tmp_path / "recording.gz"
    path.write_bytes(memory.data)
    series = load(str(path))
    assert (series.format, len(series.times_s), series.period_s) == ("gamesad recording", 30, 1.0)
    hot = [name for name in series.temperatures if series.sensors[name].heat is Heat.CPU]
    assert hot
    place = list(series.sensors).index(hot[0])
    assert series.values[-1, place] > series.values[0, place]
    path.write_bytes(memory.data[: len(memory.data) // 2])
    cut = load(str(path))
    assert len(cut.times_s) < 30
    assert any("its recorder was stopped" in note for note in cut.notes)


@pytest.fixture(scope="module")
def shared(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traces")
    with tarfile.open(recordings / "traces.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    return folder / "traces"


def test_real_logs_are_read_whole(shared: Path) -> None:
    found = {name: load(str(shared / name)) for name in (
        "mangohud/rtx4090_9800x3d.csv", "hwinfo/sensors.CSV", "hwinfo/hwinfo_tui_desktop.csv",
        "laptop/XFCE_raw_metrics.csv", "turbostat/adl0.turbostat.txt",
    )}  # fmt: skip
    read = [(one.format, len(one.times_s), len(one.temperatures), round(one.period_s, 1)) for one in found.values()]
    assert read == [
        ("MangoHud log", 3694, 2, 1.0), ("HWiNFO log", 1932, 26, 1.0), ("CSV", 1932, 3, 1.0), ("CSV", 470, 1, 2.5),
        ("turbostat output", 23, 13, 5.0),
    ]  # fmt: skip
    hwinfo = found["hwinfo/sensors.CSV"]
    package = hwinfo.values[:, list(hwinfo.sensors).index("CPU Package")]
    assert 55 < package.min() < package.max() <= 101
    assert not hwinfo.notes


def test_a_real_session_is_scored(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = document(capsys, str(shared / "laptop/XFCE_raw_metrics.csv"))
    (sensor,) = told["Files"][0]["Sensors"]
    assert sensor["Group"] == "moving"
    assert 0.8 < sensor["Coverage"] < 1.0
    assert math.isfinite(sensor["MeanSkill"]) and sensor["MeanSkill"] > -0.05
    assert sensor["Samples"][0] > 400


def test_what_was_odd_is_told_with_its_time_and_sentence(log: Path) -> None:
    found = score(load(str(log)), NeuralConfig())
    finding = Finding(Message.ANOMALY, "GPU hotspot 14 °C above what is usual", Fields(sensor="gpu", score=15.5))
    odd = replace(found, fed=replace(found.fed, anomalies=((12.0, finding),)))
    assert "odd at 12 s: GPU hotspot 14 °C above what is usual" in list(report.lines([odd]))
    told = json.loads(report.document([odd], []))["Files"][0]["Anomalies"]
    assert told == [{"Time": 12.0, "Text": "GPU hotspot 14 °C above what is usual", "sensor": "gpu", "score": 15.5}]
