"""Clients that walk and read the pool while its writer allocates, rewrites, frees, freezes, grows and compacts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gamesad.crystal.errors import Torn
from gamesad.crystal.pool.pool import Pool
from gamesad.crystal.reader import attach
from tests.crystal import publishing
from tests.crystal.stress import Ledger

ROOT = Path(__file__).parents[2]
READERS = ("mapped", "file", "mapped")


def looked(folder: str, seconds: float, care: str = "") -> list[dict[str, int]]:
    """What each of the readers saw in so many seconds."""
    Ledger(folder, make=True)
    python = [sys.executable, "-m"]
    writing = [*python, "tests.crystal.stress", folder, "1", "right"]
    with subprocess.Popen(writing, stdout=subprocess.PIPE, cwd=ROOT) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.read(1) == b"r"
            looking = [
                subprocess.Popen(
                    [*python, "tests.crystal.looking", folder, str(seconds), care + kind],
                    stdout=subprocess.PIPE,
                    cwd=ROOT,
                )
                for kind in READERS
            ]
            told = [process.communicate()[0] for process in looking]
            assert [process.returncode for process in looking] == [0] * len(READERS)
            assert writer.poll() is None, "the writer ended first"
        finally:
            writer.kill()
    return [json.loads(one) for one in told]


@pytest.mark.parametrize("seconds", [3.0, pytest.param(60.0, marks=pytest.mark.full)])
def test_a_reader_gets_whole_blocks_and_misses_none(shm: str, seconds: float) -> None:
    found = looked(shm, seconds)
    print(*zip(READERS, found, strict=True), sep="\n")
    assert sum(one.get("wrong", 0) + one.get("missing", 0) for one in found) == 0
    assert all(one.get("read", 0) > 20 for one in found), found


def test_where_processors_reorder_stores_a_block_counts_once_it_is_sealed(
    shm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    segment = publishing.segment(f"{shm}/segment")
    pool = Pool(segment)
    block = pool.allocate(5)
    pool.write(block, b"first")
    with attach(segment.path) as crystal:
        with pytest.raises(Torn, match="try again"):
            crystal.read(block.id)
        pool.seal(1.0)
        assert crystal.read(block.id) == b"first"
    segment.close()


def test_blocks_that_move_meanwhile_are_seen_by_these_very_readers(shm: str) -> None:
    for _ in range(5):
        if sum(one.get("wrong", 0) + one.get("missing", 0) for one in looked(shm, 3.0, "careless ")):
            return
    pytest.fail("the test of walks cannot fail")
