"""The dashboard as a service of the system: shut in, given its sockets, read-only; and all ways to start it."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from gamesactl.dashboard import launch, pages
from tests.support.client import GAMESACTL, gamesactl
from tests.support.daemon import Daemon
from tests.support.dashboard import Dashboard, Socket, certificate, dashboard
from tests.support.private_bus import ROOT, PrivateBus

UNITS = ROOT / "systemd"
WORST_EXPOSURE = 2  # of 100; "at 1.1 or better" was asked for
_GIVEN = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "gamesactl", *sys.argv[1:]])
"""


def test_the_unit_is_shut_in() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    ran = subprocess.run(
        ["systemd-analyze", "--no-pager", "security", "--offline=true", f"--threshold={WORST_EXPOSURE}",
         str(UNITS / "gamesa-dashboard.service")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    said = (UNITS / "gamesa-dashboard.service").read_text()
    assert f"says {WORST_EXPOSURE / 10}" in said


def test_the_unit_listens_on_loopback_and_is_not_enabled() -> None:
    found = (UNITS / "gamesa-dashboard.socket").read_text()
    addresses = [line.partition("=")[2] for line in found.splitlines() if line.startswith("ListenStream=")]
    assert addresses == [f"127.0.0.1:{launch.PORT}", f"[::1]:{launch.PORT}"]
    unit = configparser.RawConfigParser(strict=False)
    unit.read(UNITS / "gamesa-dashboard.service")
    assert "Install" not in unit  # nothing but its socket starts it
    assert "--read-only" in unit["Service"]["ExecStart"]
    for preset in ("rules", "gamesad.postinst"):
        path = ROOT / "packaging/debian" / preset
        assert "enable gamesa-dashboard" not in path.read_text()


def test_given_sockets_it_serves_on_them_and_only_shows(place: Path, daemon: Daemon, bus: PrivateBus) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        os.set_inheritable(listening.fileno(), True)  # noqa: FBT003
        environment = {**bus.environment, "GAMESAD_SHM": f"{place}/shm", "LISTEN_FDS": "1"}
        script = f"import os; os.dup2({listening.fileno()}, 3)\n{_GIVEN}"
        command = [sys.executable, "-c", script, "dashboard", "--read-only", "--no-open"]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, pass_fds=(3, listening.fileno()), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == f"http://127.0.0.1:{port}/\n"
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/hello", timeout=30) as answer:
                    hello = json.load(answer)
                assert hello["can_write"] is False
                assert hello["why_read_only"] == "this dashboard is a service of the system, which only shows"
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/frames", timeout=30) as answer:
                    assert "service" in json.load(answer)["reason"]
            finally:
                process.terminate()
                assert process.wait(60) == 0


def test_without_aiohttp_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    said = gamesactl("dashboard")
    assert (said.code, said.out) == (1, "")
    assert said.err == "gamesactl: the dashboard needs aiohttp; install it with: apt install python3-aiohttp\n"


def test_nothing_else_loads_aiohttp() -> None:
    script = (
        "import sys; from gamesactl.__main__ import main\n"
        "main(['--help']); main(['status']); main(['dashboard', '--help'])\n"
        "sys.exit('aiohttp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "x"), "--port: 'x' is not a number from 0"),
        (("--port", "70000"), "--port: '70000' is not a number"),
        (("--bind", "0.0.0.0"), "--bind needs --tls-cert"),
        (("--tls-cert", "a"), "go with --bind"),
        (("--name", "a"), "go with --bind"),
        (("--bind", "0.0.0.0", "--tls-cert", "/nonexistent"), "/nonexistent: no certificate and key in PEM"),
    ],
)
def test_what_cannot_be_meant_is_one_line(words: tuple[str, ...], said: str) -> None:
    ran = subprocess.run(
        [*GAMESACTL, "dashboard", "--no-open", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode in (1, 2)
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_for_other_machines_it_speaks_tls_and_tells_nothing_without_the_token(
    place: Path, daemon: Daemon, bus: PrivateBus, tmp_path: Path
) -> None:
    pem = certificate(place)
    words = ("--bind", "127.0.0.1", "--name", "box.example", "--tls-cert", str(pem))
    with dashboard(tmp_path, *words, shm=place / "shm", bus=bus) as page:
        assert page.url == f"https://box.example:{page.port}/"
        trusted = ssl.create_default_context(cafile=str(place / "cert.pem"))

        def ask(path: str, host: str = "box.example", **headers: str) -> int:
            with (
                socket.create_connection(("127.0.0.1", page.port), 30) as raw,
                trusted.wrap_socket(raw, server_hostname="box.example") as tls,
            ):
                lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{page.port}", "Connection: close"]
                lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
                tls.sendall("\r\n".join([*lines, "", ""]).encode())
                return int(tls.makefile("rb").readline().split()[1])

        assert ask("/nothing") == 404
        assert {ask(f"/{name}") for name in pages.files()} == {200}  # the page itself holds nothing
        for path in ("/api/v1/hello", "/api/v1/status", "/api/v1/live", "/metrics"):
            assert ask(path) == 403
            assert ask(path, X_Gamesa_Token="guess") == 403
        assert ask("/api/v1/hello", X_Gamesa_Token=page.token) == 200
        assert ask("/api/v1/hello", host="evil.example", X_Gamesa_Token=page.token) == 421
        upgrade = {
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
            "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": f"https://box.example:{page.port}",
        }  # fmt: skip
        assert ask("/api/v1/live", Sec_WebSocket_Protocol="gamesa, gamesa.token.guess", **upgrade) == 403
        assert ask("/api/v1/live", Sec_WebSocket_Protocol=f"gamesa, gamesa.token.{page.token}", **upgrade) == 101
        with socket.create_connection(("127.0.0.1", page.port), 30) as clear:
            clear.sendall(f"GET / HTTP/1.1\r\nHost: box.example:{page.port}\r\n\r\n".encode())
            assert not clear.recv(100).startswith(b"HTTP")


def test_the_oldest_aiohttp_serves_the_same(bus: PrivateBus, place: Path, daemon: Daemon, tmp_path: Path) -> None:
    """Debian 12's, with Debian's own Python, where they are installed."""
    python = "/usr/bin/python3"
    probe = subprocess.run(
        [python, "-c", "import aiohttp, dbus_next; print(aiohttp.__version__)"],
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode:
        pytest.skip("Debian's aiohttp or dbus-next is not installed (apt install python3-aiohttp python3-dbus-next)")
    with dashboard(tmp_path, shm=place / "shm", bus=bus, python=python) as page:
        check(page)


def check(page: Dashboard) -> None:
    assert page.get("hello")["can_write"] is True
    with Socket(page) as mine:
        assert mine.next("hello")["directory"]
        assert mine.next("tick")["values"]
        mine.send(b"x" * 2000)
        assert mine.closed() == 1009
    assert page.ask("/api/v1/hello", Host="evil.example").status == 421
    assert page.ask("/", Sec_Fetch_Site="cross-site").status == 403
    assert page.post("profile", b"x" * 5000).status == 413
    assert page.post("profile", {"name": "balanced"}).status == 200
    assert page.ask("/api/v1/export?format=csv&sensor=cpu.utilization").status == 200
    assert page.errors.read_text() == ""
