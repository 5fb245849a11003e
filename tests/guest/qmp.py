"""QEMU's control socket (docs/interop/qmp-spec)."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

_TIMEOUT_S = 60.0


class Qmp:
    """``do("stop")`` returns what QEMU returned; what it refuses is an AssertionError with its words."""

    def __init__(self, path: Path) -> None:
        self._socket = connected(path, _TIMEOUT_S)
        self._file = self._socket.makefile("rwb")
        self._file.readline()  # the greeting
        self.do("qmp_capabilities")

    def do(self, command: str, **arguments: object) -> Any:
        request = {"execute": command, "arguments": {key.replace("_", "-"): one for key, one in arguments.items()}}
        self._file.write(json.dumps(request).encode())
        self._file.flush()
        while line := self._file.readline():
            answer = json.loads(line)
            assert "error" not in answer, f"{command}: {answer['error']['desc']}"
            if "return" in answer:
                return answer["return"]
        raise AssertionError(f"QEMU ended at {command}")

    def type(self, line: str) -> str:
        """A line for the human monitor, which can do more."""
        return str(self.do("human-monitor-command", command_line=line))

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def connected(path: Path, timeout_s: float) -> socket.socket:
    """A connection to a socket that may not be there yet."""
    deadline = time.monotonic() + timeout_s
    while True:
        one = socket.socket(socket.AF_UNIX)
        try:
            one.connect(str(path))
        except OSError:
            one.close()
            assert time.monotonic() < deadline, f"nobody listens at {path}"
            time.sleep(0.01)
        else:
            one.settimeout(timeout_s)
            return one
