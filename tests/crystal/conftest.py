"""Folders in shared memory, and what stands in them for more than one file of tests."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamesad.crystal.reader import Crystal, attach
from gamesad.crystal.segment import Segment
from gamesad.crystal.telemetry import Telemetry
from tests.crystal import hostile, publishing
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


@pytest.fixture
def daemon(shm: str) -> Iterator[tuple[Segment, Telemetry]]:
    segment, telemetry = publishing.started(f"{shm}/segment")
    yield segment, telemetry
    segment.close()


@pytest.fixture(params=[False, True], ids=["file", "mapped"])
def mapped(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def crystal(daemon: tuple[Segment, Telemetry], mapped: bool) -> Iterator[Crystal]:
    with attach(daemon[0].path, mapped=mapped) as crystal:
        yield crystal


@pytest.fixture(scope="session")
def image() -> bytes:
    return hostile.image()


@pytest.fixture
def path(shm: str, image: bytes) -> str:
    Path(f"{shm}/segment").write_bytes(image)
    return f"{shm}/segment"


@pytest.fixture
def nothing_hangs() -> Iterator[None]:
    """A cycle would be an endless loop."""
    signal.alarm(300)
    yield
    signal.alarm(0)
