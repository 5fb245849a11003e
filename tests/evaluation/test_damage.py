"""Logs that are damaged, cut off or no logs: one clear sentence, or what is good and a sentence of what is left out."""

from __future__ import annotations

import gzip
import os
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamesad.errors import Failed
from gamesad.evaluation import text
from gamesad.evaluation.formats import load
from tests.evaluation import logs
from tests.evaluation.test_formats import loaded, of

EVERY: dict[str, bytes] = {
    "MangoHud": logs.mangohud(80).encode(),
    "MangoHud before v1": logs.mangohud_plain(20).encode(),
    "HWiNFO": logs.hwinfo(8),
    "turbostat": logs.turbostat(8).encode(),
    "sensors -j": logs.sensors_json(8).encode(),
    "sensors -u": logs.sensors_raw(8).encode(),
    "sensors": logs.sensors_plain(8).encode(),
    "CSV": logs.plain(20).encode(),
    "flight": logs.flight(20).encode(),
    "export": logs.export(20).encode(),
}
LONG = "9" * (text.LONGEST_LINE + 1)


def refused(folder: Path, said: str | bytes) -> str:
    """The one sentence: which file, what is wrong and what to do."""
    path = folder / "log"
    path.write_bytes(said if isinstance(said, bytes) else said.encode())
    with pytest.raises(Failed) as failed:
        load(str(path))
    told = str(failed.value)
    assert told.startswith(str(path))
    assert "\n" not in told
    assert re.search(r"[;:?(] ?", told.removeprefix(f"{path}: ")), "what to do is missing"
    return told.removeprefix(str(path)).lstrip(": ")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("", "is empty; was the recorder stopped at its start?"),
        ("\0\0\0\n\0\n", "is empty; was the recorder stopped at its start?"),
        ("Dear diary,\n\ntoday it was hot.\n", "has no header that names a column of times and one of temperatures"),
        ("\x7fELF\x02\x01" + "\x90\xff" * 200, "is none of these: gamesad recording, "),
        ("time_s,cpu[W]\n1,20\n2,30\n", "has no header|no column of it is a temperature"),
        ("cpu[°C],cpu[W]\n50,20\n51,30\n", "no column of line 1 is a time"),
        ("time_s,cpu[°C]\n", "no row with readings"),
        ("time_s,cpu[°C]\n1,50\n", "1 row with readings"),
        ("time_s,cpu[°C]\n1,N/A\n2,N/A\n3,\n", "its temperatures have no readings"),
        ("time_s,cpu[°C]\n1,50\n1,51\n1,52\n", "all rows have the same time"),
        ("os,cpu,gpu,ram,kernel\nA,B,C,D,E\n", "has no line that begins with fps,frametime"),
        ("fps,frametime,cpu_temp\n60,16,50\n60,16,51\n", "there is no column 'elapsed'"),
        ("turbostat version 2024 - Len Brown\ncpu0: MSR\n", "has no header with Busy%"),
        (logs.turbostat().replace("Tmp", "Thr"), "no column of it is a temperature"),
        ('{"coretemp-isa-0000": {"Adapter": "ISA adapter", "Pack', "holds not one whole output of sensors"),
        ('Date,Time,"CPU [°C]",' + '"x [MB]",' * 200_000, "holds no header"),
        (logs.flight()[:-200], "is no whole JSON document"),
        ('{"Reason": "alert", "Began": 1, "Rows": 3}', "has no Columns and Rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_says_why_and_what_to_do(tmp_path: Path, said: str, sentence: str) -> None:
    assert re.match(sentence.replace("?", r"\?"), refused(tmp_path, said))


def test_a_file_that_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, sentence in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "is not a plain file"),
    ):
        with pytest.raises(Failed, match=sentence):
            load(str(path))


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda said: said.replace("\n7,", "\n7,broken", 1), "cells that are no numbers left out: 1"),
        (lambda said: said.replace("\n7,", "\nsix,", 1), 'rows without a time left out: 1, the first: line 9, "six"'),
        (lambda said: said.replace("\n7,", f"\n{logs.PLAIN[0]},{','.join(logs.PLAIN[1:])}\n7,"), "headers repeated"),
        (lambda said: re.sub(r"\n7,[^\n]*", "\n7,50.0", said), "rows with fewer columns than the header: 1"),
        (lambda said: said.replace("\n7,", "\n6,", 1), "rows no later than the one before left out: 1"),
        (lambda said: said + said.partition("\n")[2], "times go backwards (what follows counts as after a gap): 1"),
        (lambda said: said.replace("\n7,", "\n\x007,", 1), "NUL bytes left out: 1"),
        (lambda said: said.replace("\n7,", f"\n{LONG}\n7,"), "lines longer than 1 MiB left out"),
        (lambda said: said.replace("\n7,", '\n"7,', 1), "left out"),
        (lambda said: re.sub(r"\n7,[\d.]+", "\n7,-273.1", said), "readings that cannot be true left out: 1"),
    ],
    ids=["text", "no time", "header", "short", "same time", "backwards", "NUL", "long line", "quote", "impossible"],
)  # fmt: skip
def test_what_is_left_out_is_said_and_the_rest_is_used(tmp_path: Path, change: Callable[[str], str], note: str) -> None:
    series = loaded(tmp_path, change(logs.plain()))
    assert any(note in said for said in series.notes), series.notes
    assert len(series.times_s) >= logs.ROWS - 1
    assert (np.diff(series.times_s) > 0).all()
    assert of(series, "cpu")[30] in (logs.cpu_c(30), logs.cpu_c(31))


def test_marks_and_encodings_of_other_systems(tmp_path: Path) -> None:
    plain = loaded(tmp_path, logs.plain())
    for said in (
        b"\xef\xbb\xbf" + logs.plain().encode(), logs.plain().encode("utf-16"), logs.plain().encode("latin-1"),
        logs.plain().replace("\n", "\r\n").encode(), b"\n\n" + logs.plain().encode(),
    ):  # fmt: skip
        series = loaded(tmp_path, said)
        assert list(series.sensors) == list(plain.sensors)
        assert (series.values == plain.values).all()


def test_packed_logs_are_used_as_far_as_they_go(tmp_path: Path) -> None:
    said = logs.plain(5000)
    whole = gzip.compress(said.encode())
    assert len(loaded(tmp_path, whole).times_s) == 5000
    assert (
        len(loaded(tmp_path, gzip.compress(said[:50_000].encode()) + gzip.compress(said[50_000:].encode())).times_s)
        == 5000
    )
    cut = loaded(tmp_path, whole[: len(whole) // 2])
    assert 1000 < len(cut.times_s) < 5000
    assert "the gzip data end before they should; what was whole is used" in cut.notes
    broken = loaded(tmp_path, whole[: len(whole) * 9 // 10] + b"\xff" * 50 + whole[len(whole) * 9 // 10 + 50 :])
    assert any("gzip data are damaged" in note for note in broken.notes)
    assert "nothing of its gzip data can be unpacked" in refused(tmp_path, b"\x1f\x8b\x08\x00")


def test_a_file_made_to_fill_memory_is_read_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is smaller here, so that the test is quick."""
    monkeypatch.setattr(text, "MOST_BYTES", 1 << 20)
    with gzip.open(tmp_path / "bomb", "wb", compresslevel=1) as bomb:
        bomb.write(logs.plain().encode())
        for _ in range(300):
            bomb.write(b"9" * (1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    series = load(str(tmp_path / "bomb"))
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 50
    assert len(series.times_s) == logs.ROWS
    assert any(note.startswith("only the first") for note in series.notes)


@pytest.mark.parametrize("name", EVERY)
def test_every_format_cut_off_anywhere_is_used_or_refused(tmp_path: Path, name: str) -> None:
    whole = EVERY[name]
    best = len(loaded(tmp_path, whole).times_s)
    for size in range(0, len(whole), max(1, len(whole) // 60)):
        try:
            series = loaded(tmp_path, whole[:size])
        except Failed as failed:
            assert "\n" not in str(failed)
        else:
            assert len(series.times_s) <= best


def mutated(whole: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for place, piece in changes:
        at = place % (len(whole) + 1)
        whole = whole[:at] + piece + whole[at + len(piece) // 2 :]
    return whole


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 1 << 20),
        st.one_of(
            st.binary(max_size=8), st.sampled_from([b"\n", b",", b'"', b"{", b"}", b"nan", b"-", b"1e999", b"\0", b";"])
        ),
    ),
    min_size=1,
    max_size=12,
)


def survives(folder: Path, name: str, changes: list[tuple[int, bytes]]) -> None:
    """Whatever is in it: a series in order with finite readings or NaN, or one sentence."""
    try:
        series = loaded(folder, mutated(EVERY[name], changes))
    except Failed as failed:
        assert "\n" not in str(failed)
        return
    assert (np.diff(series.times_s) > 0).all()
    assert not np.isinf(series.values).any()
    assert series.values.shape == (len(series.times_s), len(series.sensors))
    assert series.temperatures
    assert len(list(series.snapshots())) == len(series.times_s)


RELAXED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(name=st.sampled_from(list(EVERY)), changes=CHANGES)
@settings(max_examples=150, deadline=None, suppress_health_check=RELAXED)
def test_damaged_logs_never_raise_anything_else(tmp_path: Path, name: str, changes: list[tuple[int, bytes]]) -> None:
    survives(tmp_path, name, changes)


@pytest.mark.full
@given(name=st.sampled_from(list(EVERY)), changes=CHANGES)
@settings(max_examples=8000, deadline=None, suppress_health_check=RELAXED)
def test_damaged_logs_for_long(tmp_path: Path, name: str, changes: list[tuple[int, bytes]]) -> None:
    survives(tmp_path, name, changes)


@pytest.mark.full
def test_a_line_of_a_hundred_megabytes(tmp_path: Path) -> None:
    began_s = time.monotonic()
    series = loaded(tmp_path, logs.plain() + "9" * (100 << 20) + "\n")
    assert len(series.times_s) == logs.ROWS
    assert any(note.startswith("lines longer than 1 MiB left out") for note in series.notes)
    assert time.monotonic() - began_s < 30
