"""The real daemon as a child process, started as systemd does: ready when it says so, killed or stopped at will."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_READY_S = 120.0
"""As the next one, only bounds a hang."""
_STOP_S = 120.0


class Daemon:
    """A running gamesad. ``log()`` is what it told so far."""

    def __init__(self, process: subprocess.Popen[bytes], notifications: socket.socket, log_file: Path) -> None:
        self.process = process
        self._notifications = notifications
        self._log_file = log_file
        self.notified: list[str] = []

    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    def wait_notified(self, wanted: str, timeout_s: float = _READY_S) -> None:
        """Until the daemon has sent this state to its service manager."""
        deadline = time.monotonic() + timeout_s
        while not any(wanted in text for text in self.notified):
            self._notifications.settimeout(0.1)
            try:
                self.notified += self._notifications.recv(4096).decode().splitlines()
            except TimeoutError:
                ended = self.process.poll()
                assert ended is None, f"gamesad ended with {ended} before {wanted}:\n{self.log()}"
                assert time.monotonic() < deadline, f"no {wanted} within {timeout_s} s:\n{self.log()}"

    def times_notified(self, wanted: str, *, for_s: float) -> list[float]:
        """When this state was sent, over so many seconds from now."""
        times: list[float] = []
        end_s = time.monotonic() + for_s
        while (left_s := end_s - time.monotonic()) > 0:
            self._notifications.settimeout(left_s)
            try:
                if wanted in self._notifications.recv(4096).decode():
                    times.append(time.monotonic())
            except TimeoutError:
                break
        return times

    def wait_log(self, wanted: str, timeout_s: float = _READY_S) -> None:
        """Until the daemon's log holds this text."""
        deadline = time.monotonic() + timeout_s
        while wanted not in self.log():
            assert time.monotonic() < deadline, f"no {wanted!r} within {timeout_s} s:\n{self.log()}"
            time.sleep(0.02)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(_STOP_S)


def command(arguments: Sequence[str], *, before: str = "", within: str = "") -> list[str]:
    """The command line of a gamesad: after the Python statements ``before``, in a mount namespace after ``within``.

    Its modules are loaded before ``before`` runs, the optional ones apart: what other users see of a test's Python
    may be nothing.
    """
    line = [sys.executable, "-m", "gamesad", *arguments]
    if before:
        line = [sys.executable, "-c", f"{_LOADED}{before}\nsys.exit(main(sys.argv[1:]))", *arguments]
    if within:
        script = f"set -e; {within}; exec {shlex.join(line)}"
        line = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    return line


def without(*modules: str) -> str:
    """Python statements after which these cannot be imported."""
    return "".join(f"sys.modules[{module!r}] = None\n" for module in modules)


def as_uid(uid: int) -> str:
    """Python statements after which the process is this user's."""
    loaded = (
        "import concurrent.futures.thread, encodings.utf_8_sig\n"
        "from gamesad.bus import connection\n"
        "from gamesad.hardware import udev\n"
        "import gamesad.crystal.store\n"
    )
    return f"{loaded}os.setgroups([]); os.setresgid({uid}, {uid}, {uid}); os.setresuid({uid}, {uid}, {uid})\n"


def full(folder: Path) -> str:
    """Shell commands after which this folder is a file system with nothing left."""
    return f"mount -t tmpfs -o size=16k none {folder}; head -c 16384 /dev/zero >{folder}/fill"


_LOADED = "import os, sys\nfrom gamesad import daemon\nfrom gamesad.__main__ import main\n"


@contextmanager
def gamesad(
    folder: Path,
    arguments: Sequence[str],
    *,
    bus: str | None = None,
    ready: bool = True,
    before: str = "",
    within: str = "",
) -> Iterator[Daemon]:
    """``gamesad`` with these arguments, logging into ``folder``; ended on leaving, however it fares."""
    notify_path = folder / "notify"
    notify_path.unlink(missing_ok=True)
    log_file = folder / "gamesad.log"
    environment = {name: value for name, value in os.environ.items() if name != "DBUS_SYSTEM_BUS_ADDRESS"}
    environment["NOTIFY_SOCKET"] = str(notify_path)
    environment["DBUS_SYSTEM_BUS_ADDRESS"] = bus or f"unix:path={folder}/no-bus"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications, log_file.open("wb") as log:
        notifications.bind(str(notify_path))
        line = command(arguments, before=before, within=within)
        with subprocess.Popen(line, env=environment, stdout=log, stderr=log) as process:
            daemon = Daemon(process, notifications, log_file)
            try:
                if ready:
                    daemon.wait_notified("READY=1")
                yield daemon
            finally:
                if process.poll() is None:
                    process.kill()
