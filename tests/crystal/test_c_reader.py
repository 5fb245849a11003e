"""A reader in C, written from docs/crystal-core.md, sees what the one in Python sees."""

from __future__ import annotations

import os
import random
import subprocess
import time
from array import array
from collections.abc import Iterator
from math import nan
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.reader import attach
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry, pack_forecast
from tests.crystal import publishing
from tests.crystal.test_record import writer

SOURCE = Path(__file__).with_name("reader.c")
NOBODY = 65534


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    built = str(tmp_path_factory.mktemp("reader") / "reader")
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-o", built, SOURCE], check=True)
    return built


@pytest.fixture
def daemon(shm: str) -> Iterator[tuple[Segment, Telemetry]]:
    segment, telemetry = publishing.started(f"{shm}/segment")
    publishing.tick(telemetry, 12345, wall_ns=1_764_000_000_250_000_000)
    yield segment, telemetry
    segment.close()


def run(program: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, path], capture_output=True, text=True, errors="replace", check=False)


def test_it_sees_what_python_sees(program: str, daemon: tuple[Segment, Telemetry]) -> None:
    columns, tunables = publishing.directory()
    columns[1].quantity = "power"
    daemon[1].directory(columns, tunables)
    values = array("d", [61.25, 17.3, nan, -12.5, 99.875])
    forecast = pack_forecast(
        0.9, (1.0, 5.0), {0: (62.0, 64.5), 4: (1.0, 2.0)}, {0: (63.0, 66.25), 4: (3.0, 4.0)}, {0: 0.125}
    )
    publishing.tick(daemon[1], 12346, wall_ns=1_764_000_000_250_000_000, values=values, forecast=forecast)
    seen = run(program, daemon[0].path)
    with attach(daemon[0].path) as crystal:
        tick, quantities = crystal.latest(), {one.name: one.quantity for one in crystal.directory().columns}
    expected = [f"tick {tick.tick} at {tick.wall_ns / 1e9:.3f}"]
    expected += [f"{name} {value:.3f}" for name, value in tick.values.items() if quantities[name] == "temperature"]
    assert tick.forecast is not None
    for name, values_then in tick.forecast.expected.items():
        upper, crossing = tick.forecast.upper[name][-1], tick.forecast.crossing.get(name, nan)
        expected.append(f"{name} in 5 s {values_then[-1]:.2f}, at most {upper:.2f}, limit {crossing:.3f}")
    assert (seen.stdout.splitlines(), seen.stderr, seen.returncode) == (expected, "", 0)
    assert len(expected) == 6


def test_it_sees_nothing_torn_under_a_writer_at_full_speed(program: str, shm: str) -> None:
    with writer(f"{shm}/segment", 30.0):
        begun_s, ticks = time.monotonic(), set()
        while time.monotonic() - begun_s < 1.0:
            seen = run(program, f"{shm}/segment")
            assert seen.returncode == 0, seen.stderr
            head, *temperatures = seen.stdout.splitlines()
            number = head.split()[1]
            ticks.add(number)
            assert [line.split()[1] for line in temperatures] == [f"{number}.000"] * publishing.COLUMNS
    assert len(ticks) > 10


def test_it_checks_the_crc_where_the_writer_keeps_one(program: str, shm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    segment, telemetry = publishing.started(f"{shm}/segment")
    publishing.tick(telemetry, 1)
    assert run(program, segment.path).returncode == 0
    offset, length = segment.section(layout.LATEST)
    start = offset + layout.RECORD_HEAD + (length - layout.RECORD_HEAD) // 2  # slot 1
    segment.memory[start + layout.SLOT_HEAD] ^= 1
    assert "no whole record" in run(program, segment.path).stderr
    segment.close()


@pytest.mark.parametrize(
    ("at", "data", "says"),
    [
        (0, b"crystal", "not a segment"),
        (8, b"\x02", "not a segment of ABI 1"),
        (12, b"\x01\x02\x03\x04", "not a segment"),
        (layout.LENGTH_AT, b"\xff" * 8, "damaged"),
        (layout.SECTIONS_AT, b"\xf8" * 8, "does not lie in the segment"),
        (layout.SECTIONS_AT + 24, b"\xff" * 8, "does not lie in the segment"),
    ],
)
def test_it_refuses_what_cannot_be(
    program: str, daemon: tuple[Segment, Telemetry], at: int, data: bytes, says: str
) -> None:
    daemon[0].memory[at : at + len(data)] = data
    seen = run(program, daemon[0].path)
    assert (seen.returncode, seen.stdout) == (1, "")
    assert says in seen.stderr


def test_it_refuses_a_stranger_and_a_link_and_says_when_nobody_writes(
    program: str, daemon: tuple[Segment, Telemetry]
) -> None:
    path = daemon[0].path
    os.symlink(path, f"{path}.link")
    assert "Too many levels of symbolic links" in run(program, f"{path}.link").stderr
    os.chown(path, NOBODY, NOBODY)
    assert "not a segment of root's" in run(program, path).stderr
    os.chown(path, 0, 0)
    daemon[0].memory[layout.STATE_AT] = layout.CLOSED
    assert run(program, path).returncode == 2


def test_random_bytes_never_crash_it(program: str, daemon: tuple[Segment, Telemetry]) -> None:
    path, chance = daemon[0].path, random.Random(7)
    whole = Path(path).read_bytes()
    for _ in range(100):
        for _ in range(chance.choice((1, 10))):
            at = chance.randrange(16, 60_000)
            daemon[0].memory[at : at + 8] = chance.randbytes(8)
        assert run(program, path).returncode in (0, 1, 2)
        daemon[0].memory[: len(whole)] = whole
