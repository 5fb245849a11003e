"""The whole daemon in a plug bed: at each look, what its journal says of the die's sensor, and what it holds open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_SENSOR = "sensor hwmon.coretemp-isa-0000.temp1 "
_WITHIN_S = 120.0


def main(folder: str) -> None:
    log = Path(folder) / "log"
    options = ["--observe", "--without", "bus", "--state-dir", folder, "--runtime-dir", folder]
    with log.open("w") as output:
        daemon = subprocess.Popen([sys.executable, "-m", "gamesad", *options], stderr=output)
    try:
        _wait(lambda: "observing" in log.read_text())
        time.sleep(0.5)  # the monitor opens after the first tick
        bare = held = _held(daemon.pid)
        print("ready", flush=True)
        for asked in iter(sys.stdin.readline, ""):
            if asked == "hear\n":
                time.sleep(0.2)
                print("heard", flush=True)
                continue
            _wait(lambda before=held, first=held is bare: first or _held(daemon.pid) != before)
            time.sleep(0.5)  # what was replaced is closed by a thread of its own
            held = _held(daemon.pid)
            print(json.dumps(held | {"journal": _told(log)[-1:]}), flush=True)
    finally:
        daemon.terminate()
        daemon.wait(_WITHIN_S)


def _told(log: Path) -> list[str]:
    return [line.split(_SENSOR)[1] for line in log.read_text().splitlines() if _SENSOR in line]


def _held(pid: int) -> dict[str, int]:
    return {
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
    }


def _wait(until: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + _WITHIN_S
    while not until():
        assert time.monotonic() < deadline_s, "nothing came of it"
        time.sleep(0.05)


main(sys.argv[1])
