"""The real dashboard as a child process, as any user, and a client that says exactly what a test wants it to say."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.support.client import eventually
from tests.support.private_bus import ROOT, USERS, PrivateBus

_AS_USER = """
import os, sys, importlib, pkgutil
import aiohttp, encodings.idna
from gamesactl.__main__ import main
from gamesactl import bus, verbs, holding, dashboard
from gamesactl.commands import dashboard as verb
import gamesad.crystal.reader, gamesad.crystal.points, gamesad.crystal.blocks, gamesad.crystal.decisions
import gamesad.crystal.pool.frozen, concurrent.futures.thread, difflib, gamesactl.suggest, gamesactl.password
for module in pkgutil.iter_modules(dashboard.__path__):
    importlib.import_module("gamesactl.dashboard." + module.name)
dashboard.pages.files()
uid = int(sys.argv[1])
os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
sys.exit(main(sys.argv[2:]))
"""
"""The modules are loaded first: a test's Python may lie where only root looks."""
_PATIENCE_S = 120.0
"""Only bounds a test that hangs."""


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Dashboard:
    """``url`` without a fragment, ``token`` empty where it gave none."""

    def __init__(self, process: subprocess.Popen[str], url: str, errors: Path) -> None:
        self.process = process
        self.errors = errors
        self.url, _, fragment = url.partition("#")
        self.token = fragment.removeprefix("token=")
        self.port = int(self.url.rstrip("/").rpartition(":")[2])
        self.host = f"127.0.0.1:{self.port}"

    def ask(
        self, path: str, method: str = "GET", body: object = None, *, token: str | None = None, **headers: str
    ) -> Answer:
        """``headers`` with ``_`` for ``-``. A body that is no bytes is sent as JSON."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            said["X-Gamesa-Token"] = token
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            said.setdefault("Content-Type", "application/json")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, said)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def get(self, path: str, **headers: str) -> Any:
        """The document of a route below /api/v1 that answers 200."""
        answer = self.ask(f"/api/v1/{path}", **headers)
        assert answer.status == 200, answer
        return answer.document

    def post(self, path: str, body: object, *, token: str | None = None, method: str = "POST") -> Answer:
        """With the token unless told otherwise."""
        return self.ask(f"/api/v1/{path}", method, body, token=self.token if token is None else token)

    def cpu_s(self) -> float:
        ticks = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self) -> int:
        """Anonymous pages that are resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


@contextlib.contextmanager
def dashboard(
    folder: Path,
    *words: str,
    shm: Path,
    bus: PrivateBus | None = None,
    user: str = "member",
    python: str = sys.executable,
    opens: bool = False,
) -> Iterator[Dashboard]:
    """On a port that is free, with these options; ended well at the end. Its standard error goes to a file.

    ``opens``: it believes in a graphical session and opens its page.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment["GAMESAD_SHM"] = str(shm)
    environment["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address if bus else f"unix:path={folder}/no-bus"
    browser = () if opens else ("--no-open",)
    if opens:
        environment["DISPLAY"] = ":99"
    port = () if "--port" in words else ("--port", "0")
    line = [python, "-c", _AS_USER, str(USERS[user]), "dashboard", *browser, *port, *words]
    errors = folder / f"dashboard-{time.monotonic_ns()}.err"
    with (
        errors.open("w") as told,
        subprocess.Popen(
            line, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            assert first, errors.read_text()
            yield Dashboard(process, first.strip(), errors)
            if process.poll() is None:
                process.terminate()
                assert process.wait(60) == 0, errors.read_text()
        finally:
            process.kill()


def certificate(folder: Path) -> Path:
    """Of box.example and 127.0.0.1: ``both.pem``, with its key, and beside it ``cert.pem`` without."""
    path = folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=box.example", "-addext", "subjectAltName=DNS:box.example,IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        capture_output=True, check=True,
    )  # fmt: skip
    path.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    path.chmod(0o644)  # a throw-away key, which another user's dashboard must read
    return path


class Socket:
    """A WebSocket by hand, so that a test may also break the rules (RFC 6455)."""

    def __init__(self, to: Dashboard, *protocols: str, receive_buffer: int | None = None, **headers: str) -> None:
        self._raw = socket.socket()
        if receive_buffer is not None:
            self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._raw.settimeout(60)
        self._raw.connect(("127.0.0.1", to.port))
        said = {
            "Host": to.host, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            **({"Sec-WebSocket-Protocol": ", ".join(protocols)} if protocols else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }  # fmt: skip
        lines = ["GET /api/v1/live HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
        self._raw.sendall("\r\n".join(lines).encode())
        self._file = self._raw.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass

    def send(self, data: bytes, opcode: int = 1) -> None:
        """One masked frame, by a mask of zeros."""
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2) if size < 65536 else b""
        length = length or bytes([0xFF]) + size.to_bytes(8)
        self._raw.sendall(bytes([0x80 | opcode]) + length + bytes(4) + data)

    def say(self, document: object) -> None:
        self.send(json.dumps(document).encode())

    def frame(self) -> tuple[int, bytes]:
        """Opcode and data; (8, b"") when the connection has ended without a word."""
        head = self._file.read(2)
        if len(head) < 2:
            return 8, b""
        size = head[1] & 127
        if size >= 126:
            size = int.from_bytes(self._file.read(2 if size == 126 else 8))
        return head[0] & 15, self._file.read(size)

    def next(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these types (any without); pings are answered."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while True:
            opcode, data = self.frame()
            assert opcode != 8, f"closed with {int.from_bytes(data[:2])}"
            assert time.monotonic() < deadline_s, f"no {kinds}"
            if opcode == 9:
                self.send(data, opcode=10)
            if opcode == 1 and (not kinds or json.loads(data)["type"] in kinds):
                return dict(json.loads(data))

    def fileno(self) -> int:
        return self._raw.fileno()

    def skip(self) -> int:
        """Takes what has come, and tells how many bytes that was; empty pings are answered."""
        data = self._raw.recv(1 << 20)
        if b"\x89\x00" in data:
            self.send(b"", opcode=10)
        return len(data)

    def closed(self) -> int:
        """Reads until the server closes, and its code; 0 where it gave none."""
        while True:
            opcode, data = self.frame()
            if opcode == 8:
                return int.from_bytes(data[:2])

    def close(self) -> None:
        self._file.close()
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def simulated(folder: Path, scenario: str = "laptop/steady-game") -> Sequence[str]:
    """The arguments of a simulated daemon that publishes at ``folder/shm``."""
    places = ("--shm", f"{folder}/shm", "--runtime-dir", f"{folder}/run", "--state-dir", f"{folder}/state")
    return ("--simulate", scenario, *places)


def wait_for_tick(page: Dashboard) -> None:
    eventually(lambda: page.ask("/api/v1/forecast").status == 200, "a tick")
