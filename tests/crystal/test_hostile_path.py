"""A file that is cut off under its readers, and what else may lie at a segment's path: a clear error, and no wait."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gamesad.crystal import layout
from gamesad.crystal.errors import NotThere, NotTrusted, WrongAbi
from gamesad.crystal.reader import attach
from tests.crystal import publishing
from tests.crystal.hostile import BLOCKS, put

NOBODY = 65534
pytestmark = pytest.mark.usefixtures("nothing_hangs")


# ---- cut off under the reader

_READING = """
import sys
from tests.crystal.hostile import ASKED
from gamesad.crystal.errors import CrystalError
from gamesad.crystal.reader import attach
crystal, told = None, {"answered": 0, "refused": 0}
print("reading", flush=True)
while sys.stdin.readline():
    for _ in range(1000):
        try:
            crystal = crystal or attach(sys.argv[1])
            for ask in ASKED.values():
                ask(crystal)
                told["answered"] += 1
        except CrystalError:
            told["refused"] += 1
            break
    print("round", flush=True)
print(told["answered"], told["refused"])
"""


@pytest.mark.parametrize("times", [150, pytest.param(1000, marks=pytest.mark.full)])
def test_a_file_that_is_cut_off_under_a_reader_again_and_again_is_an_error_and_no_crash(
    path: str, image: bytes, times: int
) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    with subprocess.Popen(
        [sys.executable, "-c", _READING, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        used = publishing.offset_of(path, layout.POOL) + layout.POOL_HEAD + BLOCKS * 5000
        for _ in range(times):
            reader.stdin.write("on\n")
            reader.stdin.flush()
            time.sleep(chance.uniform(0.0, 0.005))  # somewhere in what it reads
            os.truncate(path, chance.choice((0, 100, 4096, chance.randrange(used))))
            assert reader.stdout.readline() == "round\n", f"seed {seed}"
            Path(path).write_bytes(image)
        reader.stdin.close()
        answered, refused_ = map(int, reader.stdout.read().split())
    assert reader.returncode == 0
    print(f"seed {seed}: cut off {times} times, answered {answered}, refused {refused_}")
    assert answered > times
    assert refused_ == times


def test_a_mapping_that_is_cut_off_is_the_end_of_its_reader_which_is_why_files_are_read(path: str) -> None:
    script = "import os, sys; from gamesad.crystal.reader import attach; crystal = attach(sys.argv[1], mapped=True); \
os.truncate(sys.argv[1], 0); crystal.latest()"
    done = subprocess.run([sys.executable, "-c", script, path], check=False, capture_output=True)
    assert done.returncode == -signal.SIGBUS


# ---- what lies at the path


def fifo(path: str) -> None:
    os.mkfifo(path)


def folder(path: str) -> None:
    os.mkdir(path)


def listener(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)


def device(path: str) -> None:
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))


@pytest.mark.parametrize("plant", [fifo, folder, listener, device])
def test_what_is_not_a_file_is_not_read_and_not_waited_for(shm: str, plant: Callable[[str], None]) -> None:
    plant(f"{shm}/segment")
    begun_s = time.monotonic()
    with pytest.raises(NotTrusted, match=f"{shm}/segment "):
        attach(f"{shm}/segment")
    assert time.monotonic() - begun_s < 5


def test_a_link_is_not_followed(shm: str, path: str) -> None:
    os.symlink(path, f"{shm}/link")
    with pytest.raises(NotTrusted, match="cannot be opened"):
        attach(f"{shm}/link")


def test_only_roots_file_or_ones_own_is_believed(path: str) -> None:
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(NotTrusted, match=f"{path} belongs to user {NOBODY}, not to root and is not read"):
        attach(path)
    os.chown(path, 0, 0)
    for mode in (0o664, 0o646):
        os.chmod(path, mode)
        with pytest.raises(NotTrusted, match="can be written by others"):
            attach(path)
    os.chmod(path, 0o644)
    attach(path).close()


def test_where_nothing_is_it_says_how_to_start_gamesad(shm: str) -> None:
    with pytest.raises(NotThere, match=f"no gamesad publishes at {shm}/segment; start it: systemctl start gamesad"):
        attach(f"{shm}/segment")


def test_another_abi_says_which_client_to_use(path: str) -> None:
    put(path, 8, b"\x02")
    with pytest.raises(WrongAbi, match=f"{path} has ABI 2, this program reads ABI 1; use the gamesactl that came with"):
        attach(path)
