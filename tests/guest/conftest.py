"""One guest with gamesad on it for all of these tests, and what a failed test's guest had to say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.guest.laptop import Laptop, installed
from tests.support import debs


@pytest.fixture(scope="package")
def laptop() -> Iterator[Laptop]:
    """``GAMESAD_GUEST=13`` has these tests run on Debian 13 and its kernel."""
    release = os.environ.get("GAMESAD_GUEST", "12")
    with Laptop(release, snapshot=installed(release, debs.built())) as laptop:
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
