"""Folders in memory, for what a busy disk must not decide."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACE = "/dev/shm"


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder, on a disk only where there is no /dev/shm."""
    place = _PLACE if os.access(_PLACE, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="gamesad-test-", dir=place) as name:
        yield Path(name)
