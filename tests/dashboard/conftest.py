"""A simulated daemon on a private bus with polkit, and a dashboard of a user whom polkit lets act, for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.client import eventually
from tests.support.daemon import Daemon, gamesad
from tests.support.dashboard import Dashboard, dashboard, simulated, wait_for_tick
from tests.support.private_bus import PrivateBus, missing, system_bus


@pytest.fixture(scope="session")
def bus() -> Iterator[PrivateBus]:
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as found:
        yield found


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """Where the daemon's files are, its segment among them. Every user may enter, unlike pytest's own folders."""
    with TemporaryDirectory(prefix="gamesad-dashboard-") as folder:
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
        eventually(lambda: found.ask("/api/v1/profiles").status == 200, "the bus")
        yield found
