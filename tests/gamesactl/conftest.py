"""A private system bus with polkit, and a daemon on it whose answers the tests choose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gamesactl.answers import ANSWERS
from tests.support.client import FakeDaemon
from tests.support.private_bus import PrivateBus, missing, system_bus


@pytest.fixture(scope="session")
def client_bus() -> Iterator[PrivateBus]:
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as bus:
        yield bus


@pytest.fixture(scope="session")
def fake_daemon(client_bus: PrivateBus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDaemon]:
    folder: Path = tmp_path_factory.mktemp("fake-gamesad")
    daemon = FakeDaemon(folder, client_bus.environment)
    daemon.answer(**ANSWERS)
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No width, no colour, no time zone of whoever runs the tests."""
    for name in ("COLUMNS", "LINES", "NO_COLOR", "GAMESAD_SHM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def empty_bus(quiet_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    """A bus without gamesad on it."""
    if reason := missing():
        pytest.skip(reason)
    with system_bus(polkit=False) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


@pytest.fixture
def own_daemon(empty_bus: PrivateBus, tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon on a bus of its own, which a test may stop and start again."""
    daemon = FakeDaemon(tmp_path, empty_bus.environment)
    daemon.answer(**ANSWERS)
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(
    fake_daemon: FakeDaemon, client_bus: PrivateBus, quiet_environment: None, monkeypatch: pytest.MonkeyPatch
) -> FakeDaemon:
    """The daemon with its usual answers, asked nothing yet."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", client_bus.address)
    fake_daemon.answer(problems=[], **ANSWERS)
    fake_daemon.forget()
    return fake_daemon
