"""One guest with gamesad on it for all of these tests, and what a failed test's guest had to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.guest.laptop import Laptop, installed
from tests.support import debs


@pytest.fixture(scope="package", params=["12", pytest.param("13", marks=pytest.mark.full)])
def laptop(request: pytest.FixtureRequest) -> Iterator[Laptop]:
    """Of Debian 12, and with --full of Debian 13 too."""
    with Laptop(request.param, snapshot=installed(request.param, debs.built())) as laptop:
        yield laptop


@pytest.fixture
def running(laptop: Laptop) -> Laptop:
    """Warm, at the mains, everything as found, and gamesad at work."""
    laptop.calm()
    return laptop


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Any:
    """A failed test's report ends with the journal of its guest, the kernel's lines among it."""
    report = yield
    if report.failed and isinstance(guest := getattr(item, "funcargs", {}).get("laptop"), Laptop):
        try:
            report.sections.append(("the guest's journal", guest.log()))
        except (AssertionError, OSError) as error:
            report.sections.append(("the guest's console", f"{error}\n{guest.console()[-3000:]}"))
    return report
