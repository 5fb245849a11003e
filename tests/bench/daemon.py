"""The real daemon as a process, on a tree and a bus of its own, seen from outside."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.private_bus import ROOT, PrivateBus

READY_WITHIN_S = 20.0
_STOP_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that has said READY=1, ``ready_s`` after its process was asked for."""

    pid: int
    ready_s: float


def command(root: Path, *options: str, python: Sequence[str] = ()) -> list[str]:
    """gamesad on the machine under ``root``, with a segment there; ``python``: options of the interpreter."""
    return [sys.executable, *python, "-m", "gamesad", "--root", str(root), "--shm", f"{root}/segment", *options]


@contextmanager
def running(root: Path, bus: PrivateBus | None, *options: str, log: Path | None = None) -> Iterator[Running]:
    """The daemon from READY=1 to its end by SIGTERM. RuntimeError with what it said when either goes wrong."""
    log = log or root / "log"
    environment = {
        **(bus.environment if bus else os.environ),
        "NOTIFY_SOCKET": f"@gamesad-bench-{os.getpid()}-{root.name}",
    }
    with _notifications(environment["NOTIFY_SOCKET"]) as notified, log.open("wb") as said:
        started_s = time.monotonic()
        process = subprocess.Popen(
            command(root, *options), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            _wait_ready(process, notified, log)
            yield Running(process.pid, time.monotonic() - started_s)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    if process.returncode:
        raise RuntimeError(f"gamesad ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def _notifications(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(address.replace("@", "\0", 1))
        yield receiver


def _wait_ready(process: subprocess.Popen[bytes], notified: socket.socket, log: Path) -> None:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        readable, _, _ = select.select([notified], [], [], 0.2)
        if readable and b"READY=1" in notified.recv(4096).split(b"\n"):
            return
    raise RuntimeError(f"gamesad did not become ready: {log.read_text(errors='replace')[-2000:]}")
