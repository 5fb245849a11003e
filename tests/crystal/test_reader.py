"""What a client reads of a segment: ticks, names, decisions, history and blocks, and what that costs it."""

from __future__ import annotations

import errno
import itertools
import os
import random
import subprocess
import sys
from array import array
from math import nan
from typing import Any

import numpy as np
import pytest

from gamesad.crystal import layout
from gamesad.crystal.directory import NAME_SIZE, Column, TunableRow
from gamesad.crystal.errors import Damaged, NotThere
from gamesad.crystal.history.history import History
from gamesad.crystal.latest import Latest
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.reader import Crystal, attach
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry, pack_forecast
from tests.crystal import hammer, publishing
from tests.crystal.publishing import NAMES


def test_a_tick_is_read_as_it_was_published(crystal: Crystal, daemon: tuple[Segment, Telemetry]) -> None:
    text: layout.Texts = {"ActiveProfile": "quiet", "Values": {"boost": 1, "ratio": 0.1}, "Simulated": True}
    number = daemon[1].decision(7.5, "throttle", "forecast", b"s\tReason\thot\nd\tNumbers\tlimit_c\t95.0\n")
    publishing.tick(
        daemon[1], 42, monotonic_ns=5, wall_ns=6, duration_s=0.25, uptime_s=3.5, thermal_state="critical",
        mode="failsafe", action="conservative", source="safety",
        values=array("d", [41.5, -0.5, nan, 3e9, 1.0]), limits=array("d", [95.0, nan, nan, nan, 80.0]),
        ages_s=array("f", [0.0, 2.5, 0.0, 0.0, 0.0]),
        states=bytearray([layout.OK, layout.OK, layout.ABSENT, layout.FAULT, layout.REJECTED]),
        text=layout.to_text(text).encode(),
        forecast=pack_forecast(0.9, (1.0, 10.0), {1: (50.0, 60.0)}, {1: (52.0, 65.0)}, {1: 0.25}),
    )  # fmt: skip
    tick = crystal.latest()
    assert (tick.tick, tick.monotonic_ns, tick.wall_ns, tick.duration_s, tick.uptime_s) == (42, 5, 6, 0.25, 3.5)
    assert (tick.thermal_state, tick.mode, tick.action, tick.source) == (
        "critical",
        "failsafe",
        "conservative",
        "safety",
    )
    assert tick.values == {NAMES[0]: 41.5, NAMES[1]: -0.5}, "only what was read and can be true"
    assert list(tick.states.values()) == [layout.OK, layout.OK, layout.ABSENT, layout.FAULT, layout.REJECTED]
    assert tick.limits == {NAMES[0]: 95.0, NAMES[4]: 80.0}
    assert tick.ages == {NAMES[1]: 2.5}
    assert tick.text == text
    assert tick.decision_number == number == 1
    assert tick.forecast is not None
    assert (round(tick.forecast.confidence, 6), tick.forecast.horizon_s) == (0.9, (1.0, 10.0))
    assert (tick.forecast.expected, tick.forecast.upper) == ({NAMES[1]: (50.0, 60.0)}, {NAMES[1]: (52.0, 65.0)})
    assert tick.forecast.crossing == {NAMES[1]: 0.25}
    (decision,) = crystal.decisions()
    assert (decision.number, decision.since_s, decision.action, decision.source) == (1, 7.5, "throttle", "forecast")
    assert decision.text == {"Reason": "hot", "Numbers": {"limit_c": 95.0}}
    publishing.tick(daemon[1], 43)
    assert crystal.latest().forecast is None


def test_the_directory_says_what_there_is(crystal: Crystal, daemon: tuple[Segment, Telemetry]) -> None:
    columns, tunables = publishing.directory()
    columns[4].in_use = False
    daemon[1].directory(columns, tunables)
    seen = crystal.directory()

    def fields(rows: list[Any]) -> list[list[object]]:
        return [[getattr(row, name) for name in row.__slots__] for row in rows]

    assert fields(seen.columns) == fields(columns)
    assert fields(seen.tunables) == fields(tunables)
    assert (crystal.version, crystal.simulated) == ("1.2.3", False)


def test_before_the_first_tick_there_is_none(shm: str, mapped: bool) -> None:
    segment = publishing.segment(f"{shm}/segment")
    with attach(segment.path, mapped=mapped) as crystal:
        for ask in (crystal.latest, crystal.directory, lambda: crystal.history(NAMES[0])):
            with pytest.raises(NotThere, match="has just started"):
                ask()
        assert (crystal.decisions(), crystal.blocks(), crystal.statistics()) == ([], [], {})
        with pytest.raises(NotThere, match="pool is empty"):
            crystal.read(1)
    segment.close()


def test_a_new_sensor_is_named_from_its_first_tick_on(crystal: Crystal, daemon: tuple[Segment, Telemetry]) -> None:
    columns, tunables = publishing.directory()
    daemon[1].directory(columns[:2], tunables)
    publishing.tick(daemon[1], 1)
    assert list(crystal.latest().values) == NAMES[:2]
    daemon[1].directory(columns[:3], tunables)
    assert list(crystal.latest().values) == NAMES[:2], "a directory that is newer than the tick"
    publishing.tick(daemon[1], 2)
    assert list(crystal.latest().values) == NAMES[:3]


def test_what_does_not_fit_is_cut_where_a_word_or_line_ends_and_never_in_a_name(
    crystal: Crystal, daemon: tuple[Segment, Telemetry]
) -> None:
    choices = [f"choice-{number}" for number in range(40)]
    daemon[1].directory([Column("x" * NAME_SIZE, label="°" * 33)], [TunableRow("t", "r", choices=choices)])
    seen = crystal.directory()
    assert (seen.columns[0].name, seen.columns[0].label) == ("x" * NAME_SIZE, "°" * 32)
    kept = seen.tunables[0].choices
    assert kept == tuple(choices[: len(kept)])
    assert len(kept) > 10
    with pytest.raises(ValueError, match="longer than 128 bytes"):
        daemon[1].directory([Column("x" * (NAME_SIZE + 1))], [])
    lines = {f"key {number}": "v" * 100 for number in range(1000)}
    publishing.tick(daemon[1], 1, text=layout.to_text(lines).encode())
    told = crystal.latest().text
    assert told == dict(itertools.islice(lines.items(), len(told)))
    assert len(told) > 100
    daemon[1].decision(1.0, "noop", "rule", layout.to_text(lines).encode())
    assert crystal.decisions()[0].text == dict(itertools.islice(lines.items(), 9))
    with pytest.raises(ValueError, match="for a record of"):
        daemon[1].directory([Column(f"c{number}") for number in range(99)], [])


def test_the_oldest_decision_is_left_to_the_writer_who_may_be_at_its_place(
    crystal: Crystal, daemon: tuple[Segment, Telemetry]
) -> None:
    for number in range(1, 10):
        daemon[1].decision(float(number), "noop", "rule", b"s\tReason\told\n")
    place = daemon[0].section(layout.DECISIONS)[0] + layout.RING_HEAD + layout.DECISION_SIZE  # of number 2
    at = place + layout.DECISION_HEAD.size
    daemon[0].memory[at : at + 12] = b"s\tReason\tnew"  # and its head is still the old one's
    assert [one.number for one in crystal.decisions()] == [3, 4, 5, 6, 7, 8, 9]
    assert {one.text["Reason"] for one in crystal.decisions()} == {"old"}
    assert [one.number for one in crystal.decisions(2)] == [8, 9]


# ---- history, pool, arrays


def test_history_comes_from_the_rings_also_from_those_that_grew_since(shm: str, mapped: bool) -> None:
    segment, _ = publishing.started(f"{shm}/segment")
    with attach(segment.path, mapped=mapped) as crystal:
        assert crystal.history(NAMES[1]) == []
        history = History(segment)
        history.grow()
        begin_us = 1_700_000_000_000_000
        for second in range(25):
            history.push(begin_us + second * 1_000_000, [float(second), 50.0 + second, nan, 0.0, 0.0])
        points = crystal.history(NAMES[1])
        assert [point[2] for point in points] == [50.0 + second for second in range(24)]
        assert crystal.history(NAMES[2]) == []
        ((_, least, mean, most),) = crystal.history(NAMES[0], max_points=1)
        assert (least, mean, most) == (0.0, 11.5, 23.0)
        since_us, until_us = points[3][0], points[5][0]
        assert crystal.history(NAMES[1], since_us, until_us) == points[3:6]
        with pytest.raises(KeyError, match="nonsense"):
            crystal.history("nonsense")
    segment.close()


def test_arrays_show_the_rings_where_they_lie(crystal: Crystal, daemon: tuple[Segment, Telemetry]) -> None:
    history = History(daemon[0])
    history.grow()
    arrays = crystal.arrays()
    ring = arrays[1]
    assert ({period: len(rows) for period, rows in arrays.items()}, ring.base is not None) == (
        {1: 60, 10: 60, 300: 60},
        True,
    )
    for second in range(3):
        history.push((1_700_000_000 + second) * 1_000_000, [float(second)] * publishing.COLUMNS)
    history.flush()
    shown = ring[ring["samples"] > 0]  # written after the view was made: nothing was copied
    assert shown["columns"]["mean"][:, 1].tolist() == [point[2] for point in crystal.history(NAMES[1])]
    assert shown["columns"].shape == (3, publishing.COLUMNS)
    with pytest.raises(ValueError, match="read-only"):
        ring["samples"][0] = 1
    assert isinstance(ring, np.ndarray)


def test_the_pool_is_read_as_it_grows_is_frozen_and_freed(crystal: Crystal, daemon: tuple[Segment, Telemetry]) -> None:
    assert crystal.blocks() == []
    pool = Pool(daemon[0])
    small, large = pool.allocate(100, owner="flight"), pool.allocate(3 << 20)
    pool.write(small, bytes(range(100)))
    contents = random.Random(1).randbytes(1 << 20) + bytes(2 << 20)
    pool.write(large, contents)
    assert crystal.read(small.id) == bytes(range(100))
    assert crystal.read(large.id) == contents, "beyond what there was when the reader attached"
    pool.seal(1.0)
    assert pool.freeze(large)
    by_id = {block.id: block for block in crystal.blocks()}
    frozen, warm = by_id[large.id], by_id[small.id]
    assert (frozen.tier, frozen.size, frozen.stored < 2 << 20) == (layout.FROZEN, 3 << 20, True)
    assert (warm.owner, warm.size, warm.address, warm.sealed) == ("flight", 100, small.address, True)
    assert crystal.read(large.id) == contents
    assert set(crystal.statistics()) == set(layout.STATISTICS)
    pool.free(small)
    with pytest.raises(NotThere, match=f"no block {small.id} in the pool"):
        crystal.read(small.id)
    other = pool.allocate(1000)
    pool.write(other, bytes(1000))
    pool.seal(1.0)
    for block in (large, other):
        assert crystal.read(block.id)
        daemon[0].memory[daemon[0].section(layout.POOL)[0] + block.offset + layout.BLOCK_HEAD + 500] ^= 1
        with pytest.raises(Damaged, match=f"block {block.id} of the pool is damaged"):
            crystal.read(block.id)


# ---- what it costs a client

_LIGHT = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from gamesad.crystal.reader import attach
tick = attach(sys.argv[2]).latest()
heavy = {"typing", "enum", "json", "re", "dataclasses", "collections", "mmap", "zlib", "functools"}
print(tick.tick, sorted(heavy & (set(sys.modules) - before)))
"""


def test_a_status_loads_nothing_heavy(daemon: tuple[Segment, Telemetry]) -> None:
    publishing.tick(daemon[1], 3)
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    line = [sys.executable, "-I", "-S", "-c", _LIGHT, root, daemon[0].path]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "3 []\n"


def test_without_numpy_everything_but_arrays_works(
    daemon: tuple[Segment, Telemetry], monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.tick(daemon[1], 3)
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "gamesad.crystal.arrays", raising=False)
    with attach(daemon[0].path) as crystal:
        assert isinstance(crystal.latest(), Latest)
        with pytest.raises(ImportError, match="numpy"):
            crystal.arrays()


def test_reading_a_mapping_makes_no_system_call(
    daemon: tuple[Segment, Telemetry], monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.tick(daemon[1], 3)

    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "a system call")

    with attach(daemon[0].path, mapped=True) as crystal:
        for call in ("pread", "fstat", "lstat", "open", "read"):
            monkeypatch.setattr(os, call, refused)
        assert hammer.whole(crystal.latest())
        monkeypatch.undo()
