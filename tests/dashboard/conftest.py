"""One simulated daemon on a private bus with polkit, and one dashboard of a user whom polkit lets act, for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every user may enter: the daemon's files, its segment among them."""
    folder = tmp_path_factory.mktemp("machine")
    for above in (folder, *folder.parents[:3]):
        if above.owner() == "root" and above != Path("/tmp"):
            above.chmod(0o755)
    return folder


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
