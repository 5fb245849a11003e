"""gamesactl as tests run it: in this process for what it says, as a child for signals, terminals and other users."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gamesactl.__main__ import main

ROOT = Path(__file__).parents[2]
GAMESACTL = [sys.executable, "-m", "gamesactl"]
NOBODY = 65534
_PATIENCE_S = 120.0

_AS_USER = """
import os, sys, importlib
from gamesactl.__main__ import main
from gamesactl import bus, verbs, password
for verb in verbs.VERBS:
    importlib.import_module("gamesactl.commands." + verb.module)
import json, difflib, encodings.idna
from tests.support import client
uid = int(sys.argv[1])
os.setgroups([]); os.setresgid(uid, uid, uid); os.setresuid(uid, uid, uid)
if sys.argv[2] == "lines":
    from tests.support.client import gamesactl
    print(json.dumps([gamesactl(*line.split()) for line in sys.argv[3:]]))
else:
    sys.exit(main(sys.argv[3:]))
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def gamesactl(*words: str) -> Said:
    """Runs it in this process; the bus is the one that DBUS_SYSTEM_BUS_ADDRESS names."""
    out, err = io.StringIO(), io.StringIO()
    gc.freeze()  # so that the collection below looks at what was made in between only
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        # dbus-next never closes its socket: it goes with the garbage, at a process's end at the latest.
        warnings.simplefilter("ignore", ResourceWarning)
        code = main(words)
        gc.collect()
    gc.unfreeze()
    return Said(code, out.getvalue(), err.getvalue())


def text(block: str) -> str:
    """A block as it stands in a test, without its first line break."""
    return block.removeprefix("\n")


def as_user(uid: int, *lines: str) -> list[Said]:
    """Runs each line as somebody else. The modules are loaded first: a test's Python may lie where only root looks."""
    ran = subprocess.run(
        [sys.executable, "-c", _AS_USER, str(uid), "lines", *lines],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return [Said(*said) for said in json.loads(ran.stdout)]


@contextlib.contextmanager
def started(*words: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A child that is ended with the block, whatever it does."""
    child = subprocess.Popen(
        [*GAMESACTL, *words],
        cwd=options.pop("cwd", ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def eventually(true: Callable[[], object], what: str = "it") -> None:
    """Waits until it is so, however busy the machine; the limit only ends a test that hangs."""
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


class Terminal:
    """gamesactl on a terminal of its own, with job control as in a shell."""

    def __init__(self, *words: str, as_uid: int | None = None, **environment: str) -> None:
        self.screen = ""
        command = GAMESACTL if as_uid is None else [sys.executable, "-c", _AS_USER, str(as_uid), "words"]
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            env = {**os.environ, "TERM": "xterm-256color", **environment}
            os.execve(command[0], [*command, *words], env)

    def wait_for(self, text: str) -> None:
        """Reads until the text has been shown."""
        deadline = time.monotonic() + _PATIENCE_S
        while text not in self.screen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was not shown:\n{self.screen!r}"
            assert self._read(left), f"ended before {text!r} was shown:\n{self.screen!r}"

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def size(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def end(self) -> int:
        """Reads the rest; the exit code."""
        while self._read(_PATIENCE_S):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return False
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self.screen += chunk.decode(errors="replace")
        return bool(chunk)


class FakeDaemon:
    """tests.support.fake_gamesad on a private bus, with its answers."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self._folder / "ready").unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.support.fake_gamesad", str(self._folder)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        eventually((self._folder / "ready").exists, f"ready: {(self._folder / 'log').read_text()}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def freeze(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def answer(self, **answers: object) -> None:
        """Replaces whole answers: status, sensors, tunables, properties, decisions."""
        path = self._folder / "answers.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        new = path.with_suffix(".new")
        new.write_text(json.dumps({**known, **answers}))
        new.rename(path)

    def forget(self) -> None:
        (self._folder / "asked").write_text("")

    @property
    def asked(self) -> list[list[object]]:
        """What clients asked for, in order."""
        path = self._folder / "asked"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
