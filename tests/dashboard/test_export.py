"""A range of history as a file: the rows of gamesactl export."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from pathlib import Path

import pytest

from tests.support.client import gamesactl
from tests.support.dashboard import Dashboard
from tests.support.private_bus import PrivateBus

CPU = "cpu.utilization"


@pytest.fixture
def same_machine(bus: PrivateBus, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    monkeypatch.setenv("GAMESAD_SHM", f"{place}/shm")


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_is_that_of_the_command_line(page: Dashboard, same_machine: None) -> None:
    told = rows(gamesactl("export", "--format", "csv", "--sensor", CPU, "--since", "10m").out)
    answer = page.ask(f"/api/v1/export?format=csv&sensor={CPU}&since=-600")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="gamesa-\d+-\d+\.csv"', answer.headers["content-disposition"])
    seen = rows(answer.body.decode())
    assert seen[0] == told[0]
    assert len(told) > 2
    assert {tuple(row) for row in told[:-1]} <= {tuple(row) for row in seen}
    assert answer.body.count(b"\r\n") == len(seen)


def test_json_has_the_same_rows(page: Dashboard) -> None:
    until_s = time.time() - 2
    query = f"sensor={CPU}&sensor=thermal.acpitz&since={until_s - 300}&until={until_s}"
    seen = rows(page.ask(f"/api/v1/export?format=csv&{query}").body.decode())
    found = json.loads(page.ask(f"/api/v1/export?format=json&{query}").body)
    assert [[("" if one is None else str(one)) for one in row.values()] for row in found] == seen[1:]
    assert list(found[0]) == seen[0]


def test_all_sensors_at_few_points(page: Dashboard) -> None:
    found = json.loads(page.ask("/api/v1/export?format=json&points=2").body)
    names = [one["name"] for one in page.get("sensors")]
    assert list(dict.fromkeys(row["Sensor"] for row in found)) == [
        name for name in names if any(row["Sensor"] == name for row in found)
    ]
    assert all(sum(row["Sensor"] == name for row in found) <= 2 for name in names[:5])


def test_a_range_without_rows_is_an_empty_file(page: Dashboard) -> None:
    query = f"sensor={CPU}&since=1000&until=2000"
    assert page.ask(f"/api/v1/export?format=json&{query}").document == []
    assert len(rows(page.ask(f"/api/v1/export?format=csv&{query}").body.decode())) == 1
