"""One bus and one server for all tests that break neither."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import private_bus
from tests.support.private_bus import PrivateBus, system_bus
from tests.support.served import Served, served


@pytest.fixture(scope="session", autouse=True)
def bus_can_be_had() -> None:
    if reason := private_bus.missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def bus(bus_can_be_had: None) -> Iterator[PrivateBus]:
    """A bus with polkit and nothing else on it; not to be broken."""
    with system_bus() as made:
        yield made


@pytest.fixture(scope="session")
def server(bus: PrivateBus) -> Iterator[Served]:
    """Our service on that bus; tests leave no hold behind."""
    with served(bus) as running:
        yield running
