"""Who is answered: other names, other origins, floods and other users are refused, and every answer is shut in."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from gamesactl.dashboard import door, guard, live, pages
from gamesactl.dashboard.server import ROUTES
from tests.support.client import eventually
from tests.support.daemon import Daemon
from tests.support.dashboard import Dashboard, Socket, dashboard
from tests.support.private_bus import PrivateBus

LISTENS = "0A"
"""A socket's state in /proc/net/tcp."""
CHANGES = [route for route in ROUTES if route.method != "GET"]
READS = [route for route in ROUTES if route.method == "GET" and not route.path.endswith("/live")]


@pytest.fixture
def own(bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path):
    """A dashboard that a test may flood."""
    with dashboard(tmp_path, shm=place / "shm", bus=bus) as found:
        yield found


def path_of(route) -> str:
    return re.sub(r"{\w+}", "1", route.path)


@pytest.mark.parametrize("path", ["/", "/api/v1/hello", "/metrics", "/nothing"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1.:{port}"]
)
def test_a_name_rebound_to_this_machine_is_refused(page: Dashboard, path: str, host: str) -> None:
    answer = page.ask(path, Host=host.format(port=page.port))
    assert answer.status == 421
    assert "use http://" in answer.document["what_next"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_its_own_names_are_answered(page: Dashboard, host: str) -> None:
    assert page.ask("/api/v1/hello", Host=f"{host}:{page.port}").status == 200


def test_it_listens_on_both_loopbacks_and_nowhere_else(page: Dashboard) -> None:
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, port = line.split()[1].split(":")
            if int(port, 16) == page.port and line.split()[3] == LISTENS:
                listening.append(address)
    assert sorted(listening) == ["00000000000000000000000001000000", "0100007F"]


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_another_page_changes_nothing_even_with_the_token(page: Dashboard, route, headers: dict[str, str]) -> None:
    answer = page.ask(path_of(route), route.method, {"name": "quiet"}, token=page.token, **headers)
    assert (answer.status, answer.document["error"]) == (403, "a page of another origin asks")


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("token", [None, "", "x", "ü"])
def test_nothing_changes_without_the_token(page: Dashboard, route, token: str | None) -> None:
    answer = page.ask(path_of(route), route.method, {"name": "quiet"}, token=token)
    assert (answer.status, answer.document["error"]) == (403, "the token is missing or another")


@pytest.mark.parametrize("route", READS, ids=lambda route: route.path)
def test_another_page_reads_nothing(page: Dashboard, route) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}):
        assert page.ask(path_of(route), **headers).status == 403


def test_a_link_elsewhere_may_open_the_page_but_not_fetch_it(page: Dashboard) -> None:
    opened = page.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert opened.status in (200, 404)  # 404: without the page's files
    assert page.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "https://127.0.0.1:{port}"}, {"Host": "evil.example"}]
)
def test_another_page_gets_no_socket(page: Dashboard, headers: dict[str, str]) -> None:
    with Socket(page, **{name: value.format(port=page.port) for name, value in headers.items()}) as refused:
        assert refused.status == (421 if "Host" in headers else 403)


def test_its_own_page_gets_a_socket(page: Dashboard) -> None:
    with Socket(page, Origin=f"http://{page.host}", Sec_Fetch_Site="same-origin") as mine:
        assert mine.status == 101


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/v1/hello", "/api/v1/nothing", "/api/v1/history", "/metrics"])
def test_every_answer_is_shut_in(page: Dashboard, path: str) -> None:
    said = page.ask(path).headers
    for name, value in guard.HEADERS.items():
        if name != "Cache-Control":
            assert said[name.lower()] == value
    assert said["cache-control"] in ("no-store", "no-cache")
    policy = said["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy


def test_refusals_of_the_guard_and_of_the_library_are_shut_in_too(page: Dashboard) -> None:
    for answer in (page.ask("/", Host="evil.example"), page.ask("/api/v1/hello", "PUT", token=page.token)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.document["what_next"]


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/static/../../launch.py",
     "//etc/passwd", "/vendor/..", "/.", "/\\..\\server.py", "/%00",
     "/index.html%00.css", "/vendor"],
)  # fmt: skip
def test_no_path_leads_out_of_the_page_s_own_files(page: Dashboard, path: str) -> None:
    assert page.ask(path).status == 404


def test_the_page_s_files_are_served_whole_and_again_only_when_changed(page: Dashboard) -> None:
    for name, (data, kind, _) in pages.files().items():
        answer = page.ask(f"/{name}")
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers["content-type"].startswith(kind)
        assert page.ask(f"/{name}", If_None_Match=answer.headers["etag"]).status == 304
        time.sleep(1 / guard.RATE_HZ)


def test_a_long_body_is_refused(page: Dashboard) -> None:
    answer = page.post("profile", b"x" * (guard.MAX_BODY + 1))
    assert answer.status == 413
    assert answer.document["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"name": 1}', b'{"name": "a", "more": 1}', b"\xff", b"[" * 4000]
)
def test_a_body_that_is_no_such_object_is_refused_in_a_sentence(page: Dashboard, body: bytes) -> None:
    answer = page.post("profile", body)
    assert answer.status == 400
    assert set(answer.document) == {"error", "what_next"}
    time.sleep(0.02)


def test_a_body_that_is_not_packed_as_it_says_is_refused_in_a_sentence(page: Dashboard) -> None:
    answer = page.ask("/api/v1/profile", "POST", b"{}", token=page.token, Content_Encoding="gzip")
    assert (answer.status, answer.document["error"]) == (400, "the body is no JSON")


def test_a_form_of_another_page_cannot_be_taken_for_json(page: Dashboard) -> None:
    answer = page.ask("/api/v1/profile", "POST", b'{"name":"quiet"}', token=page.token, Content_Type="text/plain")
    assert (answer.status, answer.document["error"]) == (400, "the body is 'text/plain'")


def test_many_and_long_headers_are_refused(page: Dashboard) -> None:
    assert page.ask("/api/v1/hello", **{f"X_{n}": "1" for n in range(guard.MAX_HEADERS + 1)}).status == 400
    assert page.ask("/api/v1/hello", X_Long="x" * (guard.MAX_HEADER + 1)).status == 400


def test_a_flood_is_refused_and_ends(own: Dashboard) -> None:
    statuses = [own.ask("/api/v1/nothing").status for _ in range(int(guard.BURST) * 2)]
    assert statuses[: int(guard.BURST)] == [404] * int(guard.BURST)
    assert 429 in statuses
    eventually(lambda: own.ask("/api/v1/hello").status == 200, "an answer after the flood")


def test_a_page_that_is_loaded_again_and_again_is_whole(own: Dashboard) -> None:
    assert [own.ask("/app.js").status for _ in range(10 * 60)] == [200] * 600


def test_more_connections_than_there_may_be_are_closed_at_once(own: Dashboard) -> None:
    held = [socket.create_connection(("127.0.0.1", own.port), 60) for _ in range(door.MAX_CONNECTIONS + 8)]
    try:
        for one in held[-8:]:
            one.settimeout(15)  # half the time after which idle ones are closed
            assert one.recv(1) == b""
    finally:
        for one in held:
            one.close()
    eventually(lambda: answers(own), "an answer once they have gone")


def answers(page: Dashboard) -> bool:
    try:
        return page.ask("/api/v1/hello").status == 200
    except OSError:
        return False


def test_the_page_that_is_one_too_many_is_refused_and_the_others_live(own: Dashboard) -> None:
    held: list[Socket] = []
    try:
        while len(held) < live.MAX_CLIENTS:
            one = Socket(own)
            if one.status == 101:
                held.append(one)
            else:  # more than may come in a second
                one.close()
                time.sleep(1 / live.NEW_HZ)
        time.sleep(2 / live.NEW_HZ)
        with Socket(own) as refused:
            assert refused.status == 429
        assert held[0].next("tick")
        assert held[-1].next("tick")
    finally:
        for one in held:
            one.close()


def test_a_mistake_in_the_dashboard_is_told_without_its_insides(page: Dashboard) -> None:
    """Whatever a client sends, nothing but the documented sentences comes back."""
    for path in (
        "/api/v1/history?sensor=%00&since=nan",
        "/api/v1/decisions?count=1e999",
        "/api/v1/flights/%f0%9f",
        "/api/v1/export?format=csv&points=-1",
    ):
        answer = page.ask(path)
        assert answer.status in (400, 404)
        assert "Traceback" not in answer.body.decode()
    assert page.errors.read_text() == ""
