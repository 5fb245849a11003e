"""What tests build once and keep (roots, images, packages), each named by a key of its inputs so that none is stale."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_KEPT = 2
"""So many of one name stay, the most recently used ones: a branch and its parent do not build in turn."""

told: list[str] = []
"""What was taken from the cache or built in this run, a line each; ``tests.support.layers`` prints them."""


def folder() -> Path:
    """``GAMESAD_TEST_CACHE``, or gamesad-tests in the user's cache folder. Safe to delete at any time."""
    if named := os.environ.get("GAMESAD_TEST_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gamesad-tests"


def cached(name: str, inputs: Iterable[str | bytes | Path], make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` filled for these inputs: from the cache, or made now. A ``Path`` stands for its content.

    A build that fails leaves nothing. Two runs that want the same wait for each other.
    """
    digest = hashlib.sha256()
    for one in inputs:
        content = one.read_bytes() if isinstance(one, Path) else one.encode() if isinstance(one, str) else one
        digest.update(len(content).to_bytes(8, "big") + content)
    home = folder()
    home.mkdir(parents=True, exist_ok=True)
    place = home / f"{name}-{digest.hexdigest()[:16]}"
    with (home / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            _tell(f"{name}: from the cache")
        else:
            begun = time.monotonic()
            _make(place, make)
            _tell(f"{name}: made in {time.monotonic() - begun:.1f} s")
        os.utime(place)
        _prune(home, name)
    return place


def _tell(line: str) -> None:
    if line not in told:
        told.append(line)


def _make(place: Path, make: Callable[[Path], None]) -> None:
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    try:
        new.chmod(0o755)
        make(new)
        new.rename(place)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _prune(home: Path, name: str) -> None:
    known = [path for path in home.iterdir() if path.name.rpartition("-")[0] == name]
    for old in sorted(known, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
