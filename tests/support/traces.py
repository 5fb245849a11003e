"""Recorded time series of real machines: seconds, processor temperature, load, power, and the cores' temperatures."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    at_s: float
    package_c: float
    load: float
    power_w: float
    cores_c: tuple[float, ...] = ()


def traces(recordings: Path) -> dict[str, list[Row]]:
    """Every trace with a temperature and what heats it, by the machine's name."""
    with tarfile.open(recordings / "traces.tar.xz") as packed:
        files = {
            member.name.removeprefix("traces/"): file.read().decode("latin-1")
            for member in packed
            if member.isfile() and (file := packed.extractfile(member))
        }
    return {
        "9800X3D desktop, a game": list(_mangohud(files["mangohud/rtx4090_9800x3d.csv"])),
        "i7-1260P laptop, light and heavy work": list(_laptop(files["laptop/XFCE_raw_metrics.csv"])),
        "i9-12900H laptop, bursts to 100 °C": list(_hwinfo(files["hwinfo/sensors.CSV"])),
        "Alder Lake, idle": list(_turbostat(files["turbostat/adl0.turbostat.txt"])),
    }


def _mangohud(text: str) -> Iterator[Row]:
    """Ten rows a second; read twice a second."""
    last_s = -1.0
    for row in csv.DictReader(io.StringIO(text[text.index("fps,") :])):
        at_s = int(row["elapsed"]) / 1e9
        if at_s >= last_s + 0.5:
            last_s = at_s
            yield Row(at_s, float(row["cpu_temp"]), float(row["cpu_load"]) / 100, float(row["cpu_power"]))


def _laptop(text: str) -> Iterator[Row]:
    for row in csv.DictReader(io.StringIO(text)):
        yield Row(float(row["timestamp"]), float(row["cpu_temp_c"]), float(row["cpu_pct"]) / 100, float(row["power_w"]))


def _hwinfo(text: str) -> Iterator[Row]:
    """The columns have doubles, so by place: 87 load, 157 package, 128 to 141 cores, 220 power; numbered from 1."""
    for row in csv.reader(io.StringIO(text)):
        if row and row[0][:1].isdigit():
            at = datetime.strptime(f"{row[0]} {row[1]}", "%d.%m.%Y %H:%M:%S.%f").replace(tzinfo=UTC)
            cores_c = tuple(float(text) for text in row[127:141])
            yield Row(at.timestamp(), float(row[156]), float(row[86]) / 100, float(row[219]), cores_c)


def _turbostat(text: str) -> Iterator[Row]:
    """The lines of the whole package, which alone have a time and no CPU number."""
    names: list[str] = []
    for line in text.splitlines():
        cells = line.split("\t")
        if cells[0] == "Time_Of_Day_Seconds":
            names = cells
        elif names and cells[1:3] == ["-", "-"]:
            row = dict(zip(names, cells, strict=False))
            yield Row(float(cells[0]), float(row["PkgTmp"]), float(row["Busy%"]) / 100, float(row["PkgWatt"]))
