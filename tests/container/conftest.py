"""Booted computers, and what a failed test's container had to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.container.computer import Computer, computer
from tests.support import debs


@pytest.fixture(scope="package", params=["12", pytest.param("13", marks=pytest.mark.full)])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Computer]:
    """Debian with the packages, for all tests that leave it as they found it."""
    with computer(request.param, tmp_path_factory.mktemp("computer")) as machine:
        machine.install(debs.built())
        yield machine


@pytest.fixture
def installed(shared: Computer) -> Computer:
    """Fresh hardware; gamesad is installed and does not run."""
    shared.forget()
    return shared


@pytest.fixture
def running(installed: Computer) -> Computer:
    """Fresh hardware with gamesad at work."""
    installed.start()
    return installed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Any:
    """A failed test's report ends with the journal of its containers."""
    report = yield
    if report.failed:
        containers = {
            id(value): value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Computer)
        }
        for container in containers.values():
            told = container.run("journalctl", "--no-pager", "--lines=80", "--output=short-precise")
            report.sections.append(("the container's journal", told.stdout + told.stderr))
    return report
