"""docs/dashboard-api.md held true: every route stands in it, every key it names is answered, and no other."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from gamesactl.dashboard import acting, guard, live, server
from tests.support.client import eventually
from tests.support.dashboard import Dashboard, Socket
from tests.support.private_bus import ROOT

API = (ROOT / "docs/dashboard-api.md").read_text()
CPU = "cpu.utilization"
SECTIONS = dict(re.findall(r"^### (GET \S+)\n(.*?)(?=^##|\Z)", API, flags=re.MULTILINE | re.DOTALL))
TICK_PARTS = {"expected", "upper", "crossing"}
EXAMPLES = {
    "hello": ("hello", {"null"}),
    "sensors": ("sensors", {"cpu", "gpu", "other", "ok", "absent", "rejected", "fault", "unused", "null"}),
    "profiles": ("profiles", set()),
    "decisions": ("decisions", {"count", "until"}),
    "history": (f"history?sensor={CPU}", {"sensor", "points", "null"}),
    "frames": ("frames", {"null"}),
}
"""The route to ask, and the words of its section that are no keys of the answer."""


def words(text: str) -> set[str]:
    """What stands in backquotes and can be a key."""
    return set(re.findall(r"`([a-z0-9_]+)`", text))


def keys(document: Any) -> set[str]:
    """Of all objects in it but those whose keys are names of sensors, tunables or numbers."""
    if isinstance(document, list):
        return set().union(*map(keys, document))
    if not isinstance(document, dict):
        return set()
    inner = [value for key, value in document.items() if key not in ("settings", "numbers")]
    return set(document) | set().union(*map(keys, inner))


def test_every_route_is_described_and_no_other() -> None:
    described = {*SECTIONS, *re.findall(r"^\| ((?:POST|DELETE) \S+) \|", API, flags=re.MULTILINE)}
    assert described == {f"{route.method} {route.path}" for route in server.ROUTES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_key_is_named_and_every_name_is_a_key(page: Dashboard, name: str) -> None:
    path, no_keys = EXAMPLES[name]
    made = None
    if name == "profiles":
        made = page.post("hold", {"profile": "performance", "seconds": 60}).document
    answered = keys(page.get(path))
    if made:
        page.post(f"hold/{made['cookie']}", None, method="DELETE")
    named = words(SECTIONS[f"GET /api/v1/{name}"])
    assert answered - named == set(), "answered, not described"
    assert named - answered - no_keys == set(), "described, not answered"


def test_the_keys_of_a_tunable_are_named(page: Dashboard) -> None:
    named = words(SECTIONS["GET /api/v1/tunables"])
    assert keys(page.get("tunables")) <= named


def test_the_rows_of_export_and_flights_are_named(page: Dashboard) -> None:
    row = page.ask(f"/api/v1/export?format=json&sensor={CPU}").document[0]
    assert set(row) == set(re.findall(r"`([A-Z]\w+)`", SECTIONS["GET /api/v1/export"]))
    assert set(re.findall(r"`([A-Z]\w+)`", SECTIONS["GET /api/v1/flights"])) == {
        "Number",
        "Reason",
        "Text",
        "Began",
        "Ended",
    }


def test_every_message_of_the_live_socket_is_described(page: Dashboard) -> None:
    table = dict(re.findall(r"^\| (\w+) \|[^|]*\|(.*)\|$", SECTIONS["GET /api/v1/live"], flags=re.MULTILINE))
    source = Path(live.__file__).read_text() + Path(live.__file__).with_name("desk.py").read_text()
    sent = {*re.findall(r'"type": "(\w+)"', source), *re.findall(r': "(alert|anomaly)"', source)}
    assert set(table) - {"type"} == sent
    with Socket(page) as mine:
        hello, tick = mine.next("hello"), mine.next("tick")
        page.post("profile", {"name": "power-saver"})
        told = mine.next("profile")
        page.post("profile", {"name": "balanced"})
    assert set(hello) == {"type", "directory", *keys(page.get("hello"))} - {"min_hz", "max_hz"}
    assert set(tick) == {"type", *words(table["tick"])} - TICK_PARTS - {"null"}
    assert set(told) == {"type", *words(table["profile"])}


def test_every_status_of_a_refusal_is_described() -> None:
    described = set(map(int, re.findall(r"^\| (\d{3}) \|", API, flags=re.MULTILINE)))
    assert described == {400, 403, 404, 405, 409, 413, 421, 429, 500, 503}


def test_every_bound_is_the_real_one() -> None:
    for said in (
        f"the body is longer than {guard.MAX_BODY} bytes",
        f"{guard.RATE_HZ:.0f} requests a second ({guard.BURST:.0f} at once)",
        f"more than {live.MAX_MESSAGE} bytes, or more than {live.ASKED_HZ:.0f} messages a second",
        f"messages a second ({live.ASKED_BURST:.0f} at once)",
        f"({live.MIN_HZ} to {live.MAX_HZ:.0f}, default {live.DEFAULT_HZ:.0f})",
        f"There may be {live.MAX_CLIENTS} clients, and {live.NEW_HZ:.0f} new ones a second",
        f"new ones a second ({live.NEW_BURST:.0f} at once)",
        f"`{guard.TOKEN_HEADER}`",
        f"`{guard.TOKEN_PROTOCOL}TOKEN`",
    ):
        assert " ".join(said.split()) in " ".join(API.split()), said


def test_the_bodies_of_changes_are_those_described(page: Dashboard) -> None:
    """An unknown key is refused with the known ones, which are compared."""
    rows = re.findall(r"^\| POST (\S+) \| (.*?) \|", API, flags=re.MULTILINE)
    assert len(rows) == sum(route.method == "POST" for route in server.ROUTES)
    for path, body in rows:
        answer = page.ask(path, "POST", {"no_such_key": 1}, token=page.token)
        assert answer.status == 400
        said = answer.document["what_next"].removeprefix("it may be ")
        assert set(said.split(", ")) == (words(body) or {"nothing"}), path
        time.sleep(1 / acting.RATE_HZ)


def test_the_address_in_the_document_is_the_usual_one(page: Dashboard) -> None:
    from gamesactl.dashboard import launch  # noqa: PLC0415 - only here

    assert f"http://127.0.0.1:{launch.PORT}/" in API
    eventually(lambda: page.ask("/api/v1/status").status == 200)
