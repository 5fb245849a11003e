"""The dashboard as Debian's systemd runs it: started by its first visitor, as a user of its own, only showing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.container.computer import Computer
from tests.container.machine import eventually

_ASK = """
import sys, urllib.request, urllib.error
request = urllib.request.Request("http://127.0.0.1:9467" + sys.argv[2], method=sys.argv[1])
request.data = b'{"name":"quiet"}' if sys.argv[1] == "POST" else None
request.add_header("Content-Type", "application/json")
try:
    with urllib.request.urlopen(request, timeout=60) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as answer:
    print(answer.status, answer.read().decode())
"""


@pytest.fixture
def dashboard(running: Computer) -> Iterator[Computer]:
    running.tell("systemctl", "start", "gamesa-dashboard.socket")
    yield running
    running.tell("systemctl", "stop", "gamesa-dashboard.socket", "gamesa-dashboard.service")


def ask(computer: Computer, path: str, method: str = "GET") -> tuple[int, dict[str, object]]:
    status, _, body = computer.tell("python3", "-c", _ASK, method, path).partition(" ")
    return int(status), json.loads(body)


def test_it_is_installed_but_not_enabled(installed: Computer) -> None:
    assert installed.run("systemctl", "is-enabled", "gamesa-dashboard.socket").stdout == "disabled\n"
    assert installed.run("systemctl", "is-enabled", "gamesa-dashboard.service").stdout == "static\n"


def test_its_first_visitor_starts_it_and_sees_the_machine(dashboard: Computer) -> None:
    assert dashboard.run("systemctl", "is-active", "gamesa-dashboard.service").stdout == "inactive\n"
    status, hello = ask(dashboard, "/api/v1/hello")
    assert (status, hello["stale_since"], hello["can_write"]) == (200, None, False)
    status, sensors = ask(dashboard, "/api/v1/sensors")
    assert any(one["value"] is not None for one in sensors)
    eventually(lambda: ask(dashboard, "/api/v1/profiles")[0] == 200, "the bus")


def test_it_changes_nothing_and_has_no_token_to_tell(dashboard: Computer) -> None:
    status, answer = ask(dashboard, "/api/v1/profile", "POST")
    assert (status, answer["error"]) == (403, "this dashboard is a service of the system, which only shows")
    told = dashboard.run("journalctl", "--unit=gamesa-dashboard.service", "--output=cat").stdout
    assert "http://127.0.0.1:9467/\n" in told
    assert "token" not in told


def test_it_is_a_user_of_its_own_and_has_no_network_of_its_own(dashboard: Computer) -> None:
    ask(dashboard, "/api/v1/hello")
    pid = dashboard.tell("systemctl", "show", "--property=MainPID", "--value", "gamesa-dashboard.service").strip()
    status = dashboard.tell("cat", f"/proc/{pid}/status")
    uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    assert dashboard.tell("id", "--name", "--user", uid) == "gamesa-dashboard\n"
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    mine, its = (dashboard.tell("readlink", f"/proc/{one}/ns/net") for one in ("1", pid))
    assert mine != its


def test_it_comes_back_after_the_daemon(dashboard: Computer) -> None:
    ask(dashboard, "/api/v1/hello")
    dashboard.tell("systemctl", "stop", "gamesad")
    eventually(lambda: ask(dashboard, "/api/v1/hello")[1]["stale_since"], "stale since")
    dashboard.tell("systemctl", "start", "gamesad")
    eventually(lambda: ask(dashboard, "/api/v1/hello")[1]["stale_since"] is None, "the machine, again")
    eventually(lambda: ask(dashboard, "/api/v1/profiles")[0] == 200, "the bus, again")
