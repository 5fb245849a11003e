"""What the page changes: allowed and refused by the token, by polkit, by how it was started, and by the daemon."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gamesactl.dashboard import acting
from tests.support.client import eventually
from tests.support.daemon import Daemon, gamesad
from tests.support.dashboard import Dashboard, dashboard, simulated, wait_for_tick
from tests.support.private_bus import PrivateBus, system_bus

TEMPERATURE = "hwmon.coretemp-isa-0000.temp1"
TUNABLE = "intel_pstate.no_turbo"
ANYTHING_GOES = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.gamesa.") == 0 && subject.user == "member") { return polkit.Result.YES; }
});"""


@pytest.fixture(scope="module")
def own_place() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gamesad-acting-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def lenient() -> Iterator[PrivateBus]:
    """Where polkit asks the member for no password."""
    with system_bus(extra_rules=ANYTHING_GOES) as found:
        yield found


@pytest.fixture(scope="module")
def allowed(lenient: PrivateBus, own_place: Path) -> Iterator[Dashboard]:
    """A dashboard that may do everything, on a daemon of its own."""
    with (
        gamesad(own_place, simulated(own_place), bus=lenient.address),
        dashboard(own_place, shm=own_place / "shm", bus=lenient) as found,
    ):
        lenient.wait_for_name("org.gamesa.Gamesad1")
        wait_for_tick(found)
        eventually(lambda: found.ask("/api/v1/profiles").status == 200, "the bus")
        yield found


@pytest.fixture(autouse=True)
def slowly() -> Iterator[None]:
    """Changes have a rate."""
    yield
    time.sleep(2 / acting.RATE_HZ)


def done(page: Dashboard, path: str, body: object, method: str = "POST") -> str:
    answer = page.post(path, body, method=method)
    assert answer.status == 200, answer
    return str(answer.document["done"])


def tunable(page: Dashboard) -> dict[str, object]:
    return next(one for one in page.get("tunables") if one["name"] == TUNABLE)


def test_a_profile_is_chosen(allowed: Dashboard) -> None:
    assert done(allowed, "profile", {"name": "quiet"}) == "the profile is quiet"
    assert allowed.get("profiles")["selected"] == "quiet"
    assert allowed.get("status")["SelectedProfile"] == "quiet"
    done(allowed, "profile", {"name": "balanced"})


def test_a_profile_that_is_not_is_refused_with_those_that_are(allowed: Dashboard) -> None:
    answer = allowed.post("profile", {"name": "fast"})
    assert answer.status == 404
    assert "balanced" in answer.document["what_next"]


def test_a_hold_is_this_page_s_and_can_be_ended(allowed: Dashboard) -> None:
    answer = allowed.post("hold", {"profile": "performance", "seconds": 3600, "reason": "a film"})
    cookie = answer.document["cookie"]
    told = allowed.get("profiles")
    assert told["active"] == "performance"
    assert told["holds"] == [
        {
            "cookie": cookie,
            "profile": "performance",
            "reason": "a film",
            "application_id": "gamesactl dashboard",
            "mine": True,
        }
    ]
    done(allowed, f"hold/{cookie}", None, "DELETE")
    told = allowed.get("profiles")
    assert (told["active"], told["holds"]) == ("balanced", [])


def test_a_hold_ends_by_itself(allowed: Dashboard) -> None:
    done(allowed, "hold", {"profile": "performance", "seconds": 1})
    eventually(lambda: allowed.get("profiles")["holds"] == [], "the end of a hold of one second")


def test_a_hold_ends_with_the_dashboard_and_outlives_the_daemon(lenient: PrivateBus, own_place: Path) -> None:
    """Over a restart of the daemon it is held again, as gamesactl hold does."""
    with system_bus(extra_rules=ANYTHING_GOES) as bus, TemporaryDirectory(prefix="gamesad-hold-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with dashboard(folder, shm=folder / "shm", bus=bus) as page:
            with gamesad(folder, simulated(folder), bus=bus.address) as daemon:
                eventually(lambda: page.ask("/api/v1/profiles").status == 200, "the daemon")
                done(page, "hold", {"profile": "performance", "seconds": 3600})
                daemon.kill()
            with gamesad(folder, simulated(folder), bus=bus.address):
                eventually(lambda: held(page) == ["performance"], "the hold, again")
                page.process.kill()
                page.process.wait()
                with dashboard(folder, shm=folder / "shm", bus=bus) as other:
                    eventually(lambda: held(other) == [], "the end of the hold")


def held(page: Dashboard) -> list[str] | None:
    answer = page.ask("/api/v1/profiles")
    return [one["profile"] for one in answer.document["holds"]] if answer.status == 200 else None


def test_a_limit_is_set_and_taken_back(allowed: Dashboard) -> None:
    done(allowed, "limit", {"name": TEMPERATURE, "value": 70})
    eventually(lambda: allowed.get("status")["Limits"] == {TEMPERATURE: 70.0}, "the limit")
    done(allowed, f"limit/{TEMPERATURE}", None, "DELETE")
    eventually(lambda: allowed.get("status")["Limits"] == {}, "its end")


def test_a_tunable_goes_back_unless_confirmed(allowed: Dashboard) -> None:
    assert "goes back in 3 s" in done(allowed, "tunable", {"name": TUNABLE, "value": "1", "revert_after_s": 3})
    eventually(lambda: tunable(allowed)["value"] == "1", "the value")
    assert tunable(allowed)["until"] > time.time() - 5
    eventually(lambda: tunable(allowed)["value"] == "0", "its way back")
    done(allowed, "tunable", {"name": TUNABLE, "value": "1", "revert_after_s": 60})
    done(allowed, "tunable/confirm", {"name": TUNABLE})
    eventually(lambda: "until" not in tunable(allowed), "the confirmation")
    assert tunable(allowed)["value"] == "1"
    done(allowed, "tunable/reset", {"name": TUNABLE})
    eventually(lambda: tunable(allowed)["value"] == "0", "the reset")


def test_pause_and_resume(allowed: Dashboard) -> None:
    done(allowed, "pause", {"seconds": 600})
    eventually(lambda: "PausedUntil" in allowed.get("status"), "the pause")
    done(allowed, "resume", {})
    eventually(lambda: "PausedUntil" not in allowed.get("status"), "its end")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("hold", {"profile": "performance"}),
        ("hold", {"profile": "performance", "seconds": 0}),
        ("hold", {"profile": "performance", "seconds": 1.5}),
        ("hold", {"profile": "performance", "seconds": True}),
        ("limit", {"name": TEMPERATURE, "value": "70"}),
        ("limit", {"name": "x" * 300, "value": 70}),
        ("tunable", {"name": TUNABLE, "value": None, "revert_after_s": 0}),
        ("tunable", {"name": TUNABLE, "value": 2**60, "revert_after_s": 0}),
        ("tunable", {"name": TUNABLE, "value": "1"}),
        ("pause", {"seconds": -1}),
        ("resume", {"more": 1}),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_before_it_is_asked(page: Dashboard, path: str, body: object) -> None:
    answer = page.post(path, body)
    assert answer.status == 400
    assert answer.document["what_next"]


def test_what_the_daemon_refuses_is_said_in_its_words(allowed: Dashboard) -> None:
    for path, body, status in (
        ("limit", {"name": "no.such.sensor", "value": 70}, 404),
        ("tunable", {"name": "no.such", "value": "1", "revert_after_s": 0}, 404),
        ("tunable", {"name": TUNABLE, "value": "maybe", "revert_after_s": 0}, 400),
    ):
        answer = allowed.post(path, body)
        assert (answer.status, bool(answer.document["error"])) == (status, True), answer
        time.sleep(1 / acting.RATE_HZ)


def test_polkit_refuses_a_user_without_a_session_and_the_page_is_told_before_it_tries(
    bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path
) -> None:
    with dashboard(tmp_path, shm=place / "shm", bus=bus, user="stranger") as page:
        hello = page.get("hello")
        assert hello["can_write"] is False
        assert hello["why_read_only"].startswith("polkit does not let this process act")
        eventually(lambda: page.ask("/api/v1/profiles").status == 200, "the bus")
        before = page.get("profiles")["selected"]
        answer = page.post("profile", {"name": "power-saver"})
        assert answer.status == 403
        assert answer.document["error"].startswith("not authorised")
        assert "session" in answer.document["what_next"]
        assert page.get("profiles")["selected"] == before


def test_polkit_wants_a_password_for_a_tunable_and_nobody_is_there_to_type_it(page: Dashboard) -> None:
    assert page.get("hello")["can_write"] is True
    answer = page.post("tunable", {"name": TUNABLE, "value": "1", "revert_after_s": 60})
    assert answer.status == 403
    assert "password" in answer.document["error"]


@pytest.mark.parametrize(
    ("user", "words", "why"), [("member", ("--read-only",), "--read-only"), ("root", (), "as root")]
)
def test_a_read_only_dashboard_has_no_token_and_changes_nothing(
    bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path, user: str, words: tuple[str, ...], why: str
) -> None:
    with dashboard(tmp_path, *words, shm=place / "shm", bus=bus, user=user) as page:
        assert page.token == ""
        assert why in page.get("hello")["why_read_only"]
        for token in (None, "", "guess"):
            answer = page.ask("/api/v1/profile", "POST", {"name": "power-saver"}, token=token)
            assert answer.status == 403
            assert why in answer.document["error"]


def test_changes_have_a_rate(allowed: Dashboard) -> None:
    statuses = [allowed.post("limit/none", None, method="DELETE").status for _ in range(int(acting.BURST) + 5)]
    assert 429 in statuses
    time.sleep(acting.BURST / acting.RATE_HZ)


def test_another_user_of_this_machine_cannot_act(page: Dashboard, bus: PrivateBus) -> None:
    """What nobody can find: command lines, environments, every answer without the token, and a guess."""
    seen = page.post("profile", {"name": "balanced"})
    assert seen.status == 200
    token = page.token
    its = f"/proc/{page.process.pid}"
    look = f"cat /proc/[0-9]*/cmdline {its}/environ {its}/fd/* 2>/dev/null; true"
    looked = bus.run_as("nobody", ["sh", "-c", look])
    assert "dashboard" in looked.stdout
    assert token not in looked.stdout.replace("\0", " ")
    for path in (
        "/",
        "/api/v1/hello",
        "/api/v1/status",
        "/api/v1/profiles",
        "/metrics",
        "/api/v1/nothing",
        "/index.html",
    ):
        answer = page.ask(path)
        assert token not in answer.body.decode(errors="replace") + str(answer.headers)
    said = [
        "POST /api/v1/profile HTTP/1.1", f"Host: {page.host}", "Content-Type: application/json", "Content-Length: 16",
        "X-Gamesa-Token: guess", "Connection: close", "", '{"name":"quiet"}',
    ]  # fmt: skip
    request = "\r\n".join(said)
    send = f"exec 3<>/dev/tcp/127.0.0.1/{page.port}; printf '%s' '{request}' >&3; cat <&3"
    asked = bus.run_as("nobody", ["bash", "-c", send])
    assert asked.stdout.startswith("HTTP/1.1 403"), asked
    assert page.get("profiles")["selected"] == "balanced"


def test_the_token_is_told_to_the_terminal_only(page: Dashboard) -> None:
    assert len(page.token) >= 43
    assert page.token not in page.errors.read_text()
    assert page.token not in Path(f"/proc/{page.process.pid}/cmdline").read_text()


def test_the_browser_is_given_a_file_that_only_the_user_can_read(
    bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address on a command line would be everybody's to read."""
    with TemporaryDirectory(prefix="gamesad-runtime-") as folder:
        runtime, seen = Path(folder), Path(folder, "seen")
        os.chown(runtime, 51001, 51001)
        program = runtime / "xdg-open"
        program.write_text(
            f'#!/bin/sh\nprintf "%s" "$1" >{seen}.new; stat -c " %a %U" "$1" >>{seen}.new; mv {seen}.new {seen}\n'
        )
        program.chmod(0o755)
        for name, value in (("PATH", f"{runtime}:{os.environ['PATH']}"), ("XDG_RUNTIME_DIR", folder)):
            monkeypatch.setenv(name, value)
        with dashboard(tmp_path, shm=place / "shm", bus=bus, opens=True) as page:
            eventually(seen.exists, "the browser")
            path, mode, *_ = seen.read_text().split()
            assert page.token not in path
            assert mode == "600"
            assert f"url={page.url}#token={page.token}" in Path(path).read_text()
        assert not Path(path).exists()


def test_a_port_that_is_taken_is_said_with_another(page: Dashboard, tmp_path: Path) -> None:
    taken = f"port {page.port} of 127.0.0.1 is taken.*--port {page.port + 1}"
    with (
        pytest.raises(AssertionError, match=taken),
        dashboard(tmp_path, "--port", str(page.port), shm=tmp_path / "none"),
    ):
        pass


def test_the_bus_goes_and_comes_back_and_so_does_what_it_gives() -> None:
    """Numbers come on meanwhile: they are read, not asked for."""
    with system_bus(extra_rules=ANYTHING_GOES) as bus, TemporaryDirectory(prefix="gamesad-bus-gone-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with (
            gamesad(folder, simulated(folder), bus=bus.address),
            dashboard(folder, shm=folder / "shm", bus=bus) as page,
        ):
            eventually(lambda: page.ask("/api/v1/profiles").status == 200, "the bus")
            bus.kill_bus()
            eventually(lambda: page.ask("/api/v1/profiles").status == 503, "its loss")
            answer = page.post("profile", {"name": "quiet"})
            assert answer.status == 503
            assert answer.document["what_next"]
            assert page.get("hello")["stale_since"] is None
            assert page.get("sensors")[0]["value"] is not None
            bus.start_bus()
            bus.start_polkit()
            eventually(lambda: page.ask("/api/v1/profiles").status == 200, "the bus, again")
            assert done(page, "profile", {"name": "quiet"})
