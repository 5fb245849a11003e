"""Frame times from the log that MangoHud writes for this user's game; unknown where there is none.

Its columns are named by a line that begins with ``fps,frametime``; elapsed is in ns. Older versions give frame times in
µs, newer ones in ms, and older ones write the whole file only when logging stops (MangoHud, src/logging.cpp).
"""

from __future__ import annotations

import math
import os
import stat
import time
from statistics import median
from typing import Any

_FRESH_S = 3.0
_LAST_S = 10.0
_HEAD, _TAIL = 8192, 256 * 1024
_FILES = 4096
_FRAMES = 2000
_USUAL = "~/mangologs"
_FOLDER = "MANGOHUD_OUTPUT_FOLDER"


class Frames:
    """``folder``: where logs are written. ``why_not``: no user's logs may be read, and why; or empty."""

    def __init__(self, folder: str | None, why_not: str) -> None:
        self._folder = folder or os.environ.get(_FOLDER) or os.path.expanduser(_USUAL)
        self._why_not = why_not

    def look(self) -> dict[str, Any]:
        """``times`` in ms, oldest first."""
        if self._why_not:
            return _unknown(self._why_not)
        try:
            name = _newest(self._folder)
            if name is None:
                return _unknown(f"no MangoHud log is being written in {self._folder}")
            times = _times_ms(*_ends(os.path.join(self._folder, name)))
        except FileNotFoundError:
            return _unknown(f"no MangoHud log is being written in {self._folder}")
        except OSError as error:
            return _unknown(f"{self._folder}: {error.strerror}")
        if not times:
            return _unknown(f"the MangoHud log {name} holds no frame yet")
        ordered = sorted(times)
        return {
            "source": f"MangoHud log {name}",
            "reason": None,
            "fps": round(1e3 * len(times) / math.fsum(times), 2),
            "p50_ms": _percentile(ordered, 0.50),
            "p99_ms": _percentile(ordered, 0.99),
            "times": [round(one, 3) for one in times[-_FRAMES:]],
        }


def _unknown(reason: str) -> dict[str, Any]:
    return {"source": None, "reason": reason, "fps": None, "p50_ms": None, "p99_ms": None, "times": []}


def _newest(folder: str) -> str | None:
    """The log written to in the last seconds; None without one."""
    newest, newest_s = None, time.time() - _FRESH_S
    with os.scandir(folder) as entries:
        for _, entry in zip(range(_FILES), entries, strict=False):
            if entry.name.endswith(".csv") and not entry.name.endswith("_summary.csv"):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode) and found.st_mtime >= newest_s:
                    newest, newest_s = entry.name, found.st_mtime
    return newest


def _ends(path: str) -> tuple[list[str], list[str]]:
    """The file's first and last lines; the last one may be half written and is left out."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        head = file.read(_HEAD)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read(_TAIL)
    lines = tail.decode(errors="replace").split("\n")
    return head.decode(errors="replace").split("\n"), lines[1 if size > _TAIL else 0 : -1]


def _times_ms(head: list[str], lines: list[str]) -> list[float]:
    """Of the last seconds; [] where the columns are not known."""
    columns = next((line.strip().split(",") for line in head if line.startswith("fps,frametime")), None)
    if columns is None:
        return []
    rows = [row for line in lines if (row := _row(line, len(columns))) is not None]
    if not rows:
        return []
    scale = 1.0 if median(row[0] * row[1] for row in rows) < 30e3 else 1e-3  # about 1000, or about 1000000
    if "elapsed" in columns:
        place = columns.index("elapsed")
        rows = [row for row in rows if rows[-1][place] - row[place] <= _LAST_S * 1e9]
    return [row[1] * scale for row in rows]


def _row(line: str, columns: int) -> list[float] | None:
    """None for a line that is not one of numbers, of which fps and frame time are above 0."""
    try:
        row = [float(word) for word in line.split(",")]
    except ValueError:
        return None
    return row if len(row) == columns and all(map(math.isfinite, row)) and row[0] > 0 < row[1] else None


def _percentile(ordered: list[float], part: float) -> float:
    """Nearest rank."""
    return round(ordered[max(0, math.ceil(part * len(ordered)) - 1)], 3)
