"""Folders in shared memory, and what stands in them for more than one file of tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crystal.hosted import Hosted
from tests.support import in_memory


@pytest.fixture
def shm() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="gamesad-test-", dir="/dev/shm")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def place() -> Iterator[Path]:
    with in_memory.folder() as path:
        yield path


@pytest.fixture
def hosted(place: Path) -> Iterator[Hosted]:
    made = Hosted(place)
    yield made
    made.host.close(clean=True)
