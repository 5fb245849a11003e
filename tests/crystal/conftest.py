"""A folder in shared memory for the segments of one test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture
def shm() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="gamesad-test-", dir="/dev/shm")
    yield folder
    shutil.rmtree(folder)
