"""A simulated machine served over FUSE, so that other processes meet real files, real errnos and real blocking.

``mounted("laptop/compile", tmp_path)`` gives a root for ``gamesad --root``. The file system runs in a child process
that logs every write and can hold one, so that a test can kill the writer at exactly that write.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gamesad.simulation import Machine
from gamesad.simulation.tree import PAGE_SIZE, Attribute, Folder, Link, Tree
from tests.simulation.guest_machine import opened

_REPOSITORY = Path(__file__).parent.parent.parent
_READY_S = 120.0


@dataclass(frozen=True, slots=True)
class LoggedWrite:
    """One write() that reached the machine; ``errno`` is "" when it was taken, DROPPED when it never was."""

    number: int
    path: str
    value: str
    monotonic_s: float
    errno: str
    pid: int


class Mounted:
    """The parent's hold on the child: the root, the log of writes, the machine's control, and the write that waits."""

    def __init__(self, root: Path, log: Path, child: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.root = root
        self.pid = child.pid
        self._log = log
        self._child = child
        self._line = line.makefile("rwb")

    def writes(self) -> list[LoggedWrite]:
        """Every write so far, in order."""
        return [LoggedWrite(**json.loads(line)) for line in self._log.read_text().splitlines()]

    def control(self, name: str, *arguments: object) -> None:
        """Calls ``machine.control.NAME(*arguments)`` in the child."""
        self._ask("control", name, *arguments)

    def advance(self, seconds: float) -> None:
        """The machine's clock jumps ahead."""
        self._ask("advance", seconds)

    def reset(self) -> None:
        """A fresh machine of the same kind, scenario and seed."""
        self._ask("reset")

    def truth(self) -> dict[str, float]:
        """What is really so: hottest_c, power_w, throttle_count, work_done, frame_rate, time_s."""
        answer = self._ask("truth")
        assert isinstance(answer, dict)
        return answer

    def stop_at(self, count: int, *, applied: bool = False) -> None:
        """The ``count``-th write from now waits: before it takes effect, or with ``applied`` after."""
        self._ask("stop_at", count, applied)

    def wait_stopped(self, timeout_s: float = 120.0) -> bool:
        """Whether the write that was to wait has come within the time."""
        return bool(self._ask("wait_stopped", timeout_s))

    def release(self, *, drop: bool = False) -> None:
        """Lets the waiting write go on, or with ``drop`` fail without effect (its writer is dead)."""
        self._ask("release", drop)

    def _ask(self, name: str, *arguments: object) -> object:
        self._line.write(json.dumps([name, *arguments]).encode() + b"\n")
        self._line.flush()
        answer = self._line.readline()
        if not answer:
            raise AssertionError(f"the file system ended with {self._child.poll()}")
        done, value = json.loads(answer)
        if not done:
            raise AssertionError(f"{name}: {value}")
        return value


@contextlib.contextmanager
def mounted(
    name: str, tmp_path: Path, *, seed: int = 0, speed: float = 1.0, paths_last_s: float = 0.0
) -> Iterator[Mounted]:
    """Serves a simulated machine below ``tmp_path``; ``speed`` is its seconds per second, 0 = only ``advance``.

    ``paths_last_s``: so long a path that was found is not asked for again, which halves the cost and hides hotplug.
    """
    root, log = tmp_path / "machine", tmp_path / "writes.jsonl"
    root.mkdir()
    log.touch()
    here, there = socket.socketpair()
    child = subprocess.Popen(
        [sys.executable, __file__, name, *map(str, (seed, speed, paths_last_s, root, log, there.fileno()))],
        cwd=_REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
        pass_fds=[there.fileno()],
    )
    there.close()
    held = Mounted(root, log, child, here)
    try:
        _wait_until_served(root, child)
        yield held
    finally:
        with contextlib.suppress(AssertionError, OSError):
            held.release(drop=True)
        subprocess.run(["fusermount", "-u", "-z", str(root)], check=False, stderr=subprocess.DEVNULL)
        try:
            child.wait(5.0)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        held._line.close()
        here.close()
        root.rmdir()


def _wait_until_served(root: Path, child: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + _READY_S
    while not (root / "proc/version").exists():
        if child.poll() is not None:
            raise AssertionError(f"the file system ended with {child.returncode}")
        if time.monotonic() > deadline_s:
            raise AssertionError("the file system was not served in time")
        time.sleep(0.01)


class Served:
    """The child's state: the machine, its clock, the log, and the write that waits."""

    def __init__(self, name: str, seed: int, speed: float, log: Path) -> None:
        self._name, self._seed, self._speed = name, seed, speed
        self._ahead_s = 0.0
        self._log = log.open("a")
        self._gate = threading.Condition()
        self._countdown = 0
        self._applied = False
        self._waiting = False
        self._verdict = ""
        self._number = 0
        self.machine = self._fresh()

    def clock(self) -> float:
        return time.monotonic() * self._speed + self._ahead_s

    def write(self, path: str, attribute: Attribute, data: bytes, pid: int) -> bool:
        """Whether the write took place; OSError as the kernel refuses it."""
        with self._gate:
            self._number += 1
            number = self._number
            stop = self._countdown == 1
            self._countdown = max(self._countdown - 1, 0)
            applied = self._applied
        entry = partial(LoggedWrite, number, path, data.decode(errors="replace"), pid=pid)
        if stop and not applied and self._wait() == "drop":
            self._note(entry(monotonic_s=time.monotonic(), errno="DROPPED"))
            return False
        try:
            self.machine.store(attribute, data)
        except OSError as error:
            self._note(entry(monotonic_s=time.monotonic(), errno=errno.errorcode[error.errno or errno.EIO]))
            raise
        if stop and applied:
            self._wait()
        self._note(entry(monotonic_s=time.monotonic(), errno=""))
        return True

    def answer(self, name: str, *arguments: object) -> object:
        """One request of the parent; names as in Mounted."""
        match name, arguments:
            case "control", (str(method), *rest):
                getattr(self.machine.control, method)(*rest)
            case "advance", (float() | int() as seconds,):
                self._ahead_s += seconds
                self.machine.advance()
            case "reset", ():
                self.machine = self._fresh()
            case "stop_at", (int(count), bool(applied)):
                with self._gate:
                    self._countdown, self._applied, self._verdict = count, applied, ""
            case "wait_stopped", (float() | int() as timeout_s,):
                with self._gate:
                    return self._gate.wait_for(lambda: self._waiting, timeout_s)
            case "release", (bool(drop),):
                with self._gate:
                    self._countdown, self._verdict = 0, "drop" if drop else "go"
                    self._gate.notify_all()
            case "truth", ():
                return self._truth()
            case _:
                raise ValueError(f"no such request: {name} {arguments}")
        return None

    def _wait(self) -> str:
        with self._gate:
            self._waiting = True
            self._gate.notify_all()
            self._gate.wait_for(lambda: self._verdict != "")
            self._waiting = False
            return self._verdict

    def _note(self, entry: LoggedWrite) -> None:
        fields = {name: getattr(entry, name) for name in LoggedWrite.__slots__}
        with self._gate:
            self._log.write(json.dumps(fields) + "\n")
            self._log.flush()

    def _truth(self) -> dict[str, float]:
        machine = self.machine
        machine.advance()
        plant = machine.plant
        return {
            "hottest_c": max(plant.network.temperature_c[: len(plant.cores)]),
            "power_w": sum(socket.power_w for socket in plant.sockets),
            "throttle_count": sum(socket.throttle_count for socket in plant.sockets),
            "work_done": machine.work_done,
            "frame_rate": machine.frame_rate,
            "time_s": plant.time_s,
        }

    def _fresh(self) -> Machine:
        return opened(self._name, seed=self._seed, clock=self.clock)


class Kernel:
    """The file system's operations, called by fusepy: sampled at offset 0, one value per write, nothing cached."""

    use_ns = True

    def __init__(self, served: Served) -> None:
        self._served = served
        self._open: dict[int, tuple[Attribute, bytes]] = {}
        self._handles = itertools.count(1)

    def __call__(self, operation: str, *arguments: object) -> object:
        return getattr(self, operation)(*arguments)

    @property
    def _tree(self) -> Tree:
        return self._served.machine.tree

    def getattr(self, path: str, _handle: int | None = None) -> dict[str, int]:
        entry = self._tree.entry(path)
        common = {"st_uid": os.getuid(), "st_gid": os.getgid()}
        if isinstance(entry, Link):
            return {"st_mode": stat.S_IFLNK | 0o777, "st_nlink": 1, "st_size": len(entry.target), **common}
        if isinstance(entry, Folder):
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2, **common}
        return {"st_mode": stat.S_IFREG | entry.mode, "st_nlink": 1, "st_size": 4096, **common}

    def readdir(self, path: str, _handle: int) -> list[str]:
        node = self._tree.lookup(path)
        if not isinstance(node, Folder):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return [".", "..", *node.entries]

    def readlink(self, path: str) -> str:
        entry = self._tree.entry(path)
        if not isinstance(entry, Link):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return entry.target

    def open(self, path: str, flags: int) -> int:
        attribute = self._tree.attribute(path)
        if flags & os.O_ACCMODE != os.O_RDONLY and attribute.write is None:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))  # for root as well: fs/kernfs/file.c
        handle = next(self._handles)
        self._open[handle] = (attribute, b"")
        return handle

    def read(self, _path: str, size: int, offset: int, handle: int) -> bytes:
        attribute, content = self._open[handle]
        if offset == 0:
            content = self._served.machine.fetch(attribute)
            self._open[handle] = (attribute, content)
        return content[offset : offset + size]

    def write(self, path: str, data: bytes, _offset: int, handle: int) -> int:
        from fuse import fuse_get_context  # noqa: PLC0415 - only the child needs libfuse

        if not self._served.write(path, self._open[handle][0], data, fuse_get_context()[2]):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return min(len(data), PAGE_SIZE)

    def truncate(self, _path: str, _length: int, _handle: int | None = None) -> int:
        return 0  # O_TRUNC is nothing to sysfs

    def release(self, _path: str, handle: int) -> int:
        self._open.pop(handle, None)
        return 0


def _serve(served: Served, root: str, paths_last_s: float) -> None:
    from fuse import FUSE  # noqa: PLC0415 - only the child needs libfuse

    FUSE(
        Kernel(served),
        root,
        foreground=True,
        nothreads=False,
        direct_io=True,
        attr_timeout=paths_last_s,
        entry_timeout=paths_last_s,
        default_permissions=True,
        allow_other=os.getuid() == 0,
        fsname="gamesad-simulated",
    )


def _listen(served: Served, line: socket.socket) -> None:
    with line.makefile("rwb") as stream:
        for request in stream:
            try:
                answer = [True, served.answer(*json.loads(request))]
            except (OSError, ValueError, TypeError, AttributeError) as error:
                answer = [False, f"{type(error).__name__}: {error}"]
            stream.write(json.dumps(answer).encode() + b"\n")
            stream.flush()


def _child(name: str, seed: str, speed: str, paths_last_s: str, root: str, log: str, descriptor: str) -> None:
    served = Served(name, int(seed), float(speed), Path(log))
    line = socket.socket(fileno=int(descriptor))
    threading.Thread(target=_listen, args=(served, line), daemon=True).start()
    _serve(served, root, float(paths_last_s))


if __name__ == "__main__":
    _child(*sys.argv[1:])
