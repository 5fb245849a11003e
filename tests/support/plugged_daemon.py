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
        held = _held(daemon.pid)
        before: list[dict[str, int]] = []
        print("ready", flush=True)
        for asked in iter(sys.stdin.readline, ""):
            if asked == "hear\n":
                time.sleep(0.2)
                print("heard", flush=True)
                continue
            if before:
                _wait(lambda last=held: _held(daemon.pid) != last)
            held = _settled(daemon.pid, before[-2] if before[2:] else None)
            before.append(held)
            print(json.dumps(held | {"journal": _told(log)[-1:]}), flush=True)
    finally:
        daemon.terminate()
        daemon.wait(_WITHIN_S)


def _told(log: Path) -> list[str]:
    return [line.split(_SENSOR)[1] for line in log.read_text().splitlines() if _SENSOR in line]


def _settled(pid: int, wanted: dict[str, int] | None) -> dict[str, int]:
    """What it holds once that stands still; at once if it is ``wanted``, what it held like this before.

    What was replaced is closed by threads of their own, on a busy machine late.
    """
    held, since_s = _held(pid), time.monotonic()
    while held != wanted and time.monotonic() < since_s + (1.0 if wanted is None else 10.0):
        time.sleep(0.05)
        if (now := _held(pid)) != held:
            held, since_s = now, time.monotonic()
    return held


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
