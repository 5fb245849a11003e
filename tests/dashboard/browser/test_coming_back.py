"""The daemon killed, the dashboard killed: the page says since when, and goes on by itself when they are back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.browser import Tab
from tests.support.daemon import gamesad
from tests.support.dashboard import dashboard, simulated, wait_for_tick
from tests.support.private_bus import PrivateBus, missing, system_bus


@pytest.fixture
def own_bus() -> Iterator[PrivateBus]:
    if reason := missing():
        pytest.skip(reason)
    with system_bus() as found:
        yield found


def test_the_daemon_is_killed_and_comes_back(
    tab: Tab, own_bus: PrivateBus, own_place: Path, tmp_path: Path, expected: list[str]
) -> None:
    expected.append("503")
    with ExitStack() as stack:
        daemon = stack.enter_context(gamesad(own_place, simulated(own_place), bus=own_bus.address))
        page = stack.enter_context(dashboard(tmp_path, shm=own_place / "shm", bus=own_bus))
        wait_for_tick(page)
        tab.open(page)
        tab.wait("gamesa.model.store.size > 2")
        last = tab.js("gamesa.model.store.last")
        daemon.kill()
        tab.wait_text("#stale", "Stale since ")
        tab.wait("document.querySelector('#link').dataset.state === 'stale'")
        assert "°C" in tab.text("#card-thermal .hero"), "what was known stays"
        before = tab.js("gamesa.model.tick.n")
        stack.enter_context(gamesad(own_place, simulated(own_place), bus=own_bus.address))
        tab.wait("document.querySelector('#link').dataset.state === 'live'")
        tab.wait(f"document.querySelector('#stale').hidden && gamesa.model.store.last > {last} + 1")
        assert tab.js("gamesa.model.tick.n") != before
        tab.show("about:blank")


def test_the_dashboard_is_killed_and_comes_back(
    tab: Tab, own_bus: PrivateBus, own_place: Path, tmp_path: Path, expected: list[str]
) -> None:
    """Its token is another then: the page goes on showing, and acting needs the new address."""
    expected += ["ERR_CONNECTION", "WebSocket"]
    with gamesad(own_place, simulated(own_place), bus=own_bus.address):
        with dashboard(tmp_path, shm=own_place / "shm", bus=own_bus) as first:
            wait_for_tick(first)
            tab.open(first)
            tab.wait("document.querySelector('#link').dataset.state === 'live'")
        tab.wait("document.querySelector('#link').dataset.state === 'lost'")
        tab.wait_text("#stale", "The dashboard does not answer since ")
        tab.wait_text("#stale", "Trying again")
        with dashboard(tmp_path, "--port", str(first.port), shm=own_place / "shm", bus=own_bus):
            tab.wait("document.querySelector('#link').dataset.state === 'live'")
            tab.wait("document.querySelector('#stale').hidden")
            tab.show("about:blank")


def test_retries_wait_longer_each_time_and_never_long(
    tab: Tab, own_place: Path, tmp_path: Path, expected: list[str]
) -> None:
    expected.append("favicon")
    with dashboard(tmp_path, shm=own_place / "nothing") as found:
        tab.show(f"{found.url}connection.js")  # without the page, which has timers of its own
        waits = tab.driver.execute_async_script(
            """const done = arguments[0];
            import('/connection.js').then(({Connection}) => {
                const real = [window.WebSocket, window.setTimeout, Math.random];
                const waits = [];
                Math.random = () => 0.5;
                window.WebSocket = class { constructor() { queueMicrotask(() => this.onclose()); } close() {} };
                window.setTimeout = (work, ms) => { if (waits.push(ms) < 9) queueMicrotask(work); return 0; };
                const one = new Connection();
                one.start();
                const look = () => { if (waits.length < 9) return real[1].call(window, look, 5);
                    [window.WebSocket, window.setTimeout, Math.random] = real; done(waits); };
                real[1].call(window, look, 5);
            });"""
        )
        tab.show("about:blank")
    assert waits == [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000, 15000]
