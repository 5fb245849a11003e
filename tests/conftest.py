"""What every test shares: the --full switch, the recordings, and a check that nothing is left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the long variants")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long variants are deselected, not skipped: a skip in CI is a layer that did not run."""
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No test leaves a thread, a child process or an open descriptor's worth of them."""
    threads = set(threading.enumerate())
    children = set(psutil.Process().children())
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=2.0)
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    left += [" ".join(child.cmdline()) for child in set(psutil.Process().children()) - children if child.is_running()]
    assert not left, f"left behind: {left}"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of machines and traces recorded by others; see docs/hacking.md."""
    default = Path(__file__).parent.parent / ".." / "shared" / "recordings"
    folder = Path(os.environ.get("GAMESAD_RECORDINGS", default)).resolve()
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set GAMESAD_RECORDINGS")
    return folder
