"""What every test shares: the --full switch, the recordings, and a check that nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gamesad import durable
from tests.support.machines import machine_roots


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the long variants")
    parser.addoption("--write-goldens", action="store_true", help="write what is compared with files anew")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long variants are deselected, not skipped: a skip in CI is a layer that did not run."""
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No test leaves a thread or a child process."""
    threads, children = set(threading.enumerate()), _children()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=2.0)
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    left += [_command(child) for child in _children() - children]
    assert not left, f"left behind: {left}"


@pytest.fixture(autouse=True)
def a_disk_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that others keep busy decides no test; those of a silent disk bring their own."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
    monkeypatch.setattr(durable, "PATIENCE_S", 60.0)


def _children() -> set[str]:
    children: set[str] = set()
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that ended just now
            children.update(file.read_text().split())
    return children


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") or f"zombie {pid}"
    except OSError:
        return f"process {pid}, which ended just now"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with a file of this project; with --write-goldens, writes the file."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--write-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if not path.exists():
            tests = Path(request.node.path).parent.relative_to(request.config.rootpath)
            how = f"'pytest {tests} --write-goldens' writes it; read it and commit it"
            pytest.fail(f"there is no {path.name} yet; {how}", pytrace=False)
        assert path.read_text() == text, f"{path} is out of date; look at the difference, then use --write-goldens"

    return compare


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of machines and traces recorded by others; see docs/hacking.md."""
    default = Path(__file__).parent.parent / ".." / "shared" / "recordings"
    folder = Path(os.environ.get("GAMESAD_RECORDINGS", default)).resolve()
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set GAMESAD_RECORDINGS")
    return folder


@pytest.fixture(scope="session")
def machines(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every recorded machine as a tree for ``--root``. Shared by all tests: copy a tree before changing it."""
    return machine_roots(recordings, tmp_path_factory.mktemp("machines"))
