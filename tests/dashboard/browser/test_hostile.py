"""What others put into the page's way: labels that are markup, other names of this machine, pages of other origins."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.support import ticks
from tests.support.browser import Tab
from tests.support.dashboard import Dashboard, dashboard
from tests.support.published import READINGS, SENSORS, Published, moment

MARKUP = "<img src=x onerror=\"document.title='taken'\">"


@pytest.fixture
def hostile(own_place: Path, tmp_path: Path) -> Iterator[Dashboard]:
    """A machine whose name and whose disk's label are markup, as a segment that somebody published."""
    published = Published(own_place, machine=MARKUP)
    sensors = {**SENSORS, ticks.DISK: replace(SENSORS[ticks.DISK], label=MARKUP)}
    over = threading.Event()

    def publish() -> None:
        now_s = 1.0
        while not over.wait(0.2):
            now_s += 0.2
            published.publisher.publish(moment(READINGS, sensors=sensors, now_s=now_s), None)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        with dashboard(tmp_path, shm=Path(published.path)) as found:
            yield found
    finally:
        over.set()
        thread.join()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """An address of this machine where somebody else serves pages."""
    (tmp_path / "index.html").write_text("<!doctype html><title>elsewhere</title>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_a_label_that_is_markup_is_only_text(tab: Tab, hostile: Dashboard, expected: list[str]) -> None:
    expected.append("503")  # this machine has no gamesad to ask
    tab.open(hostile, "sensors")
    tab.wait_text("#panel-sensors tbody", MARKUP)
    assert tab.text("#machine") == MARKUP
    tab.view("overview")
    tab.wait("document.querySelector('#graph-temperature .chip') !== null")
    assert tab.js("document.querySelectorAll('img:not(header img), main script').length") == 0
    assert "taken" not in tab.driver.title
    tab.show("about:blank")


def test_no_markup_is_made_of_texts_anywhere() -> None:
    folder = Path(__file__).parents[3] / "gamesactl" / "dashboard" / "static"
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
    for path in [*folder.glob("*.js"), *folder.glob("panels/*.js")]:
        assert [word for word in forbidden if word in path.read_text()] == [], path.name
    page = (folder / "index.html").read_text()
    assert "style=" not in page
    assert "onclick" not in page


def test_another_name_of_this_machine_is_refused(tab: Tab, page: Dashboard, expected: list[str]) -> None:
    """DNS rebinding: a name of somebody else's that now means 127.0.0.1."""
    expected += ["421", "rebound.example"]
    tab.show(f"http://rebound.example:{page.port}/")
    assert "use http://" in tab.text("body")
    assert tab.js("typeof gamesa") == "undefined"


def test_a_page_of_another_origin_reads_and_does_nothing(
    tab: Tab, page: Dashboard, elsewhere: str, expected: list[str]
) -> None:
    expected += ["403", "CORS", "ERR_FAILED", "WebSocket", "ERR_BLOCKED", "favicon"]
    tab.show(elsewhere)
    told = tab.driver.execute_async_script(
        """const [url, token, done] = arguments;
        const tried = async (work) => { try { return String((await work()).status); } catch { return "refused"; } };
        const write = {method: "POST", mode: "no-cors", body: '{"name": "quiet"}'};
        const signed = {...write, mode: "cors", headers: {"X-Gamesa-Token": token}};
        const socket = new Promise((open) => {
            const one = new WebSocket(url.replace("http", "ws") + "api/v1/live");
            one.onopen = () => open("open"); one.onerror = () => open("refused");
        });
        (async () => done([
            await tried(() => fetch(url + "api/v1/status")),
            await tried(() => fetch(url + "api/v1/profile", signed)),
            await tried(() => fetch(url + "api/v1/profile", write)), await socket]))();""",
        page.url,
        page.token,
    )
    assert told[0] == told[1] == "refused"
    assert told[3] == "refused"
    assert page.get("status")["SelectedProfile"] == "balanced"
