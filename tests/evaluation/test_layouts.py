"""Layouts that scripts, shells and other countries make of the same logs: read right and told, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gamesad.types import Quantity
from tests.evaluation import logs
from tests.evaluation.test_damage import refused
from tests.evaluation.test_formats import loaded, of

ROWS = range(logs.ROWS)
CPU = [logs.cpu_c(second) for second in ROWS]
CHIP = "hwmon.coretemp-isa-0000.temp1"


def csv(header: str, cells: Callable[[int], str]) -> str:
    return "\n".join([header, *(cells(second) for second in ROWS)]) + "\n"


@pytest.mark.parametrize(
    ("name", "number", "told"),
    [
        ("cpu_temp", lambda c: c, ""),
        ("temp1_c", lambda c: c, ""),
        ("cpu_temp_degC", lambda c: c, ""),
        ("Tctl", lambda c: c, ""),
        ("CPU Temp (deg C)", lambda c: c, ""),
        ("CPU [\ufffdC]", lambda c: c, ""),
        ("CPU [\u00c2\u00b0C]", lambda c: c, ""),
        ("CPU [?C]", lambda c: c, ""),
        ("cpu_temp_f", lambda c: c * 1.8 + 32, ""),
        ("CPU [\u00b0F]", lambda c: c * 1.8 + 32, ""),
        ("cpu_temp_k", lambda c: c + 273.15, ""),
        ("CPU Temperature [K]", lambda c: c + 273.15, ""),
        ("CPU [m\u00b0C]", lambda c: c * 1e3, ""),
        ("temp1_input", lambda c: round(c * 1e3), "columns without a unit taken for thousandths of a °C"),
        ("cpu_temp", lambda c: c + 273.15, "columns without a unit taken for kelvins"),
        ("CPU Package", lambda c: c, "columns that only name a place taken for its temperature in °C: 1"),
        ("core0", lambda c: c, "columns that only name a place"),
    ],
)
def test_units_as_people_write_them(tmp_path: Path, name: str, number: Callable[[float], float], told: str) -> None:
    series = loaded(tmp_path, csv(f"time,{name}", lambda second: f"{second},{number(CPU[second]):.6f}"))
    [found] = series.temperatures
    assert of(series, found).tolist() == pytest.approx(CPU, abs=1e-3)
    assert len(series.notes) == bool(told)
    assert all(told in note for note in series.notes)


def test_fahrenheit_that_nobody_tells_is_asked_about(tmp_path: Path) -> None:
    series = loaded(tmp_path, csv("time,cpu_temp", lambda second: f"{second},{CPU[second] * 1.8 + 32:.1f}"))
    assert any("if it is °F, write [°F] behind the name" in note for note in series.notes)


def test_a_place_whose_numbers_are_no_temperatures_is_none(tmp_path: Path) -> None:
    sentence = refused(tmp_path, csv("timestamp,GPU0,GPU1", lambda second: f"{second},202.{second},265.{second}"))
    assert "its temperatures have no readings (CSV; columns that only name a place left out" in sentence
    series = loaded(tmp_path, csv("timestamp,GPU0,GPU1", lambda second: f"{second},{CPU[second]},265.{second}"))
    assert series.temperatures == ("GPU0",)


def test_a_place_is_no_temperature_where_others_are(tmp_path: Path) -> None:
    series = loaded(tmp_path, csv("time,CPU,cpu_temp,tokens [K]", lambda second: f"{second},30,{CPU[second]},5"))
    assert list(series.sensors) == ["cpu_temp"]


@pytest.mark.parametrize("word", ["", "NaN", "N/A", "-", "--", "NA", "null", "n.a."])
def test_words_for_no_reading_are_no_damage(tmp_path: Path, word: str) -> None:
    said = csv("time,cpu_temp", lambda second: f"{second},{word if second == 7 else CPU[second]}")
    series = loaded(tmp_path, said)
    assert np.flatnonzero(np.isnan(of(series, "cpu_temp"))).tolist() == [7]
    assert series.notes == ()


def test_what_is_infinite_is_told(tmp_path: Path) -> None:
    series = loaded(tmp_path, csv("time,cpu_temp", lambda s: f"{s},{'inf' if s == 7 else CPU[s]}"))
    assert 'cells that are no numbers left out: 1, the first: line 9, "inf"' in series.notes


@pytest.mark.parametrize(
    ("header", "stamp"),
    [
        ("Datum;Zeit", lambda s: f"1.9.2023;20:00:{s:02d}.5"),
        ("Zeit", lambda s: f"{s},0"),
        ("date", lambda s: f"2024-01-01 00:00:{s:02d}"),
        ("timestamp", lambda s: f"{1700000000000 + 1000 * s}"),
        ("elapsed_s", lambda s: f"{s}.0"),
        ("Time", lambda s: f"2024-01-01_00:00:{s:02d}"),
        ("time", lambda s: f"Mon Jan  1 00:00:{s:02d} UTC 2024"),
    ],
)
def test_times_as_people_write_them(tmp_path: Path, header: str, stamp: Callable[[int], str]) -> None:
    series = loaded(tmp_path, csv(f"{header};CPU [°C];Last [%]", lambda s: f"{stamp(s)};{CPU[s]};5"))
    assert series.times_s.tolist() == pytest.approx(ROWS)
    assert of(series, "CPU").tolist() == CPU


def test_a_name_that_is_cut_at_its_comma_leaves_a_number_in_the_header(tmp_path: Path) -> None:
    series = loaded(tmp_path, csv("Time,Temp:Package id 0,0,Fan:fan1", lambda s: f"{s},{CPU[s]},,900"))
    assert of(series, "Temp:Package id 0").tolist() == CPU


CHIPS = [json.loads(part) for part in logs.sensors_json(times=False).replace("\n}\n", "\n}\0").split("\0") if part]


@pytest.mark.parametrize(
    ("said", "step_s"),
    [
        (lambda s: f"Mon Jan  1 00:00:{s:02d} UTC 2024\n{json.dumps(CHIPS[s])}", 1),
        (lambda s: f"Mo 1. Jan 00:00:{s:02d} CET 2024\n{json.dumps(CHIPS[s], indent=3)}", 1),
        (lambda s: f"Mon  1 Jan 12:00:{s:02d} AM UTC 2024\n{json.dumps(CHIPS[s])}", 1),
        (lambda s: f"=== {1700000000 + s} ===\n{json.dumps(CHIPS[s])}", 1),
        (lambda s: f"{1700000000 + s} {json.dumps(CHIPS[s])}", 1),
        (lambda s: f"2024-01-01T00:00:{s:02d}+01:00\n{json.dumps(CHIPS[s])}", 1),
        (lambda s: json.dumps({"timestamp": 1.7e9 + 2 * s, **CHIPS[s]}), 2),
        (lambda s: json.dumps({"@timestamp": f"2024-01-01T00:00:{s:02d}Z", "data": CHIPS[s]}), 1),
        (lambda s: json.dumps({"ts": 1700000000000 + 2000 * s, "host": "x", "sensors": CHIPS[s]}, indent=1) + ",", 2),
    ],
)
def test_sensors_in_a_wrapping_with_its_time(tmp_path: Path, said: Callable[[int], str], step_s: float) -> None:
    series = loaded(tmp_path, "\n".join(said(second) for second in ROWS))
    assert (series.format, series.period_s) == ("sensors output", step_s)
    assert of(series, CHIP).tolist() == CPU
    assert not any("no time" in note for note in series.notes)


def test_turbostat_that_shows_only_what_was_asked_for(tmp_path: Path) -> None:
    lines = ["Time_Of_Day_Seconds\tPkgTmp\tPkgWatt"]
    lines += [f"{1.7e9 + s:.6f}\t{round(CPU[s])}\t{logs.power_w(s)}" for s in ROWS] + ["40.003 sec", ""]
    series = loaded(tmp_path, "\n".join(lines))
    assert (series.format, len(series.times_s), series.period_s) == ("turbostat output", logs.ROWS, 1.0)
    assert of(series, "PkgTmp").tolist() == [round(c) for c in CPU]
    assert series.sensors["PkgWatt"].quantity is Quantity.POWER


def test_two_columns_without_names_of_what_they_are_stay_refused(tmp_path: Path) -> None:
    sentence = refused(tmp_path, csv("timestamp,value", lambda s: f"2024-01-01 00:00:{s:02d},{CPU[s]}"))
    assert sentence.startswith("has no header that names a column of times and one of temperatures; put one")


def test_afterburner(tmp_path: Path) -> None:
    lines = ["00, 24-10-2025 15:41:00, Hardware monitoring log v1.6 ", "01, 24-10-2025 15:41:00, Radeon RX 580 Series"]
    lines += ["02, 24-10-2025 15:41:00, GPU1 temperature    ,GPU1 usage          ,CPU temperature     ,Framerate"]
    lines += [f"03, 24-10-2025 15:41:00, {place}, , , 100, 0, 10, , " for place in range(4)]
    lines += [f"80, 24-10-2025 15:41:{s:02d},{logs.gpu_c(s)},{logs.load_percent(s)},{CPU[s]},60.0" for s in ROWS]
    series = loaded(tmp_path, "\r\n".join(lines))
    assert (series.format, series.notes) == ("MSI Afterburner log", ())
    assert series.times_s.tolist() == pytest.approx(ROWS)
    assert of(series, "CPU temperature").tolist() == CPU
    assert of(series, "GPU1 temperature").tolist() == [logs.gpu_c(s) for s in ROWS]
    assert of(series, "GPU1 usage")[3] == pytest.approx(logs.load_percent(3) / 100)


def test_afterburner_that_logs_no_temperature_is_refused(tmp_path: Path) -> None:
    said = "0, 24-10-2025 15:41:23, Hardware monitoring log v1.6 ,,\n2, 24-10-2025 15:41:23, Power ,Framerate\n"
    assert refused(tmp_path, said + "80, 24-10-2025 15:41:24,143.1,60\n").startswith("no column of it is a temperature")
    assert "no row 2 with the columns' names" in refused(tmp_path, said.partition("\n")[0])
