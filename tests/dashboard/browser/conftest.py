"""One browser for all tests of the page, and after each a look at its console: nothing may stand there.

The daemon, its bus and the dashboard are these tests' own: here ``member`` may also set tunables.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.browser import Tab, browser, missing
from tests.support.daemon import Daemon, gamesad
from tests.support.dashboard import Dashboard, dashboard, simulated, wait_for_tick
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.private_bus import missing as no_bus

_RULES = """polkit.addRule(function(action, subject) {
    if (action.id == "org.gamesa.Gamesad1.set-tunable" && subject.user == "member") return polkit.Result.YES;
});"""


@pytest.fixture(scope="session")
def bus() -> Iterator[PrivateBus]:
    if reason := no_bus():
        pytest.skip(reason)
    with system_bus(extra_rules=_RULES) as found:
        yield found


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """Every user may enter."""
    with TemporaryDirectory(prefix="gamesad-browser-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def own_place() -> Iterator[Path]:
    """As the other, for one test."""
    with TemporaryDirectory(prefix="gamesad-browser-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def daemon(bus: PrivateBus, place: Path) -> Iterator[Daemon]:
    with gamesad(place, simulated(place), bus=bus.address) as found:
        bus.wait_for_name("org.gamesa.Gamesad1")
        yield found


@pytest.fixture(scope="session")
def page(bus: PrivateBus, place: Path, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with dashboard(tmp_path_factory.mktemp("page"), shm=place / "shm", bus=bus) as found:
        wait_for_tick(found)
        yield found


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def chromium(downloads: Path) -> Iterator[Tab]:
    if reason := missing():
        pytest.skip(reason)
    with browser(downloads) as found:
        yield found


@pytest.fixture
def expected() -> list[str]:
    """Parts of console lines that a test brings about: the browser logs each answer that is an error."""
    return []


@pytest.fixture
def tab(chromium: Tab, expected: list[str]) -> Iterator[Tab]:
    chromium.size(1920, 1080)
    chromium.said()
    yield chromium
    said = [line for line in chromium.said() if not any(part in line for part in expected)]
    chromium.show("about:blank")
    assert said == []
