"""The page as another machine sees it: over TLS, by the name that was given, and with the token only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Tab
from tests.support.daemon import Daemon
from tests.support.dashboard import Dashboard, certificate, dashboard
from tests.support.private_bus import PrivateBus


@pytest.fixture
def away(bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path, tab: Tab) -> Iterator[Dashboard]:
    """Whoever looks has let the browser accept its certificate."""
    words = ("--bind", "127.0.0.1", "--name", "box.example", "--tls-cert", str(certificate(place)))
    tab.driver.execute_cdp_cmd("Security.setIgnoreCertificateErrors", {"ignore": True})
    with dashboard(tmp_path, *words, shm=place / "shm", bus=bus) as found:
        yield found
        tab.show("about:blank")
    tab.driver.execute_cdp_cmd("Security.setIgnoreCertificateErrors", {"ignore": False})


def test_it_is_the_same_page_and_acts(tab: Tab, away: Dashboard) -> None:
    tab.open(away)
    assert tab.js("location.origin") == f"https://box.example:{away.port}"
    assert "°C" in tab.text("#card-thermal .hero")
    for name in ("quiet", "balanced"):
        tab.click(f"#card-decision [data-profile={name}]")
        tab.wait_text("#card-decision [aria-pressed=true]", name)


def test_without_the_token_it_shows_nothing_and_says_why(tab: Tab, away: Dashboard, expected: list[str]) -> None:
    expected.append("403")
    tab.show(away.url)
    tab.js("sessionStorage.clear()")
    tab.show(away.url)
    tab.wait_text("#stale", "open the address that gamesactl dashboard printed")
    assert tab.js("gamesa.model.sensors.size") == 0
