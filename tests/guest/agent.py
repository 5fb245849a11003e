"""The host's end of the agent in the guest (tests/guest/inside/agent.py)."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.guest.qmp import connected

_PATIENCE_S = 120.0
"""On top of what an operation may take: everything in the guest is ten times slower."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command in the guest ended with."""

    code: int
    out: str
    err: str


class Agent:
    """Does things in the guest, one request after the other."""

    def __init__(self, path: Path) -> None:
        self._socket = connected(path, 10.0)
        self._pending = b""
        self._number = int(time.time() * 1000)  # answers to somebody before us, in a snapshot, are not ours

    def do(self, operations: Iterable[tuple[object, ...]], timeout_s: float = _PATIENCE_S) -> list[Any]:
        """All of them in one round trip."""
        self._number += 1
        self._socket.settimeout(timeout_s)
        self._socket.sendall(json.dumps([self._number, list(operations)]).encode() + b"\n")
        deadline = time.monotonic() + timeout_s
        while True:
            while b"\n" not in self._pending:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                try:
                    chunk = self._socket.recv(1 << 20)
                except TimeoutError:
                    raise AssertionError(f"the guest did not answer for {timeout_s} s") from None
                assert chunk, "the guest is gone"
                self._pending += chunk
            line, _, self._pending = self._pending.partition(b"\n")
            number, answers = json.loads(line)
            if number == self._number:
                return list(answers)

    def run(self, command: str, *, timeout_s: float = 60.0, check: bool = True, user: str = "") -> Ran:
        """A shell command, as root or as this user. ``check``: it has to succeed."""
        answer = self.do([("run", command, timeout_s, user)], timeout_s + _PATIENCE_S)[0]
        ran = Ran(answer["code"], answer["out"], answer["err"])
        assert ran.code == 0 or not check, f"in the guest, {command!r} ended with {ran.code}:\n{ran.out}{ran.err}"
        return ran

    def read(self, path: str) -> str:
        """A file's text without the blanks around it, or the name of the error."""
        return self.read_all([path])[0]

    def read_all(self, paths: Iterable[str]) -> list[str]:
        answers = self.do([("read", path) for path in paths])
        return [answer.get("errno") or answer["text"].strip() for answer in answers]

    def write(self, path: str, text: str) -> str:
        """One write(2): "" where the kernel took it, else the name of the error."""
        return self.write_all([(path, text)])[0]

    def write_all(self, texts: Iterable[tuple[str, str]]) -> list[str]:
        return [str(answer) for answer in self.do([("write", path, text) for path, text in texts])]

    def list(self, path: str) -> list[str]:
        """What is in a folder; nothing where there is none."""
        return [str(name) for name in self.do([("list", path)])[0]]

    def push(self, files: Iterable[Path], folder: str, mode: int = 0o644) -> None:
        """Copies files of the host's into a folder of the guest's."""
        for file in files:
            content = base64.b64encode(file.read_bytes()).decode()
            self.do([("push", f"{folder}/{file.name}", content, mode)])

    def put(self, path: str, text: str, mode: int = 0o755) -> None:
        """A file of the guest's with this text."""
        self.do([("push", path, base64.b64encode(text.encode()).decode(), mode)])

    def set_clock(self) -> None:
        self.do([("clock", time.time())])

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
