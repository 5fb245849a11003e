"""One browser for all tests of the page, and after each a look at its console: nothing may stand there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Tab, browser, missing


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
