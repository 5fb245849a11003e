"""What each program logs becomes the same: sensors with their place, times, and every reading that was there."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gamesad.evaluation.formats import load
from gamesad.evaluation.series import Series
from gamesad.neural.sources import Sources
from gamesad.types import Heat, Quantity, Sensor
from tests.evaluation import logs


def loaded(folder: Path, said: str | bytes, name: str = "log") -> Series:
    path = folder / name
    path.write_bytes(said if isinstance(said, bytes) else said.encode())
    return load(str(path))


def of(series: Series, name: str) -> np.ndarray:
    return series.values[:, list(series.sensors).index(name)]


def heated(series: Series, quantity: Quantity) -> dict[Heat | None, str]:
    """The sensor of a quantity that is declared to be the whole processor's or card's."""
    return {one.heat: one.name for one in series.sensors.values() if one.quantity is quantity and one.heat}


def fed(series: Series, temperature: str) -> set[str]:
    """The sensors of power and load that the models take for what heats this one."""
    sources = Sources(series.sensors)
    values = {name: float(place + 1) for place, name in enumerate(sources.feeding)}
    found = set()
    for name in values:
        missing = {one: math.nan if one == name else value for one, value in values.items()}
        at = sources.temperatures.index(temperature)
        before, after = (np.array(sources.feed(some))[:, at] for some in (values, missing))
        if not np.array_equal(before, after, equal_nan=True):
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("said", "step_s"), [(logs.mangohud(), 0.1), (logs.mangohud_plain(), 0.5)], ids=["v1", "before v1"]
)
def test_mangohud(tmp_path: Path, said: str, step_s: float) -> None:
    series = loaded(tmp_path, said)
    assert (series.format, series.period_s) == ("MangoHud log", 1.0)
    assert series.times_s[1] == pytest.approx(step_s)
    assert set(series.temperatures) == {"cpu_temp", "gpu_temp"}
    assert series.sensors["cpu_temp"] == Sensor(
        "cpu_temp", Quantity.TEMPERATURE, "cpu_temp", heat=Heat.CPU, critical=True
    )
    assert heated(series, Quantity.POWER) == {Heat.CPU: "cpu_power"}
    assert heated(series, Quantity.UTILIZATION) == {Heat.CPU: "cpu_load", Heat.GPU: "gpu_load"}
    assert of(series, "gpu_temp")[int(20 / step_s)] == logs.gpu_c(20)
    assert of(series, "cpu_load")[int(20 / step_s)] == pytest.approx(logs.load_percent(20) / 100)
    assert any("first of each second" in note for note in series.notes)


def test_what_mangohud_cannot_read_is_unknown_and_not_zero(tmp_path: Path) -> None:
    lines = logs.mangohud_plain().splitlines()
    at = logs.MANGOHUD_COLUMNS.split(",").index("cpu_power")
    rows = [",".join(cell if i != at else "0" for i, cell in enumerate(line.split(","))) for line in lines[3:]]
    series = loaded(tmp_path, "\n".join([*lines[:3], *rows]))
    assert "cpu_power" not in series.sensors
    assert any(note.startswith("cpu_power is 0 throughout") for note in series.notes)


def test_hwinfo(tmp_path: Path) -> None:
    series = loaded(tmp_path, logs.hwinfo())
    assert (series.format, len(series.times_s)) == ("HWiNFO log", logs.ROWS)
    assert series.temperatures == ("CPU Package", "Core Max", "CPU Package #2", "GPU Temperature")
    assert heated(series, Quantity.POWER) == {Heat.CPU: "CPU Package Power", Heat.GPU: "GPU Power"}
    assert heated(series, Quantity.UTILIZATION) == {Heat.CPU: "Total CPU Usage", Heat.GPU: "GPU Core Load"}
    assert of(series, "CPU Package")[7] == logs.cpu_c(7)
    assert of(series, "CPU Package #2")[7] == logs.cpu_c(7) + 1
    assert series.notes == (), "what every such log ends with is nothing to complain of"


@pytest.mark.parametrize(
    ("stamp", "mark", "comma"),
    [
        (lambda s: f"2025-08-13|13:58:{s}.000", ",", "."),
        (lambda s: f"8/13/2025|1:58:{s:02d}.000 PM", ",", "."),
        (lambda s: f"13/08/2025|13:58:{s}.000", ",", "."),
        (lambda s: f"13.08.2025|13:58:{s},000", ";", ","),
        (lambda s: f"27.10.2025|23:59:{s + 30}" if s < 30 else f"28.10.2025|0:0:{s - 30}", ",", "."),
    ],
    ids=["ISO", "US", "UK", "decimal comma", "over midnight"],
)
def test_hwinfo_of_other_countries(tmp_path: Path, stamp: Callable[[int], str], mark: str, comma: str) -> None:
    series = loaded(tmp_path, logs.hwinfo(stamp=stamp, mark=mark, comma=comma))
    assert series.format == "HWiNFO log"
    assert series.times_s.tolist() == pytest.approx(range(logs.ROWS))
    assert of(series, "CPU Package").tolist() == [logs.cpu_c(second) for second in range(logs.ROWS)]


def test_hwinfo_begun_anew_in_the_same_file(tmp_path: Path) -> None:
    """The second header has a column less: those that both have go on, under their own names."""
    first = logs.hwinfo().decode("latin-1").splitlines()
    fewer = [",".join(cells[:4] + cells[5:]) for cells in (line.split(",") for line in first[:-2])]
    later = [row.replace("13.8.2025", "14.8.2025") for row in fewer]
    series = loaded(tmp_path, "\n".join([*first, *later]).encode("latin-1"))
    assert len(series.times_s) == 2 * logs.ROWS
    assert of(series, "CPU Package")[-1] == logs.cpu_c(logs.ROWS - 1)
    assert of(series, "GPU Temperature")[-1] == logs.gpu_c(logs.ROWS - 1)
    assert np.isnan(of(series, "Core Max")[-1])
    assert any("headers with other columns" in note for note in series.notes)


def test_turbostat(tmp_path: Path) -> None:
    series = loaded(tmp_path, logs.turbostat())
    assert (series.format, len(series.times_s), series.period_s) == ("turbostat output", logs.ROWS, 1.0)
    assert series.temperatures == ("PkgTmp 0", "CoreTmp 0 0", "CoreTmp 0 1")
    assert heated(series, Quantity.POWER) == {Heat.CPU: "PkgWatt"}
    assert of(series, "CoreTmp 0 0")[3] == round(logs.cpu_c(3)) - 1
    assert of(series, "Busy%")[3] == pytest.approx(logs.load_percent(3) / 100)


def test_turbostat_without_times_says_what_it_assumes(tmp_path: Path) -> None:
    series = loaded(tmp_path, logs.turbostat(times=False))
    assert series.period_s == 5.0
    assert any(note.startswith("there is no time in it; 5 s between rows assumed") for note in series.notes)
    assert any("which is one step here" in note for note in series.notes)


@pytest.mark.parametrize(
    "said", [logs.sensors_json(), logs.sensors_json(times=False), logs.sensors_raw(), logs.sensors_plain()],
    ids=["-j with times", "-j", "-u", "plain"],
)  # fmt: skip
def test_sensors(tmp_path: Path, said: str) -> None:
    series = loaded(tmp_path, said)
    assert (series.format, len(series.times_s), series.period_s) == ("sensors output", logs.ROWS, 1.0)
    by_label = {sensor.label: name for name, sensor in series.sensors.items()}
    package, edge = by_label["coretemp-isa-0000 Package id 0"], by_label["amdgpu-pci-0300 edge"]
    assert of(series, package).tolist() == [logs.cpu_c(second) for second in range(logs.ROWS)]
    assert series.sensors[edge].heat is Heat.GPU
    assert (fed(series, package), fed(series, edge)) == (set(), {by_label["amdgpu-pci-0300 PPT"]})
    assumed = [note for note in series.notes if "between two assumed" in note]
    assert len(assumed) == (not said.startswith("1764270000"))


@pytest.mark.parametrize(
    ("header", "stamp", "mark", "comma"),
    [
        ("time_s", str, ",", "."),
        (
            "time",
            lambda s: f"1/31/2026 {11 + s // 20}:{59 * (s < 20)}:{s + 40 if s < 20 else s - 20} {'AP'[s // 20]}M",
            ",",
            ".",
        ),
        ("elapsed_ms", lambda s: str(1000 * s), ",", "."),
        ("timestamp", lambda s: str(1764270000.25 + s), ",", "."),
        ("timestamp", lambda s: str(1764270000000 + 1000 * s), ",", "."),
        ("Time [s]", str, ";", ","),
        ("time", lambda s: f"2026-01-31T13:05:{s:02d}+01:00", "\t", "."),
        ("timestamp", lambda s: f"2025/04/24 16:02:{s:02d}.560", ",", "."),
        ("date", lambda s: f"24-10-2025 15:41:{s:02d}", ",", "."),
        ("Time", lambda s: f"{23 if s < 20 else 0}:{59 if s < 20 else 0}:{s + 40 if s < 20 else s - 20}", ",", "."),
    ],
    ids=[
        "s",
        "over noon",
        "ms",
        "epoch",
        "epoch ms",
        "decimal comma",
        "ISO 8601",
        "nvidia-smi",
        "day first",
        "past midnight",
    ],
)
def test_plain_csv(tmp_path: Path, header: str, stamp: Callable[[int], str], mark: str, comma: str) -> None:
    said = logs.table((header, *logs.PLAIN[1:]), stamp, mark=mark, comma=comma)
    series = loaded(tmp_path, said)
    assert (series.format, series.period_s) == ("CSV", 1.0)
    assert series.times_s.tolist() == pytest.approx(range(logs.ROWS))
    assert series.temperatures == ("cpu", "gpu")
    assert heated(series, Quantity.POWER) == {Heat.CPU: "cpu #2"}
    assert of(series, "cpu").tolist() == [logs.cpu_c(second) for second in range(logs.ROWS)]
    assert of(series, "cpu #3")[9] == pytest.approx(logs.load_percent(9) / 100)


def test_inexact_times_lose_no_reading(tmp_path: Path) -> None:
    """Some ms early or late: still one a second, and no second without one."""
    said = logs.table(logs.PLAIN, lambda s: f"{s + (0.0, 0.004, -0.004)[s % 3]:.3f}", 300)
    steps = [one.monotonic_s for one in loaded(tmp_path, said).snapshots()]
    assert [math.floor(step) for step in steps] == list(range(300))


def test_names_without_units_are_understood(tmp_path: Path) -> None:
    said = logs.table(("t", "cpu_temp_c", "gpu_temperature", "power_w", "cpu_load"), str)
    series = loaded(tmp_path, said)
    assert series.temperatures == ("cpu_temp_c", "gpu_temperature")
    assert heated(series, Quantity.POWER) == {Heat.CPU: "power_w"}
    assert of(series, "cpu_load").max() <= 1.0


def test_fahrenheit_becomes_celsius(tmp_path: Path) -> None:
    series = loaded(tmp_path, "time_s,cpu [°F]\n" + "".join(f"{s},{212 - s}\n" for s in range(20)))
    assert of(series, "cpu")[0] == pytest.approx(100.0)


def test_several_cards_in_the_rows_of_one_log_stay_apart(tmp_path: Path) -> None:
    """nvidia-smi --format=csv -l 1 with two cards: a row each, with units in every cell."""
    rows = ["timestamp, index, temperature.gpu, power.draw [W], utilization.gpu [%]"]
    for second in range(logs.ROWS):
        for card in (0, 1):
            at = f"2026/01/31 13:05:{second:02d}.{100 + card}"
            rows.append(f"{at}, {card}, {logs.gpu_c(second) + 10 * card:.0f}, {100 + card}.50 W, {second + card} %")
    series = loaded(tmp_path, "\n".join(rows))
    first, second_ = series.temperatures
    assert (of(series, second_) - of(series, first)).tolist() == [10.0] * logs.ROWS
    assert [series.sensors[name].label for name in (first, second_)] == [
        "temperature.gpu of card 0", "temperature.gpu of card 1",
    ]  # fmt: skip
    assert fed(series, second_) == {"gpu.card1.power.draw", "gpu.card1.gpu_busy"}
    assert of(series, "gpu.card1.power.draw")[3] == 101.5


def test_the_power_in_a_log_of_a_card_alone_is_its_own(tmp_path: Path) -> None:
    for power in ("power.draw [W]", "power_w"):
        series = loaded(tmp_path, logs.table(("timestamp", "temperature.gpu", "gpu_hotspot", power, "util_%"), str))
        assert fed(series, "temperature.gpu") == {power.removesuffix(" [W]"), "util_%"}


def test_a_flight_recording(tmp_path: Path) -> None:
    series = loaded(tmp_path, logs.flight())
    assert series.format == "gamesad flight recording"
    assert list(series.sensors) == ["hwmon.coretemp-isa-0000.temp1", "cpu.utilization"]
    assert math.isnan(of(series, "hwmon.coretemp-isa-0000.temp1")[5])
    assert of(series, "hwmon.coretemp-isa-0000.temp1")[6] == logs.cpu_c(6)
    assert not series.notes, "a column of words is none that lacks readings"


def test_an_export(tmp_path: Path) -> None:
    csv_ = loaded(tmp_path, logs.export())
    header, *rows = [line.split(",") for line in logs.export().splitlines()]
    told = [
        {key: cell if i < 5 else float(cell) for i, (key, cell) in enumerate(zip(header, row, strict=True))}
        for row in rows
    ]
    json_ = loaded(tmp_path, json.dumps(told))
    assert csv_.format == json_.format == "gamesad export"
    assert csv_.sensors == json_.sensors
    assert (csv_.values == json_.values).all()
    assert of(csv_, "hwmon.k10temp-pci-00c3.temp1").tolist() == [logs.cpu_c(second) for second in range(logs.ROWS)]
